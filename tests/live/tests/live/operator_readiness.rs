//! When objects are ready, as a release itself says.

use belay_api::helm_release::FailureClass;
use belay_api::{ConditionType, Reason};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::DeleteParams;
use serde_json::{Value, json};

use crate::operator_charts::{Files, note};
use crate::operator_world::{SHOP, World, current, holds, message, operated_world};

/// Definitions belong to all namespaces: each test has a group of its own.
fn group(world: &World) -> String {
    format!("{}.example.org", world.namespace())
}

/// A chart with a kind, without a status subresource so that the chart itself says how its object fares, and an
/// object of it; its phase is the value `phase`.
pub fn gadgets(world: &World, conditions: Option<&Value>) -> Files {
    let group = group(world);
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("gadgets.{group}")},
        "spec": {
            "group": group, "scope": "Namespaced", "names": {"plural": "gadgets", "singular": "gadget", "kind": "Gadget"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object", "x-kubernetes-preserve-unknown-fields": true,
            }}}],
        },
    });
    let mut gadget = json!({
        "apiVersion": format!("{group}/v1"), "kind": "Gadget", "metadata": {"name": "one"},
        "status": {"phase": "{{ .Values.phase }}"},
    });
    if let Some(conditions) = conditions {
        gadget["status"]["conditions"] = conditions.clone();
    }
    note()
        .with("crds/gadgets.yaml", &definition.to_string())
        .with("templates/gadget.yaml", &gadget.to_string())
}

/// No namespace takes the definition along.
pub async fn forget(world: &World) {
    let definitions: Api<CustomResourceDefinition> = Api::all(world.client.clone());
    let name = format!("gadgets.{}", group(world));
    definitions
        .delete(&name, &DeleteParams::default())
        .await
        .unwrap();
}

/// A release of a gadget in this phase, judged by its phase.
fn spec(world: &World, phase: &str) -> Value {
    json!({
        "chart": gadgets(world, None).inline(), "values": {"phase": phase}, "timeout": "10m",
        "readiness": [{
            "apiVersion": format!("{}/v1", group(world)), "kind": "Gadget",
            "current": "self.status.phase == 'Up'", "failed": "self.status.phase == 'Broken'",
        }],
    })
}

async fn set_phase(world: &World, phase: &str) {
    let patch = json!({"status": {"phase": phase}}).to_string();
    let gadgets = format!("gadgets.{}", group(world));
    let args = ["patch", &gadgets, "one", "--type=merge", "-p", &patch];
    world.kubectl(&args).await;
}

#[tokio::test]
async fn a_custom_resource_is_ready_and_failed_when_the_releases_rule_says_so() {
    let world = operated_world("rule").await;
    let asked = world.apply(SHOP, &spec(&world, "Starting")).await;
    let waits = |release: &belay_api::HelmRelease| {
        let status = release.status.as_ref();
        let attempt = status.and_then(|status| status.attempt.as_ref());
        let progress = attempt.and_then(|attempt| attempt.progress.clone());
        progress.is_some_and(|progress| {
            let waiting = progress.waiting_for.join(" ");
            waiting.contains("self.status.phase == 'Up' is not true")
        })
    };
    world
        .until_release(SHOP, "waiting for the rule", waits)
        .await;
    // Somebody's controller gets on.
    set_phase(&world, "Up").await;
    world.deployed(&asked).await;
    let asked = world.apply(SHOP, &spec(&world, "Up")).await;
    world.deployed(&asked).await;

    let asked = world.apply(SHOP, &spec(&world, "Broken")).await;
    let release = world.stopped(&asked, Reason::RevisionBlocked).await;
    let failure = release
        .status
        .as_ref()
        .unwrap()
        .last_failure
        .as_ref()
        .unwrap();
    assert_eq!(
        (failure.class, failure.reason),
        (FailureClass::Terminal, Reason::WorkloadFailed)
    );
    for part in ["Gadget", "one", "self.status.phase == 'Broken' is true"] {
        assert!(failure.message.contains(part), "{failure:?}");
    }
    assert!(holds(&release, ConditionType::Available));
    forget(&world).await;
    world.end().await;
}

#[tokio::test]
async fn a_field_that_is_not_there_is_waited_for_and_a_corrected_rule_counts_at_once() {
    let world = operated_world("corrected").await;
    let mut wrong = spec(&world, "Up");
    wrong["readiness"][0]["current"] = json!("self.status.state == 'Up'");
    world.apply(SHOP, &wrong).await;
    let told = |release: &belay_api::HelmRelease| {
        let status = serde_json::to_string(&release.status).unwrap();
        status.contains("the object has no state; ask with has()")
    };
    world.until_release(SHOP, "what the rule lacks", told).await;
    let asked = world.apply(SHOP, &spec(&world, "Up")).await;
    let release = world.deployed(&asked).await;
    assert_eq!(current(&release), Some(1), "the same attempt, judged anew");
    forget(&world).await;
    world.end().await;
}

#[tokio::test]
async fn a_rule_stands_in_the_place_of_a_built_in_kinds_own() {
    let world = operated_world("override").await;
    let spec = |greeting: &str| {
        json!({
            "chart": note().inline(), "values": {"greeting": greeting}, "timeout": "5s",
            "readiness": [{"apiVersion": "v1", "kind": "ConfigMap", "current": "self.data.greeting != 'wait'"}],
        })
    };
    let asked = world.apply(SHOP, &spec("hello")).await;
    world.deployed(&asked).await;
    let asked = world.apply(SHOP, &spec("wait")).await;
    let release = world.stopped(&asked, Reason::RevisionBlocked).await;
    let failure = release.status.unwrap().last_failure.unwrap();
    assert_eq!(
        (failure.class, failure.reason),
        (FailureClass::Timeout, Reason::Timeout)
    );
    assert_eq!(world.greeting(SHOP).await, "hello");
    world.end().await;
}

#[tokio::test]
async fn a_wrong_expression_is_refused_with_its_place_and_changes_nothing() {
    let world = operated_world("expression").await;
    world.deploy(SHOP, &note(), &json!({})).await;
    let states = world.states().await;
    for (rule, told) in [
        (
            json!({"current": "self.data.x =="}),
            "spec.readiness[1].current, line 1, column ",
        ),
        (
            json!({"current": "true", "failed": "data.x == 1"}),
            "spec.readiness[1].failed, line 1, column 1: there is no data here",
        ),
        (
            json!({"current": "self.list.map(x, x) == []"}),
            "spec.readiness[1].current, line 1, column 11: map builds something new",
        ),
    ] {
        let mut wrong = json!({"apiVersion": "v1", "kind": "Secret"});
        for (key, value) in rule.as_object().unwrap() {
            wrong[key] = value.clone();
        }
        let fine = json!({"apiVersion": "v1", "kind": "ConfigMap", "current": "true"});
        let spec = json!({
            "chart": note().inline(), "values": {"greeting": "other"}, "readiness": [fine, wrong],
        });
        let asked = world.apply(SHOP, &spec).await;
        let release = world.stopped(&asked, Reason::SpecInvalid).await;
        assert!(message(&release).contains(told), "{}", message(&release));
    }
    let kept = |state: &String| !state.starts_with("Secret/belay");
    let untouched = |states: Vec<String>| states.into_iter().filter(kept).collect::<Vec<_>>();
    assert_eq!(untouched(world.states().await), untouched(states));
    world.end().await;
}
