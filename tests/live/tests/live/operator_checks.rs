//! Checks of a soak: what a real Prometheus measures takes a revision back, and what it does not measure does not.

use std::pin::pin;

use belay_api::helm_release::{CheckState, CheckStatus, FailureClass, Stage};
use belay_api::{ConditionStatus, ConditionType, HelmRelease, Reason};
use belay_harness::{GENEROUS, Prometheus};
use futures::StreamExt;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::events::v1::Event;
use kube::ResourceExt;
use kube::api::PostParams;
use kube::runtime::{WatchStreamExt, watcher};
use serde_json::{Value, json};

use crate::operator_charts::{BETTER, GOOD, shop};
use crate::operator_world::{
    SHOP, World, condition, holds, message, operated_world, operated_world_with, ready,
};

/// The gauge that the tests set.
const ERRORS: &str = "shop_errors";

/// A check of [`ERRORS`] each second, which fails after two bad answers in a row.
fn check(prometheus: &Prometheus, query: &str) -> Value {
    json!({
        "name": "errors",
        "prometheus": {"url": prometheus.url(), "query": query},
        "thresholdRange": {"max": 0.05},
        "interval": "1s",
    })
}

fn spec(duration: &str, check: &Value) -> Value {
    let soak = json!({"duration": duration, "grace": "1s", "checks": [check]});
    json!({"chart": shop().inline(), "values": {"image": BETTER}, "soak": soak})
}

fn soaks(release: &HelmRelease) -> bool {
    let status = release.status.as_ref();
    let attempt = status.and_then(|status| status.attempt.as_ref());
    attempt.is_some_and(|attempt| attempt.stage == Stage::Soaking)
}

/// What the check says while its revision soaks.
fn soaking(release: &HelmRelease) -> Option<&CheckStatus> {
    told(release).filter(|_| soaks(release))
}

fn told(release: &HelmRelease) -> Option<&CheckStatus> {
    let checks = &release.status.as_ref()?.checks;
    checks.iter().find(|check| check.name == "errors")
}

/// Waits for an event of this reason that says this.
async fn event(world: &World, reason: &str, says: &str) {
    let events = watcher(world.api::<Event>(), watcher::Config::default());
    let mut told = pin!(events.default_backoff().touched_objects());
    let looked = async {
        while let Some(event) = told.next().await {
            let Ok(event) = event else { continue };
            let note = event.note.unwrap_or_default();
            if event.reason.as_deref() == Some(reason) && note.contains(says) {
                return;
            }
        }
    };
    let found = tokio::time::timeout(GENEROUS, looked).await;
    assert!(found.is_ok(), "no event {reason} that says {says:?}");
}

/// Asserts that the upgrade counts as good.
fn assert_good(release: &HelmRelease) {
    let status = release.status.as_ref().unwrap();
    assert_eq!(status.last_good.as_ref().unwrap().revision, 2);
    assert_eq!(status.blocked, []);
}

#[tokio::test]
async fn what_a_prometheus_finds_well_becomes_last_good_after_its_soak() {
    let prometheus = Prometheus::start(None).await.unwrap();
    prometheus.set(ERRORS, 0.01).await.unwrap();
    let world = operated_world("checks").await;
    world.deploy(SHOP, &shop(), &json!({})).await;

    let asked = world
        .apply(SHOP, &spec("4s", &check(&prometheus, ERRORS)))
        .await;

    let release = world
        .until_release(SHOP, "a good answer", |release| {
            soaking(release).is_some_and(|check| check.state == CheckState::Passing)
        })
        .await;
    assert_eq!(ready(&release).unwrap().status, ConditionStatus::Unknown);
    let status = release.status.as_ref().unwrap();
    assert_eq!(status.last_good.as_ref().unwrap().revision, 1);
    let value = told(&release).unwrap().value.as_deref().unwrap();
    assert!(value.starts_with("0.01 ({"), "{value}");
    assert!(value.contains("job=\"test\""), "{value}");
    let release = world.deployed(&asked).await;
    assert_good(&release);
    assert!(
        !message(&release).contains("errors"),
        "{}",
        message(&release)
    );
    // At rest nothing is asked or written any more.
    world.writes();
    world.looked_at(SHOP, "after the soak").await;
    assert_eq!(world.history(SHOP).await.len(), 2);
    world.end().await;
}

#[tokio::test]
async fn what_a_prometheus_finds_bad_while_it_soaks_is_taken_back_with_its_evidence() {
    let prometheus = Prometheus::start(None).await.unwrap();
    prometheus.set(ERRORS, 0.01).await.unwrap();
    let world = operated_world("regression").await;
    world.deploy(SHOP, &shop(), &json!({})).await;
    let query = format!("max({ERRORS})");
    let asked = world
        .apply(SHOP, &spec("10m", &check(&prometheus, &query)))
        .await;
    world
        .until_release(SHOP, "a good answer", |release| {
            soaking(release).is_some_and(|check| check.state == CheckState::Passing)
        })
        .await;

    prometheus.set(ERRORS, 0.31).await.unwrap();

    let release = world.stopped(&asked, Reason::RevisionBlocked).await;
    assert_eq!(world.image(SHOP).await, GOOD);
    assert!(holds(&release, ConditionType::Available));
    assert!(condition(&release, ConditionType::RolledBack).is_some());
    let status = release.status.as_ref().unwrap();
    assert_eq!(status.blocked[0].reason, Reason::CheckFailed);
    let failure = status.last_failure.as_ref().unwrap();
    assert_eq!(
        (failure.class, failure.reason),
        (FailureClass::Degraded, Reason::CheckFailed)
    );
    for part in [
        "the check errors",
        "0.31",
        "at most 0.05",
        &query,
        &prometheus.url(),
    ] {
        assert!(failure.message.contains(part), "{part}: {failure:?}");
    }
    let rows = failure
        .timeline
        .iter()
        .filter(|moment| moment.what.contains("in a row"));
    assert_eq!(rows.count(), 2, "{failure:?}");
    assert_eq!(
        world.history(SHOP).await,
        [
            (1, "superseded".to_owned()),
            (2, "failed".to_owned()),
            (3, "deployed".to_owned())
        ]
    );
    world.end().await;
}

#[tokio::test]
async fn a_prometheus_that_goes_away_takes_nothing_back_and_is_told() {
    let mut prometheus = Prometheus::start(None).await.unwrap();
    prometheus.set(ERRORS, 0.01).await.unwrap();
    let world = operated_world("silence").await;
    world.deploy(SHOP, &shop(), &json!({})).await;
    let asked = world
        .apply(SHOP, &spec("8s", &check(&prometheus, ERRORS)))
        .await;
    world
        .until_release(SHOP, "a good answer", |release| {
            soaking(release).is_some_and(|check| check.state == CheckState::Passing)
        })
        .await;

    prometheus.stop().unwrap();

    let release = world
        .until_release(SHOP, "no answer", |release| {
            soaking(release).is_some_and(|check| !check.message.is_empty())
        })
        .await;
    let check = told(&release).unwrap();
    assert_eq!(check.state, CheckState::Passing, "its last answer was good");
    assert!(check.message.contains("cannot be reached"), "{check:?}");
    assert!(
        message(&release).contains("gets no answer"),
        "{}",
        message(&release)
    );
    event(&world, "CheckUnanswered", "gets no answer").await;
    assert_good(&world.deployed(&asked).await);
    world.end().await;
}

#[tokio::test]
async fn a_prometheus_that_is_never_there_takes_nothing_back_and_is_told_for_good() {
    let mut prometheus = Prometheus::start(None).await.unwrap();
    let check = check(&prometheus, ERRORS);
    prometheus.stop().unwrap();
    let world = operated_world("unanswered").await;
    world.deploy(SHOP, &shop(), &json!({})).await;

    let asked = world.apply(SHOP, &spec("3s", &check)).await;

    let release = world.deployed(&asked).await;
    assert_good(&release);
    assert_eq!(told(&release).unwrap().state, CheckState::Unanswered);
    assert!(
        message(&release).contains("never had an answer"),
        "{}",
        message(&release)
    );
    event(&world, "CheckNeverAnswered", "counts as good").await;
    world.end().await;
}

#[tokio::test]
async fn a_query_that_prometheus_refuses_is_told_in_its_words_and_takes_nothing_back() {
    let prometheus = Prometheus::start(None).await.unwrap();
    let world = operated_world("query").await;
    world.deploy(SHOP, &shop(), &json!({})).await;

    let asked = world
        .apply(SHOP, &spec("4s", &check(&prometheus, "sum(rate(x[1m])")))
        .await;

    let release = world
        .until_release(SHOP, "a refusal", |release| {
            soaking(release).is_some_and(|check| !check.message.is_empty())
        })
        .await;
    let told = told(&release).unwrap();
    assert_eq!(told.state, CheckState::Unanswered);
    assert!(
        told.message.contains("the query cannot be used"),
        "{told:?}"
    );
    assert!(
        told.message.contains("unclosed left parenthesis"),
        "{told:?}"
    );
    event(&world, "CheckUnanswered", "unclosed left parenthesis").await;
    assert_good(&world.deployed(&asked).await);
    world.end().await;
}

#[tokio::test]
async fn what_opens_a_prometheus_comes_out_of_a_secret() {
    let prometheus = Prometheus::start(Some(("jane", "hunter2"))).await.unwrap();
    prometheus.set(ERRORS, 0.01).await.unwrap();
    let world = operated_world("secret").await;
    world.deploy(SHOP, &shop(), &json!({})).await;
    let mut check = check(&prometheus, ERRORS);
    check["prometheus"]["secretRef"] = json!({"name": "prometheus"});
    let asked = world.apply(SHOP, &spec("8s", &check)).await;
    let release = world
        .until_release(SHOP, "no answer", |release| {
            soaking(release).is_some_and(|check| !check.message.is_empty())
        })
        .await;
    let why = &told(&release).unwrap().message;
    let missing = format!(
        "spec.soak.checks[errors].prometheus.secretRef names the Secret {}/prometheus, which does not exist",
        world.namespace()
    );
    assert!(why.contains(&missing), "{why}");

    let secret = json!({
        "metadata": {"name": "prometheus"},
        "stringData": {"username": "jane", "password": "hunter2"},
    });
    let secret: Secret = serde_json::from_value(secret).unwrap();
    let secrets = world.api::<Secret>();
    secrets
        .create(&PostParams::default(), &secret)
        .await
        .unwrap();

    let release = world
        .until_release(SHOP, "a good answer", |release| {
            told(release).is_some_and(|check| check.state == CheckState::Passing)
        })
        .await;
    let shown = serde_json::to_string(&release).unwrap();
    assert!(!shown.contains("hunter2"), "{shown}");
    assert_good(&world.deployed(&asked).await);
    world.end().await;
}

/// An operator that dies while a revision soaks, and another that goes on.
#[tokio::test]
async fn another_operator_goes_on_with_the_checks_and_takes_back_what_is_bad() {
    let prometheus = Prometheus::start(None).await.unwrap();
    prometheus.set(ERRORS, 0.01).await.unwrap();
    let mut world = operated_world("handover").await;
    world.deploy(SHOP, &shop(), &json!({})).await;
    let asked = world
        .apply(SHOP, &spec("10m", &check(&prometheus, ERRORS)))
        .await;
    world
        .until_release(SHOP, "a good answer", |release| {
            soaking(release).is_some_and(|check| check.state == CheckState::Passing)
        })
        .await;
    world.pause().await;
    prometheus.set(ERRORS, 0.31).await.unwrap();

    world.start_again().await;

    let release = world.stopped(&asked, Reason::RevisionBlocked).await;
    let status = release.status.as_ref().unwrap();
    let failure = status.last_failure.as_ref().unwrap();
    assert_eq!(failure.reason, Reason::CheckFailed);
    assert_eq!(world.image(SHOP).await, GOOD);
    world.end().await;
}

#[tokio::test]
async fn what_is_not_for_tenants_is_not_asked() {
    let prometheus = Prometheus::start(None).await.unwrap();
    let guarded = operated_world_with("guarded", |settings| {
        settings.allow_source_addresses.clear();
    });
    let world = guarded.await;
    world.deploy(SHOP, &shop(), &json!({})).await;

    let asked = world
        .apply(SHOP, &spec("3s", &check(&prometheus, ERRORS)))
        .await;

    let release = world.deployed(&asked).await;
    let why = &told(&release).unwrap().message;
    assert!(why.contains("--allow-source-addresses"), "{why}");
    world.end().await;
}

#[tokio::test]
async fn checks_that_cannot_be_meant_are_refused_by_the_api_server() {
    let world = crate::operator_world::quiet_world("refused-checks").await;
    let check = |change: &Value| {
        let mut check = json!({
            "name": "errors",
            "prometheus": {"url": "http://prometheus:9090", "query": "up"},
            "thresholdRange": {"max": 1},
        });
        for (key, value) in change.as_object().unwrap() {
            check[key] = value.clone();
        }
        check
    };
    let nothing = json!({});
    for (duration, checks, says) in [
        ("0s", json!([check(&nothing)]), "set soak.duration"),
        (
            "10m",
            json!([check(&json!({"thresholdRange": {}}))]),
            "set min, max or both",
        ),
        (
            "10m",
            json!([check(&json!({"thresholdRange": {"min": 2, "max": 1.5}}))]),
            "min must not be above max",
        ),
        (
            "10m",
            json!([check(&json!({"interval": "500ms"}))]),
            "at least 1s",
        ),
        ("25s", json!([check(&nothing)]), "fit into soak.duration"),
        ("10m", json!([check(&nothing), check(&nothing)]), "uplicate"),
        ("10m", json!([check(&json!({"name": "Errors"}))]), "name"),
        (
            "10m",
            json!([check(&json!({"failureThreshold": 0}))]),
            "failureThreshold",
        ),
        (
            "10m",
            json!([check(
                &json!({"prometheus": {"url": "ftp://x.example", "query": "up"}})
            )]),
            "url",
        ),
        (
            "10m",
            (0..9)
                .map(|index| check(&json!({"name": format!("c{index}")})))
                .collect(),
            "must have at most 8 items",
        ),
    ] {
        let soak = json!({"duration": duration, "checks": checks});
        let spec = json!({"chart": shop().inline(), "soak": soak});
        let refused = world.try_apply(SHOP, &spec).await.unwrap_err().to_string();
        assert!(refused.contains(says), "{says}: {refused}");
    }
    // What is left out has its default.
    let soak = json!({"duration": "30s", "checks": [check(&nothing)]});
    let spec = json!({"chart": shop().inline(), "soak": soak});
    let release = world.try_apply(SHOP, &spec).await.unwrap();
    let check = &release.spec.soak.checks[0];
    assert_eq!(check.interval, belay_api::Duration::seconds(15));
    assert_eq!(check.failure_threshold, 2);
    assert_eq!(release.name_any(), SHOP);
}
