//! Metrics: what a dashboard needs to see of releases and of the operator itself.

use std::time::Duration;

use belay_api::{ConditionStatus, ConditionType, HelmRelease};
use belay_cluster::{RequestInfo, RequestObserver};
use belay_rollout::Reply;
use kube::ResourceExt;
use prometheus::{
    GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
};

use crate::error::Error;
use crate::session::Session;

/// The conditions that are metrics.
const SHOWN: [ConditionType; 3] = [
    ConditionType::Ready,
    ConditionType::Available,
    ConditionType::Drifted,
];

/// The operator's metrics. Clones share them.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    request_seconds: HistogramVec,
    steps: IntCounterVec,
    errors: IntCounterVec,
    attempts: IntCounterVec,
    drift: IntCounterVec,
    checks: IntCounterVec,
    conditions: GaugeVec,
    leader: IntGauge,
}

impl Metrics {
    /// Registers all metrics in a registry of their own.
    ///
    /// # Errors
    /// [`Error::Metrics`] when a name is taken twice, which only a mistake in this file causes.
    pub fn new() -> Result<Self, Error> {
        let registry = Registry::new();
        let metrics = Self {
            requests: IntCounterVec::new(
                Opts::new("belay_api_requests_total", "Requests to the API server."),
                &["verb", "resource", "code"],
            )?,
            request_seconds: HistogramVec::new(
                HistogramOpts::new(
                    "belay_api_request_seconds",
                    "Seconds that requests to the API server took, watches left out.",
                ),
                &["verb"],
            )?,
            steps: IntCounterVec::new(
                Opts::new("belay_steps_total", "Steps of reconciles."),
                &["step", "outcome"],
            )?,
            errors: IntCounterVec::new(
                Opts::new(
                    "belay_reconcile_errors_total",
                    "Reconciles that ended with an error.",
                ),
                &["category"],
            )?,
            attempts: IntCounterVec::new(
                Opts::new(
                    "belay_attempts_total",
                    "Attempts by kind and the stage that they reached.",
                ),
                &["kind", "stage"],
            )?,
            drift: IntCounterVec::new(
                Opts::new(
                    "belay_drift_total",
                    "Objects that were found to differ from what was applied, put right, or refused to be.",
                ),
                &["outcome"],
            )?,
            checks: IntCounterVec::new(
                Opts::new(
                    "belay_checks_total",
                    "Questions of checks of releases that soak: answers in range (passing), out of it (failing), or none (unanswered).",
                ),
                &["outcome"],
            )?,
            conditions: GaugeVec::new(
                Opts::new(
                    "belay_release_condition",
                    "Conditions of releases: 1 True, 0 False, -1 Unknown.",
                ),
                &["namespace", "name", "type"],
            )?,
            leader: IntGauge::new("belay_leader", "Whether this process holds the claim.")?,
            registry,
        };
        metrics
            .registry
            .register(Box::new(metrics.requests.clone()))?;
        metrics
            .registry
            .register(Box::new(metrics.request_seconds.clone()))?;
        metrics.registry.register(Box::new(metrics.steps.clone()))?;
        metrics
            .registry
            .register(Box::new(metrics.errors.clone()))?;
        metrics
            .registry
            .register(Box::new(metrics.attempts.clone()))?;
        metrics.registry.register(Box::new(metrics.drift.clone()))?;
        metrics
            .registry
            .register(Box::new(metrics.checks.clone()))?;
        metrics
            .registry
            .register(Box::new(metrics.conditions.clone()))?;
        metrics
            .registry
            .register(Box::new(metrics.leader.clone()))?;
        Ok(metrics)
    }

    /// The page for Prometheus.
    pub(crate) fn page(&self) -> String {
        TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .unwrap_or_default()
    }

    pub(crate) fn leader(&self, holds: bool) {
        self.leader.set(i64::from(holds));
    }

    pub(crate) fn step(&self, step: &str, done: bool) {
        let outcome = if done { "done" } else { "halted" };
        self.steps.with_label_values(&[step, outcome]).inc();
    }

    pub(crate) fn error(&self, category: &str) {
        self.errors.with_label_values(&[category]).inc();
    }

    /// Counts objects that were `detected` to differ, `corrected`, or `refused`.
    pub(crate) fn drift(&self, outcome: &str, objects: usize) {
        self.drift
            .with_label_values(&[outcome])
            .inc_by(objects as u64);
    }

    /// Counts what a question of a check came to.
    pub(crate) fn check(&self, reply: &Reply) {
        let outcome = match reply {
            Reply::Good { .. } => "passing",
            Reply::Bad { .. } => "failing",
            Reply::None { .. } => "unanswered",
        };
        self.checks.with_label_values(&[outcome]).inc();
    }

    /// Counts the stage that a step brought an attempt to.
    pub(crate) fn transition(&self, session: &Session) {
        let attempt = session
            .world
            .ledger
            .as_ref()
            .and_then(|ledger| ledger.attempt.as_ref());
        if let Some(attempt) = attempt {
            self.attempts
                .with_label_values(&[
                    &format!("{:?}", attempt.kind),
                    &format!("{:?}", attempt.stage()),
                ])
                .inc();
        }
    }

    pub(crate) fn status(&self, release: &HelmRelease) {
        let Some(status) = &release.status else {
            return;
        };
        let (namespace, name) = (release.namespace().unwrap_or_default(), release.name_any());
        for type_ in SHOWN {
            let value = status
                .conditions
                .iter()
                .find(|condition| condition.type_ == type_)
                .map_or(-1.0, |condition| match condition.status {
                    ConditionStatus::True => 1.0,
                    ConditionStatus::False => 0.0,
                    ConditionStatus::Unknown => -1.0,
                });
            self.conditions
                .with_label_values(&[&namespace, &name, &type_.to_string()])
                .set(value);
        }
    }

    pub(crate) fn forget(&self, release: &HelmRelease) {
        let (namespace, name) = (release.namespace().unwrap_or_default(), release.name_any());
        for type_ in SHOWN {
            // Absent already when the release never got a status.
            let _ = self
                .conditions
                .remove_label_values(&[&namespace, &name, &type_.to_string()]);
        }
    }
}

impl RequestObserver for Metrics {
    fn observed(&self, request: &RequestInfo, status: Option<u16>, elapsed: Duration) {
        let code = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
        self.requests
            .with_label_values(&[request.verb.as_str(), &request.resource, &code])
            .inc();
        if !request.streaming {
            self.request_seconds
                .with_label_values(&[request.verb.as_str()])
                .observe(elapsed.as_secs_f64());
        }
    }
}
