//! The parts of a control plane and the flags that matter for tests.

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use crate::tools::workspace;
use crate::{Error, Result};

/// One program of the control plane.
pub(crate) struct Part {
    pub(crate) program: &'static str,
    pub(crate) args: Vec<String>,
}

/// The loopback ports of one control plane.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    etcd: u16,
    etcd_peer: u16,
    pub(crate) api: u16,
    controller_manager: u16,
    scheduler: u16,
    pub(crate) kubelet: u16,
}

impl Ports {
    /// Where etcd answers.
    pub(crate) fn etcd_url(self) -> String {
        format!("http://127.0.0.1:{}", self.etcd)
    }

    /// Ports that were free a moment ago. All are held until the last one is known.
    pub(crate) fn free() -> Result<Self> {
        let mut held = Vec::new();
        let mut next = || -> Result<u16> {
            let listener =
                TcpListener::bind("127.0.0.1:0").map_err(Error::io("looking for a free port"))?;
            let port = listener
                .local_addr()
                .map_err(Error::io("looking for a free port"))?
                .port();
            held.push(listener);
            Ok(port)
        };
        Ok(Self {
            etcd: next()?,
            etcd_peer: next()?,
            api: next()?,
            controller_manager: next()?,
            scheduler: next()?,
            kubelet: next()?,
        })
    }
}

/// Every part, in the order in which they start. `folder` holds the certificates.
pub(crate) fn all(folder: &Path, ports: Ports) -> Result<Vec<Part>> {
    let file = |name: &str| folder.join(name).display().to_string();
    Ok(vec![
        etcd(&file, ports),
        api_server(&file, ports),
        controller_manager(&file, ports),
        scheduler(&file, ports),
        kwok(&file, ports)?,
    ])
}

fn etcd(file: &dyn Fn(&str) -> String, ports: Ports) -> Part {
    let client = format!("http://127.0.0.1:{}", ports.etcd);
    let peer = format!("http://127.0.0.1:{}", ports.etcd_peer);
    Part {
        program: "etcd",
        args: vec![
            format!("--data-dir={}", file("etcd")),
            format!("--listen-client-urls={client}"),
            format!("--advertise-client-urls={client}"),
            format!("--listen-peer-urls={peer}"),
            format!("--initial-advertise-peer-urls={peer}"),
            format!("--initial-cluster=default={peer}"),
            // The data is thrown away at the end, so it need not survive a power cut.
            "--unsafe-no-fsync".to_owned(),
            "--log-level=warn".to_owned(),
        ],
    }
}

fn api_server(file: &dyn Fn(&str) -> String, ports: Ports) -> Part {
    Part {
        program: "kube-apiserver",
        args: vec![
            format!("--etcd-servers=http://127.0.0.1:{}", ports.etcd),
            format!("--secure-port={}", ports.api),
            "--bind-address=127.0.0.1".to_owned(),
            "--advertise-address=127.0.0.1".to_owned(),
            "--endpoint-reconciler-type=none".to_owned(),
            format!("--cert-dir={}", file("apiserver")),
            format!("--tls-cert-file={}", file("server.crt")),
            format!("--tls-private-key-file={}", file("server.key")),
            format!("--client-ca-file={}", file("ca.crt")),
            // Without these the controller manager waits for its authentication settings.
            format!("--requestheader-client-ca-file={}", file("ca.crt")),
            "--requestheader-allowed-names=front-proxy".to_owned(),
            "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
            format!(
                "--service-account-key-file={}",
                file("service-accounts.pub")
            ),
            format!(
                "--service-account-signing-key-file={}",
                file("service-accounts.key")
            ),
            "--service-cluster-ip-range=10.0.0.0/16".to_owned(),
            "--authorization-mode=RBAC".to_owned(),
            "--allow-privileged".to_owned(),
            "--kubelet-preferred-address-types=InternalIP".to_owned(),
            format!("--audit-policy-file={}", file("audit-policy.json")),
            format!("--audit-log-path={}", file("audit.jsonl")),
        ],
    }
}

fn controller_manager(file: &dyn Fn(&str) -> String, ports: Ports) -> Part {
    let mut args = as_client(file);
    args.extend([
        format!("--secure-port={}", ports.controller_manager),
        format!("--cert-dir={}", file("controller-manager")),
        format!("--root-ca-file={}", file("ca.crt")),
        format!(
            "--service-account-private-key-file={}",
            file("service-accounts.key")
        ),
        "--controllers=*,-nodeipam".to_owned(),
    ]);
    Part {
        program: "kube-controller-manager",
        args,
    }
}

fn scheduler(file: &dyn Fn(&str) -> String, ports: Ports) -> Part {
    let mut args = as_client(file);
    args.extend([
        format!("--secure-port={}", ports.scheduler),
        format!("--cert-dir={}", file("scheduler")),
    ]);
    Part {
        program: "kube-scheduler",
        args,
    }
}

fn as_client(file: &dyn Fn(&str) -> String) -> Vec<String> {
    let kubeconfig = file("kubeconfig");
    vec![
        format!("--kubeconfig={kubeconfig}"),
        format!("--authentication-kubeconfig={kubeconfig}"),
        format!("--authorization-kubeconfig={kubeconfig}"),
        "--bind-address=127.0.0.1".to_owned(),
        "--leader-elect=false".to_owned(),
        "--kube-api-qps=500".to_owned(),
        "--kube-api-burst=1000".to_owned(),
    ]
}

fn kwok(file: &dyn Fn(&str) -> String, ports: Ports) -> Result<Part> {
    let mut args = vec![
        format!("--kubeconfig={}", file("kubeconfig")),
        "--manage-all-nodes=true".to_owned(),
        "--node-lease-duration-seconds=40".to_owned(),
        "--node-ip=127.0.0.1".to_owned(),
        "--cidr=10.244.0.0/16".to_owned(),
        format!("--node-port={}", ports.kubelet),
        format!("--server-address=127.0.0.1:{}", ports.kubelet),
        format!("--tls-cert-file={}", file("server.crt")),
        format!("--tls-private-key-file={}", file("server.key")),
    ];
    args.extend(
        stages()?
            .into_iter()
            .map(|stage| format!("--config={}", stage.display())),
    );
    args.push(format!("--config={}", file("pod-logs.json")));
    Ok(Part {
        program: "kwok",
        args,
    })
}

/// The stages that fake pods and nodes go through, in the order of their names.
fn stages() -> Result<Vec<PathBuf>> {
    let folder = workspace().join("tests/controlplane/stages");
    let doing = format!("reading {}", folder.display());
    let mut stages = std::fs::read_dir(&folder)
        .and_then(|entries| {
            entries
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<std::io::Result<Vec<_>>>()
        })
        .map_err(Error::io(doing))?;
    stages.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "yaml")
    });
    stages.sort();
    Ok(stages)
}
