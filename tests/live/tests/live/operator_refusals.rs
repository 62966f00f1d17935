//! Specs that the API server itself refuses, with the field named.

use belay_api::RollbackRequest;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::operator_charts::note;
use crate::operator_world::{SHOP, World, operated_world, quiet_world};

async fn refusal(world: &World, spec: &Value) -> String {
    match world.try_apply("wrong", spec).await {
        Err(kube::Error::Api(answer)) => answer.message,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("{spec} was taken"),
    }
}

#[tokio::test]
async fn a_wrong_spec_is_refused_with_its_field() {
    let world = quiet_world("cel").await;
    let inline = note().inline();
    let mut two = inline.clone();
    two["configMap"] = json!({"name": "package", "key": "shop.tgz"});
    let ftp = json!({"repository": {"url": "ftp://example.com", "name": "shop"}});
    let oci = |fields: Value| {
        let mut oci = json!({"url": "oci://registry.example/charts/shop"});
        for (field, value) in fields.as_object().unwrap() {
            oci[field] = value.clone();
        }
        json!({"chart": {"oci": oci}})
    };
    let digest = format!("sha256:{}", "0".repeat(64));
    let cases = [
        (
            oci(json!({"version": "1.0.0", "digest": digest})),
            "spec.chart.oci",
            "version or digest, not both",
        ),
        (
            oci(json!({"url": "oci://registry.example/charts/shop:1.0.0"})),
            "spec.chart.oci.url",
            "oci://",
        ),
        (
            oci(json!({"url": "https://registry.example/charts/shop"})),
            "spec.chart.oci.url",
            "oci://",
        ),
        (
            oci(json!({"digest": "1.0.0"})),
            "spec.chart.oci.digest",
            "at least 71",
        ),
        (json!({"chart": two}), "spec.chart", "exactly one of"),
        (json!({"chart": {}}), "spec.chart", "exactly one of"),
        (json!({}), "spec.chart", "Required"),
        (
            json!({"chart": ftp}),
            "spec.chart.repository.url",
            "https?://",
        ),
        (
            json!({"chart": inline, "timeout": "soon"}),
            "spec.timeout",
            "soon",
        ),
        (
            json!({"chart": inline, "timeout": "0s"}),
            "spec",
            "timeout must be longer than 0s",
        ),
        (
            json!({"chart": inline, "interval": "10ms"}),
            "spec",
            "interval must be at least 1s",
        ),
        (
            json!({"chart": inline, "maxHistory": 0}),
            "spec.maxHistory",
            "1",
        ),
        (
            json!({"chart": inline, "releaseName": "No_Name"}),
            "spec.releaseName",
            "No_Name",
        ),
        (
            json!({"chart": inline, "deletionPolicy": "Forget"}),
            "spec.deletionPolicy",
            "Orphan",
        ),
        (
            json!({"chart": inline, "values": ["a"]}),
            "spec.values",
            "object",
        ),
    ];
    for (spec, field, part) in cases {
        let told = refusal(&world, &spec).await;
        assert!(told.contains(field), "{field}: {told}");
        assert!(told.contains(part), "{part}: {told}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_release_name_stays_what_it_was_at_the_first_install() {
    let world = operated_world("immutable").await;
    world.deploy(SHOP, &note(), &json!({})).await;
    for field in ["releaseName", "targetNamespace", "storageNamespace"] {
        let mut spec = json!({"chart": note().inline(), "values": {}});
        spec[field] = json!("other");
        match world.try_apply(SHOP, &spec).await {
            Err(kube::Error::Api(answer)) => {
                let expected = format!("spec.{field} is immutable");
                assert!(answer.message.contains(&expected), "{}", answer.message);
            }
            other => panic!("{field}: {other:?}"),
        }
    }
    world.end().await;
}

#[tokio::test]
async fn a_request_is_refused_when_it_is_ambiguous_or_edited() {
    let world = quiet_world("celorder").await;
    let requests = world.api::<RollbackRequest>();
    let request = |spec: Value| {
        json!({
            "apiVersion": "belay.dev/v1alpha1", "kind": "RollbackRequest",
            "metadata": {"name": "back"}, "spec": spec,
        })
    };
    let send = async |spec: Value| {
        let params = PatchParams::apply("gitops").force();
        let patch = request(spec);
        let answer = requests.patch("back", &params, &Patch::Apply(&patch)).await;
        match answer {
            Err(kube::Error::Api(answer)) => answer.message,
            Err(other) => panic!("{other}"),
            Ok(_) => String::new(),
        }
    };
    let shop = json!({"name": SHOP});
    let told = send(json!({"releaseRef": shop, "target": {"revision": 1, "previous": {}}})).await;
    assert!(
        told.contains("spec.target") && told.contains("at most one of"),
        "{told}"
    );
    let told = send(json!({"releaseRef": shop, "until": "Time"})).await;
    assert!(told.contains("until: Time needs holdUntil"), "{told}");
    let told = send(json!({"releaseRef": shop, "expectedCurrent": {}})).await;
    assert!(told.contains("spec.expectedCurrent"), "{told}");

    assert_eq!(
        send(json!({"releaseRef": shop, "target": {"revision": 1}})).await,
        ""
    );
    let told = send(json!({"releaseRef": shop, "target": {"revision": 2}})).await;
    assert!(
        told.contains("immutable") && told.contains("make a new one"),
        "{told}"
    );
    world.end().await;
}
