//! Releases whose objects live in another namespace than their `HelmRelease`.

use belay_api::{HelmRelease, Reason};
use belay_harness::{GENEROUS, gone};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use k8s_openapi::api::rbac::v1::ClusterRole;
use kube::Api;
use kube::api::DeleteParams;
use serde_json::{Value, json};

use crate::operator_charts::note;
use crate::operator_world::{SHOP, World, message, operated_world, operated_world_with};

fn elsewhere(world: &World) -> String {
    format!("{}-target", world.namespace())
}

fn spec(world: &World) -> Value {
    json!({
        "chart": note().inline(), "targetNamespace": elsewhere(world), "createNamespace": true,
    })
}

async fn exists(world: &World) -> bool {
    let namespaces: Api<Namespace> = Api::all(world.client.clone());
    let found = namespaces.get_opt(&elsewhere(world)).await.unwrap();
    found.is_some()
}

#[tokio::test]
async fn a_release_stays_in_its_own_namespace_unless_the_operator_lets_it_out() {
    let world = operated_world("fenced").await;
    let asked = world.apply(SHOP, &spec(&world)).await;
    let release = world.stopped(&asked, Reason::SpecInvalid).await;
    let told = message(&release);
    for part in ["spec.targetNamespace", "--allow-cross-namespace"] {
        assert!(told.contains(part), "{told}");
    }
    assert!(!exists(&world).await);
    world.delete::<HelmRelease>(SHOP).await;
    world.end().await;
}

#[tokio::test]
async fn a_target_namespace_is_made_if_that_is_asked_for_and_stays() {
    let world = operated_world_with("reaching", |settings| {
        settings.allow_cross_namespace = true;
    })
    .await;
    let target = elsewhere(&world);
    let asked = world.apply(SHOP, &spec(&world)).await;
    world.deployed(&asked).await;
    let maps: Api<ConfigMap> = Api::namespaced(world.client.clone(), &target);
    assert!(maps.get_opt("shop-config").await.unwrap().is_some());
    let listed = ["list", "-n", &target, "-o", "json"];
    let listed = world.cluster.helm(&listed).await.unwrap().ok().unwrap();
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed[0]["name"], SHOP);

    world.delete::<HelmRelease>(SHOP).await;
    assert!(maps.get_opt("shop-config").await.unwrap().is_none());
    assert!(exists(&world).await, "as with Helm");
    let namespaces: Api<Namespace> = Api::all(world.client.clone());
    namespaces
        .delete(&target, &DeleteParams::default())
        .await
        .unwrap();
    world.end().await;
}

/// Kubernetes deletes what is in a namespace in no order that helps: the ledger and Helm's records go before the release.
#[tokio::test]
async fn what_a_release_holds_outside_of_its_namespace_goes_when_the_namespace_is_deleted() {
    let world = operated_world("swept").await;
    let name = format!("{}-reader", world.namespace());
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": [],
    });
    world
        .deploy(SHOP, &note().with_object(&role), &json!({}))
        .await;
    let roles: Api<ClusterRole> = Api::all(world.client.clone());
    assert!(roles.get_opt(&name).await.unwrap().is_some());
    let ledger = world
        .kubectl(&["get", "secret", "belay.v1.shop", "-o", "name"])
        .await;
    assert!(ledger.contains("belay.v1.shop"), "{ledger}");
    // As the namespace does it, which may or may not come to the ledger first.
    world.kubectl(&["delete", "secret", "belay.v1.shop"]).await;
    world
        .kubectl(&["delete", "namespace", world.namespace(), "--wait=false"])
        .await;
    gone(&roles, &name, GENEROUS).await.unwrap();
    let namespaces: Api<Namespace> = Api::all(world.client.clone());
    gone(&namespaces, world.namespace(), GENEROUS)
        .await
        .unwrap();
    world.end().await;
}
