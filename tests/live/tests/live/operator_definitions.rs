//! The definitions in a chart's `crds/`: as Helm does it, but for what the policies say.

use belay_api::{HelmRelease, Reason};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::DeleteParams;
use serde_json::{Value, json};

use crate::operator_charts::{Files, note};
use crate::operator_world::{SHOP, World, message, operated_world};

/// Definitions belong to all namespaces: each test has a group of its own.
fn group(world: &World) -> String {
    format!("{}.example.org", world.namespace())
}

/// A chart with a definition, whose short name may change.
fn defining(world: &World, short: &str) -> Files {
    in_version(world, short, "v1")
}

fn in_version(world: &World, short: &str, version: &str) -> Files {
    let group = group(world);
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("widgets.{group}")},
        "spec": {
            "group": group, "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "shortNames": [short]},
            "versions": [{"name": version, "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object", "x-kubernetes-preserve-unknown-fields": true,
            }}}],
        },
    });
    note().with("crds/widgets.yaml", &definition.to_string())
}

/// The same with an object of the kind that it defines.
fn with_instance(world: &World, chart: Files) -> Files {
    let instance = json!({
        "apiVersion": format!("{}/v1", group(world)), "kind": "Widget", "metadata": {"name": "one"},
    });
    chart.with("templates/widget.yaml", &instance.to_string())
}

/// The short name that the cluster has for the kind; none if it does not know the kind.
async fn short_name(world: &World) -> Option<String> {
    let definitions: Api<CustomResourceDefinition> = Api::all(world.client.clone());
    let name = format!("widgets.{}", group(world));
    let found = definitions.get_opt(&name).await.unwrap()?;
    found.spec.names.short_names?.pop()
}

/// No namespace takes it along.
async fn forget(world: &World) {
    let definitions: Api<CustomResourceDefinition> = Api::all(world.client.clone());
    let name = format!("widgets.{}", group(world));
    definitions
        .delete(&name, &DeleteParams::default())
        .await
        .unwrap();
}

#[tokio::test]
async fn definitions_come_before_their_instances_and_outlive_the_release() {
    let world = operated_world("defined").await;
    let chart = with_instance(&world, defining(&world, "wi"));
    world.deploy(SHOP, &chart, &json!({})).await;
    let widgets = format!("widgets.{}", group(&world));
    let found = world.kubectl(&["get", &widgets, "-o", "name"]).await;
    assert!(found.trim().ends_with("/one"), "{found}");

    world.delete::<HelmRelease>(SHOP).await;
    let found = world.kubectl(&["get", &widgets, "-o", "name"]).await;
    assert_eq!(found, "", "the instance is the release's");
    assert_eq!(short_name(&world).await.as_deref(), Some("wi"));
    forget(&world).await;
    world.end().await;
}

#[tokio::test]
async fn a_definition_that_gives_up_a_stored_version_is_refused_before_anything_is_written() {
    let world = operated_world("stored").await;
    let ask = |chart: &Files, greeting: &str| {
        json!({
            "chart": chart.inline(), "values": {"greeting": greeting},
            "upgrade": {"crds": "CreateReplace"},
        })
    };
    let chart = with_instance(&world, defining(&world, "wi"));
    world
        .deployed(&world.apply(SHOP, &ask(&chart, "one")).await)
        .await;
    let history = world.history(SHOP).await;

    // The same kind in another version alone: what is stored as v1 could not be read any more.
    let newer = in_version(&world, "wi", "v2");
    let asked = world.apply(SHOP, &ask(&newer, "two")).await;
    let release = world.stopped(&asked, Reason::ManifestRejected).await;
    for part in ["crds/", "widgets", "storedVersions", "v1"] {
        assert!(message(&release).contains(part), "{}", message(&release));
    }
    assert_eq!(world.history(SHOP).await, history);
    assert_eq!(world.greeting(SHOP).await, "one");
    let widgets = format!("widgets.{}", group(&world));
    let found = world.kubectl(&["get", &widgets, "-o", "name"]).await;
    assert!(found.trim().ends_with("/one"), "{found}");
    forget(&world).await;
    world.end().await;
}

#[tokio::test]
async fn definitions_are_brought_and_changed_as_the_policies_say() {
    let world = operated_world("policy").await;
    let ask = |short: &str, greeting: &str, policies: Value| {
        let mut spec = json!({
            "chart": defining(&world, short).inline(), "values": {"greeting": greeting},
        });
        for (key, value) in policies.as_object().unwrap() {
            spec[key] = value.clone();
        }
        spec
    };
    let skip = ask("one", "one", json!({"install": {"crds": "Skip"}}));
    world.deployed(&world.apply(SHOP, &skip).await).await;
    assert_eq!(short_name(&world).await, None);

    let create =
        |short: &str, greeting: &str| ask(short, greeting, json!({"upgrade": {"crds": "Create"}}));
    for (short, greeting) in [("two", "two"), ("three", "three")] {
        let asked = world.apply(SHOP, &create(short, greeting)).await;
        world.deployed(&asked).await;
        let there = short_name(&world).await;
        assert_eq!(there.as_deref(), Some("two"), "what is there stays");
    }

    // As Helm: an upgrade leaves definitions alone unless it is told otherwise.
    let usual = ask("four", "four", json!({}));
    world.deployed(&world.apply(SHOP, &usual).await).await;
    assert_eq!(short_name(&world).await.as_deref(), Some("two"));

    let replace = ask(
        "five",
        "five",
        json!({"upgrade": {"crds": "CreateReplace"}}),
    );
    world.deployed(&world.apply(SHOP, &replace).await).await;
    assert_eq!(short_name(&world).await.as_deref(), Some("five"));
    forget(&world).await;
    world.end().await;
}
