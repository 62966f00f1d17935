//! An upgrade to an image that does not exist, for one release and for all at once: how long it takes from the first
//! sign of it in the cluster until it is noticed, until the way back begins, and until the release is back.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use belay_api::helm_release::AttemptKind;
use belay_api::{ConditionType, HelmRelease, Phase, Reason};
use belay_harness::{GENEROUS, TestNamespace};
use futures::StreamExt;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::runtime::reflector::Lookup;
use kube::{Api, ResourceExt};
use serde_json::json;

use crate::error::Error;
use crate::figures::quantile;
use crate::ground::Ground;
use crate::news::states;
use crate::operated::Operated;

/// The fake nodes cannot pull what is called so.
const MISSING: &str = "registry.example/no-such-image";
/// The label that tells whose pod it is.
const INSTANCE: &str = "app.kubernetes.io/instance";

/// When something was first seen of one release.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// A container of its that waits for its image.
    sign: Option<Timestamp>,
    /// The failure on record, by the operator's clock.
    noticed: Option<Timestamp>,
    /// The attempt that goes back.
    begun: Option<Timestamp>,
    /// Back, and at rest.
    back: Option<Timestamp>,
}

/// What was seen of so many upgrades at once.
struct Reverts {
    grace: Duration,
    asked: Timestamp,
    seen: Vec<Seen>,
}

/// Installs all releases, then breaks one, then all, and prints what that took.
pub(crate) async fn measure(ground: &Ground) -> Result<(), Error> {
    let (namespace, _, operated) = Operated::alone(ground).await?;
    let names: Vec<_> = ground.names().collect();
    futures::try_join!(
        operated.create(ground, &names),
        ground.all_ready(&namespace)
    )?;
    for (broken, tag) in [(&names[..1], "one"), (&names[..], "all")] {
        let reverts = Reverts::of(ground, &operated, &namespace, broken, tag).await?;
        println!("{reverts}");
    }
    operated.end(&names).await?;
    ground.clear(namespace).await
}

impl Reverts {
    async fn of(
        ground: &Ground,
        operated: &Operated,
        namespace: &TestNamespace,
        names: &[String],
        tag: &str,
    ) -> Result<Self, Error> {
        let releases: Api<HelmRelease> = Api::namespaced(ground.client.clone(), namespace.name());
        let grace = releases
            .get(names.first().map(String::as_str).unwrap_or_default())
            .await
            .map_err(Error::kube("reading a HelmRelease"))?
            .spec
            .fail_fast
            .grace
            .as_std();
        let pods: Api<Pod> = Api::namespaced(ground.client.clone(), namespace.name());
        let pods = states(pods).map(|found| News::Pod(Box::new(found)));
        let releases = states(releases).map(|found| News::Release(Box::new(found)));
        let mut news = pin!(futures::stream::select(pods, releases));

        let asked = Timestamp::now();
        let mut seen: BTreeMap<String, Seen> = names
            .iter()
            .map(|name| (name.clone(), Seen::default()))
            .collect();
        let image = json!({"spec": {"values": {"image": {"repository": MISSING, "tag": tag}}}});
        let change = operated.change(names, &image);
        let watch = async {
            while seen.values().any(|seen| seen.back.is_none()) {
                let Some(news) = news.next().await else { break };
                let now = Timestamp::now();
                if let Some((name, news)) = news.told(tag)
                    && let Some(seen) = seen.get_mut(&name)
                {
                    seen.take(news, now);
                }
            }
        };
        let watch = async {
            let limit = tokio::time::timeout(GENEROUS * 3, watch);
            limit
                .await
                .map_err(|_| Error::NotDone(format!("{} upgrades are not back", names.len())))
        };
        futures::try_join!(change, watch)?;
        Ok(Self {
            grace,
            asked,
            seen: seen.into_values().collect(),
        })
    }
}

/// What a watch brought.
enum News {
    Pod(Box<Pod>),
    Release(Box<HelmRelease>),
}

/// What that says of a release.
#[derive(Clone, Copy)]
enum Told {
    Sign,
    /// The failure on record, and whether the way back has begun.
    Noticed {
        at: Timestamp,
        begun: bool,
    },
    Back,
}

impl News {
    /// What it says, of which release; `tag` tells this upgrade from those before.
    fn told(self, tag: &str) -> Option<(String, Told)> {
        match self {
            Self::Pod(pod) => {
                let name = pod.labels().get(INSTANCE)?.clone();
                let image = format!("{MISSING}:{tag}");
                let statuses = pod.status?.container_statuses?;
                let waits = statuses.iter().any(|status| {
                    let waiting = status
                        .state
                        .as_ref()
                        .and_then(|state| state.waiting.as_ref());
                    status.image == image
                        && waiting.is_some_and(|waiting| {
                            matches!(
                                waiting.reason.as_deref(),
                                Some("ErrImagePull" | "ImagePullBackOff")
                            )
                        })
                });
                waits.then_some((name, Told::Sign))
            }
            Self::Release(release) => {
                let name = release.name()?.into_owned();
                let status = release.status.as_ref()?;
                let ready = status
                    .conditions
                    .iter()
                    .find(|condition| condition.type_ == ConditionType::Ready)?;
                let current = Some(ready.observed_generation) == release.metadata.generation;
                let back = current
                    && ready.reason == Reason::RevisionBlocked
                    && status.phase == Phase::RolledBack
                    && status.attempt.is_none();
                let reverts = status
                    .attempt
                    .as_ref()
                    .is_some_and(|attempt| attempt.kind == AttemptKind::Revert);
                let told = if back {
                    Told::Back
                } else {
                    let at = status.last_failure.as_ref()?.at;
                    Told::Noticed {
                        at: Timestamp::from_millisecond(at.0).ok()?,
                        begun: reverts,
                    }
                };
                Some((name, told))
            }
        }
    }
}

impl Seen {
    fn take(&mut self, told: Told, now: Timestamp) {
        match told {
            Told::Sign => _ = self.sign.get_or_insert(now),
            // The failure of the upgrade before is still told while the next one runs.
            Told::Noticed { at, begun } if self.sign.is_some_and(|sign| at >= sign) => {
                self.noticed.get_or_insert(at);
                if begun {
                    self.begun.get_or_insert(now);
                }
            }
            Told::Back if self.sign.is_some() => _ = self.back.get_or_insert(now),
            Told::Noticed { .. } | Told::Back => {}
        }
    }
}

impl std::fmt::Display for Reverts {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            out,
            "an image that does not exist, {} at once, grace {:.0} s: seconds beyond the grace, since the first sign",
            self.seen.len(),
            self.grace.as_secs_f64()
        )?;
        writeln!(out, "{:<26}{:>8}{:>8}{:>8}", "", "p50", "p99", "max")?;
        for (what, at) in [
            (
                "failure on record",
                (|seen: &Seen| seen.noticed) as fn(&Seen) -> _,
            ),
            ("revert begun", |seen| seen.begun),
            ("back, and at rest", |seen| seen.back),
        ] {
            let took = self.seen.iter().filter_map(|seen| {
                let took = at(seen)?.duration_since(seen.sign?).as_secs_f64();
                Some(took - self.grace.as_secs_f64())
            });
            let took: Vec<_> = took.collect();
            writeln!(
                out,
                "{what:<26}{:>8.2}{:>8.2}{:>8.2}",
                quantile(took.clone(), 0.5),
                quantile(took.clone(), 0.99),
                quantile(took, 1.0)
            )?;
        }
        let last = self.seen.iter().filter_map(|seen| seen.back).max();
        let first = self.seen.iter().filter_map(|seen| seen.sign).min();
        let late = self.seen.iter().filter_map(|seen| seen.sign).max();
        if let (Some(last), Some(first), Some(late)) = (last, first, late) {
            let since = |from: Timestamp| last.duration_since(from).as_secs_f64();
            writeln!(
                out,
                "all back {:.1} s after the upgrades were asked for, {:.1} s after the first sign of the first, {:.1} s after that of the last",
                since(self.asked),
                since(first),
                since(late)
            )?;
        }
        Ok(())
    }
}
