//! What many releases at rest cost, how soon a status follows what the cluster shows, and how soon an edit by somebody
//! else is told.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::pin;
use std::time::Duration;

use belay_api::{ConditionStatus, ConditionType, HelmRelease};
use belay_harness::GENEROUS;
use futures::{Stream, StreamExt};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt};
use serde_json::json;

use crate::contest::{QUIET, requests, settled};
use crate::error::Error;
use crate::figures::quantile;
use crate::ground::{Ground, is_available, is_ready};
use crate::news::states;
use crate::operated::Operated;

/// How many releases are upgraded, and edited, one after another.
const SINGLES: usize = 50;

/// What was measured.
struct AtRest {
    releases: usize,
    /// Until all were ready, in seconds.
    installed: f64,
    /// The operator's memory before the first release and at rest with all.
    resident: Option<(u64, u64)>,
    /// What it asked in a quiet minute, leases left out.
    quiet: usize,
    /// From a Deployment that is available to a status that says Ready: of all at once.
    behind: Vec<f64>,
    /// The same of upgrades one after another.
    behind_singly: Vec<f64>,
    /// From an edit of somebody else's to the status that tells it.
    drift: Vec<f64>,
}

/// Installs all releases, listens, upgrades some one after another, edits some one after another, and prints what was
/// seen.
pub(crate) async fn measure(ground: &Ground) -> Result<(), Error> {
    let (namespace, identity, operated) = Operated::alone(ground).await?;
    let idle = operated.resident_bytes();
    let names: Vec<_> = ground.names().collect();
    let deployments: Api<Deployment> = Api::namespaced(ground.client.clone(), namespace.name());
    let releases: Api<HelmRelease> = Api::namespaced(ground.client.clone(), namespace.name());
    let mut news = pin!(news(deployments.clone(), releases.clone()));

    let began = Timestamp::now();
    let mut lags = BTreeMap::new();
    let all = async {
        while lags.values().filter_map(Lag::seconds).count() < names.len() {
            let Some(news) = news.next().await else { break };
            take(&mut lags, &news, is_ready);
        }
    };
    let all = tokio::time::timeout(GENEROUS * 10, all);
    let (created, all) = futures::join!(operated.create(ground, &names), all);
    created?;
    all.map_err(|_| Error::NotDone(format!("{} releases are not ready", names.len())))?;
    let installed = Timestamp::now().duration_since(began).as_secs_f64();
    let behind = lags.values().filter_map(Lag::seconds).collect();

    let known = settled(ground, &identity).await?;
    tokio::time::sleep(QUIET).await;
    let quiet = requests(ground, &identity)?.len() - known;
    let resident = idle.zip(operated.resident_bytes());

    let mut behind_singly = Vec::new();
    let mut drift = Vec::new();
    // The template has a checksum of it, so that pods are replaced.
    let change = json!({"spec": {"values": {"greeting": "good evening"}}});
    for name in names.iter().take(SINGLES) {
        operated.change(std::slice::from_ref(name), &change).await?;
        let mut lags = BTreeMap::new();
        let ready = async {
            while lags.get(name).and_then(Lag::seconds).is_none() {
                let Some(news) = news.next().await else { break };
                if news.name() == Some(name.as_str()) {
                    let newest = |release: &HelmRelease| {
                        is_ready(release)
                            && release
                                .status
                                .as_ref()
                                .map(|status| status.observed_generation)
                                == release.metadata.generation
                    };
                    take(&mut lags, &news, newest);
                }
            }
        };
        within(ready, name).await?;
        behind_singly.extend(lags.values().filter_map(Lag::seconds));
    }
    for name in names.iter().take(SINGLES) {
        let web = format!("{name}-gauge");
        let edit = json!({"spec": {"replicas": 2}});
        let asked = Timestamp::now();
        deployments
            .patch(&web, &PatchParams::default(), &Patch::Merge(&edit))
            .await
            .map_err(Error::kube("editing a Deployment"))?;
        let told = async {
            while let Some(news) = news.next().await {
                if news.name() == Some(name.as_str()) && news.tells_drift() {
                    break;
                }
            }
        };
        within(told, name).await?;
        drift.push(Timestamp::now().duration_since(asked).as_secs_f64());
    }
    println!(
        "{}",
        AtRest {
            releases: names.len(),
            installed,
            resident,
            quiet,
            behind,
            behind_singly,
            drift,
        }
    );
    operated.end(&names).await?;
    ground.clear(namespace).await
}

async fn within(done: impl Future<Output = ()>, name: &str) -> Result<(), Error> {
    tokio::time::timeout(GENEROUS, done)
        .await
        .map_err(|_| Error::NotDone(format!("nothing came of what was done to {name}")))
}

/// When a release's Deployment was seen available, and when its status was seen Ready.
#[derive(Default)]
struct Lag {
    available: Option<Timestamp>,
    ready: Option<Timestamp>,
}

impl Lag {
    /// The one watch may be ahead of the other by more than lies between the two.
    fn seconds(&self) -> Option<f64> {
        Some(self.ready?.duration_since(self.available?).as_secs_f64())
    }
}

fn take(lags: &mut BTreeMap<String, Lag>, news: &News, done: impl Fn(&HelmRelease) -> bool) {
    let Some(name) = news.name() else { return };
    let lag = lags.entry(name.to_owned()).or_default();
    match news {
        News::Deployment(deployment) if is_available(deployment) => {
            lag.available.get_or_insert_with(Timestamp::now);
        }
        // It says so of what was before until it has been looked at.
        News::Deployment(_) => lag.available = None,
        News::Release(release) if done(release) => {
            lag.ready.get_or_insert_with(Timestamp::now);
        }
        News::Release(_) => {}
    }
}

/// What a watch brought.
enum News {
    Deployment(Box<Deployment>),
    Release(Box<HelmRelease>),
}

impl News {
    /// The release that it is of.
    fn name(&self) -> Option<&str> {
        match self {
            Self::Deployment(deployment) => deployment
                .labels()
                .get("app.kubernetes.io/instance")
                .map(String::as_str),
            Self::Release(release) => release.metadata.name.as_deref(),
        }
    }

    fn tells_drift(&self) -> bool {
        let Self::Release(release) = self else {
            return false;
        };
        release.status.as_ref().is_some_and(|status| {
            status.conditions.iter().any(|condition| {
                condition.type_ == ConditionType::Drifted
                    && condition.status == ConditionStatus::True
            })
        })
    }
}

fn news(deployments: Api<Deployment>, releases: Api<HelmRelease>) -> impl Stream<Item = News> {
    let deployments = states(deployments).map(|found| News::Deployment(Box::new(found)));
    let releases = states(releases).map(|found| News::Release(Box::new(found)));
    futures::stream::select(deployments, releases)
}

impl fmt::Display for AtRest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "{} releases at once, all Ready after {:.1} s ({:.1} a second)",
            self.releases,
            self.installed,
            self.releases as f64 / self.installed
        )?;
        if let Some((idle, full)) = self.resident {
            let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
            writeln!(
                out,
                "resident memory: {:.1} MiB without releases, {:.1} MiB at rest with all",
                mib(idle),
                mib(full)
            )?;
        }
        writeln!(
            out,
            "requests of a quiet minute, leases left out: {}",
            self.quiet
        )?;
        writeln!(
            out,
            "{:<58}{:>8}{:>8}{:>8}",
            "milliseconds", "p50", "p99", "max"
        )?;
        for (what, seconds) in [
            (
                "Deployment available to status Ready, all at once",
                &self.behind,
            ),
            ("the same, upgrades one after another", &self.behind_singly),
            ("somebody's edit to the status that tells it", &self.drift),
        ] {
            let at = |q| Duration::from_secs_f64(quantile(seconds.clone(), q).max(0.0)).as_millis();
            writeln!(out, "{what:<58}{:>8}{:>8}{:>8}", at(0.5), at(0.99), at(1.0))?;
        }
        Ok(())
    }
}
