//! A namespace for one test.

use std::process::{Command, Stdio};

use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::Api;
use kube::api::PostParams;
use serde_json::json;

use crate::{Cluster, Error, GENEROUS, Result, eventually, unique};

/// A namespace that no other test uses. Dropping it asks for its removal, without
/// waiting for that.
#[derive(Debug)]
pub struct TestNamespace {
    cluster: Cluster,
    name: String,
}

impl Cluster {
    /// Makes a namespace whose name begins with `label`, and returns when pods can be
    /// made in it.
    ///
    /// # Errors
    /// If the API server refuses it or its service account never comes.
    pub async fn namespace(&self, label: &str) -> Result<TestNamespace> {
        let name = unique(label);
        let client = self.client().await?;
        let object: Namespace = serde_json::from_value(json!({"metadata": {"name": name}}))
            .map_err(Error::unreadable("an object of the harness"))?;
        Api::<Namespace>::all(client.clone())
            .create(&PostParams::default(), &object)
            .await
            .map_err(Error::kube(format!("creating namespace {name}")))?;
        let namespace = TestNamespace {
            cluster: self.clone(),
            name,
        };
        let accounts = Api::<ServiceAccount>::namespaced(client, &namespace.name);
        eventually::until(
            &accounts,
            "default",
            "the default service account",
            GENEROUS,
            |_| true,
        )
        .await?;
        Ok(namespace)
    }
}

impl TestNamespace {
    /// The namespace's name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl std::fmt::Display for TestNamespace {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.name)
    }
}

impl Drop for TestNamespace {
    fn drop(&mut self) {
        // A process, because the runtime of the test may be ending.
        let _ = Command::new(self.cluster.tools().path("kubectl"))
            .args([
                "delete",
                "namespace",
                &self.name,
                "--wait=false",
                "--ignore-not-found",
                "--request-timeout=10s",
            ])
            .env("KUBECONFIG", self.cluster.kubeconfig())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}
