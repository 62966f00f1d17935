//! What the tests of the operator start from: a namespace, an operator of its own for it, and the
//! administrator's view of both.

use std::fmt::Debug;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use belay_api::rollback_request::RequestPhase;
use belay_api::{Condition, ConditionStatus, ConditionType, HelmRelease, Reason, RollbackRequest};
use belay_cluster::{ConnectOptions, RequestInfo, RequestObserver, Verb, connect};
use belay_controller::{Metrics, Operator, Settings, run};
use belay_harness::{Cluster, GENEROUS, TestNamespace, gone, until};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client, Resource, ResourceExt};
use serde_json::{Value, json};
use tokio::sync::{OnceCell, oneshot};
use tokio::task::JoinHandle;

use crate::operator_charts::Files;

/// The release of most tests.
pub const SHOP: &str = "shop";

/// Notes what the operator asks of the API server: its writes, and everything but watches; its Lease is left out.
#[derive(Debug, Default)]
struct Asked {
    writes: Mutex<Vec<String>>,
    all: Mutex<Vec<String>>,
}

impl RequestObserver for Asked {
    fn observed(&self, request: &RequestInfo, _: Option<u16>, _: Duration) {
        if request.resource == "leases" || request.verb == Verb::Watch {
            return;
        }
        let line = format!(
            "{} {} {}",
            request.verb.as_str(),
            request.resource,
            request.name
        );
        let note = |list: &Mutex<Vec<String>>| {
            list.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(line.clone());
        };
        note(&self.all);
        let reads = matches!(request.verb, Verb::Get | Verb::List | Verb::Other);
        if !reads && !request.dry_run {
            note(&self.writes);
        }
    }
}

/// A namespace with an operator of its own.
pub struct World {
    pub cluster: Cluster,
    pub client: Client,
    namespace: TestNamespace,
    asked: Arc<Asked>,
    operator: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

/// A namespace whose API server knows Belay's kinds, with nobody working on them.
pub async fn quiet_world(label: &str) -> World {
    static DEFINED: OnceCell<()> = OnceCell::const_new();
    let cluster = Cluster::shared().await.unwrap();
    DEFINED.get_or_init(|| define(&cluster)).await;
    quiet_world_of(cluster, label).await
}

/// The same in a cluster of its own, for what others would feel.
pub async fn operated_world_in(cluster: Cluster, label: &str) -> World {
    define(&cluster).await;
    let mut world = quiet_world_of(cluster, label).await;
    world.start(|_| {}).await;
    world
}

async fn quiet_world_of(cluster: Cluster, label: &str) -> World {
    let namespace = cluster.namespace(label).await.unwrap();
    World {
        client: cluster.client().await.unwrap(),
        cluster,
        namespace,
        asked: Arc::default(),
        operator: None,
    }
}

/// The same with an operator that runs in this process.
pub async fn operated_world(label: &str) -> World {
    operated_world_with(label, |_| {}).await
}

/// The same with an operator that is told something else.
pub async fn operated_world_with(label: &str, change: impl FnOnce(&mut Settings)) -> World {
    let mut world = quiet_world(label).await;
    world.start(change).await;
    world
}

/// Applies `crds/`.
async fn define(cluster: &Cluster) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../crds");
    let apply = ["apply", "--server-side", "--force-conflicts", "-k", folder];
    cluster.kubectl(&apply).await.unwrap().ok().unwrap();
    let established = [
        "wait",
        "--for=condition=Established",
        "--timeout=60s",
        "crd/helmreleases.belay.dev",
        "crd/rollbackrequests.belay.dev",
    ];
    cluster.kubectl(&established).await.unwrap().ok().unwrap();
}

impl World {
    pub fn namespace(&self) -> &str {
        self.namespace.name()
    }

    pub fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), self.namespace())
    }

    /// Starts the operator of a quiet world.
    pub async fn start(&mut self, change: impl FnOnce(&mut Settings)) {
        let mut settings = Settings {
            namespaces: vec![self.namespace().to_owned()],
            own_namespace: self.namespace().to_owned(),
            // Tests serve their charts on the loopback interface.
            allow_source_addresses: vec!["127.0.0.0/8".parse().unwrap()],
            ..Settings::default()
        };
        change(&mut settings);
        let connection = connect(ConnectOptions {
            kubeconfig: Some(self.cluster.kubeconfig()),
            observer: Some(self.asked.clone()),
            ..ConnectOptions::default()
        });
        let operator = Operator {
            connection: connection.await.unwrap(),
            settings,
            metrics: Metrics::new().unwrap(),
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            run(operator, stopped).await.unwrap();
        });
        self.operator = Some((stop, running));
    }

    /// Stops the operator gracefully; it has to end.
    pub async fn end(mut self) {
        self.pause().await;
    }

    /// The same with another operator, which knows nothing of what the first one saw.
    pub async fn with_a_new_operator(mut self) -> Self {
        self.pause().await;
        self.start(|_| {}).await;
        self
    }

    /// Starts another operator after the one before was stopped.
    pub async fn start_again(&mut self) {
        self.start(|_| {}).await;
    }

    /// The same, and others go on with the world: nobody works on it now.
    pub async fn pause(&mut self) {
        if let Some((stop, running)) = self.operator.take() {
            let _ = stop.send(());
            tokio::time::timeout(GENEROUS, running)
                .await
                .unwrap()
                .unwrap();
        }
    }

    /// What the operator wrote since this was last asked, its Lease left out.
    pub fn writes(&self) -> Vec<String> {
        std::mem::take(
            &mut self
                .asked
                .writes
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// All that the operator asked of the API server since this was last asked, watches and its Lease left out.
    pub fn requests(&self) -> Vec<String> {
        std::mem::take(
            &mut self
                .asked
                .all
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Applies a release as a GitOps tool does. What matters for time is short.
    pub async fn try_apply(&self, name: &str, spec: &Value) -> kube::Result<HelmRelease> {
        let mut whole = json!({"timeout": "60s", "failFast": {"grace": "1s"}});
        for (key, value) in spec.as_object().unwrap() {
            whole[key] = value.clone();
        }
        let object = json!({
            "apiVersion": "belay.dev/v1alpha1", "kind": "HelmRelease",
            "metadata": {"name": name}, "spec": whole,
        });
        let params = PatchParams::apply("gitops").force();
        self.api::<HelmRelease>()
            .patch(name, &params, &Patch::Apply(&object))
            .await
    }

    pub async fn apply(&self, name: &str, spec: &Value) -> HelmRelease {
        self.try_apply(name, spec).await.unwrap()
    }

    /// Applies a chart with values.
    pub async fn roll_out(&self, name: &str, chart: &Files, values: &Value) -> HelmRelease {
        let spec = json!({"chart": chart.inline(), "values": values});
        self.apply(name, &spec).await
    }

    /// Rolls out and waits until that is proven.
    pub async fn deploy(&self, name: &str, chart: &Files, values: &Value) -> HelmRelease {
        let asked = self.roll_out(name, chart, values).await;
        self.deployed(&asked).await
    }

    /// Merges into the release, for example annotations.
    pub async fn edit(&self, name: &str, patch: &Value) -> HelmRelease {
        self.api::<HelmRelease>()
            .patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .unwrap()
    }

    pub async fn annotate(&self, name: &str, annotations: &Value) -> HelmRelease {
        let patch = json!({"metadata": {"annotations": annotations}});
        self.edit(name, &patch).await
    }

    /// Asks for a reconcile and waits until the operator has decided about it and rests.
    pub async fn looked_at(&self, name: &str, token: &str) -> HelmRelease {
        self.annotate(name, &json!({"belay.dev/reconcile": token}))
            .await;
        let what = "a look at the release";
        self.until_release(name, what, |release| {
            let status = release.status.as_ref();
            at_rest(release)
                && status
                    .is_some_and(|status| status.last_handled_reconcile.as_deref() == Some(token))
        })
        .await
    }

    pub async fn until_release(
        &self,
        name: &str,
        what: &str,
        holds: impl Fn(&HelmRelease) -> bool,
    ) -> HelmRelease {
        until(&self.api(), name, what, GENEROUS, holds)
            .await
            .unwrap()
    }

    /// Waits until the release is Ready as it was applied.
    pub async fn deployed(&self, asked: &HelmRelease) -> HelmRelease {
        self.until_release(&asked.name_any(), "Ready", |release| {
            speaks_of(release, asked)
                && ready(release).is_some_and(|ready| ready.status == ConditionStatus::True)
        })
        .await
    }

    /// Waits until the release, as it was applied, is at rest and not Ready for this reason.
    pub async fn stopped(&self, asked: &HelmRelease, reason: Reason) -> HelmRelease {
        self.until_release(
            &asked.name_any(),
            &format!("Ready=False, {reason}"),
            |release| {
                speaks_of(release, asked)
                    && at_rest(release)
                    && ready(release).is_some_and(|ready| {
                        ready.status == ConditionStatus::False && ready.reason == reason
                    })
            },
        )
        .await
    }

    /// Orders a rollback and waits until nothing more happens to the request.
    pub async fn order(&self, name: &str, spec: &Value) -> RollbackRequest {
        let mut spec = spec.clone();
        spec["releaseRef"] = json!({"name": SHOP});
        let request = json!({
            "apiVersion": "belay.dev/v1alpha1", "kind": "RollbackRequest",
            "metadata": {"name": name}, "spec": spec,
        });
        let requests = self.api::<RollbackRequest>();
        let request = serde_json::from_value(request).unwrap();
        requests
            .create(&PostParams::default(), &request)
            .await
            .unwrap();
        until(&requests, name, "the request's end", GENEROUS, |request| {
            phase(request).is_final()
        })
        .await
        .unwrap()
    }

    pub async fn delete<K>(&self, name: &str)
    where
        K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
            + Clone
            + Debug
            + serde::Serialize
            + serde::de::DeserializeOwned
            + Send
            + 'static,
    {
        let api = self.api::<K>();
        api.delete(name, &DeleteParams::default()).await.unwrap();
        gone(&api, name, GENEROUS).await.unwrap();
    }

    /// Runs helm in the namespace, which has to succeed.
    pub async fn helm(&self, args: &[&str]) -> String {
        let all = [args, &["-n", self.namespace()]].concat();
        self.cluster.helm(&all).await.unwrap().ok().unwrap()
    }

    pub async fn helm_json(&self, args: &[&str]) -> Value {
        let text = self.helm(&[args, &["-o", "json"]].concat()).await;
        serde_json::from_str(&text).unwrap()
    }

    /// Runs kubectl in the namespace, which has to succeed.
    pub async fn kubectl(&self, args: &[&str]) -> String {
        let all = [args, &["-n", self.namespace()]].concat();
        self.cluster.kubectl(&all).await.unwrap().ok().unwrap()
    }

    /// Helm's history as `(revision, status)`, oldest first.
    pub async fn history(&self, name: &str) -> Vec<(u64, String)> {
        let history = self.helm_json(&["history", name]).await;
        let entries = history.as_array().unwrap();
        entries
            .iter()
            .map(|entry| {
                let status = entry["status"].as_str().unwrap();
                (entry["revision"].as_u64().unwrap(), status.to_owned())
            })
            .collect()
    }

    /// The image that the Deployment of a release asks for.
    pub async fn image(&self, name: &str) -> String {
        let deployment = self
            .api::<Deployment>()
            .get(&format!("{name}-web"))
            .await
            .unwrap();
        let pod = deployment.spec.unwrap().template.spec.unwrap();
        pod.containers[0].image.clone().unwrap()
    }

    pub async fn config_map(&self, name: &str) -> Option<ConfigMap> {
        self.api::<ConfigMap>().get_opt(name).await.unwrap()
    }

    /// What the ConfigMap of a release says.
    pub async fn greeting(&self, name: &str) -> String {
        let map = self.config_map(&format!("{name}-config")).await.unwrap();
        map.data.unwrap_or_default()["greeting"].clone()
    }

    /// The names of all Secrets: Helm's records and Belay's ledgers, as no chart here has any.
    pub async fn secrets(&self) -> Vec<String> {
        let secrets = self.api::<Secret>().list(&ListParams::default()).await;
        secrets.unwrap().iter().map(ResourceExt::name_any).collect()
    }

    /// Every object that a release may hold, with its state: `kind/name` and resource version.
    pub async fn states(&self) -> Vec<String> {
        let kinds = "deployments,services,configmaps,secrets,jobs,pods";
        let columns = "jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.uid} {.metadata.resourceVersion}{\"\\n\"}{end}";
        let text = self.kubectl(&["get", kinds, "-o", columns]).await;
        text.lines().map(str::to_owned).collect()
    }
}

impl Drop for World {
    /// Nobody works on the releases any more, so nobody would take their finalizers away, and the
    /// namespace would stay for ever.
    fn drop(&mut self) {
        let kubectl = |args: &[&str]| {
            let mut command = Command::new(self.cluster.tools().path("kubectl"));
            command
                .args(["-n", self.namespace(), "--request-timeout=10s"])
                .args(args)
                .env("KUBECONFIG", self.cluster.kubeconfig())
                .stdin(Stdio::null())
                .stderr(Stdio::null());
            command.output()
        };
        let Ok(found) = kubectl(&["get", "helmreleases", "-o", "name"]) else {
            return;
        };
        for name in String::from_utf8_lossy(&found.stdout).lines() {
            let free = r#"{"metadata":{"finalizers":null}}"#;
            let _ = kubectl(&["patch", name, "--type=merge", "-p", free]);
        }
    }
}

/// Whether the status is about the spec as it was applied, or a later one.
fn speaks_of(release: &HelmRelease, asked: &HelmRelease) -> bool {
    let observed = release
        .status
        .as_ref()
        .map(|status| status.observed_generation);
    observed >= asked.metadata.generation
}

/// Whether the operator has decided, and nothing is under way.
pub fn at_rest(release: &HelmRelease) -> bool {
    release
        .status
        .as_ref()
        .is_some_and(|status| status.attempt.is_none())
        && ready(release).is_some_and(|ready| ready.status != ConditionStatus::Unknown)
}

pub fn condition(release: &HelmRelease, type_: ConditionType) -> Option<&Condition> {
    let conditions = &release.status.as_ref()?.conditions;
    conditions.iter().find(|condition| condition.type_ == type_)
}

pub fn ready(release: &HelmRelease) -> Option<&Condition> {
    condition(release, ConditionType::Ready)
}

/// Whether a condition is True.
pub fn holds(release: &HelmRelease, type_: ConditionType) -> bool {
    condition(release, type_).is_some_and(|condition| condition.status == ConditionStatus::True)
}

/// The message of Ready.
pub fn message(release: &HelmRelease) -> String {
    ready(release).map_or_else(String::new, |ready| ready.message.clone())
}

/// The digest that the spec asks for.
pub fn desired(release: &HelmRelease) -> String {
    let status = release.status.as_ref().unwrap();
    status.desired.as_ref().unwrap().digest.clone()
}

/// Helm's number of what runs.
pub fn current(release: &HelmRelease) -> Option<u32> {
    let current = release.status.as_ref()?.current.as_ref()?;
    Some(current.revision)
}

pub fn phase(request: &RollbackRequest) -> RequestPhase {
    request
        .status
        .as_ref()
        .map(|status| status.phase)
        .unwrap_or_default()
}

/// Why a request ended as it did, and the sentence for it.
pub fn verdict(request: &RollbackRequest) -> (RequestPhase, Option<Reason>, String) {
    let status = request.status.clone().unwrap_or_default();
    let ready = status
        .conditions
        .iter()
        .find(|condition| condition.type_ == ConditionType::Ready);
    (
        status.phase,
        ready.map(|ready| ready.reason),
        status.message,
    )
}
