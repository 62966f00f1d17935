//! What a spec names is watched: with an interval of an hour, nothing but the change itself wakes the release.

use belay_api::{HelmRelease, Reason};
use belay_harness::{Fault, HttpRepo};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::operator_charts::{Files, note};
use crate::operator_registry::belay;
use crate::operator_world::{SHOP, World, at_rest, current, operated_world};

const NEVER: &str = "1h";

impl World {
    /// Applies a ConfigMap or Secret of this content.
    async fn put<K>(&self, name: &str, content: Value)
    where
        K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
            + Clone
            + std::fmt::Debug
            + serde::Serialize
            + serde::de::DeserializeOwned,
    {
        let mut object = content;
        object["apiVersion"] = json!(K::api_version(&()));
        object["kind"] = json!(K::kind(&()));
        object["metadata"] = json!({"name": name});
        let params = PatchParams::apply("gitops").force();
        let api = self.api::<K>();
        api.patch(name, &params, &Patch::Apply(&object))
            .await
            .unwrap();
    }

    async fn greets(&self, greeting: &str) -> HelmRelease {
        let revision = self.until_release(SHOP, greeting, at_rest).await;
        if self.greeting(SHOP).await == greeting {
            return revision;
        }
        let before = current(&revision);
        let release = self
            .until_release(SHOP, "a newer revision", |release| {
                at_rest(release) && current(release) > before
            })
            .await;
        assert_eq!(self.greeting(SHOP).await, greeting);
        release
    }
}

fn values(greeting: &str) -> Value {
    json!({"data": {"values.yaml": format!("greeting: {greeting}\n")}})
}

fn secret_values(greeting: &str) -> Value {
    json!({"stringData": {"values.yaml": format!("greeting: {greeting}\n")}})
}

#[tokio::test]
async fn changed_values_roll_out_at_once() {
    let world = operated_world("refvalues").await;
    world.put::<ConfigMap>("values", values("one")).await;
    let spec = json!({
        "chart": note().inline(), "interval": NEVER,
        "valuesFrom": [
            {"kind": "ConfigMap", "name": "values"},
            {"kind": "Secret", "name": "override", "optional": true},
        ],
    });
    world.deployed(&world.apply(SHOP, &spec).await).await;
    world.greets("one").await;

    world.put::<ConfigMap>("values", values("two")).await;
    world.greets("two").await;

    // What was optional and absent counts from the moment that it appears, and until it goes.
    world
        .put::<Secret>("override", secret_values("three"))
        .await;
    world.greets("three").await;
    world.put::<Secret>("override", secret_values("four")).await;
    world.greets("four").await;
    world.delete::<Secret>("override").await;
    let last = world.greets("two").await;
    assert_eq!(current(&last), Some(5), "one revision a change");
    world.end().await;
}

/// Another label on the same values is no new revision: the digest decides, not the object.
#[tokio::test]
async fn a_change_that_changes_no_value_is_no_revision() {
    let world = operated_world("refsame").await;
    world.put::<ConfigMap>("values", values("one")).await;
    let spec = json!({
        "chart": note().inline(), "interval": NEVER,
        "valuesFrom": [{"kind": "ConfigMap", "name": "values"}],
    });
    world.deployed(&world.apply(SHOP, &spec).await).await;

    world
        .kubectl(&["label", "configmap", "values", "team=a"])
        .await;
    world.put::<ConfigMap>("elsewhere", values("x")).await;
    let release = world.looked_at(SHOP, "afterwards").await;

    assert_eq!(current(&release), Some(1));
    world.end().await;
}

#[tokio::test]
async fn a_changed_package_rolls_out_at_once() {
    let world = operated_world("refchart").await;
    let folder = tempdir().unwrap();
    let package = async |chart: Files| {
        let path = folder.path().join(SHOP);
        chart.write(&path);
        let (path, into) = (
            path.display().to_string(),
            folder.path().display().to_string(),
        );
        let args = ["package", &path, "--destination", &into];
        world
            .cluster
            .tools()
            .helm(&args)
            .await
            .unwrap()
            .ok()
            .unwrap();
        ByteString(std::fs::read(folder.path().join("shop-1.0.0.tgz")).unwrap())
    };
    let first = package(note()).await;
    world
        .put::<ConfigMap>("chart", json!({"binaryData": {"chart.tgz": first}}))
        .await;
    let source = json!({"configMap": {"name": "chart", "key": "chart.tgz"}});
    let spec = json!({"chart": source, "interval": NEVER});
    world.deployed(&world.apply(SHOP, &spec).await).await;
    world.greets("hello").await;

    let second = package(note().with("values.yaml", "greeting: packed anew\n")).await;
    world
        .put::<ConfigMap>("chart", json!({"binaryData": {"chart.tgz": second}}))
        .await;

    world.greets("packed anew").await;
    world.end().await;
}

#[tokio::test]
async fn a_corrected_password_is_tried_at_once() {
    let world = operated_world("refpassword").await;
    let repository = HttpRepo::start(world.cluster.tools()).await.unwrap();
    let folder = tempdir().unwrap();
    note().write(folder.path());
    repository.publish(folder.path(), "1.0.0").await.unwrap();
    repository.require("jane", "hunter2");
    let login = |password: &str| json!({"stringData": {"username": "jane", "password": password}});
    world.put::<Secret>("login", login("wrong")).await;
    let from = json!({"url": repository.url(), "name": SHOP, "secretRef": {"name": "login"}});
    let spec = json!({"chart": {"repository": from}, "interval": NEVER});
    let asked = world.apply(SHOP, &spec).await;
    world.stopped(&asked, Reason::SourceUnauthorized).await;

    world.put::<Secret>("login", login("hunter2")).await;

    world.deployed(&asked).await;
    world.end().await;
}

#[tokio::test]
async fn a_look_that_is_asked_for_finds_what_was_just_published() {
    let world = operated_world("reflook").await;
    let repository = HttpRepo::start(world.cluster.tools()).await.unwrap();
    let folder = tempdir().unwrap();
    note().write(folder.path());
    repository.publish(folder.path(), "1.0.0").await.unwrap();
    let from = json!({"url": repository.url(), "name": SHOP});
    let spec = json!({"chart": {"repository": from}, "interval": NEVER});
    world.deployed(&world.apply(SHOP, &spec).await).await;

    repository.publish(folder.path(), "1.1.0").await.unwrap();
    world.looked_at(SHOP, "now").await;

    world
        .until_release(SHOP, "the newer version", |release| {
            at_rest(release) && current(release) == Some(2)
        })
        .await;
    world.end().await;
}

/// Given values that change while the chart's source is down: what was fetched before is enough.
#[tokio::test]
async fn values_that_change_in_an_outage_roll_out_all_the_same() {
    let world = operated_world("refoutage").await;
    let repository = HttpRepo::start(world.cluster.tools()).await.unwrap();
    let folder = tempdir().unwrap();
    note().write(folder.path());
    repository.publish(folder.path(), "1.0.0").await.unwrap();
    world.put::<ConfigMap>("values", values("one")).await;
    let from = json!({"url": repository.url(), "name": SHOP});
    let spec = json!({
        "chart": {"repository": from}, "interval": NEVER,
        "valuesFrom": [{"kind": "ConfigMap", "name": "values"}],
    });
    world.deployed(&world.apply(SHOP, &spec).await).await;
    repository.fail(Fault::Status(503));

    world.put::<ConfigMap>("values", values("two")).await;

    world.greets("two").await;
    world.end().await;
}

/// What the command line says that values come to is what Helm says was rolled out.
#[tokio::test]
async fn the_merged_values_are_shown_with_their_origins() {
    let world = operated_world("refshown").await;
    world.put::<ConfigMap>("base", values("one")).await;
    world
        .put::<Secret>("login", json!({"stringData": {"password": "hunter2"}}))
        .await;
    let chart = note()
        .with(
            "values.yaml",
            "replicas: 1\ngreeting: hello\nimage: {name: web, tag: 0}\n",
        )
        .with(
            "charts/cache/Chart.yaml",
            "apiVersion: v2\nname: cache\nversion: 1.0.0\n",
        )
        .with("charts/cache/values.yaml", "size: 5\n");
    let spec = json!({
        "chart": chart.inline(),
        "valuesFrom": [
            {"kind": "ConfigMap", "name": "base"},
            {"kind": "Secret", "name": "login", "valuesKey": "password", "targetPath": "login.password"},
        ],
        "values": {"replicas": 3, "list": ["a", "b"], "global": {"zone": "north"}},
        "set": ["list[1]=c,image.tag=1"],
    });
    world.deployed(&world.apply(SHOP, &spec).await).await;

    let open = belay(&world, &["values", SHOP, "-o", "json", "--show-secrets"]).await;
    let open: Value = serde_json::from_str(&open).unwrap();
    assert_eq!(open, world.helm_json(&["get", "values", SHOP]).await);

    let table = belay(&world, &["values", SHOP]).await;
    assert!(!table.contains("hunter2"), "{table}");
    for (key, origin) in [
        ("greeting", "valuesFrom[0]: ConfigMap base, key values.yaml"),
        (
            "login.password",
            "valuesFrom[1]: Secret login, key password",
        ),
        ("replicas", "values"),
        ("image.tag", "set[0]"),
        ("list", "values, set[0]"),
    ] {
        let line = table.lines().find(|line| line.trim().starts_with(key));
        let line = line.unwrap_or_else(|| panic!("{key}: {table}"));
        assert!(line.trim().ends_with(origin), "{line}");
    }

    // With the chart's own values it is what templates see, as Helm says of what was rolled out.
    let line = ["values", SHOP, "--all", "-o", "json", "--show-secrets"];
    let mut all: Value = serde_json::from_str(&belay(&world, &line).await).unwrap();
    // Helm's records hold no subcharts.
    let cache = all.as_object_mut().unwrap().remove("cache").unwrap();
    assert_eq!(cache, json!({"size": 5, "global": {"zone": "north"}}));
    let helm = world.helm_json(&["get", "values", SHOP, "--all"]).await;
    assert_eq!(all, helm);
    let table = belay(&world, &["values", SHOP, "--all"]).await;
    assert!(!table.contains("hunter2"), "{table}");
    for (key, origin) in [
        ("image.name", "chart: values.yaml"),
        ("cache.size", "chart: values.yaml of the subchart cache"),
        ("cache.global.zone", "values"),
        ("replicas", "values"),
    ] {
        let mut lines = table.lines().map(str::trim);
        let line = lines.find(|line| line.split_whitespace().next() == Some(key));
        let line = line.unwrap_or_else(|| panic!("{key}: {table}"));
        assert!(line.ends_with(origin), "{line}");
    }
    world.end().await;
}
