//! The handle to a control plane that runs, in this process or another.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use crate::command::{self, Output};
use crate::tools::workspace;
use crate::{ControlPlane, Error, Result, Tools, kubeconfig};

/// Names a folder whose cluster tests use instead of the usual one.
const FOLDER_VARIABLE: &str = "BELAY_CLUSTER";
/// Written when everything works, read by whoever comes later.
const READY_FILE: &str = "cluster.json";

/// Where etcd answers.
pub(crate) const STORE_FILE: &str = "etcd.json";

/// A running control plane. Cheap to clone: it holds paths, no connections.
#[derive(Debug, Clone)]
pub struct Cluster {
    tools: Tools,
    folder: PathBuf,
    url: String,
}

/// What `cluster.json` says.
#[derive(Serialize, Deserialize)]
struct Ready {
    url: String,
    supervisor: u32,
}

impl Cluster {
    pub(crate) fn new(tools: Tools, folder: PathBuf, url: String) -> Self {
        Self { tools, folder, url }
    }

    /// The control plane that all tests of a run share: the one that `make cluster` or
    /// `make test` started, else one of this process' own, which ends with it.
    ///
    /// # Errors
    /// What [`ControlPlane::start`] returns.
    pub async fn shared() -> Result<Self> {
        static SHARED: OnceCell<(Cluster, Option<ControlPlane>)> = OnceCell::const_new();
        let (cluster, _) = SHARED
            .get_or_try_init(|| async {
                if let Some(running) = Self::running(&Self::usual_folder()).await? {
                    return Ok((running, None));
                }
                let own = std::env::temp_dir().join(crate::unique("belay-cluster"));
                let plane = ControlPlane::start(&own).await?;
                Ok::<_, Error>((plane.cluster().clone(), Some(plane)))
            })
            .await?;
        Ok(cluster.clone())
    }

    /// Where `make cluster` keeps its control plane: `target/cluster`, or what
    /// `BELAY_CLUSTER` says.
    pub fn usual_folder() -> PathBuf {
        std::env::var_os(FOLDER_VARIABLE)
            .map_or_else(|| workspace().join("target/cluster"), PathBuf::from)
    }

    /// The control plane of `folder`, if its API server answers.
    ///
    /// # Errors
    /// If the tools are missing and cannot be built.
    pub async fn running(folder: &Path) -> Result<Option<Self>> {
        let Some(ready) = Ready::read(folder) else {
            return Ok(None);
        };
        let cluster = Self::new(Tools::ensure().await?, folder.to_path_buf(), ready.url);
        let answer = async {
            let client = cluster.client().await.ok()?;
            client.apiserver_version().await.ok()
        };
        let answer = tokio::time::timeout(Duration::from_secs(10), answer)
            .await
            .ok()
            .flatten();
        Ok(answer.map(|_| cluster))
    }

    /// The process that holds the control plane of `folder`, by what it wrote itself.
    pub fn supervisor(folder: &Path) -> Option<u32> {
        Ready::read(folder).map(|ready| ready.supervisor)
    }

    pub(crate) fn mark_ready(&self) -> Result<()> {
        let ready = Ready {
            url: self.url.clone(),
            supervisor: std::process::id(),
        };
        let text = serde_json::to_string(&ready).map_err(Error::unreadable(READY_FILE))?;
        // Whoever polls for the file must not see half of it.
        let (draft, path) = (
            self.folder.join("cluster.json.new"),
            self.folder.join(READY_FILE),
        );
        std::fs::write(&draft, text)
            .and_then(|()| std::fs::rename(&draft, &path))
            .map_err(Error::io(format!("writing {}", path.display())))
    }

    /// The real tools that this cluster was made of.
    pub fn tools(&self) -> &Tools {
        &self.tools
    }

    /// The folder of its certificates, logs and data.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The API server's address, `https://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The administrator's kubeconfig.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    /// The authority's certificate, in PEM.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn authority(&self) -> Result<String> {
        let path = self.folder.join("ca.crt");
        std::fs::read_to_string(&path).map_err(Error::io(format!("reading {}", path.display())))
    }

    /// A new client with all rights. It belongs to the runtime of the calling test, so
    /// it is not shared between tests.
    ///
    /// # Errors
    /// If the kubeconfig cannot be used.
    pub async fn client(&self) -> Result<kube::Client> {
        kubeconfig::client(&self.kubeconfig()).await
    }

    /// Runs the real helm as administrator.
    ///
    /// # Errors
    /// If it could not be run at all; its own failures are in the [`Output`].
    pub async fn helm(&self, args: &[&str]) -> Result<Output> {
        command::run(&self.tools.path("helm"), args, &self.kubeconfig(), None).await
    }

    /// Runs the real kubectl as administrator.
    ///
    /// # Errors
    /// If it could not be run at all; its own failures are in the [`Output`].
    pub async fn kubectl(&self, args: &[&str]) -> Result<Output> {
        command::run(&self.tools.path("kubectl"), args, &self.kubeconfig(), None).await
    }

    /// `kubectl apply --server-side -f -` of these manifests, as administrator.
    ///
    /// # Errors
    /// If it could not be run at all; refusals are in the [`Output`].
    pub async fn apply(&self, manifests: &str) -> Result<Output> {
        let args = ["apply", "--server-side", "-f", "-"];
        command::run(
            &self.tools.path("kubectl"),
            &args,
            &self.kubeconfig(),
            Some(manifests),
        )
        .await
    }
}

impl Cluster {
    /// Puts an object where the API server keeps its own, past all that it checks: for objects as older versions of
    /// Kubernetes left them, which nobody can make any more.
    ///
    /// # Errors
    /// If etcd cannot be asked, or refuses.
    pub async fn store(&self, key: &str, object: &serde_json::Value) -> Result<()> {
        use base64::Engine as _;
        let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        let path = self.folder.join(STORE_FILE);
        let text = std::fs::read_to_string(&path)
            .map_err(Error::io(format!("reading {}", path.display())))?;
        let store: serde_json::Value =
            serde_json::from_str(&text).map_err(Error::unreadable(STORE_FILE))?;
        let url = store["url"].as_str().unwrap_or_default();
        let put = serde_json::json!({"key": encode(key), "value": encode(&object.to_string())});
        // Any provider will do: nothing in here speaks TLS.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let failed = |error: reqwest::Error| Error::Unreadable {
            what: format!("etcd's answer to {key}"),
            detail: error.to_string(),
        };
        let client = reqwest::Client::builder().no_proxy().build();
        let answer = client
            .map_err(failed)?
            .post(format!("{url}/v3/kv/put"))
            .body(put.to_string())
            .send()
            .await;
        answer
            .and_then(reqwest::Response::error_for_status)
            .map(|_| ())
            .map_err(failed)
    }
}

impl Ready {
    fn read(folder: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(folder.join(READY_FILE)).ok()?;
        serde_json::from_str(&text).ok()
    }
}

/// The claim to be the one that runs a cluster in a folder. The system lifts it when
/// the process ends, in whatever way.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the claim, or `None` if another process has it.
    ///
    /// # Errors
    /// If the lock file beside the folder cannot be written.
    pub fn take(folder: &Path) -> Result<Option<Self>> {
        let path = folder.with_extension("lock");
        let doing = || Error::io(format!("locking {}", path.display()));
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(doing())?;
        }
        let file = File::options()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(doing())?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(doing()(error)),
        }
    }
}
