//! Whose rights a release is rolled out with.

use belay_api::{ConditionType, HelmRelease, Reason};
use belay_harness::{GENEROUS, gone, until};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::Api;
use serde_json::{Value, json};

use crate::operator_charts::{Files, note, shop};
use crate::operator_world::{
    SHOP, World, condition, current, holds, message, operated_world, operated_world_with,
};

const ACCOUNT: &str = "deployer";

/// A service account of the release's namespace that may do everything with these resources there.
async fn account(world: &World, resources: &str) {
    world.kubectl(&["create", "serviceaccount", ACCOUNT]).await;
    grant(world, "some", resources).await;
}

async fn grant(world: &World, role: &str, resources: &str) {
    let resource = format!("--resource={resources}");
    world
        .kubectl(&["create", "role", role, "--verb=*", &resource])
        .await;
    let (role_flag, subject) = (
        format!("--role={role}"),
        format!("--serviceaccount={}:{ACCOUNT}", world.namespace()),
    );
    world
        .kubectl(&["create", "rolebinding", role, &role_flag, &subject])
        .await;
}

fn as_account(chart: &Files, values: &Value) -> Value {
    json!({"chart": chart.inline(), "values": values, "serviceAccountName": ACCOUNT})
}

#[tokio::test]
async fn a_release_can_do_what_its_account_may_and_no_more() {
    // Given an account that may handle ConfigMaps, and a chart that needs nothing else.
    let world = operated_world("account").await;
    account(&world, "configmaps").await;
    let asked = world.apply(SHOP, &as_account(&note(), &json!({}))).await;
    world.deployed(&asked).await;
    assert_eq!(world.greeting(SHOP).await, "hello");

    // When the chart brings a Deployment.
    let asked = world
        .apply(SHOP, &as_account(&shop(), &json!({"greeting": "two"})))
        .await;
    let release = world.stopped(&asked, Reason::AccessDenied).await;
    // Then the account and the right that it lacks are named, and what runs is untouched.
    let told = message(&release);
    let user = format!("system:serviceaccount:{}:{ACCOUNT}", world.namespace());
    assert!(told.contains(&user) && told.contains("services"), "{told}");
    assert!(holds(&release, ConditionType::Available));
    assert_eq!(current(&release), Some(1));
    assert_eq!(world.greeting(SHOP).await, "hello");

    // When the right is given, then it goes on.
    grant(&world, "more", "deployments.apps,services").await;
    world.looked_at(SHOP, "granted").await;
    let release = world.deployed(&asked).await;
    assert_eq!(current(&release), Some(2));
    assert_eq!(world.greeting(SHOP).await, "two");

    world.delete::<HelmRelease>(SHOP).await;
    gone(&world.api::<HelmRelease>(), SHOP, GENEROUS)
        .await
        .unwrap();
    gone(&world.api::<ConfigMap>(), "shop-config", GENEROUS)
        .await
        .unwrap();
    world.end().await;
}

#[tokio::test]
async fn what_somebody_changes_is_put_right_with_the_rights_of_the_account_and_with_no_others() {
    // Given a release of an account's, whose objects are to be put right.
    let world = operated_world("accountdrift").await;
    account(&world, "configmaps").await;
    let mut spec = as_account(&note(), &json!({}));
    spec["driftDetection"] = json!({"mode": "enabled"});
    let asked = world.apply(SHOP, &spec).await;
    world.deployed(&asked).await;

    // When somebody edits one, then it is put right.
    edit(&world, "edited").await;
    until(
        &world.api::<ConfigMap>(),
        "shop-config",
        "its own greeting",
        GENEROUS,
        |config| greeting(config) == Some("hello"),
    )
    .await
    .unwrap();

    // When the account may change nothing any more, then that is told, and the operator's rights are not taken for it.
    world.kubectl(&["delete", "rolebinding", "some"]).await;
    grant_to_look(&world).await;
    edit(&world, "edited again").await;
    let release = world
        .until_release(SHOP, "the refusal", |release| {
            condition(release, ConditionType::Drifted).is_some_and(|drifted| {
                drifted.reason == Reason::DriftUnknown && drifted.message.contains("cannot patch")
            })
        })
        .await;
    let user = format!("system:serviceaccount:{}:{ACCOUNT}", world.namespace());
    let drifted = condition(&release, ConditionType::Drifted).unwrap();
    assert!(drifted.message.contains(&user), "{}", drifted.message);
    assert_eq!(world.greeting(SHOP).await, "edited again");
    world.end().await;
}

async fn grant_to_look(world: &World) {
    let subject = format!("--serviceaccount={}:{ACCOUNT}", world.namespace());
    let role = [
        "create",
        "role",
        "look",
        "--verb=get,list,watch",
        "--resource=configmaps",
    ];
    world.kubectl(&role).await;
    let binding = ["create", "rolebinding", "look", "--role=look", &subject];
    world.kubectl(&binding).await;
}

async fn edit(world: &World, greeting: &str) {
    let patch = json!({"data": {"greeting": greeting}}).to_string();
    world
        .kubectl(&[
            "patch",
            "configmap",
            "shop-config",
            "--type=merge",
            "-p",
            &patch,
        ])
        .await;
}

fn greeting(config: &ConfigMap) -> Option<&str> {
    config.data.as_ref()?.get("greeting").map(String::as_str)
}

#[tokio::test]
async fn values_that_the_account_may_not_read_are_not_read_for_it() {
    let world = operated_world("unread").await;
    account(&world, "configmaps").await;
    world
        .kubectl(&[
            "create",
            "secret",
            "generic",
            "hidden",
            "--from-literal=values.yaml=greeting: leaked",
        ])
        .await;
    let mut spec = as_account(&note(), &json!({}));
    spec["valuesFrom"] = json!([{"kind": "Secret", "name": "hidden"}]);
    let asked = world.apply(SHOP, &spec).await;
    let release = world.stopped(&asked, Reason::AccessDenied).await;
    assert!(
        message(&release).contains("secrets \"hidden\""),
        "{}",
        message(&release)
    );
    assert!(world.config_map("shop-config").await.is_none());

    // Nor does a template that looks for it find it.
    let looking = note().with(
        "templates/config.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop-config}\ndata:\n  greeting: {{ (lookup \"v1\" \"Secret\" .Release.Namespace \"hidden\").data | toJson | quote }}\n",
    );
    let asked = world.apply(SHOP, &as_account(&looking, &json!({}))).await;
    let release = world.stopped(&asked, Reason::RenderFailed).await;
    assert!(
        message(&release).contains("cannot get"),
        "{}",
        message(&release)
    );
    world.end().await;
}

#[tokio::test]
async fn a_release_that_names_no_account_has_the_operators_default_one() {
    let world = operated_world_with("default", |settings| {
        settings.default_service_account = Some(ACCOUNT.to_owned());
    })
    .await;
    world.kubectl(&["create", "serviceaccount", ACCOUNT]).await;
    let spec = json!({"chart": note().inline()});
    let asked = world.apply(SHOP, &spec).await;
    let release = world.stopped(&asked, Reason::AccessDenied).await;
    assert!(message(&release).contains(ACCOUNT), "{}", message(&release));
    assert!(world.config_map("shop-config").await.is_none());
    world.end().await;
}

#[tokio::test]
async fn a_namespace_that_goes_with_its_account_is_not_held_up() {
    let world = operated_world("goes").await;
    account(&world, "configmaps").await;
    let asked = world.apply(SHOP, &as_account(&note(), &json!({}))).await;
    world.deployed(&asked).await;
    // Given that the account's rights are the first to go.
    world.kubectl(&["delete", "rolebinding", "some"]).await;
    world
        .kubectl(&["delete", "namespace", world.namespace(), "--wait=false"])
        .await;
    let namespaces: Api<Namespace> = Api::all(world.client.clone());
    gone(&namespaces, world.namespace(), GENEROUS)
        .await
        .unwrap();
    world.end().await;
}
