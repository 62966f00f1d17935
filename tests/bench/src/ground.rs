//! What every contender stands on: the control plane, the chart, what it renders to, and namespaces that are gone
//! again before the next one starts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use belay_api::HelmRelease;
use belay_harness::{Cluster, GENEROUS, TestNamespace, gone};
use futures::TryStreamExt;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::DeleteParams;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client, ResourceExt};
use tempfile::TempDir;
use tokio::time::timeout;

use crate::error::Error;

/// What every contender stands on.
pub(crate) struct Ground {
    pub(crate) cluster: Cluster,
    pub(crate) client: Client,
    /// How many releases.
    pub(crate) releases: usize,
    /// How many objects each release has.
    pub(crate) objects: usize,
    /// The chart's folder.
    pub(crate) chart: PathBuf,
    /// The chart's files, for an inline chart.
    pub(crate) files: BTreeMap<String, String>,
    /// One file with the rendered objects of each release.
    pub(crate) manifests: Vec<PathBuf>,
    _folder: TempDir,
}

impl Ground {
    pub(crate) async fn lay(releases: usize) -> Result<Self, Error> {
        let cluster = Cluster::shared().await?;
        let client = cluster.client().await?;
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        define(&cluster, &root.join("../../crds")).await?;
        let chart = chart();
        let folder = tempfile::tempdir().map_err(Error::io("making a folder"))?;
        let mut manifests = Vec::new();
        let mut objects = 0;
        for number in 0..releases {
            let path = chart.display().to_string();
            let rendered = cluster
                .tools()
                .helm(&["template", &name(number), &path])
                .await?
                .ok()?;
            objects = rendered
                .lines()
                .filter(|line| line.starts_with("kind: "))
                .count();
            let file = folder.path().join(format!("{}.yaml", name(number)));
            std::fs::write(&file, rendered).map_err(Error::io("writing rendered objects"))?;
            manifests.push(file);
        }
        Ok(Self {
            files: files(&chart)?,
            cluster,
            client,
            releases,
            objects,
            chart,
            manifests,
            _folder: folder,
        })
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = String> + use<> {
        (0..self.releases).map(name)
    }

    /// Waits until every release's Deployment in the namespace has all its pods.
    pub(crate) async fn all_available(&self, namespace: &TestNamespace) -> Result<(), Error> {
        let deployments: Api<Deployment> = Api::namespaced(self.client.clone(), namespace.name());
        until_all(deployments, self.releases, is_available).await
    }

    /// Waits until every release in the namespace is Ready.
    pub(crate) async fn all_ready(&self, namespace: &TestNamespace) -> Result<(), Error> {
        let releases: Api<HelmRelease> = Api::namespaced(self.client.clone(), namespace.name());
        until_all(releases, self.releases, is_ready).await
    }

    /// Removes a namespace and waits until it is gone, so that its end costs nobody time.
    pub(crate) async fn clear(&self, namespace: TestNamespace) -> Result<(), Error> {
        let namespaces = Api::<Namespace>::all(self.client.clone());
        namespaces
            .delete(namespace.name(), &DeleteParams::default())
            .await
            .map_err(Error::kube("removing a namespace"))?;
        gone(&namespaces, namespace.name(), GENEROUS * 3).await?;
        Ok(())
    }
}

/// The small chart that is kept with the bench.
pub(crate) fn chart() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("chart")
}

fn name(number: usize) -> String {
    format!("r{number:03}")
}

async fn define(cluster: &Cluster, folder: &Path) -> Result<(), Error> {
    let folder = folder.display().to_string();
    let apply = ["apply", "--server-side", "--force-conflicts", "-k", &folder];
    cluster.kubectl(&apply).await?.ok()?;
    let wait = [
        "wait",
        "--for=condition=Established",
        "--timeout=60s",
        "crd/helmreleases.belay.dev",
        "crd/rollbackrequests.belay.dev",
    ];
    cluster.kubectl(&wait).await?.ok()?;
    Ok(())
}

/// The files of a chart, by their path in it.
fn files(chart: &Path) -> Result<BTreeMap<String, String>, Error> {
    let doing = || Error::io(format!("reading {}", chart.display()));
    let mut found = BTreeMap::new();
    let mut folders = vec![chart.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(doing())? {
            let path = entry.map_err(doing())?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).map_err(doing())?;
            let inside = path.strip_prefix(chart).unwrap_or(&path);
            found.insert(inside.display().to_string(), text);
        }
    }
    Ok(found)
}

/// Waits until so many objects exist and `done` is true of all of them.
async fn until_all<K>(api: Api<K>, count: usize, done: fn(&K) -> bool) -> Result<(), Error>
where
    K: kube::Resource<DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + serde::de::DeserializeOwned
        + Send
        + 'static,
{
    let mut states = BTreeMap::new();
    let mut events = std::pin::pin!(watcher(api, watcher::Config::default()));
    let waiting = async {
        while let Some(event) = events.try_next().await.ok().flatten() {
            match event {
                Event::Apply(object) | Event::InitApply(object) => {
                    states.insert(object.name_any(), done(&object));
                }
                Event::Delete(object) => {
                    states.remove(&object.name_any());
                }
                Event::Init | Event::InitDone => {}
            }
            if states.len() == count && states.values().all(|done| *done) {
                return true;
            }
        }
        false
    };
    let all = timeout(GENEROUS * 3, waiting).await.unwrap_or_default();
    if all {
        return Ok(());
    }
    let open = states.iter().filter(|(_, done)| !**done);
    let open: Vec<_> = open.map(|(name, _)| name.as_str()).take(5).collect();
    Err(Error::NotDone(format!(
        "of {count} releases {} appeared; not ready are for example {open:?}",
        states.len()
    )))
}

pub(crate) fn is_available(deployment: &Deployment) -> bool {
    let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas);
    deployment.status.as_ref().is_some_and(|status| {
        status.observed_generation == deployment.metadata.generation
            && status.available_replicas == wanted
    })
}

pub(crate) fn is_ready(release: &HelmRelease) -> bool {
    use belay_api::{ConditionStatus, ConditionType};
    release.status.as_ref().is_some_and(|status| {
        status.conditions.iter().any(|condition| {
            condition.type_ == ConditionType::Ready && condition.status == ConditionStatus::True
        })
    })
}
