//! One object and many, applied to a real API server.

use std::time::Duration;

use belay_cluster::{
    ApplyOptions, Error, Foreseen, Item, Known, NotDone, OnImmutable, RefusalKind, WavesOptions,
};
use serde_json::{Value, json};

use crate::cluster_world::{config_map, deployment, world};

fn managers(live: &Value) -> Vec<(String, String)> {
    let entries = live["metadata"]["managedFields"].as_array().unwrap();
    let text = |entry: &Value, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    entries
        .iter()
        .map(|entry| (text(entry, "manager"), text(entry, "operation")))
        .collect()
}

#[tokio::test]
async fn an_object_is_created_then_changed_then_left_as_it_is_all_as_helm() {
    let world = world("apply").await;
    let options = world.apply_options();
    let first = Item::new(config_map("a", &json!({"x": "1", "y": "1"})));

    let created = world.connection.apply(&first, &options).await.unwrap();
    assert!(created.created);
    assert_eq!(managers(&created.live), [("helm".into(), "Apply".into())]);
    assert_eq!(
        created.live["metadata"]["labels"]["app.kubernetes.io/managed-by"],
        "Helm"
    );

    let second = Item {
        object: config_map("a", &json!({"x": "2"})),
        known: Known::Ours {
            uid: created.uid.clone(),
        },
    };
    let changed = world.connection.apply(&second, &options).await.unwrap();
    assert!(!changed.created);
    assert_eq!(changed.uid, created.uid);
    assert!(changed.resource_version > created.resource_version);
    assert_eq!(
        changed.live["data"],
        json!({"x": "2"}),
        "what the manifest dropped is gone"
    );

    let again = world.connection.apply(&second, &options).await.unwrap();
    assert_eq!(
        again.resource_version, changed.resource_version,
        "no change, no write"
    );
}

#[tokio::test]
async fn what_belongs_to_another_release_or_to_nobody_is_refused_and_left_untouched() {
    let world = world("foreign").await;
    let theirs = ApplyOptions {
        owner: world.owner_of("other"),
        take_ownership: false,
        on_immutable: OnImmutable::Fail,
    };
    let object = Item::new(config_map("a", &json!({"of": "other"})));
    world.connection.apply(&object, &theirs).await.unwrap();
    world
        .kubectl(&["create", "configmap", "b", "--from-literal=of=nobody"])
        .await;

    for (name, owner) in [("a", Some(world.owner_of("other"))), ("b", None)] {
        let ours = Item::new(config_map(name, &json!({"of": "shop"})));
        let error = world
            .connection
            .apply(&ours, &world.apply_options())
            .await
            .unwrap_err();
        match error.error() {
            Error::NotOurs { owner: found, .. } => assert_eq!(*found, owner),
            other => panic!("{other}"),
        }
        let data = world
            .kubectl(&["get", "configmap", name, "-o", "jsonpath={.data.of}"])
            .await;
        assert_ne!(data, "shop");
    }

    let taking = ApplyOptions {
        take_ownership: true,
        on_immutable: OnImmutable::Fail,
        ..world.apply_options()
    };
    let taken = Item::new(config_map("a", &json!({"of": "shop"})));
    let taken = world.connection.apply(&taken, &taking).await.unwrap();
    assert_eq!(taken.live["data"], json!({"of": "shop"}));
}

#[tokio::test]
async fn an_object_that_was_made_anew_by_somebody_else_is_not_taken_for_ours() {
    let world = world("anew").await;
    let options = world.apply_options();
    let first = world
        .connection
        .apply(&Item::new(config_map("a", &json!({"x": "1"}))), &options)
        .await
        .unwrap();
    world.kubectl(&["delete", "configmap", "a"]).await;

    let again = Item {
        object: config_map("a", &json!({"x": "1"})),
        known: Known::Ours { uid: first.uid },
    };
    let made = world.connection.apply(&again, &options).await.unwrap();
    assert!(made.created, "what is gone is made again");

    world.kubectl(&["delete", "configmap", "a"]).await;
    world
        .kubectl(&["create", "configmap", "a", "--from-literal=x=theirs"])
        .await;
    let known = Item {
        object: config_map("a", &json!({"x": "1"})),
        known: Known::Ours { uid: made.uid },
    };
    let error = world.connection.apply(&known, &options).await.unwrap_err();
    assert!(
        matches!(error.error(), Error::NotOurs { owner: None, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn what_an_autoscaler_scaled_stays_and_what_a_person_scaled_is_drift() {
    let world = world("scale").await;
    let options = world.apply_options();
    let item = Item::new(deployment("web", "registry.example/web:1", 1));
    world.connection.apply(&item, &options).await.unwrap();

    world
        .kubectl(&["scale", "deployment/web", "--replicas=2"])
        .await;
    let applied = world.connection.apply(&item, &options).await.unwrap();
    assert_eq!(applied.live["spec"]["replicas"], 1);

    let body = r#"{"spec":{"replicas":3}}"#;
    world
        .kubectl(&[
            "patch",
            "deployment/web",
            "--subresource=scale",
            "--type=merge",
            "--field-manager=keda-operator",
            "-p",
            body,
        ])
        .await;
    let applied = world.connection.apply(&item, &options).await.unwrap();
    assert_eq!(applied.live["spec"]["replicas"], 3);
}

#[tokio::test]
async fn what_was_applied_client_side_loses_the_fields_that_the_manifest_dropped() {
    let world = world("migrate").await;
    let folder = std::env::temp_dir().join(belay_harness::unique("client-side"));
    std::fs::write(
        &folder,
        config_map("a", &json!({"keep": "1", "drop": "1"})).to_string(),
    )
    .unwrap();
    world
        .kubectl(&[
            "apply",
            "--server-side=false",
            "-f",
            folder.to_str().unwrap(),
        ])
        .await;
    std::fs::remove_file(&folder).unwrap();

    let taking = ApplyOptions {
        take_ownership: true,
        on_immutable: OnImmutable::Fail,
        ..world.apply_options()
    };
    let item = Item::new(config_map("a", &json!({"keep": "1"})));
    let applied = world.connection.apply(&item, &taking).await.unwrap();
    assert_eq!(applied.live["data"], json!({"keep": "1"}));
    assert_eq!(managers(&applied.live), [("helm".into(), "Apply".into())]);
}

#[tokio::test]
async fn a_dry_run_finds_the_immutable_field_and_changes_nothing() {
    let world = world("dryrun").await;
    let options = world.apply_options();
    let applied = world
        .connection
        .apply(
            &Item::new(deployment("web", "registry.example/web:1", 1)),
            &options,
        )
        .await
        .unwrap();
    let mut other = deployment("web", "registry.example/web:2", 1);
    other["spec"]["selector"]["matchLabels"] = json!({"app": "other"});
    other["spec"]["template"]["metadata"]["labels"] = json!({"app": "other"});
    let items = [Item::new(other), Item::new(config_map("new", &json!({})))];

    let answers = world.connection.dry_run_all(&items, &options).await;
    assert!(answers[0].is_immutable(), "{:?}", answers[0]);
    let Ok(Foreseen::Taken(new)) = &answers[1].outcome else {
        panic!("{:?}", answers[1]);
    };
    assert!(new.created);
    assert_eq!(
        world
            .kubectl(&["get", "configmap", "new", "--ignore-not-found"])
            .await,
        ""
    );
    let now = world
        .connection
        .get_metadata(&applied.key)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(now["metadata"]["generation"], 1);
}

/// As charts do it that have one replica at first, and more later: Helm 3 could, by a client-side merge.
#[tokio::test]
async fn a_strategy_changes_its_type_to_and_fro_though_the_api_server_fills_it_in() {
    let world = world("strategy").await;
    let options = world.apply_options();
    let rolling = deployment("web", "registry.example/web:1", 1);
    let mut recreating = rolling.clone();
    recreating["spec"]["strategy"] = json!({"type": "Recreate"});
    for (object, strategy) in [
        (&rolling, "RollingUpdate"),
        (&recreating, "Recreate"),
        (&rolling, "RollingUpdate"),
    ] {
        let item = Item::new(object.clone());
        world.connection.dry_run(&item, &options).await.unwrap();
        let applied = world.connection.apply(&item, &options).await.unwrap();
        assert_eq!(applied.live["spec"]["strategy"]["type"], strategy);
        // What is equal stays as it is.
        let again = world.connection.apply(&item, &options).await.unwrap();
        assert_eq!(
            again.live["metadata"]["generation"],
            applied.live["metadata"]["generation"]
        );
    }
}

#[tokio::test]
async fn a_definition_and_its_instance_are_applied_together() {
    let world = world("waves").await;
    let group = format!("{}.example.org", world.namespace.name());
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("widgets.{group}")},
        "spec": {
            "group": group, "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget"},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}],
        },
    });
    let instance = json!({"apiVersion": format!("{group}/v1"), "kind": "Widget", "metadata": {"name": "one"}, "spec": {}});
    let options = WavesOptions {
        apply: world.apply_options(),
        definitions_within: Duration::from_mins(1),
    };
    let items = vec![
        Item::new(instance),
        Item::new(config_map("a", &json!({}))),
        Item::new(definition),
    ];

    let outcome = world.connection.apply_waves(items, &options).await;
    assert!(outcome.is_complete(), "{:?}", outcome.failed);
    let kinds: Vec<&str> = outcome
        .applied
        .iter()
        .map(|applied| applied.key.kind.as_str())
        .collect();
    assert_eq!(kinds, ["CustomResourceDefinition", "ConfigMap", "Widget"]);
    for applied in outcome
        .applied
        .iter()
        .filter(|applied| applied.key.kind == "CustomResourceDefinition")
    {
        world
            .connection
            .prune(&applied.key, &world.owner())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_refused_object_ends_the_waves_and_all_that_happened_is_told() {
    let world = world("refused").await;
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "bad"},
        "spec": {"ports": [{"port": 700_000}]}});
    let items = vec![
        Item::new(deployment("web", "registry.example/web:1", 1)),
        Item::new(service),
        Item::new(config_map("a", &json!({}))),
    ];
    let options = WavesOptions {
        apply: world.apply_options(),
        definitions_within: Duration::from_mins(1),
    };

    let outcome = world.connection.apply_waves(items, &options).await;
    let applied: Vec<&str> = outcome
        .applied
        .iter()
        .map(|applied| applied.key.kind.as_str())
        .collect();
    assert_eq!(applied, ["ConfigMap"]);
    assert_eq!(outcome.failed.len(), 1);
    assert!(
        outcome.failed[0].error.is(RefusalKind::Invalid),
        "{}",
        outcome.failed[0].error
    );
    assert_eq!(outcome.untouched.len(), 1);
    assert_eq!(outcome.untouched[0].kind, "Deployment");
}

#[tokio::test]
async fn a_misspelt_field_and_an_unknown_kind_are_refused_by_name() {
    let world = world("strict").await;
    let mut misspelt = config_map("a", &json!({}));
    misspelt["dta"] = json!({});
    let error = world
        .connection
        .apply(&Item::new(misspelt), &world.apply_options())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("dta"), "{error}");

    let unknown =
        json!({"apiVersion": "example.org/v1", "kind": "Nothing", "metadata": {"name": "a"}});
    let error = world
        .connection
        .apply(&Item::new(unknown), &world.apply_options())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, NotDone::Refused(inner) if matches!(**inner, Error::UnknownKind { .. })),
        "{error}"
    );
}

#[tokio::test]
async fn an_account_may_do_what_it_may_and_no_more() {
    let world = world("account").await;
    let account = world
        .connection
        .impersonate(world.namespace.name(), "default")
        .unwrap();
    let error = account
        .apply(
            &Item::new(config_map("a", &json!({}))),
            &world.apply_options(),
        )
        .await
        .unwrap_err();
    assert!(error.is(RefusalKind::Forbidden), "{error}");
    world
        .kubectl(&[
            "create",
            "rolebinding",
            "edit",
            "--clusterrole=edit",
            "--serviceaccount",
            &format!("{}:default", world.namespace),
        ])
        .await;
    let mut tries = 0;
    // The authorizer learns of the binding by a watch of its own.
    while let Err(error) = account
        .apply(
            &Item::new(config_map("a", &json!({}))),
            &world.apply_options(),
        )
        .await
    {
        assert!(error.is(RefusalKind::Forbidden) && tries < 100, "{error}");
        tries += 1;
    }
}
