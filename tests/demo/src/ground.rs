//! What the story stands on: a cluster, the definitions, a chart repository, and the operator.

use std::path::{Path, PathBuf};

use belay_api::HelmRelease;
use belay_harness::{ControlPlane, GENEROUS, HttpRepo, Operator, Tools, gone, unique, until};
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::api::{DeleteParams, ObjectMeta, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client};
use tempfile::TempDir;

use crate::error::Error;
use crate::programs::Programs;
use crate::story::RELEASE;
use crate::terminal::Terminal;

/// How many lines of the operator's log are worth showing.
const LOG_LINES: usize = 15;
/// The versions in the chart repository.
const VERSIONS: [&str; 2] = ["1.0.0", "1.1.0"];

/// Everything that runs while the story is told. Dropped in this order; nothing of it outlives the demo.
pub(crate) struct Ground {
    pub(crate) client: Client,
    pub(crate) namespace: String,
    pub(crate) programs: Programs,
    pub(crate) repository: HttpRepo,
    flags: Vec<String>,
    operator: Operator,
    cluster: Cluster,
}

/// Whose cluster it is.
enum Cluster {
    Own {
        _plane: Box<ControlPlane>,
        _folder: TempDir,
    },
    TheUsers,
}

impl Ground {
    pub(crate) async fn lay(
        kubeconfig: Option<PathBuf>,
        terminal: &Terminal,
    ) -> Result<Self, Error> {
        let tools = Tools::ensure().await?;
        let (cluster, kubeconfig) = match kubeconfig {
            Some(kubeconfig) => {
                terminal.aside(&format!("uses the cluster of {}", kubeconfig.display()));
                (Cluster::TheUsers, kubeconfig)
            }
            None => own_cluster(terminal).await?,
        };
        let client = client(&kubeconfig).await?;
        let namespace = match cluster {
            Cluster::Own { .. } => "demo".to_owned(),
            Cluster::TheUsers => unique("belay-demo"),
        };
        make_namespace(&client, &namespace).await?;
        let programs = Programs::new(tools.clone(), &kubeconfig, &namespace)?;
        define(&programs, terminal).await?;
        let repository = HttpRepo::start(&tools).await?;
        for version in VERSIONS {
            repository
                .publish(&root().join("tests/charts/harbor"), version)
                .await?;
        }
        terminal.aside(&format!(
            "serves the chart harbor {} at {}",
            VERSIONS.join(" and "),
            repository.url()
        ));
        let flags = [
            "--namespace",
            &namespace,
            "--own-namespace",
            &namespace,
            "--log-format",
            "text",
            // The story's chart repository is on this machine.
            "--allow-source-addresses",
            "127.0.0.0/8",
        ];
        let flags: Vec<String> = flags.iter().map(ToString::to_string).collect();
        let operator = Operator::start(programs.belay_path(), programs.kubeconfig(), &flags)?;
        terminal.aside(&format!("runs `belay operator {}`", flags.join(" ")));
        Ok(Self {
            client,
            namespace,
            programs,
            repository,
            flags,
            operator,
            cluster,
        })
    }

    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// The last lines of what the operator said.
    pub(crate) fn log_tail(&self) -> String {
        let log = self.operator.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }

    /// An error if the operator does not run any more.
    pub(crate) fn check_operator(&mut self) -> Result<(), Error> {
        match self.operator.ended()? {
            Some(status) => Err(Error::OperatorEnded(status.to_string())),
            None => Ok(()),
        }
    }

    /// Ends everything; in a cluster of the user's what the story made is removed first.
    pub(crate) async fn leave(mut self, terminal: &Terminal) -> Result<(), Error> {
        if let Cluster::TheUsers = self.cluster {
            // An interrupt from a terminal reached the operator too, and it has to remove the release.
            let again = Operator::start(
                self.programs.belay_path(),
                self.programs.kubeconfig(),
                &self.flags,
            )?;
            self.operator = again;
            terminal.aside(
                "removes the release and its namespace; the definitions of Belay's kinds stay",
            );
            let releases = self.api::<HelmRelease>();
            if releases
                .get_opt(RELEASE)
                .await
                .map_err(Error::kube("looking for the release"))?
                .is_some()
            {
                releases
                    .delete(RELEASE, &DeleteParams::default())
                    .await
                    .map_err(Error::kube("removing the release"))?;
                gone(&releases, RELEASE, GENEROUS).await?;
            }
            Api::<Namespace>::all(self.client.clone())
                .delete(&self.namespace, &DeleteParams::default())
                .await
                .map_err(Error::kube("removing the namespace"))?;
        }
        self.operator.stop(GENEROUS).await?;
        Ok(())
    }
}

async fn own_cluster(terminal: &Terminal) -> Result<(Cluster, PathBuf), Error> {
    terminal.aside("starts etcd, kube-apiserver, kube-controller-manager, kube-scheduler and fake nodes; about 15 s");
    let folder = tempfile::tempdir().map_err(Error::io("making a folder for the cluster"))?;
    let plane = ControlPlane::start(&folder.path().join("cluster")).await?;
    let kubeconfig = plane.cluster().kubeconfig();
    let cluster = Cluster::Own {
        _plane: Box::new(plane),
        _folder: folder,
    };
    Ok((cluster, kubeconfig))
}

async fn client(kubeconfig: &Path) -> Result<Client, Error> {
    let unusable = |source| Error::Kubeconfig {
        path: kubeconfig.display().to_string(),
        source: Box::new(source),
    };
    let file = Kubeconfig::read_from(kubeconfig).map_err(unusable)?;
    let config = kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
        .await
        .map_err(unusable)?;
    Client::try_from(config).map_err(Error::kube("making a client"))
}

async fn make_namespace(client: &Client, name: &str) -> Result<(), Error> {
    let namespace = Namespace {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            ..ObjectMeta::default()
        },
        ..Namespace::default()
    };
    Api::all(client.clone())
        .create(&PostParams::default(), &namespace)
        .await
        .map_err(Error::kube("making the demo's namespace"))?;
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), name);
    until(
        &accounts,
        "default",
        "the default service account",
        GENEROUS,
        |_| true,
    )
    .await?;
    Ok(())
}

async fn define(programs: &Programs, terminal: &Terminal) -> Result<(), Error> {
    let definitions = root().join("crds");
    let definitions = definitions.display().to_string();
    programs
        .run(
            "kubectl",
            &[
                "apply",
                "--server-side",
                "--force-conflicts",
                "-k",
                &definitions,
            ],
            "",
        )
        .await?;
    let wait = ["wait", "--for=condition=Established", "--timeout=60s"];
    let kinds = [
        "crd/helmreleases.belay.dev",
        "crd/rollbackrequests.belay.dev",
    ];
    programs
        .run("kubectl", &[&wait[..], &kinds[..]].concat(), "")
        .await?;
    terminal.aside("applied crds/: the cluster knows HelmRelease and RollbackRequest");
    Ok(())
}

/// The root of the checkout.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}
