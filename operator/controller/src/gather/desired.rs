//! What a spec comes to: a chart with values, by its digest.

use std::sync::Arc;
use std::time::Duration;

use belay_api::{Duration as Span, HelmRelease, Reason, Timestamp, names};
use belay_chart::Chart;
use belay_release::PostRender;
use belay_rollout::{
    Backoff, ChartId, Desired, Digest, DigestInput, Rejection, SourceLook, spread,
};
use belay_source::Fetcher;
use belay_yaml::{Map, Value};
use kube::ResourceExt;

use super::reading::Reading;
use super::{post_render, source, values};
use crate::clock;
use crate::context::Context;
use crate::error::Error;
use crate::session::Session;

/// The wait after the first failure that time may cure.
const FIRST_RETRY: Span = Span::seconds(5);
/// Which part of an interval knowledge may not be older than, counted from the interval's end: a release whose interval
/// is over looks for what is new, and is not answered with what it saw itself the last time, a moment after it woke.
const SLACK: u32 = 16;

/// What a spec came to when it was last looked at.
#[derive(Clone, Debug)]
pub(crate) struct Resolved {
    /// The generation of the spec.
    pub(crate) generation: i64,
    /// The value of `belay.dev/reconcile`.
    pub(crate) token: Option<String>,
    /// When.
    pub(crate) at: Timestamp,
    /// Failures in a row.
    pub(crate) failures: u32,
    /// When something that changed meanwhile is looked at again: it could not be while the chart's source was down.
    pub(crate) again: Option<Timestamp>,
    /// What the chart's source had.
    pub(crate) source: SourceLook,
    /// What it came to.
    pub(crate) outcome: Result<Ready, Rejection>,
}

impl Resolved {
    /// When the spec is to be looked at again.
    pub(crate) fn due(&self, release: &HelmRelease) -> Timestamp {
        let retry = match &self.outcome {
            Err(rejection) => rejection.retry_at,
            Ok(_) => self.again,
        };
        retry.unwrap_or_else(|| self.at.plus(release.spec.interval))
    }
}

/// A chart with values.
#[derive(Clone, Debug)]
pub(crate) struct Ready {
    /// The chart.
    pub(crate) chart: Arc<Chart>,
    /// The user's values, merged.
    pub(crate) values: Arc<Map>,
    /// What is done to the rendered objects.
    pub(crate) post_render: Arc<PostRender>,
    /// The chart by its names.
    pub(crate) id: ChartId,
}

/// Why a spec comes to nothing.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) reason: Reason,
    pub(crate) message: String,
    pub(crate) transient: bool,
    pub(crate) retry_after: Option<Duration>,
}

impl Refusal {
    /// One that only a change cures.
    pub(super) fn lasting(reason: Reason, message: &str) -> Self {
        Self {
            reason,
            message: message.to_owned(),
            transient: false,
            retry_after: None,
        }
    }

    /// Something that a spec names is not there yet: GitOps tools apply in any order.
    pub(super) fn missing(message: String) -> Self {
        Self {
            reason: Reason::ReferenceNotFound,
            message,
            transient: true,
            retry_after: None,
        }
    }
}

/// What the spec asks for, looked at anew when it changed, when it is due, or when somebody asks.
pub(super) async fn desired(context: &Context, session: &mut Session) -> Result<Desired, Error> {
    let resolved = match &session.resolved {
        Some(resolved) if is_current(context, resolved, &session.release) => Arc::clone(resolved),
        old => Arc::new(resolve(context, session, old.as_deref()).await?),
    };
    let desired = match &resolved.outcome {
        Ok(ready) => Desired::Is {
            digest: digest(session, ready)?,
            chart: ready.id.clone(),
        },
        Err(rejection) => Desired::Rejected(rejection.clone()),
    };
    session.world.source = resolved.source.clone();
    session.resolved = Some(resolved);
    Ok(desired)
}

fn is_current(context: &Context, resolved: &Resolved, release: &HelmRelease) -> bool {
    let namespace = release.namespace().unwrap_or_default();
    clock::now() < resolved.due(release)
        && same_question(resolved, release)
        && !context.references.changed(&namespace, &release.name_any())
}

/// Whether a spec and its token are still those that were resolved.
fn same_question(resolved: &Resolved, release: &HelmRelease) -> bool {
    Some(resolved.generation) == release.metadata.generation
        && resolved.token.as_ref() == release.annotations().get(names::RECONCILE)
}

async fn resolve(
    context: &Context,
    session: &Session,
    old: Option<&Resolved>,
) -> Result<Resolved, Error> {
    let release = &session.release;
    let now = clock::now();
    let namespace = release.namespace().unwrap_or_default();
    let name = release.name_any();
    let changed =
        context.references.changed(&namespace, &name) || old.is_some_and(|old| old.again.is_some());
    let mut reading = Reading::new(context, release, &session.cluster)?;
    let (outcome, source) = come_to(
        &context.fetcher,
        &mut reading,
        release,
        None,
        max_age(release, old),
    )
    .await?;
    reading.end();
    if let (Err(refusal), Some(old)) = (&outcome, old)
        && let Some(kept) = keep_through_outage(refusal, old, release, now, changed)
    {
        return Ok(Resolved { source, ..kept });
    }
    let failures = match &outcome {
        Ok(_) => 0,
        Err(_) => 1 + old.map_or(0, |old| old.failures),
    };
    Ok(Resolved {
        generation: release.metadata.generation.unwrap_or_default(),
        token: release.annotations().get(names::RECONCILE).cloned(),
        at: now,
        failures,
        again: None,
        source,
        outcome: outcome.map_err(|refusal| reject(&refusal, failures, release, now)),
    })
}

/// What the release's account may not read is for its owner to cure, and told.
fn permitted<T>(found: Result<Result<T, Refusal>, Error>) -> Result<Result<T, Refusal>, Error> {
    match found {
        Err(error) if error.is_access_denied() => Ok(Err(Refusal {
            reason: Reason::AccessDenied,
            message: error.to_string(),
            transient: true,
            retry_after: None,
        })),
        found => found,
    }
}

/// How old the knowledge of a source may be: an interval, or nothing when somebody asks for a look right now.
fn max_age(release: &HelmRelease, old: Option<&Resolved>) -> Duration {
    let asked = release.annotations().get(names::RECONCILE);
    match old {
        Some(old) if asked.is_some() && old.token.as_ref() != asked => Duration::ZERO,
        _ => {
            let interval = release.spec.interval.as_std();
            interval.saturating_sub(interval / SLACK)
        }
    }
}

/// A chart with values, or why there is none; and what the chart's source had. `given` is used in place of the chart
/// that the spec names.
pub(crate) async fn come_to(
    fetcher: &Fetcher,
    reading: &mut Reading<'_>,
    release: &HelmRelease,
    given: Option<Arc<Chart>>,
    max_age: Duration,
) -> Result<(Result<Ready, Refusal>, SourceLook), Error> {
    let post_render = match post_render::read(&release.spec) {
        Ok(post_render) => Arc::new(post_render),
        Err(refusal) => return Ok((Err(refusal), SourceLook::Unknown)),
    };
    let values = match permitted(values::merge(reading, release).await)? {
        Ok(values) => Arc::new(values),
        Err(refusal) => return Ok((Err(refusal), SourceLook::Unknown)),
    };
    let (chart, origin) = if let Some(chart) = given {
        (chart, None)
    } else {
        let named = &release.spec.chart;
        match permitted(Box::pin(source::fetch(fetcher, reading, named, max_age)).await)? {
            Ok(had) => (had.chart, Some(had.origin)),
            Err(refusal) => {
                let failed = SourceLook::Failed {
                    reason: refusal.reason,
                    message: refusal.message.clone(),
                };
                return Ok((Err(refusal), failed));
            }
        }
    };
    let metadata = chart.metadata();
    let id = ChartId {
        name: metadata.name.clone(),
        version: metadata.version.clone(),
        app_version: metadata.app_version.clone(),
    };
    let look = origin.map_or(SourceLook::Unknown, |origin| SourceLook::Found {
        chart: id.clone(),
        origin,
    });
    let ready = Ready {
        chart,
        values,
        post_render,
        id,
    };
    Ok((Ok(ready), look))
}

/// What runs keeps running while its source is down: an interval's look that fails for the moment changes nothing
/// of what the same spec came to before.
fn keep_through_outage(
    refusal: &Refusal,
    old: &Resolved,
    release: &HelmRelease,
    now: Timestamp,
    changed: bool,
) -> Option<Resolved> {
    if !(refusal.transient && same_question(old, release) && old.outcome.is_ok()) {
        return None;
    }
    let failures = old.failures + 1;
    tracing::warn!(
        namespace = release.namespace().unwrap_or_default(),
        name = release.name_any(),
        message = %refusal.message,
        "the chart cannot be looked at; what runs stays"
    );
    Some(Resolved {
        at: now,
        failures,
        again: changed.then(|| now.plus(wait(refusal, failures, release))),
        ..old.clone()
    })
}

/// What time may cure is looked at again soon, everything else at the release's interval.
fn reject(refusal: &Refusal, failures: u32, release: &HelmRelease, now: Timestamp) -> Rejection {
    Rejection {
        reason: refusal.reason,
        message: refusal.message.clone(),
        retry_at: refusal
            .transient
            .then(|| now.plus(wait(refusal, failures, release))),
    }
}

/// The wait before another try: as the server asks, or doubled with each failure, and never above the interval but for
/// what spreads over time the releases that failed together.
fn wait(refusal: &Refusal, failures: u32, release: &HelmRelease) -> Span {
    let interval = release.spec.interval;
    let asked = refusal
        .retry_after
        .map(|asked| Span(u64::try_from(asked.as_millis()).unwrap_or(u64::MAX)));
    let wait = asked.unwrap_or_else(|| Backoff::new(FIRST_RETRY, interval).after(failures));
    spread(wait.min(interval), &release.uid().unwrap_or_default())
}

fn digest(session: &Session, ready: &Ready) -> Result<Digest, Error> {
    let chart = ready.chart.content_digest().to_string();
    let values = belay_yaml::to_serde(&Value::Map((*ready.values).clone()));
    let post_render = post_render::asked(&session.release.spec);
    Ok(Digest::of(
        &session.ledger()?.key,
        &DigestInput {
            chart: &chart,
            values: &values,
            release_name: session.release.release_name(),
            namespace: session.release.target_namespace(),
            post_render: post_render.as_ref(),
        },
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn release(interval: &str) -> HelmRelease {
        serde_json::from_value(json!({
            "apiVersion": "belay.dev/v1alpha1", "kind": "HelmRelease",
            "metadata": {"name": "web", "uid": "0b5c5d3e-8f4a-4e0f-9d55-3a8a0e4c2b11"},
            "spec": {"chart": {"inline": {"files": {}}}, "interval": interval},
        }))
        .unwrap()
    }

    fn down(retry_after: Option<Duration>) -> Refusal {
        Refusal {
            reason: Reason::SourceUnavailable,
            message: "down".to_owned(),
            transient: true,
            retry_after,
        }
    }

    /// The pause itself, and a quarter more at the most.
    fn about(wait: Span, seconds: u64) -> bool {
        let pause = Span::seconds(seconds);
        wait >= pause && wait.0 <= pause.0 + pause.0 / 4
    }

    #[test]
    fn a_source_that_is_down_is_left_alone_ever_longer_up_to_the_interval() {
        let release = release("1m");
        for (failures, seconds) in [(1, 5), (2, 10), (3, 20), (4, 40), (5, 60), (50, 60)] {
            let wait = wait(&down(None), failures, &release);
            assert!(about(wait, seconds), "{failures} failures: {wait}");
        }
    }

    #[test]
    fn a_server_that_says_when_is_heard_up_to_the_interval() {
        let asked = |seconds| down(Some(Duration::from_secs(seconds)));

        assert!(about(wait(&asked(30), 1, &release("1m")), 30));
        assert!(about(wait(&asked(3600), 1, &release("1m")), 60));
    }

    /// Given a release that wakes when its interval is over: what it saw the last time, a moment after it woke then, is
    /// older than what it takes now.
    #[test]
    fn at_its_interval_a_release_does_not_take_what_it_saw_the_last_time() {
        let release = release("10m");
        let moment = Duration::from_secs(2);

        let taken = max_age(&release, None);

        assert!(taken + moment < Duration::from_mins(10), "{taken:?}");
        assert!(taken > Duration::from_mins(9), "{taken:?}");
    }
}
