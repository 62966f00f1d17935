//! Kubeconfigs, written as JSON, which every client reads.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::certificates::Pair;
use crate::{Error, Result};

/// Writes a kubeconfig for one user, complete in one file, with no path in it.
pub(crate) fn write(
    path: &Path,
    url: &str,
    authority: &str,
    user: &str,
    pair: &Pair,
) -> Result<()> {
    let config = document(url, authority, user, pair);
    let text = serde_json::to_string_pretty(&config).map_err(Error::unreadable("a kubeconfig"))?;
    std::fs::write(path, text).map_err(Error::io(format!("writing {}", path.display())))
}

fn document(url: &str, authority: &str, user: &str, pair: &Pair) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "belay-test", "cluster": {
            "server": url,
            "certificate-authority-data": STANDARD.encode(authority),
        }}],
        "users": [{"name": user, "user": {
            "client-certificate-data": STANDARD.encode(&pair.certificate),
            "client-key-data": STANDARD.encode(&pair.key),
        }}],
        "contexts": [{"name": "belay-test", "context": {"cluster": "belay-test", "user": user}}],
        "current-context": "belay-test",
    })
}

/// A client that acts as the kubeconfig's user. It belongs to the runtime that runs
/// the calling test.
pub(crate) async fn client(path: &Path) -> Result<kube::Client> {
    let unusable = |source| Error::Kubeconfig {
        path: path.to_path_buf(),
        source: Box::new(source),
    };
    let file = kube::config::Kubeconfig::read_from(path).map_err(unusable)?;
    let config =
        kube::Config::from_custom_kubeconfig(file, &kube::config::KubeConfigOptions::default())
            .await
            .map_err(unusable)?;
    kube::Client::try_from(config).map_err(Error::kube("making a client"))
}
