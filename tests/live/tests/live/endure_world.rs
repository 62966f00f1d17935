//! What the tests of the operator as a whole start from: the kinds, a namespace, a release, an operator that can be
//! killed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use belay_api::{ConditionStatus, ConditionType, HelmRelease, Reason, RollbackRequest};
use belay_harness::{Cluster, GENEROUS, Operator, TestNamespace, belay_binary, until};
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::batch::v1::Job;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::core::NamespaceResourceScope;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Resource, ResourceExt};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;

use crate::endure_charts::Files;

/// The release of a story.
pub const RELEASE: &str = "shop";

/// A namespace on a cluster that knows Belay's kinds.
pub struct World {
    pub cluster: Cluster,
    pub namespace: TestNamespace,
    pub client: kube::Client,
}

pub async fn world(label: &str) -> World {
    let cluster = Cluster::shared().await.unwrap();
    define(&cluster).await;
    let namespace = cluster.namespace(label).await.unwrap();
    let client = cluster.client().await.unwrap();
    World {
        cluster,
        namespace,
        client,
    }
}

/// Applies `crds/` once for this process.
async fn define(cluster: &Cluster) {
    static DEFINED: OnceCell<()> = OnceCell::const_new();
    let define = async {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crds");
        let folder = folder.display().to_string();
        for args in [
            &["apply", "--server-side", "--force-conflicts", "-k", &folder][..],
            &[
                "wait",
                "--for=condition=Established",
                "--timeout=60s",
                "crd/helmreleases.belay.dev",
                "crd/rollbackrequests.belay.dev",
            ],
        ] {
            cluster.kubectl(args).await.unwrap().ok().unwrap();
        }
    };
    DEFINED.get_or_init(|| define).await;
}

impl World {
    pub fn name(&self) -> &str {
        self.namespace.name()
    }

    pub fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), self.name())
    }

    /// The flags of an operator for this namespace alone. One that is started after another was killed has the same
    /// name, as a pod of a `StatefulSet` would, and so need not wait until its claim is over.
    pub fn flags(&self) -> Vec<String> {
        [
            "--namespaces",
            self.name(),
            "--own-namespace",
            self.name(),
            "--holder",
            "endure-0",
            "--log-format",
            "text",
            "--log-level",
            "belay_controller=debug,info",
        ]
        .map(ToOwned::to_owned)
        .to_vec()
    }

    /// The real operator as a process.
    pub fn start(&self) -> Operator {
        self.start_with(&[])
    }

    pub fn start_with(&self, more: &[&str]) -> Operator {
        let mut flags = self.flags();
        flags.extend(more.iter().map(ToString::to_string));
        Operator::start(&belay_binary().unwrap(), &self.cluster.kubeconfig(), &flags).unwrap()
    }

    /// Creates or changes the release as a GitOps tool would.
    pub async fn declare(&self, name: &str, spec: &Value) -> HelmRelease {
        let object = json!({
            "apiVersion": "belay.dev/v1alpha1", "kind": "HelmRelease",
            "metadata": {"name": name}, "spec": spec,
        });
        self.api::<HelmRelease>()
            .patch(
                name,
                &PatchParams::apply("gitops").force(),
                &Patch::Apply(&object),
            )
            .await
            .unwrap()
    }

    pub async fn delete_release(&self, name: &str) {
        self.api::<HelmRelease>()
            .delete(name, &kube::api::DeleteParams::default())
            .await
            .unwrap();
    }

    pub async fn request_rollback(&self, name: &str, target: &Value) {
        let request: RollbackRequest = serde_json::from_value(json!({
            "apiVersion": "belay.dev/v1alpha1", "kind": "RollbackRequest",
            "metadata": {"name": name},
            "spec": {"releaseRef": {"name": RELEASE}, "target": target, "reason": "a test asks"},
        }))
        .unwrap();
        self.api::<RollbackRequest>()
            .create(&PostParams::default(), &request)
            .await
            .unwrap();
    }

    /// Waits until the release rests, for what it last asked for, with this reason.
    pub async fn rests(&self, name: &str, reason: Reason) -> HelmRelease {
        let what = format!("rest because of {reason}");
        until(&self.api(), name, &what, GENEROUS, |release| {
            rests(release) == Some(reason)
        })
        .await
        .unwrap()
    }

    /// Runs kubectl in the namespace, which has to succeed.
    pub async fn kubectl(&self, args: &[&str]) -> String {
        let all = [args, &["-n", self.name()]].concat();
        self.cluster.kubectl(&all).await.unwrap().ok().unwrap()
    }

    /// Runs helm in the namespace, which has to succeed.
    pub async fn helm(&self, args: &[&str]) -> String {
        let all = [args, &["-n", self.name()]].concat();
        self.cluster.helm(&all).await.unwrap().ok().unwrap()
    }

    /// Helm's words for the revisions of the release, oldest first; none if helm knows of no release.
    pub async fn history(&self, name: &str) -> Vec<String> {
        let args = ["history", name, "-o", "json", "-n", self.name()];
        let output = self.cluster.helm(&args).await.unwrap();
        if output.status != 0 && output.stderr.contains("not found") {
            return Vec::new();
        }
        let entries: Vec<Value> = serde_json::from_str(&output.ok().unwrap()).unwrap();
        let words = entries.iter().map(|entry| entry["status"].as_str());
        words.map(|word| word.unwrap().to_owned()).collect()
    }

    /// `kind/name` of everything in the namespace that carries the marks of this release.
    pub async fn objects(&self, name: &str) -> BTreeSet<String> {
        let kinds = "configmaps,services,deployments,secrets,serviceaccounts";
        let all = self.kubectl(&["get", kinds, "-o", "json"]).await;
        let list: Value = serde_json::from_str(&all).unwrap();
        let marked = |object: &&Value| {
            object
                .pointer("/metadata/annotations/meta.helm.sh~1release-name")
                .and_then(Value::as_str)
                == Some(name)
        };
        let of_release = list["items"].as_array().unwrap().iter().filter(marked);
        of_release
            .map(|object| {
                let kind = object["kind"].as_str().unwrap();
                let name = object["metadata"]["name"].as_str().unwrap();
                format!("{kind}/{name}")
            })
            .collect()
    }

    /// Which state of which object of the release stands in the cluster, by `kind/name`.
    pub async fn states(&self, name: &str) -> BTreeMap<String, (String, String)> {
        let all = self
            .kubectl(&["get", "configmaps,services,deployments", "-o", "json"])
            .await;
        let list: Value = serde_json::from_str(&all).unwrap();
        let text = |object: &Value, path: &str| {
            object
                .pointer(path)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|object| {
                text(object, "/metadata/annotations/meta.helm.sh~1release-name") == name
            })
            .map(|object| {
                (
                    format!(
                        "{}/{}",
                        text(object, "/kind"),
                        text(object, "/metadata/name")
                    ),
                    (
                        text(object, "/metadata/uid"),
                        text(object, "/metadata/resourceVersion"),
                    ),
                )
            })
            .collect()
    }

    /// A value of a ConfigMap's data; `None` if there is no such object.
    pub async fn setting(&self, name: &str, key: &str) -> Option<String> {
        let map = self
            .api::<k8s_openapi::api::core::v1::ConfigMap>()
            .get_opt(name)
            .await
            .unwrap()?;
        map.data?.remove(key)
    }
}

/// The reason of a release that has nothing more to do for its present generation; `None` while it works.
pub fn rests(release: &HelmRelease) -> Option<Reason> {
    let status = release.status.as_ref()?;
    let ready = status
        .conditions
        .iter()
        .find(|condition| condition.type_ == ConditionType::Ready)?;
    let at_rest = status.attempt.is_none()
        && Some(status.observed_generation) == release.metadata.generation
        && ready.status != ConditionStatus::Unknown;
    at_rest.then_some(ready.reason)
}

/// The revision that the status says runs.
pub fn current(release: &HelmRelease) -> Option<u32> {
    Some(release.status.as_ref()?.current.as_ref()?.revision)
}

/// The spec of a release of an inline chart.
pub fn spec(files: &Files, values: &Value) -> Value {
    json!({
        "chart": {"inline": {"files": files}},
        "values": values,
        "timeout": "1m30s",
        "failFast": {"grace": "1s"},
    })
}

/// Counts how often each Job was created, from now on.
pub struct Jobs {
    seen: Arc<Mutex<BTreeMap<String, BTreeSet<String>>>>,
    task: JoinHandle<()>,
}

impl Jobs {
    pub fn watch(api: Api<Job>) -> Self {
        let seen: Arc<Mutex<BTreeMap<String, BTreeSet<String>>>> = Arc::default();
        let noted = seen.clone();
        let task = tokio::spawn(async move {
            let mut jobs = watcher(api, watcher::Config::default())
                .default_backoff()
                .touched_objects()
                .boxed();
            while let Ok(Some(job)) = jobs.try_next().await {
                let uid = job.uid().unwrap_or_default();
                noted
                    .lock()
                    .unwrap()
                    .entry(job.name_any())
                    .or_default()
                    .insert(uid);
            }
        });
        Self { seen, task }
    }

    /// How often each Job, by its name, was created.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        let seen = self.seen.lock().unwrap();
        seen.iter()
            .map(|(name, uids)| (name.clone(), uids.len()))
            .collect()
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Waits until no object of Belay's own is left in the namespace for this release.
pub async fn forgotten(world: &World, name: &str) {
    belay_harness::gone(&world.api::<HelmRelease>(), name, GENEROUS)
        .await
        .unwrap();
    let secrets = world
        .api::<k8s_openapi::api::core::v1::Secret>()
        .list(&ListParams::default())
        .await
        .unwrap();
    let left: Vec<_> = secrets.iter().map(ResourceExt::name_any).collect();
    assert!(
        !left
            .iter()
            .any(|secret| secret.contains(&format!(".{name}"))),
        "records or a ledger of {name} are left: {left:?}"
    );
}

/// How long anything may take that is not waited for by an event.
pub const LIMIT: Duration = GENEROUS;
