//! One reconcile's hands on one release.

use std::sync::Arc;

use belay_api::HelmRelease;
use belay_cluster::identity::Owner as Marks;
use belay_cluster::ledger::{Ledger as LedgerStore, Stamp, Swap};
use belay_cluster::{Connection, NotDone, Storage};
use belay_release::{Record, Status};
use belay_rollout::{Attempt, Checked, Ledger, World};

use crate::clusters::Cluster;
use crate::error::Error;
use crate::gather::{Examined, Readiness, Resolved};
use crate::memory::{Memory, StorageKey};

/// One reconcile's hands on one release: what was gathered, and the way to change it.
pub(crate) struct Session {
    /// The `HelmRelease` as it was read.
    pub(crate) release: Arc<HelmRelease>,
    /// The way to the release's cluster as the release's account: everything that a chart names.
    pub(crate) connection: Connection,
    /// The way to the operator's own cluster as the operator itself: its own kinds.
    pub(crate) own: Connection,
    /// The cluster that the release lives in, under the account that holds ledgers and Helm's records there.
    pub(crate) cluster: Arc<Cluster>,
    /// What the operator remembers of its releases.
    pub(crate) memory: Arc<Memory>,
    /// Where the release's records live.
    pub(crate) key: StorageKey,
    /// What was gathered.
    pub(crate) world: World,
    /// The state that the next write of the ledger starts from.
    pub(crate) stamp: Option<Stamp>,
    /// What the spec came to.
    pub(crate) resolved: Option<Arc<Resolved>>,
    /// When objects are ready, as the spec says.
    pub(crate) readiness: Readiness,
    /// The pending record of the attempt.
    pub(crate) record: Option<Arc<Record>>,
    /// What was found out of its open requests.
    pub(crate) examined: Examined,
    /// What the looks at the objects of what runs came to; of another revision once that has changed.
    pub(crate) drift: Option<Checked>,
    /// Whether everything was read uncached in this reconcile.
    pub(crate) fresh: bool,
}

impl Session {
    /// The ledger's store.
    pub(crate) fn store(&self) -> LedgerStore<Ledger> {
        LedgerStore::new(
            self.cluster.connection.clone(),
            &self.key.namespace,
            &self.key.release,
        )
    }

    /// Helm's records of the release's storage namespace.
    pub(crate) fn storage(&self) -> Storage {
        Storage::new(self.cluster.connection.clone(), &self.key.namespace)
    }

    /// The ledger, which every step but the first relies on.
    pub(crate) fn ledger(&self) -> Result<&Ledger, Error> {
        self.world.ledger.as_ref().ok_or(Error::Stale)
    }

    /// The attempt under way.
    pub(crate) fn attempt(&self) -> Result<&Attempt, Error> {
        self.ledger()?.attempt.as_ref().ok_or(Error::Stale)
    }

    /// Says that a record is about to be written (`None`: deleted) by us.
    pub(crate) fn announce(&self, revision: u32, status: Option<Status>) {
        self.memory
            .announce(&self.world.declared.identity.uid, revision, status);
    }

    /// The marks that objects of the release carry.
    pub(crate) fn marks(&self) -> Marks {
        Marks {
            release: self.key.release.clone(),
            namespace: self.release.target_namespace().to_owned(),
        }
    }

    /// Replaces the ledger, if nobody else did since it was read.
    ///
    /// After an answer that was lost the ledger is read again: if it is what was to be written, it was written.
    pub(crate) async fn swap(&mut self, next: Ledger) -> Result<(), Error> {
        let stamp = self.stamp.clone().ok_or(Error::Stale)?;
        let written = match self.store().replace(&next, &stamp).await {
            Ok(Swap::Done(stamp)) => stamp,
            Ok(Swap::Conflict) => return Err(Error::Stale),
            Err(NotDone::Ambiguous { source }) => match self.store().read().await? {
                Some(entry) if entry.value == next => entry.stamp(),
                _ => return Err(NotDone::Ambiguous { source }.into()),
            },
            Err(error) => return Err(error.into()),
        };
        self.stamp = Some(written);
        self.world.ledger = Some(next);
        Ok(())
    }

    /// Changes the ledger by a pure transition.
    pub(crate) async fn transition(
        &mut self,
        change: impl FnOnce(Ledger) -> Ledger,
    ) -> Result<(), Error> {
        let next = change(self.ledger()?.clone());
        self.swap(next).await
    }
}
