//! Where charts come from: a repository, a ConfigMap, the release itself.

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use belay_api::rollback_request::RequestPhase;
use belay_api::{Condition, ConditionStatus, ConditionType, HelmRelease, Reason};
use belay_harness::{Fault, HttpRepo};
use futures::StreamExt;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{ObjectMeta, PostParams};
use kube::runtime::watcher::watch_object;
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::operator_charts::note;
use crate::operator_world::{
    SHOP, World, at_rest, condition, current, operated_world, phase, ready,
};

#[tokio::test]
async fn a_range_takes_its_newest_version_and_at_the_interval_a_newer_one() {
    let world = operated_world("range").await;
    let repository = HttpRepo::start(world.cluster.tools()).await.unwrap();
    let folder = tempdir().unwrap();
    note().write(folder.path());
    for version in ["1.0.0", "1.1.0", "2.0.0"] {
        repository.publish(folder.path(), version).await.unwrap();
    }
    let from = json!({"url": repository.url(), "name": SHOP, "version": ">=1 <2"});
    let spec = json!({"chart": {"repository": from}, "interval": "1s"});
    let release = world.deployed(&world.apply(SHOP, &spec).await).await;
    assert_eq!(release.status.unwrap().current.unwrap().chart, "shop-1.1.0");

    repository.publish(folder.path(), "1.2.0").await.unwrap();
    world
        .until_release(SHOP, "the newer version", |release| {
            let status = release.status.as_ref();
            let current = status.and_then(|status| status.current.as_ref());
            current.is_some_and(|current| current.chart == "shop-1.2.0")
        })
        .await;
    let history = world.helm_json(&["history", SHOP]).await;
    assert_eq!(history[1]["chart"], "shop-1.2.0");
    let release = world.until_release(SHOP, "rest", at_rest).await;
    let causes: Vec<_> = release.status.unwrap().history.into_iter().rev().collect();
    assert_eq!(causes[0].cause.as_deref(), Some("generation 1 of the spec"));
    assert_eq!(
        causes[1].cause.as_deref(),
        Some("the source has this chart now, where it had shop-1.1.0")
    );
    world.end().await;
}

#[tokio::test]
async fn a_packaged_chart_comes_out_of_a_config_map() {
    let world = operated_world("packaged").await;
    let folder = tempdir().unwrap();
    let chart = folder.path().join(SHOP);
    note().write(&chart);
    package(&world.cluster, &chart, folder.path()).await;
    let content = std::fs::read(folder.path().join("shop-1.0.0.tgz")).unwrap();
    let map = ConfigMap {
        metadata: ObjectMeta {
            name: Some("package".into()),
            ..ObjectMeta::default()
        },
        binary_data: Some([("shop.tgz".to_owned(), ByteString(content))].into()),
        ..ConfigMap::default()
    };
    let maps = world.api::<ConfigMap>();
    maps.create(&PostParams::default(), &map).await.unwrap();

    let source = json!({"configMap": {"name": "package", "key": "shop.tgz"}});
    let spec = json!({"chart": source, "values": {"greeting": "unpacked"}});
    world.deployed(&world.apply(SHOP, &spec).await).await;
    assert_eq!(world.greeting(SHOP).await, "unpacked");
    world.end().await;
}

#[tokio::test]
async fn a_repository_that_is_down_for_a_while_does_not_unsettle_what_runs() {
    let world = operated_world("outage").await;
    let repository = HttpRepo::start(world.cluster.tools()).await.unwrap();
    let folder = tempdir().unwrap();
    note().write(folder.path());
    repository.publish(folder.path(), "1.0.0").await.unwrap();
    let from = json!({"url": repository.url(), "name": SHOP});
    let spec = json!({"chart": {"repository": from}, "interval": "1s"});
    world.deployed(&world.apply(SHOP, &spec).await).await;

    let unsettled = Arc::new(AtomicBool::new(false));
    let watch = {
        let (releases, unsettled) = (world.api::<HelmRelease>(), Arc::clone(&unsettled));
        tokio::spawn(async move {
            let mut states = pin!(watch_object(releases, SHOP));
            while let Some(state) = states.next().await {
                let stopped = state.ok().flatten().is_some_and(|release| {
                    ready(&release).is_some_and(|ready| ready.status == ConditionStatus::False)
                });
                unsettled.fetch_or(stopped, Ordering::Relaxed);
            }
        })
    };
    repository.fail(Fault::Status(503));
    let before = repository.all_requests();
    // A server that only counts sends no events.
    while repository.all_requests() < before + 2 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let down = until_source(&world, ConditionStatus::False).await;
    assert_eq!(down.reason, Reason::SourceUnavailable);
    assert!(down.message.contains("HTTP 503"), "{}", down.message);
    repository.heal();
    repository.publish(folder.path(), "1.1.0").await.unwrap();
    world
        .until_release(SHOP, "the newer version", |release| {
            at_rest(release) && current(release) == Some(2)
        })
        .await;
    assert!(!unsettled.load(Ordering::Relaxed), "Ready became False");
    let found = until_source(&world, ConditionStatus::True).await;
    assert!(
        found.message.contains("shop-1.1.0 comes from"),
        "{}",
        found.message
    );
    watch.abort();
    world.end().await;
}

/// Waits until the release says of its source that it is, or is not, ready.
async fn until_source(world: &World, status: ConditionStatus) -> Condition {
    let says = |release: &HelmRelease| {
        let source = condition(release, ConditionType::SourceReady);
        source.filter(|source| source.status == status).cloned()
    };
    let release = world
        .until_release(SHOP, "SourceReady", |release| says(release).is_some())
        .await;
    says(&release).unwrap()
}

/// Given a source that is gone for good, and an operator that starts without having seen it.
#[tokio::test]
async fn a_way_back_needs_no_source() {
    let world = operated_world("noway").await;
    let repository = HttpRepo::start(world.cluster.tools()).await.unwrap();
    let folder = tempdir().unwrap();
    note().write(folder.path());
    for version in ["1.0.0", "1.1.0"] {
        repository.publish(folder.path(), version).await.unwrap();
    }
    let from = |version: &str| {
        let chart = json!({"url": repository.url(), "name": SHOP, "version": version});
        json!({"chart": {"repository": chart}, "interval": "1h"})
    };
    world
        .deployed(&world.apply(SHOP, &from("1.0.0")).await)
        .await;
    world
        .deployed(&world.apply(SHOP, &from("1.1.0")).await)
        .await;
    drop(repository);
    let world = world.with_a_new_operator().await;
    until_source(&world, ConditionStatus::False).await;

    let request = world
        .order("back", &json!({"target": {"previous": {}}}))
        .await;

    assert_eq!(phase(&request), RequestPhase::Complete, "{request:?}");
    let history = world.helm_json(&["history", SHOP]).await;
    assert_eq!(history[2]["chart"], "shop-1.0.0");
    world.end().await;
}

async fn package(cluster: &belay_harness::Cluster, chart: &Path, into: &Path) {
    let (chart, into) = (chart.display().to_string(), into.display().to_string());
    let args = ["package", &chart, "--destination", &into];
    cluster.tools().helm(&args).await.unwrap().ok().unwrap();
}

#[tokio::test]
async fn a_handlebars_template_sees_the_same_values_as_its_neighbours() {
    let world = operated_world("handlebars").await;
    let template = "apiVersion: v1
kind: ConfigMap
metadata:
  name: {{Release.Name}}-handlebars
data:
  greeting: {{Values.greeting}}
  chart: {{Chart.Name}}-{{Chart.Version}}
";
    let chart = note().with("templates/second.yaml.hbs", template);
    let release = world
        .deploy(SHOP, &chart, &json!({"greeting": "moustache"}))
        .await;
    assert_eq!(current(&release), Some(1));
    assert_eq!(world.greeting(SHOP).await, "moustache");
    let map = world.config_map("shop-handlebars").await.unwrap();
    let data = serde_json::to_value(map.data.unwrap()).unwrap();
    assert_eq!(
        data,
        json!({"greeting": "moustache", "chart": "shop-1.0.0"})
    );
    world.end().await;
}

#[tokio::test]
async fn values_come_in_helms_order() {
    let world = operated_world("values").await;
    let map = |name: &str, values: &Value| {
        let text = values.to_string();
        let map =
            json!({"metadata": {"name": name}, "data": {"values.yaml": text, "alone": "single"}});
        serde_json::from_value::<ConfigMap>(map).unwrap()
    };
    let chart = note().with(
        "templates/config.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: shop-config\ndata:\n  all: {{ omit .Values \"image\" \"replicas\" \"global\" | toJson | quote }}\n",
    );
    let maps = world.api::<ConfigMap>();
    for (name, values) in [
        (
            "first",
            json!({"a": "first", "b": "first", "c": "first", "d": "first"}),
        ),
        (
            "second",
            json!({"b": "second", "c": "second", "d": "second"}),
        ),
    ] {
        let made = map(name, &values);
        maps.create(&PostParams::default(), &made).await.unwrap();
    }
    let parts = json!({
        "metadata": {"name": "parts"},
        "data": {"20-team": "h: team\ni: team\n", "10-base": "g: base\nh: base\n"},
    });
    let parts = serde_json::from_value(parts).unwrap();
    maps.create(&PostParams::default(), &parts).await.unwrap();
    let spec = json!({
        "chart": chart.inline(),
        "valuesFrom": [
            {"kind": "ConfigMap", "name": "first"},
            {"kind": "ConfigMap", "name": "second"},
            {"kind": "ConfigMap", "name": "first", "valuesKey": "alone", "targetPath": "deep.key"},
            {"kind": "Secret", "name": "absent", "optional": true},
            {"kind": "ConfigMap", "name": "parts", "valuesKey": "*"},
        ],
        "values": {"c": "inline", "d": "inline"},
        "set": ["d=set", "e=1"],
        "setString": ["f=1"],
    });
    world.deployed(&world.apply(SHOP, &spec).await).await;
    let data = world.config_map("shop-config").await.unwrap().data.unwrap();
    let all: Value = serde_json::from_str(&data["all"]).unwrap();
    assert_eq!(
        all,
        json!({
            "a": "first", "b": "second", "c": "inline", "d": "set", "e": 1, "f": "1",
            "g": "base", "h": "team", "i": "team",
            "greeting": "hello", "deep": {"key": "single"},
        })
    );
    world.end().await;
}
