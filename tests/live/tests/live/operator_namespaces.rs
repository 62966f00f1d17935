//! Releases whose objects live in another namespace than their `HelmRelease`.

use belay_api::{HelmRelease, Reason};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
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
