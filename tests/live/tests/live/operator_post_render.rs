//! What is done to a chart's objects after they were rendered, and before anything else.

use belay_api::Reason;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Service;
use kube::ResourceExt;
use serde_json::{Value, json};

use crate::operator_charts::{BETTER, Files, GOOD, note, shop};
use crate::operator_world::{SHOP, World, current, desired, message, operated_world};

fn spec(chart: &Files, more: &Value) -> Value {
    let mut spec = json!({"chart": chart.inline()});
    for (key, value) in more.as_object().unwrap() {
        spec[key] = value.clone();
    }
    spec
}

async fn rolled_out(world: &World, chart: &Files, more: &Value) -> belay_api::HelmRelease {
    world
        .deployed(&world.apply(SHOP, &spec(chart, more)).await)
        .await
}

fn web_image(image: &str) -> Value {
    json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "image": image}]}}}})
}

#[tokio::test]
async fn patches_change_what_is_rolled_out_and_what_helm_reads() {
    let world = operated_world("patches").await;
    let chart = shop().with_hook(
        "migrate",
        "registry.example/m:1",
        "pre-install,pre-upgrade",
        "",
    );
    let patches = json!({"postRender": [
        {"target": {"kind": "Deployment"}, "patch": {
            "spec": {"template": {"spec": {"containers": [
                {"name": "web", "env": [{"name": "MODE", "value": "fast"}]},
                {"name": "proxy", "image": "registry.example/proxy:1"},
            ]}}},
        }},
        {"target": {"name": ".*-web", "kind": "Service"}, "patch": [
            {"op": "replace", "path": "/spec/ports/0/port", "value": 8080},
        ]},
        // As kustomize and Flux have it: text, and a null that survives every apply.
        {"target": {"kind": "ConfigMap"}, "patch": "data: {greeting: null, patched: \"yes\"}"},
        {"target": {"kind": "Job"}, "patch": {
            "spec": {"template": {"spec": {"containers": [{"name": "hook", "image": "registry.example/m:2"}]}}},
        }},
    ]});
    let first = rolled_out(&world, &chart, &patches).await;
    assert_eq!(current(&first), Some(1));
    assert!(desired(&first).starts_with("v2:"), "{}", desired(&first));
    let deployment = world.api::<Deployment>().get("shop-web").await.unwrap();
    let pod = deployment.spec.unwrap().template.spec.unwrap();
    let names: Vec<_> = pod.containers.iter().map(|c| c.name.as_str()).collect();
    assert!(
        names.contains(&"proxy") && names.contains(&"web"),
        "{names:?}"
    );
    let web = pod.containers.iter().find(|c| c.name == "web").unwrap();
    assert_eq!(web.image.as_deref(), Some(GOOD));
    assert_eq!(web.env.as_ref().unwrap()[0].name, "MODE");
    let service = world.api::<Service>().get("shop-web").await.unwrap();
    assert_eq!(service.spec.unwrap().ports.unwrap()[0].port, 8080);
    let data = world.config_map("shop-config").await.unwrap().data.unwrap();
    assert_eq!(data.len(), 1, "{data:?}");
    assert_eq!(data["patched"], "yes");
    let job = world.api::<Job>().get("migrate").await.unwrap();
    let hook = job.spec.unwrap().template.spec.unwrap().containers;
    assert_eq!(hook[0].image.as_deref(), Some("registry.example/m:2"));

    // helm sees the same, and goes on from it.
    let manifest = world.helm(&["get", "manifest", SHOP]).await;
    for part in [
        "proxy:1",
        "port: 8080",
        "patched: \"yes\"",
        "# Source: shop/templates/config.yaml",
    ] {
        assert!(manifest.contains(part), "{part}: {manifest}");
    }
    let hooks = world.helm(&["get", "hooks", SHOP]).await;
    assert!(hooks.contains("registry.example/m:2"), "{hooks}");

    // Another patch is another thing to roll out; the same is not.
    let again = world.looked_at(SHOP, "again").await;
    assert_eq!(
        (current(&again), desired(&again)),
        (Some(1), desired(&first))
    );
    let more =
        json!({"postRender": [{"target": {"kind": "Deployment"}, "patch": web_image(BETTER)}]});
    let second = rolled_out(&world, &chart, &more).await;
    assert_eq!(current(&second), Some(2));
    assert_eq!(world.image(SHOP).await, BETTER);
    world.helm(&["rollback", SHOP, "1"]).await;
    let back = world.api::<Service>().get("shop-web").await.unwrap();
    assert_eq!(back.spec.unwrap().ports.unwrap()[0].port, 8080);
    world.end().await;
}

#[tokio::test]
async fn common_metadata_is_on_every_object_and_never_in_a_selector() {
    let world = operated_world("metadata").await;
    let chart = shop().with_hook(
        "migrate",
        "registry.example/m:1",
        "pre-install,pre-upgrade",
        "",
    );
    let more = json!({"commonMetadata": {
        "labels": {"team": "shop"}, "annotations": {"example.org/owner": "jane"},
    }});
    rolled_out(&world, &chart, &more).await;
    let deployment = world.api::<Deployment>().get("shop-web").await.unwrap();
    let map = world.config_map("shop-config").await.unwrap();
    for (labels, annotations) in [
        (deployment.labels(), deployment.annotations()),
        (map.labels(), map.annotations()),
    ] {
        assert_eq!(labels["team"], "shop");
        assert_eq!(labels["app.kubernetes.io/managed-by"], "Helm");
        assert_eq!(annotations["example.org/owner"], "jane");
        assert_eq!(annotations["meta.helm.sh/release-name"], SHOP);
    }
    let spec = deployment.spec.clone().unwrap();
    let selector = spec.selector.match_labels.unwrap();
    assert_eq!(selector.keys().collect::<Vec<_>>(), ["app"]);
    let pods = spec.template.metadata.unwrap().labels.unwrap();
    assert_eq!(pods.keys().collect::<Vec<_>>(), ["app"]);
    let job = world.api::<Job>().get("migrate").await.unwrap();
    assert_eq!(job.labels()["team"], "shop");
    let manifest = world.helm(&["get", "manifest", SHOP]).await;
    assert_eq!(manifest.matches("team: shop").count(), 3, "{manifest}");

    // A release is not rolled out again for a label that is a label of another.
    let uid = deployment.uid();
    let other = json!({"commonMetadata": {"labels": {"team": "other"}}});
    let release = rolled_out(&world, &chart, &other).await;
    assert_eq!(current(&release), Some(2));
    let deployment = world.api::<Deployment>().get("shop-web").await.unwrap();
    assert_eq!(deployment.labels()["team"], "other");
    assert!(!deployment.annotations().contains_key("example.org/owner"));
    assert_eq!(deployment.uid(), uid);
    world.end().await;
}

#[tokio::test]
async fn a_patch_that_cannot_be_used_is_told_and_nothing_is_touched() {
    let world = operated_world("badpatch").await;
    rolled_out(&world, &note(), &json!({})).await;
    let states = world.states().await;
    let cases = [
        (
            json!([{"target": {"kind": "Ingress"}, "patch": {"spec": {}}}]),
            Reason::PostRenderFailed,
            vec!["postRender[0]", "kind Ingress", "no such object"],
        ),
        (
            json!([
                {"target": {"kind": "ConfigMap"}, "patch": {"data": {"a": "b"}}},
                {"target": {"kind": "ConfigMap"}, "patch": [{"op": "remove", "path": "/data/none"}]},
            ]),
            Reason::PostRenderFailed,
            vec!["postRender[1]", "ConfigMap shop-config", "/data/none"],
        ),
        (
            json!([{"target": {"name": "web("}, "patch": {"spec": {}}}]),
            Reason::SpecInvalid,
            vec!["spec.postRender[0]", "target.name"],
        ),
        (
            json!([{"patch": [{"op": "remove", "path": "/data"}]}]),
            Reason::SpecInvalid,
            vec!["spec.postRender[0]", "add a target"],
        ),
        (
            json!([{"target": {}, "patch": "a: ["}]),
            Reason::SpecInvalid,
            vec!["spec.postRender[0]", "no YAML"],
        ),
    ];
    for (patches, reason, parts) in cases {
        let asked = world
            .apply(SHOP, &spec(&note(), &json!({"postRender": patches})))
            .await;
        let release = world.stopped(&asked, reason).await;
        for part in parts {
            assert!(message(&release).contains(part), "{}", message(&release));
        }
    }
    assert_eq!(world.states().await, states);
    assert_eq!(world.history(SHOP).await.len(), 1);

    for (metadata, part) in [
        (
            json!({"labels": {"app.kubernetes.io/managed-by": "me"}}),
            "managed-by",
        ),
        (
            json!({"annotations": {"meta.helm.sh/release-name": "other"}}),
            "whose the objects are",
        ),
        (
            json!({"annotations": {"helm.sh/hook": "pre-install"}}),
            "every object a hook",
        ),
        (
            json!({"labels": {"team": "no spaces"}}),
            "commonMetadata.labels",
        ),
    ] {
        let spec = spec(&note(), &json!({"commonMetadata": metadata}));
        let refused = world.try_apply(SHOP, &spec).await.unwrap_err().to_string();
        assert!(refused.contains(part), "{refused}");
    }
    world.end().await;
}
