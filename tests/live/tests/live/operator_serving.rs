//! Whether pods kept serving while something was tried.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use belay_harness::{GENEROUS, until};
use futures::StreamExt;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use kube::runtime::watcher::watch_object;
use kube::{Api, ResourceExt};
use tokio::task::JoinHandle;

use crate::operator_world::World;

/// Follows the `ReplicaSet` of a Deployment at rest, and remembers the fewest pods that were ever available.
pub struct Serving {
    pods: Vec<String>,
    fewest: Arc<AtomicI32>,
    watch: JoinHandle<()>,
}

impl Serving {
    /// Begins to watch the only `ReplicaSet` of `app` that has pods.
    pub async fn watch(world: &World, app: &str) -> Self {
        let sets: Api<ReplicaSet> = world.api();
        let all = sets.list(&labelled(app)).await.unwrap();
        let set = all
            .iter()
            .find(|set| {
                set.status
                    .as_ref()
                    .is_some_and(|status| status.replicas > 0)
            })
            .unwrap()
            .name_any();
        let fewest = Arc::new(AtomicI32::new(i32::MAX));
        let seen = Arc::clone(&fewest);
        let watch = tokio::spawn(async move {
            let mut states = pin!(watch_object(sets, &set));
            while let Some(state) = states.next().await {
                // What disturbs a watch says nothing about pods; it goes on by itself.
                let Ok(set) = state else { continue };
                let available = set.and_then(|set| set.status?.available_replicas);
                seen.fetch_min(available.unwrap_or_default(), Ordering::Relaxed);
            }
        });
        Self {
            pods: ready_pods(world, app).await,
            fewest,
            watch,
        }
    }

    /// The fewest available pods of that `ReplicaSet` at any moment since.
    pub fn fewest(&self) -> i32 {
        self.fewest.load(Ordering::Relaxed)
    }

    /// The pods that were ready at the beginning, by uid.
    pub fn pods(&self) -> &[String] {
        &self.pods
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

/// The pods of `app` that are ready, by uid, sorted.
pub async fn ready_pods(world: &World, app: &str) -> Vec<String> {
    let pods = world.api::<Pod>().list(&labelled(app)).await.unwrap();
    let mut uids: Vec<String> = pods
        .iter()
        .filter(|pod| {
            let conditions = pod
                .status
                .as_ref()
                .and_then(|status| status.conditions.as_ref());
            conditions.is_some_and(|conditions| {
                conditions
                    .iter()
                    .any(|condition| condition.type_ == "Ready" && condition.status == "True")
            })
        })
        .filter_map(ResourceExt::uid)
        .collect();
    uids.sort();
    uids
}

/// Waits until the Deployment's own controller has nothing more to write about it.
pub async fn settled(world: &World, name: &str) {
    until(
        &world.api::<Deployment>(),
        name,
        "a complete rollout",
        GENEROUS,
        |deployment| {
            let Some(status) = &deployment.status else {
                return false;
            };
            let complete = status.conditions.iter().flatten().any(|condition| {
                condition.type_ == "Progressing"
                    && condition.reason.as_deref() == Some("NewReplicaSetAvailable")
            });
            complete
                && status.observed_generation == deployment.metadata.generation
                && status.updated_replicas == status.replicas
                && status.available_replicas == status.replicas
        },
    )
    .await
    .unwrap();
}

fn labelled(app: &str) -> ListParams {
    ListParams::default().labels(&format!("app={app}"))
}
