//! What cannot be looked after is told.

use std::sync::Arc;

use belay_api::{ConditionType, Reason};
use belay_cluster::{ConnectOptions, FaultPlan, Injection, RequestInfo, connect};
use belay_controller::{Metrics, Operator, Settings, run};
use belay_harness::GENEROUS;
use serde_json::json;
use tokio::sync::Notify;

use crate::operator_charts::note;
use crate::operator_world::{
    SHOP, condition, current, holds, message, operated_world, quiet_world, ready,
};

const LEDGER: &str = "belay.v1.shop";

#[tokio::test]
async fn a_damaged_ledger_is_named_and_without_it_the_release_is_taken_over_anew() {
    // Given a release whose ledger somebody has overwritten.
    let world = operated_world("damaged").await;
    world.deploy(SHOP, &note(), &json!({})).await;
    let garbage = r#"{"data":{"ledger":"Z2FyYmFnZQ=="}}"#;
    world
        .kubectl(&["patch", "secret", LEDGER, "--type=merge", "-p", garbage])
        .await;
    let states = world.states().await;

    // When something is to be done, then the status says what is wrong, and what was known stays.
    let asked = world
        .roll_out(SHOP, &note(), &json!({"greeting": "two"}))
        .await;
    let troubled = world
        .until_release(SHOP, "told to be in trouble", |release| {
            ready(release).is_some_and(|ready| ready.reason == Reason::ReconcileFailed)
        })
        .await;
    assert!(
        message(&troubled).contains(LEDGER),
        "{}",
        message(&troubled)
    );
    assert!(holds(&troubled, ConditionType::Reconciling));
    assert!(holds(&troubled, ConditionType::Available));
    assert!(condition(&troubled, ConditionType::Stalled).is_none());

    assert_eq!(world.states().await, states, "nothing was touched");

    // And when it is deleted, as the message says, the release is taken over out of Helm's record, and goes on.
    world.kubectl(&["delete", "secret", LEDGER]).await;
    world
        .annotate(SHOP, &json!({"belay.dev/reconcile": "deleted"}))
        .await;
    let release = world.deployed(&asked).await;
    assert_eq!(current(&release), Some(2));
    assert_eq!(world.greeting(SHOP).await, "two");
    let history = [(1, "superseded".to_owned()), (2, "deployed".to_owned())];
    assert_eq!(world.history(SHOP).await, history);
    world.end().await;
}

/// The API server answers everything but what releases there are.
struct NoReleases(Notify);

impl FaultPlan for NoReleases {
    fn before(&self, request: &RequestInfo) -> Injection {
        if request.resource != "helmreleases" {
            return Injection::Pass;
        }
        self.0.notify_one();
        Injection::Stall
    }
}

#[tokio::test]
async fn an_operator_that_is_stopped_before_it_knows_its_releases_ends() {
    // Given an operator that holds the claim and waits for the list of its releases.
    let world = quiet_world("early").await;
    let asked = Arc::new(NoReleases(Notify::new()));
    let connection = connect(ConnectOptions {
        kubeconfig: Some(world.cluster.kubeconfig()),
        faults: Some(asked.clone()),
        ..ConnectOptions::default()
    });
    let operator = Operator {
        connection: connection.await.unwrap(),
        settings: Settings {
            namespaces: vec![world.namespace().to_owned()],
            own_namespace: world.namespace().to_owned(),
            ..Settings::default()
        },
        metrics: Metrics::new().unwrap(),
    };
    // When it is told to stop, then it ends.
    let stop = async move { asked.0.notified().await };
    tokio::time::timeout(GENEROUS, run(operator, stop))
        .await
        .expect("it ends")
        .unwrap();
    world.end().await;
}
