//! The real operator with a namespace of its own, and all the bench's releases in it.

use belay_api::HelmRelease;
use belay_harness::{
    GENEROUS, Identity, Operator, Rights, TestNamespace, belay_binary, gone, until,
};
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::error::Error;
use crate::ground::Ground;

/// How many `HelmRelease` objects are written at once.
const AT_ONCE: usize = 8;

/// The operator at work on a namespace.
pub(crate) struct Operated {
    process: Operator,
    releases: Api<HelmRelease>,
}

impl Operated {
    /// Starts it in a namespace of its own, as a user whose requests can be told.
    pub(crate) async fn alone(ground: &Ground) -> Result<(TestNamespace, Identity, Self), Error> {
        let namespace = ground.cluster.namespace("bench").await?;
        let identity = ground
            .cluster
            .identity("bench", Rights::administrator())
            .await?;
        let operated = Self::start(ground, &identity, &namespace).await?;
        Ok((namespace, identity, operated))
    }

    /// Starts it and waits until it holds its claim.
    pub(crate) async fn start(
        ground: &Ground,
        identity: &Identity,
        namespace: &TestNamespace,
    ) -> Result<Self, Error> {
        let flags = [
            "--namespaces",
            namespace.name(),
            "--own-namespace",
            namespace.name(),
        ]
        .map(ToOwned::to_owned);
        let process = Operator::start(&belay_binary()?, identity.kubeconfig(), &flags)?;
        let leases: Api<Lease> = Api::namespaced(ground.client.clone(), namespace.name());
        until(
            &leases,
            "belay",
            "the operator's claim",
            GENEROUS,
            |lease| {
                let spec = lease.spec.as_ref();
                spec.is_some_and(|spec| spec.holder_identity.is_some())
            },
        )
        .await?;
        Ok(Self {
            process,
            releases: Api::namespaced(ground.client.clone(), namespace.name()),
        })
    }

    /// What the process holds in memory.
    pub(crate) fn resident_bytes(&self) -> Option<u64> {
        self.process.resident_bytes()
    }

    /// Creates a `HelmRelease` for each of these names.
    pub(crate) async fn create(&self, ground: &Ground, names: &[String]) -> Result<(), Error> {
        stream::iter(names)
            .map(|name| async move {
                let release = declare(ground, name)?;
                let created = self.releases.create(&PostParams::default(), &release).await;
                created
                    .map(drop)
                    .map_err(Error::kube("creating a HelmRelease"))
            })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
    }

    /// Merges the same change into each of these `HelmRelease`s.
    pub(crate) async fn change(&self, names: &[String], change: &Value) -> Result<(), Error> {
        stream::iter(names)
            .map(|name| async move {
                let changed = self
                    .releases
                    .patch(name, &PatchParams::default(), &Patch::Merge(change))
                    .await;
                changed
                    .map(drop)
                    .map_err(Error::kube("changing a HelmRelease"))
            })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
    }

    /// Removes the releases, which the operator does itself as their finalizers wait for it, and ends it.
    pub(crate) async fn end(self, names: &[String]) -> Result<(), Error> {
        // One by one: of very many at once the API server makes one request that takes longer than it allows itself.
        stream::iter(names)
            .map(|name| async {
                let removed = self.releases.delete(name, &DeleteParams::default()).await;
                removed
                    .map(drop)
                    .map_err(Error::kube("removing a HelmRelease"))
            })
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await?;
        for name in names {
            gone(&self.releases, name, GENEROUS).await?;
        }
        self.process.stop(GENEROUS).await?;
        Ok(())
    }
}

fn declare(ground: &Ground, name: &str) -> Result<HelmRelease, Error> {
    serde_json::from_value(json!({
        "apiVersion": "belay.dev/v1alpha1",
        "kind": "HelmRelease",
        "metadata": {"name": name},
        "spec": {"chart": {"inline": {"files": ground.files}}},
    }))
    .map_err(|error| Error::NotDone(format!("a HelmRelease could not be written: {error}")))
}
