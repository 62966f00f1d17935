//! Input that is wrong: told with its own reason and the place, and nothing changes in the cluster.

use belay_api::{ConditionType, HelmRelease, Reason};
use belay_harness::HttpRepo;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{ObjectMeta, PostParams};
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::operator_charts::{Files, note};
use crate::operator_world::{
    SHOP, World, condition, current, holds, message, operated_world, operated_world_with,
};

/// A good release, and what its namespace holds.
pub async fn good_release(world: &World) -> Vec<String> {
    world.deploy(SHOP, &note(), &json!({})).await;
    world.states().await
}

/// Applies a wrong spec over the good release; it is told, and nothing else happens.
pub async fn is_told(world: &World, good: &[String], spec: &Value, reason: Reason, parts: &[&str]) {
    let asked = world.apply(SHOP, spec).await;
    let release = world
        .until_release(SHOP, &format!("{reason} told"), |release| {
            let status = release.status.as_ref();
            status.map(|status| status.observed_generation) >= asked.metadata.generation
                && condition(release, ConditionType::Ready)
                    .is_some_and(|ready| ready.reason == reason)
        })
        .await;
    let told = message(&release);
    for part in parts {
        assert!(told.contains(part), "{reason}: {part:?} is not in: {told}");
    }
    assert!(told.contains("revision 1 (shop-1.0.0) runs"), "{told}");
    assert!(holds(&release, ConditionType::Available), "{reason}");
    assert!(holds(&release, ConditionType::Consistent), "{reason}");
    assert!(!holds(&release, ConditionType::Ready), "{reason}");
    assert_eq!(current(&release), Some(1));
    assert_eq!(
        world.states().await,
        good,
        "{reason}: nothing changed, the ledger included"
    );
}

fn chart(files: &Files) -> Value {
    json!({"chart": files.inline()})
}

#[tokio::test]
async fn a_chart_that_cannot_be_had_is_told_and_the_release_runs_on() {
    let world = operated_world("nochart").await;
    let good = good_release(&world).await;
    let repository = HttpRepo::start(world.cluster.tools()).await.unwrap();
    let folder = tempdir().unwrap();
    note().write(folder.path());
    repository.publish(folder.path(), "1.2.0").await.unwrap();
    let named = |name: &str, version: &str| {
        let repository = json!({"url": repository.url(), "name": name, "version": version});
        json!({"chart": {"repository": repository}})
    };
    let unknown = named("shopp", "1.2.0");
    is_told(
        &world,
        &good,
        &unknown,
        Reason::ChartNotFound,
        &["\"shopp\"", repository.url(), "shop"],
    )
    .await;
    let newer = named(SHOP, ">=2");
    is_told(
        &world,
        &good,
        &newer,
        Reason::ChartNotFound,
        &["\">=2\"", "1.2.0"],
    )
    .await;
    let senseless = named(SHOP, "newest");
    is_told(
        &world,
        &good,
        &senseless,
        Reason::SpecInvalid,
        &["\"newest\"", ">=6.0.0 <7.0.0"],
    )
    .await;

    let package = ConfigMap {
        metadata: ObjectMeta {
            name: Some("package".into()),
            ..ObjectMeta::default()
        },
        binary_data: Some([("shop.tgz".to_owned(), ByteString(b"no package".to_vec()))].into()),
        ..ConfigMap::default()
    };
    let maps = world.api::<ConfigMap>();
    maps.create(&PostParams::default(), &package).await.unwrap();
    let good = world.states().await;
    let broken = json!({"chart": {"configMap": {"name": "package", "key": "shop.tgz"}}});
    is_told(
        &world,
        &good,
        &broken,
        Reason::ChartInvalid,
        &["package", "shop.tgz"],
    )
    .await;
    let missing = json!({"chart": {"configMap": {"name": "package", "key": "other.tgz"}}});
    is_told(
        &world,
        &good,
        &missing,
        Reason::ReferenceNotFound,
        &["package", "other.tgz"],
    )
    .await;
    let from = json!([{"kind": "ConfigMap", "name": "absent"}]);
    let missing = json!({"chart": note().inline(), "valuesFrom": from});
    is_told(
        &world,
        &good,
        &missing,
        Reason::ReferenceNotFound,
        &["absent", "values.yaml"],
    )
    .await;
    world.end().await;
}

#[tokio::test]
async fn a_chart_that_cannot_be_rendered_is_told_with_file_and_line() {
    let world = operated_world("norender").await;
    let good = good_release(&world).await;

    let unclosed = note().with("templates/bad.yaml", "a: 1\nb: {{ if .Values.x }}\n");
    is_told(
        &world,
        &good,
        &chart(&unclosed),
        Reason::RenderFailed,
        &["shop/templates/bad.yaml:"],
    )
    .await;
    let unknown = note().with("templates/bad.yaml", "a: 1\nb: {{ frobnicate 1 }}\n");
    is_told(
        &world,
        &good,
        &chart(&unknown),
        Reason::RenderFailed,
        &["shop/templates/bad.yaml:2", "frobnicate"],
    )
    .await;
    let required = "a: 1\nb: 2\nc: {{ required \"who must be named\" .Values.who }}\n";
    let required = note().with("templates/bad.yaml", required);
    is_told(
        &world,
        &good,
        &chart(&required),
        Reason::RenderFailed,
        &["shop/templates/bad.yaml:3:", "who must be named"],
    )
    .await;
    let handlebars = note().with("templates/bad.yaml.hbs", "a: 1\nb: {{frobnicate 1}}\n");
    is_told(
        &world,
        &good,
        &chart(&handlebars),
        Reason::RenderFailed,
        &["shop/templates/bad.yaml.hbs:2:"],
    )
    .await;
    let no_yaml = note().with("templates/bad.yaml", "kind: ConfigMap\n\tapiVersion: v1\n");
    is_told(
        &world,
        &good,
        &chart(&no_yaml),
        Reason::RenderFailed,
        &["shop/templates/bad.yaml"],
    )
    .await;

    let schema = json!({"properties": {"replicas": {"type": "integer", "maximum": 5}}});
    let schema = note().with("values.schema.json", &schema.to_string());
    let spec = json!({"chart": schema.inline(), "values": {"replicas": 7}});
    is_told(
        &world,
        &good,
        &spec,
        Reason::SchemaViolation,
        &[
            "at '/replicas'",
            "maximum: got 7, want 5",
            "replicas is from values",
        ],
    )
    .await;
    let no_chart = chart(&note().with("Chart.yaml", "apiVersion: v2\nname: shop\n"));
    is_told(&world, &good, &no_chart, Reason::ChartInvalid, &["version"]).await;
    let bad_set = json!({"chart": note().inline(), "set": ["a[x]=1"]});
    is_told(
        &world,
        &good,
        &bad_set,
        Reason::ValuesInvalid,
        &["--set", "x"],
    )
    .await;

    // What is put right is rolled out.
    let release = world
        .deploy(SHOP, &note(), &json!({"greeting": "again"}))
        .await;
    assert_eq!(current(&release), Some(2));
    world.end().await;
}

#[tokio::test]
async fn a_manifest_that_the_api_server_refuses_is_told_before_the_first_write() {
    let world = operated_world("manifest").await;
    world
        .kubectl(&["create", "configmap", "theirs", "--from-literal=of=others"])
        .await;
    let good = good_release(&world).await;

    let object = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "bad"},
        "spec": {"ports": [{"port": 99999}]},
    });
    let invalid = note().with("templates/bad.yaml", &object.to_string());
    is_told(
        &world,
        &good,
        &chart(&invalid),
        Reason::ManifestRejected,
        &["Service", "bad", "spec.ports[0].port"],
    )
    .await;
    let unknown =
        json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "bad"}});
    let unknown = note().with("templates/bad.yaml", &unknown.to_string());
    is_told(
        &world,
        &good,
        &chart(&unknown),
        Reason::ManifestRejected,
        &["Widget", "example.com/v1"],
    )
    .await;
    let foreign = note().with_config_map("theirs", &json!({}));
    is_told(
        &world,
        &good,
        &chart(&foreign),
        Reason::OwnershipConflict,
        &["ConfigMap", "theirs"],
    )
    .await;
    let theirs = world.config_map("theirs").await.unwrap();
    assert_eq!(theirs.data.unwrap()["of"], "others");
    world.end().await;
}

#[tokio::test]
async fn a_first_install_of_what_is_wrong_makes_nothing_and_is_told() {
    let world = operated_world("wrongfirst").await;
    let before = world.states().await;
    let chart = note().with("templates/bad.yaml", "{{ fail \"not like this\" }}");
    let asked = world.roll_out(SHOP, &chart, &json!({})).await;
    let release = world.stopped(&asked, Reason::RenderFailed).await;
    assert!(
        message(&release).contains("shop/templates/bad.yaml:1:"),
        "{}",
        message(&release)
    );
    assert!(
        message(&release).contains("not like this"),
        "{}",
        message(&release)
    );
    let mut after = world.states().await;
    after.retain(|line| !line.starts_with("Secret/belay"));
    assert_eq!(after, before);
    world.delete::<HelmRelease>(SHOP).await;
    assert_eq!(world.states().await, before);
    world.end().await;
}

/// Given an operator as people run it, and a tenant who names the operator's own machine or its cloud.
#[tokio::test]
async fn a_tenant_does_not_reach_the_operator_s_machine_through_it() {
    let world = operated_world_with("guarded", |settings| {
        settings.allow_source_addresses.clear();
    })
    .await;
    let repository = HttpRepo::start(world.cluster.tools()).await.unwrap();
    for url in [repository.url(), "http://169.254.169.254/latest"] {
        let from = json!({"url": url, "name": SHOP});
        let asked = world
            .apply(SHOP, &json!({"chart": {"repository": from}}))
            .await;

        let told = message(&world.stopped(&asked, Reason::SpecInvalid).await);

        assert!(told.contains("--allow-source-addresses"), "{told}");
    }
    assert_eq!(repository.all_requests(), 0);
    world.end().await;
}
