//! The shapes in which charts bring objects: lists, objects of the cluster, other namespaces, namespaces of their own;
//! and what is no object.

use belay_api::{HelmRelease, Reason};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use k8s_openapi::api::rbac::v1::ClusterRole;
use kube::Api;
use serde_json::{Value, json};

use crate::operator_charts::{Files, note};
use crate::operator_world::{SHOP, message, operated_world};

fn with(chart: Files, name: &str, object: &Value) -> Files {
    chart.with(&format!("templates/{name}.yaml"), &object.to_string())
}

fn map(name: &str, namespace: Option<&str>) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace}, "data": {"a": "b"},
    })
}

#[tokio::test]
async fn objects_of_every_shape_are_applied_pruned_and_removed() {
    let world = operated_world("shapes").await;
    let own = format!("{}-own", world.namespace());
    let role = format!("{}-reader", world.namespace());
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": own}});
    let list = |names: &[&str]| {
        let items: Vec<_> = names.iter().map(|name| map(name, None)).collect();
        json!({"apiVersion": "v1", "kind": "List", "items": items})
    };
    let cluster_role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": role},
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
    });
    let chart = |names: &[&str]| {
        let chart = with(note(), "list", &list(names));
        with(chart, "namespace", &namespace)
    };
    let full = with(chart(&["one", "two"]), "role", &cluster_role);
    let full = with(full, "there", &map("there", Some(&own)));
    world.deploy(SHOP, &full, &json!({})).await;
    let roles: Api<ClusterRole> = Api::all(world.client.clone());
    let there: Api<ConfigMap> = Api::namespaced(world.client.clone(), &own);
    assert!(world.config_map("one").await.is_some() && world.config_map("two").await.is_some());
    assert!(roles.get_opt(&role).await.unwrap().is_some());
    assert!(there.get_opt("there").await.unwrap().is_some());

    // What the next revision does not hold goes, wherever it is; of a list item by item.
    world.deploy(SHOP, &chart(&["one"]), &json!({})).await;
    assert!(world.config_map("one").await.is_some());
    assert!(world.config_map("two").await.is_none());
    assert!(roles.get_opt(&role).await.unwrap().is_none());
    assert!(there.get_opt("there").await.unwrap().is_none());

    world.delete::<HelmRelease>(SHOP).await;
    assert!(world.config_map("one").await.is_none());
    let namespaces: Api<Namespace> = Api::all(world.client.clone());
    let left = namespaces.get_opt(&own).await.unwrap();
    assert!(
        left.is_none_or(|left| left.metadata.deletion_timestamp.is_some()),
        "a namespace of the manifest is the release's"
    );
    world.end().await;
}

/// As Helm 4, which applies server-side: `resource name may not be empty`.
#[tokio::test]
async fn an_object_without_a_name_of_its_own_is_told_before_the_first_write() {
    let world = operated_world("nameless").await;
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "shop-"},
    });
    let mut hook = map.clone();
    hook["metadata"]["annotations"] = json!({"helm.sh/hook": "pre-install"});
    for nameless in [map, hook] {
        let asked = world
            .roll_out(SHOP, &with(note(), "nameless", &nameless), &json!({}))
            .await;
        let release = world.stopped(&asked, Reason::ManifestRejected).await;
        for part in ["templates/nameless.yaml", "metadata.name", "generateName"] {
            assert!(message(&release).contains(part), "{}", message(&release));
        }
        assert!(world.config_map("shop-config").await.is_none());
        assert!(
            world
                .secrets()
                .await
                .iter()
                .all(|name| !name.starts_with("sh.helm"))
        );
    }
    world.end().await;
}
