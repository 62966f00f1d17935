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
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use kube::runtime::watcher::watch_object;
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::operator_charts::{Files, note};
use crate::operator_world::{
    SHOP, World, at_rest, condition, current, message, operated_world, phase, ready,
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

/// The same pieces given to the real helm, in the order that the page of sources says.
#[tokio::test]
async fn merged_values_are_those_that_helm_merges() {
    let world = operated_world("valueshelm").await;
    let first = "a: first\nlist: [1, 2, 3]\ndeep: {x: first, y: first, z: {keep: 1}}\nnumber: 1.50\ngreeting: null\n";
    let second = "a: second\ndeep: {y: second, z: {more: 0x10}}\nlist: [9]\n";
    let values = json!({"a": "values", "deep": {"w": [{"n": 1}]}, "large": 12_345_678_901_i64});
    let (set_json, set, set_string) = (
        [r#"deep.json={"a":[1,2.5]}"#, r#"{"whole":true}"#],
        [
            "list[1]=set",
            "deep.z.keep=null",
            r"dotted\.key=1,b={x,y}",
            "replicas=null",
        ],
        ["deep.x=007", "d=true"],
    );
    let chart = note().with(
        "templates/config.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: shop-config\ndata:\n  all: {{ .Values | toJson | quote }}\n",
    );
    let folder = tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let files = [
        write("first.yaml", first),
        write("second.yaml", second),
        write("values.yaml", &values.to_string()),
    ];
    let path = folder.path().join(SHOP);
    chart.write(&path);
    let path = path.display().to_string();
    let mut line = vec!["template", SHOP, &path];
    line.extend(files.iter().flat_map(|file| ["--values", file]));
    line.extend(set_json.iter().flat_map(|text| ["--set-json", text]));
    line.extend(set.iter().flat_map(|text| ["--set", text]));
    line.extend(set_string.iter().flat_map(|text| ["--set-string", text]));
    let rendered = world.helm(&line).await;
    let printed = rendered
        .lines()
        .find_map(|line| line.strip_prefix("  all: "));
    let expected: String = serde_json::from_str(printed.unwrap()).unwrap();

    let maps = world.api::<ConfigMap>();
    for (name, text) in [("first", first), ("second", second)] {
        let map = json!({"metadata": {"name": name}, "data": {"values.yaml": text}});
        let map = serde_json::from_value(map).unwrap();
        maps.create(&PostParams::default(), &map).await.unwrap();
    }
    let spec = json!({
        "chart": chart.inline(),
        "valuesFrom": [
            {"kind": "ConfigMap", "name": "first"}, {"kind": "ConfigMap", "name": "second"},
        ],
        "values": values, "setJson": set_json, "set": set, "setString": set_string,
    });
    world.deployed(&world.apply(SHOP, &spec).await).await;

    let data = world.config_map("shop-config").await.unwrap().data.unwrap();
    assert_eq!(data["all"], expected);
    world.end().await;
}

#[tokio::test]
async fn a_chart_whose_dependencies_are_missing_says_which() {
    let world = operated_world("dependencies").await;
    let described = "apiVersion: v2\nname: shop\nversion: 1.0.0\ndependencies:\n- {name: cache, version: 1.x, repository: https://charts.example}\n- {name: queue, version: 2.x, repository: https://charts.example}\n";
    let half = note().with("Chart.yaml", described).with(
        "charts/cache/Chart.yaml",
        "apiVersion: v2\nname: cache\nversion: 1.4.0\n",
    );

    let asked = world.roll_out(SHOP, &half, &json!({})).await;
    let told = message(&world.stopped(&asked, Reason::ChartInvalid).await);
    assert!(told.contains("queue"), "{told}");
    assert!(!told.contains("cache"), "{told}");

    // In charts/ it is found, and its objects are the release's.
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "queue"}});
    let whole = half
        .with(
            "charts/queue/Chart.yaml",
            "apiVersion: v2\nname: queue\nversion: 2.1.0\n",
        )
        .with("charts/queue/templates/queue.yaml", &object.to_string());
    world.deploy(SHOP, &whole, &json!({})).await;
    assert!(world.config_map("queue").await.is_some());
    world.end().await;
}

#[tokio::test]
async fn a_version_that_is_published_anew_with_other_content_is_rolled_out() {
    let world = operated_world("anew").await;
    let repository = HttpRepo::start(world.cluster.tools()).await.unwrap();
    let folder = tempdir().unwrap();
    note().write(folder.path());
    repository.publish(folder.path(), "1.0.0").await.unwrap();
    let from = json!({"url": repository.url(), "name": SHOP, "version": "1.0.0"});
    let spec = json!({"chart": {"repository": from}, "interval": "1s"});
    world.deployed(&world.apply(SHOP, &spec).await).await;

    let values = "greeting: published anew\nimage: x\nreplicas: 1\n";
    note().with("values.yaml", values).write(folder.path());
    repository.publish(folder.path(), "1.0.0").await.unwrap();

    let release = world
        .until_release(SHOP, "the second revision", |release| {
            at_rest(release) && current(release) == Some(2)
        })
        .await;
    assert_eq!(world.greeting(SHOP).await, "published anew");
    let cause = release.status.unwrap().history[0].cause.clone();
    assert_eq!(
        cause.as_deref(),
        Some("what the spec names has changed, the spec has not")
    );
    world.end().await;
}

#[tokio::test]
async fn a_packaged_chart_comes_out_of_a_secret_and_a_change_of_it_rolls_out_at_once() {
    let world = operated_world("packedsecret").await;
    let folder = tempdir().unwrap();
    let put = async |chart: Files| {
        let path = folder.path().join(SHOP);
        chart.write(&path);
        package(&world.cluster, &path, folder.path()).await;
        let content = std::fs::read(folder.path().join("shop-1.0.0.tgz")).unwrap();
        let secret = Secret {
            metadata: ObjectMeta {
                name: Some("package".into()),
                ..ObjectMeta::default()
            },
            data: Some([("shop.tgz".to_owned(), ByteString(content))].into()),
            ..Secret::default()
        };
        let params = PatchParams::apply("gitops").force();
        let secrets = world.api::<Secret>();
        secrets
            .patch("package", &params, &Patch::Apply(&secret))
            .await
            .unwrap();
    };
    put(note()).await;
    let source = json!({"secret": {"name": "package", "key": "shop.tgz"}});
    let spec = json!({"chart": source, "interval": "1h"});
    world.deployed(&world.apply(SHOP, &spec).await).await;
    assert_eq!(world.greeting(SHOP).await, "hello");

    put(note().with("values.yaml", "greeting: packed anew\n")).await;

    world
        .until_release(SHOP, "the second revision", |release| {
            at_rest(release) && current(release) == Some(2)
        })
        .await;
    assert_eq!(world.greeting(SHOP).await, "packed anew");
    world.end().await;
}
