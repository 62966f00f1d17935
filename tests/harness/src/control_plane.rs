//! Starts the parts, waits until they work together, and holds them.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, ServiceAccount};
use k8s_openapi::api::storage::v1::StorageClass;
use kube::Api;
use kube::api::PostParams;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::certificates::{Authority, service_account_key};
use crate::parts::{self, Part, Ports};
use crate::watchdog::Watchdog;
use crate::{Cluster, Error, Result, Tools, cluster, eventually, kubeconfig};

/// Cold caches and busy machines included.
const START_LIMIT: Duration = Duration::from_mins(2);
/// How often a part that gives no event is asked whether it is ready.
const ASK_AGAIN: Duration = Duration::from_millis(50);
/// Users of this group have their requests written to the audit log.
pub(crate) const AUDITED: &str = "belay.test:audited";

/// A running control plane. Dropping it, or the end of the process that holds it in
/// whatever way, ends every part and removes the data.
pub struct ControlPlane {
    parts: Vec<(&'static str, Child)>,
    folder: PathBuf,
    cluster: Cluster,
    // Last, so that it acts when the rest is gone.
    watchdog: Watchdog,
}

impl ControlPlane {
    /// Starts a control plane with its data in `folder`, which is emptied first, and
    /// returns when its API server is ready, its nodes are Ready and pods can be made.
    ///
    /// # Errors
    /// [`Error::PartEnded`] with the end of a log, or [`Error::NeverHappened`].
    pub async fn start(folder: &Path) -> Result<Self> {
        let (mut plane, to_start) = Self::serving(folder).await?;
        for part in &to_start {
            plane.spawn(part)?;
        }
        plane.furnish().await?;
        plane.cluster.mark_ready()?;
        Ok(plane)
    }

    /// Starts etcd and an API server alone, with their data in `folder`, which is emptied first: a second cluster for
    /// what needs no controllers, no scheduler and no nodes.
    ///
    /// # Errors
    /// As [`ControlPlane::start`].
    pub async fn start_bare(folder: &Path) -> Result<Self> {
        let (plane, _) = Self::serving(folder).await?;
        Ok(plane)
    }

    /// etcd and an API server that answers, and the parts that are to follow.
    async fn serving(folder: &Path) -> Result<(Self, Vec<Part>)> {
        let tools = Tools::ensure().await?;
        let _ = std::fs::remove_dir_all(folder);
        std::fs::create_dir_all(folder)
            .map_err(Error::io(format!("making {}", folder.display())))?;
        let folder = folder
            .canonicalize()
            .map_err(Error::io(format!("finding {}", folder.display())))?;

        let ports = Ports::free()?;
        let url = format!("https://127.0.0.1:{}", ports.api);
        let authority = Authority::create(&folder)?;
        authority.server()?.write(&folder, "server")?;
        service_account_key(&folder)?;
        let admin = authority.user("belay-test-admin", Some("system:masters"))?;
        let pending = folder.join("kubeconfig");
        kubeconfig::write(
            &pending,
            &url,
            &authority.certificate,
            "belay-test-admin",
            &admin,
        )?;
        write_json(&folder.join("audit-policy.json"), &audit_policy())?;
        write_json(
            &folder.join(cluster::STORE_FILE),
            &json!({"url": ports.etcd_url()}),
        )?;
        write_json(&folder.join("pod-logs.json"), &pod_logs(&folder)?)?;

        let cluster = Cluster::new(tools, folder.clone(), url);
        let watchdog = Watchdog::start(Some(&folder))?;
        let mut plane = Self {
            parts: Vec::new(),
            folder,
            cluster,
            watchdog,
        };
        let mut to_start = parts::all(&plane.folder, ports)?.into_iter();
        // The others only fill their logs with complaints before the API server answers.
        for part in to_start.by_ref().take(2) {
            plane.spawn(&part)?;
        }
        plane.answers().await?;
        Ok((plane, to_start.collect()))
    }

    /// The handle that tests work with.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// An error if a part has ended.
    ///
    /// # Errors
    /// [`Error::PartEnded`] for the first such part.
    pub fn check(&mut self) -> Result<()> {
        for (part, child) in &mut self.parts {
            let ended = child
                .try_wait()
                .map_err(Error::io(format!("looking after {part}")))?;
            if let Some(status) = ended {
                let log = self.folder.join(format!("{part}.log"));
                let text = std::fs::read_to_string(&log).unwrap_or_default();
                let tail: Vec<_> = text.lines().rev().take(15).collect();
                let tail = tail.into_iter().rev().collect::<Vec<_>>().join("\n");
                return Err(Error::PartEnded {
                    part: (*part).to_owned(),
                    status: status.to_string(),
                    log,
                    tail,
                });
            }
        }
        Ok(())
    }

    fn spawn(&mut self, part: &Part) -> Result<()> {
        let log = self.folder.join(format!("{}.log", part.program));
        let open = || File::options().create(true).append(true).open(&log);
        let out = open().map_err(Error::io(format!("writing {}", log.display())))?;
        let err = open().map_err(Error::io(format!("writing {}", log.display())))?;
        let program = self.cluster.tools().path(part.program);
        let child = self.watchdog.spawn(program.as_os_str(), |command| {
            command.args(&part.args).stdout(out).stderr(err);
        })?;
        self.parts.push((part.program, child));
        Ok(())
    }

    async fn answers(&mut self) -> Result<()> {
        let started = Instant::now();
        let client = self.cluster.client().await?;
        loop {
            self.check()?;
            let request = http::Request::get("/readyz")
                .body(Vec::new())
                .map_err(|error| Error::Unreadable {
                    what: "the path of the readiness check".to_owned(),
                    detail: error.to_string(),
                })?;
            match client.request_text(request).await {
                Ok(_) => return Ok(()),
                Err(error) if started.elapsed() > START_LIMIT => {
                    return Err(Error::NeverHappened {
                        what: "readiness of the API server".to_owned(),
                        limit: START_LIMIT,
                        last: error.to_string(),
                    });
                }
                Err(_) => sleep(ASK_AGAIN).await,
            }
        }
    }

    /// Nodes to schedule to, storage to claim, and the account that pods run as.
    async fn furnish(&mut self) -> Result<()> {
        let client = self.cluster.client().await?;
        let nodes: Api<Node> = Api::all(client.clone());
        let names = ["belay-node-0", "belay-node-1", "belay-node-2"];
        for name in names {
            let node = typed(node(name))?;
            nodes
                .create(&PostParams::default(), &node)
                .await
                .map_err(Error::kube(format!("creating node {name}")))?;
        }
        let class = typed(storage_class())?;
        Api::<StorageClass>::all(client.clone())
            .create(&PostParams::default(), &class)
            .await
            .map_err(Error::kube("creating the default storage class"))?;
        for name in names {
            eventually::until(
                &nodes,
                name,
                "a node that takes pods",
                START_LIMIT,
                takes_pods,
            )
            .await?;
        }
        let accounts: Api<ServiceAccount> = Api::namespaced(client, "default");
        eventually::until(
            &accounts,
            "default",
            "the default service account",
            START_LIMIT,
            |_| true,
        )
        .await?;
        self.check()
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        for (_, child) in &mut self.parts {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn takes_pods(node: &Node) -> bool {
    let ready = node
        .status
        .as_ref()
        .and_then(|status| status.conditions.as_ref())
        .is_some_and(|conditions| {
            conditions
                .iter()
                .any(|condition| condition.type_ == "Ready" && condition.status == "True")
        });
    ready
        && node
            .spec
            .as_ref()
            .is_none_or(|spec| spec.taints.as_ref().is_none_or(Vec::is_empty))
}

fn node(name: &str) -> Value {
    let room = json!({"cpu": "1000", "memory": "4Ti", "ephemeral-storage": "4Ti", "pods": "10000"});
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {
            "kubernetes.io/hostname": name,
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64",
        }},
        "status": {"allocatable": room, "capacity": room},
    })
}

fn storage_class() -> Value {
    json!({
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "belay.test/fake",
    })
}

fn audit_policy() -> Value {
    json!({
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived", "ResponseStarted"],
        "rules": [{"level": "Metadata", "userGroups": [AUDITED], "omitManagedFields": true}, {"level": "None"}],
    })
}

/// Every fake container prints the same lines, and printed others before it was
/// restarted, in the format of a container runtime.
fn pod_logs(folder: &Path) -> Result<Value> {
    let write = |name: &str, lines: &[&str]| {
        let path = folder.join(name);
        let stamped = lines
            .iter()
            .map(|line| format!("2026-01-01T00:00:00.000000000Z stdout F {line}"));
        let text = stamped.collect::<Vec<_>>().join(
            "
",
        ) + "
";
        std::fs::write(&path, text).map_err(Error::io(format!("writing {}", path.display())))?;
        Ok::<_, Error>(path.display().to_string())
    };
    let now = write("pod.log", &["starting", "listening on :8080"])?;
    let previous = write(
        "pod-previous.log",
        &["starting", "panic: cannot reach the database"],
    )?;
    Ok(json!({
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "ClusterLogs",
        "metadata": {"name": "pods"},
        "spec": {"logs": [{"logsFile": now, "previousLogsFile": previous}]},
    }))
}

fn typed<K: serde::de::DeserializeOwned>(object: Value) -> Result<K> {
    serde_json::from_value(object).map_err(Error::unreadable("an object of the harness"))
}

fn write_json(path: &Path, value: &Value) -> Result<()> {
    std::fs::write(path, value.to_string())
        .map_err(Error::io(format!("writing {}", path.display())))
}
