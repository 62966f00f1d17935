//! Whether pods kept serving while something was tried.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use futures::StreamExt;
use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;
use kube::runtime::watcher::watch_object;
use tokio::task::JoinHandle;

/// Watches how many pods of a Deployment are available, and remembers the fewest.
pub(crate) struct Serving {
    fewest: Arc<AtomicI32>,
    watch: JoinHandle<()>,
}

impl Serving {
    pub(crate) fn watch(deployments: Api<Deployment>, name: &'static str) -> Self {
        let fewest = Arc::new(AtomicI32::new(i32::MAX));
        let seen = Arc::clone(&fewest);
        let watch = tokio::spawn(async move {
            let mut states = std::pin::pin!(watch_object(deployments, name));
            while let Some(state) = states.next().await {
                // What disturbs a watch says nothing about pods; it goes on by itself.
                let Ok(deployment) = state else { continue };
                let available = deployment
                    .and_then(|deployment| deployment.status?.available_replicas)
                    .unwrap_or_default();
                seen.fetch_min(available, Ordering::Relaxed);
            }
        });
        Self { fewest, watch }
    }

    /// The fewest available pods at any moment since the watch began.
    pub(crate) fn fewest(&self) -> i32 {
        self.fewest.load(Ordering::Relaxed)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.watch.abort();
    }
}
