//! What the operator remembers of each release between reconciles: never the truth, only what saves
//! reads. Everything in here may be thrown away at any time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use belay_api::Timestamp;
use belay_cluster::Lane;
use belay_cluster::ledger::Stamp;
use belay_release::Record;
use belay_rollout::{Checked, Ledger, Stored};

use crate::clusters::ClusterRef;
use crate::gather::{Examined, Readiness, Resolved};
use crate::turns::lane;

/// Where a release's records live: cluster, storage namespace and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct StorageKey {
    /// The remote cluster; nothing for the operator's own.
    pub(crate) cluster: Option<ClusterRef>,
    pub(crate) namespace: String,
    pub(crate) release: String,
}

/// What is remembered of one release.
#[derive(Clone, Debug, Default)]
pub(crate) struct Remembered {
    /// The ledger as last read or written, and the state that the next write starts from.
    pub(crate) ledger: Option<(Ledger, Stamp)>,
    /// The ledger as it last was, if it has gone since.
    pub(crate) lost: Option<Box<Ledger>>,
    /// Helm's records as last listed, with our own changes since.
    pub(crate) storage: Vec<Stored>,
    /// What the spec came to.
    pub(crate) resolved: Option<Arc<Resolved>>,
    /// When objects are ready, as the spec says.
    pub(crate) readiness: Readiness,
    /// The pending record of the attempt.
    pub(crate) record: Option<Arc<Record>>,
    /// The cluster that all this is about.
    pub(crate) epoch: u64,
    /// What was found out of its open requests.
    pub(crate) examined: Examined,
    /// What the looks at the objects of what runs came to.
    pub(crate) drift: Option<Checked>,
    /// The `HelmRelease`'s state as we last wrote it; a cached one that is older is not looked at.
    pub(crate) written: u64,
    /// Errors in a row.
    pub(crate) errors: u32,
    /// Somebody else wrote: everything is read anew.
    pub(crate) stale: bool,
}

/// The memory of an operator, by the uid of the `HelmRelease`.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    inner: Mutex<BTreeMap<String, Remembered>>,
    owners: Mutex<BTreeMap<StorageKey, (String, String, String)>>,
}

impl Memory {
    /// What is remembered of a release; nothing of one that is new.
    pub(crate) fn recall(&self, uid: &str) -> Option<Remembered> {
        self.lock().get(uid).cloned()
    }

    /// What a release's next reconcile gives way to, by what is remembered of it.
    pub(crate) fn lane(&self, uid: &str) -> Lane {
        let inner = self.lock();
        let remembered = inner.get(uid).and_then(|known| known.ledger.as_ref());
        lane(remembered.map(|(ledger, _)| ledger))
    }

    /// Remembers.
    pub(crate) fn keep(&self, uid: &str, remembered: Remembered) {
        let mut inner = self.lock();
        let stale = inner.get(uid).is_some_and(|old| old.stale) && !remembered.stale;
        inner.insert(uid.to_owned(), remembered);
        if stale && let Some(kept) = inner.get_mut(uid) {
            // Somebody else wrote while the reconcile ran.
            kept.stale = true;
        }
    }

    /// Everything about to be read anew: what others write from here on is news again.
    pub(crate) fn refreshing(&self, uid: &str) {
        if let Some(remembered) = self.lock().get_mut(uid) {
            remembered.stale = false;
        }
    }

    /// What was found out of a release's requests is found out anew.
    pub(crate) fn forget_examined(&self, uid: &str) {
        if let Some(remembered) = self.lock().get_mut(uid) {
            remembered.examined.clear();
        }
    }

    /// Forgets a release that is gone.
    pub(crate) fn forget(&self, uid: &str) {
        self.lock().remove(uid);
        self.owners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|_, (_, _, owner)| owner != uid);
    }

    /// Notes which `HelmRelease` (namespace, name, uid) a release's records wake.
    pub(crate) fn own(&self, key: StorageKey, namespace: &str, name: &str, uid: &str) {
        self.owners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, (namespace.to_owned(), name.to_owned(), uid.to_owned()));
    }

    /// The `HelmRelease` (namespace, name) whose records these are.
    pub(crate) fn owner(&self, key: &StorageKey) -> Option<(String, String)> {
        self.owners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(key)
            .map(|(namespace, name, _)| (namespace.clone(), name.clone()))
    }

    /// A record is about to be written by us (`None`: deleted), so that its event is no news. Should the write fail,
    /// the error has everything read anew.
    pub(crate) fn announce(&self, uid: &str, revision: u32, status: Option<belay_release::Status>) {
        let mut inner = self.lock();
        let Some(remembered) = inner.get_mut(uid) else {
            return;
        };
        remembered
            .storage
            .retain(|stored| stored.revision != revision);
        if let Some(status) = status {
            remembered.storage.push(Stored {
                revision,
                status,
                created: Timestamp::default(),
            });
            remembered
                .storage
                .sort_by_key(|stored| std::cmp::Reverse(stored.revision));
        }
    }

    /// Somebody's helm wrote a record: whether that is news, and to which `HelmRelease`.
    pub(crate) fn record_seen(
        &self,
        key: &StorageKey,
        revision: u32,
        status: belay_release::Status,
        gone: bool,
    ) -> Option<(String, String)> {
        let (namespace, name, uid) = self
            .owners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(key)
            .cloned()?;
        let mut inner = self.lock();
        let remembered = inner.get_mut(&uid)?;
        let known = remembered
            .storage
            .iter()
            .find(|stored| stored.revision == revision);
        let news = match known {
            Some(stored) => gone || stored.status != status,
            None => !gone,
        };
        if !news {
            return None;
        }
        remembered.stale = true;
        Some((namespace, name))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Remembered>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
