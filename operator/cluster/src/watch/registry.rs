//! Which watches run: one per kind and scope, for as long as somebody looks, shared by all who do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use belay_health::{ObjectKey, Sight};
use futures::{Stream, stream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::client::Connection;
use crate::object::ResourceVersion;
use crate::permits::Lane;
use crate::watch::guard::Guard;
use crate::watch::index::{Index, Progress};
use crate::watch::observe::Observer;
use crate::watch::tracked::{Follow, ReleaseKey, Tracked, Tracking};

/// How far watches reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum WatchScope {
    /// One watch for the whole cluster.
    #[default]
    Cluster,
    /// One for each namespace in which something is tracked, for operators whose rights end there. Objects that live
    /// in no namespace are followed by name.
    Namespaces,
}

/// How long a watch outlives its last user: the next release would otherwise open it anew.
const LINGER: Duration = Duration::from_secs(20);

/// The watches of one cluster. Clones share them; when the last is dropped they end.
#[derive(Debug, Clone)]
pub struct Watches {
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub connection: Connection,
    scope: WatchScope,
    index: Mutex<Index>,
    running: Mutex<BTreeMap<WatchKey, Running>>,
    news: Notify,
}

/// What one watch selects.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum WatchKey {
    /// The objects of a kind that carry Helm's label; everywhere or in one namespace.
    Kind {
        group: String,
        kind: String,
        namespace: Option<String>,
    },
    /// One object, by name.
    Named(ObjectKey),
    /// The pods of a namespace.
    Pods(String),
    /// The metadata of a namespace's `ReplicaSets`.
    ReplicaSets(String),
}

#[derive(Debug)]
struct Running {
    users: BTreeSet<ReleaseKey>,
    /// Releases at rest whose objects it tells of.
    guards: BTreeSet<ReleaseKey>,
    desk: Arc<Desk>,
    task: JoinHandle<()>,
}

impl Running {
    fn is_used(&self) -> bool {
        !self.users.is_empty() || !self.guards.is_empty()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Where a watch stands, and what it is asked to look at besides.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    /// The last resourceVersion that the watch has told; zero before it has.
    position: AtomicU64,
    /// What happened after this was seen; zero when everything is, because it was listed.
    since: AtomicU64,
    list: AtomicBool,
    // Bounded by the number of tracked objects.
    looks: Mutex<BTreeSet<ObjectKey>>,
    pub wake: Notify,
}

impl Desk {
    fn starting_at(from: Option<ResourceVersion>) -> Self {
        let desk = Self::default();
        let from = from.unwrap_or_default().0;
        desk.position.store(from, Ordering::Release);
        desk.since.store(from, Ordering::Release);
        desk
    }

    pub fn position(&self) -> Option<ResourceVersion> {
        Some(self.position.load(Ordering::Acquire))
            .filter(|at| *at > 0)
            .map(ResourceVersion)
    }

    pub fn moved_to(&self, position: Option<ResourceVersion>) {
        self.position
            .store(position.unwrap_or_default().0, Ordering::Release);
    }

    /// Everything was listed, at this point of history.
    pub fn listed_at(&self, position: ResourceVersion) {
        self.since.store(0, Ordering::Release);
        self.moved_to(Some(position));
    }

    /// Was everything that happened after `from` seen; for `None`, everything there is?
    fn covers(&self, from: Option<ResourceVersion>) -> bool {
        let since = self.since.load(Ordering::Acquire);
        since == 0 || from.is_some_and(|from| from.0 >= since)
    }

    /// Asks for a list.
    fn list_anew(&self) {
        self.list.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    /// Was a list asked for? The order is taken with the answer.
    pub fn must_list(&self) -> bool {
        self.list.swap(false, Ordering::AcqRel)
    }

    /// Asks for a read of one object.
    pub fn look_at(&self, key: ObjectKey) {
        self.open_looks().insert(key);
        self.wake.notify_one();
    }

    pub fn take_looks(&self) -> BTreeSet<ObjectKey> {
        std::mem::take(&mut *self.open_looks())
    }

    /// How many reads are asked for.
    pub fn looks(&self) -> usize {
        self.open_looks().len()
    }

    fn open_looks(&self) -> MutexGuard<'_, BTreeSet<ObjectKey>> {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    pub fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the index and tells whoever waits for news.
    pub fn update<T>(&self, change: impl FnOnce(&mut Index) -> T) -> T {
        let mut index = self.index();
        let answer = change(&mut index);
        let news = index.has_changed();
        drop(index);
        if news {
            self.news.notify_one();
        }
        answer
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<WatchKey, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watches {
    /// Watches over a connection, usually the operator's own account's. Nothing runs until something is tracked.
    pub fn new(connection: &Connection, scope: WatchScope) -> Self {
        let shared = Shared {
            connection: connection.in_lane(Lane::Waiting),
            scope,
            index: Mutex::default(),
            running: Mutex::default(),
            news: Notify::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Looks at these objects for a release, in place of those before. Returns at once; must be called inside a tokio
    /// runtime.
    pub fn track(&self, release: &ReleaseKey, tracking: &Tracking) {
        let fresh = self.shared.update(|index| index.track(release, tracking));
        let mut wanted: BTreeMap<WatchKey, Vec<&Tracked>> = BTreeMap::new();
        for tracked in &tracking.objects {
            let watch = self.watch_for(&tracked.key, tracked.follow);
            wanted.entry(watch).or_default().push(tracked);
        }
        for namespace in tracking.pods.iter().flat_map(|scope| &scope.namespaces) {
            for watch in [
                WatchKey::Pods(namespace.clone()),
                WatchKey::ReplicaSets(namespace.clone()),
            ] {
                wanted.entry(watch).or_default();
            }
        }
        let mut running = self.shared.running();
        for (watch, entry) in running.iter_mut() {
            if !wanted.contains_key(watch) {
                entry.users.remove(release);
            }
        }
        for (watch, objects) in wanted {
            let shared = running.contains_key(&watch);
            let entry = running
                .entry(watch.clone())
                .or_insert_with(|| self.start(watch.clone(), tracking.from));
            if entry.users.is_empty() && shared {
                // It may be resting.
                entry.desk.wake.notify_one();
            }
            entry.users.insert(release.clone());
            match &watch {
                // What the watch told of this namespace while nobody listened was not kept.
                WatchKey::Pods(namespace) | WatchKey::ReplicaSets(namespace) => {
                    if shared
                        && (fresh.namespaces.contains(namespace)
                            || !entry.desk.covers(tracking.from))
                    {
                        entry.desk.list_anew();
                    }
                }
                WatchKey::Kind { .. } | WatchKey::Named(_) => {
                    for tracked in objects
                        .into_iter()
                        .filter(|tracked| fresh.objects.contains(&tracked.key))
                    {
                        if may_have_missed(tracked, tracking.from, shared, &entry.desk) {
                            entry.desk.look_at(tracked.key.clone());
                        }
                    }
                }
            }
        }
        drop(running);
        self.stop_unused_later();
    }

    /// Stops looking for a release.
    pub fn untrack(&self, release: &ReleaseKey) {
        self.shared.update(|index| index.untrack(release));
        for entry in self.shared.running().values_mut() {
            entry.users.remove(release);
        }
        self.stop_unused_later();
    }

    /// Guards these objects for a release at rest, in place of those before; none ends it. Returns at once; must be
    /// called inside a tokio runtime. What differs from what was left is news of the release, see
    /// [`Watches::suspects`].
    pub fn guard(&self, release: &ReleaseKey, guards: &[Guard]) {
        let Some(fresh) = self.shared.update(|index| index.guard(release, guards)) else {
            return;
        };
        let wanted: BTreeSet<WatchKey> = guards
            .iter()
            .map(|guard| self.watch_for(&guard.key, Follow::Labelled))
            .collect();
        let mut running = self.shared.running();
        for (watch, entry) in running.iter_mut() {
            if !wanted.contains(watch) {
                entry.guards.remove(release);
            }
        }
        let mut begun = BTreeSet::new();
        for watch in wanted {
            let entry = running.entry(watch.clone()).or_insert_with(|| {
                begun.insert(watch.clone());
                self.start(watch, None)
            });
            entry.guards.insert(release.clone());
        }
        for key in fresh {
            let watch = self.watch_for(&key, Follow::Labelled);
            // One that begins lists everything.
            if !begun.contains(&watch)
                && let Some(entry) = running.get(&watch)
            {
                entry.desk.look_at(key);
            }
        }
        drop(running);
        self.stop_unused_later();
    }

    /// The guarded objects of a release of which a watch has seen another state than was left or looked at.
    pub fn suspects(&self, release: &ReleaseKey) -> Vec<ObjectKey> {
        self.shared.index().suspects(release)
    }

    /// What was seen of guarded objects so far, to be handed to [`Watches::accept`] should a look that begins now find
    /// nothing there.
    pub fn known(&self, key: &ObjectKey) -> ResourceVersion {
        self.shared.index().known(key)
    }

    /// A guarded object was looked at in this state (`None`: it is not there): only another one is news from here on.
    /// `whole` says that our manager owns all that its manifest holds, so that only a change of what is ours counts.
    pub fn accept(
        &self,
        release: &ReleaseKey,
        key: &ObjectKey,
        at: ResourceVersion,
        state: Option<Sight>,
        whole: bool,
    ) {
        let mut index = self.shared.index();
        index.guards_mut().accept(release, key, at, state, whole);
    }

    /// What was seen for a release; `None` when nothing is tracked for it.
    pub fn progress(&self, release: &ReleaseKey) -> Option<Progress> {
        self.shared.index().progress(release)
    }

    /// We deleted this pod ourselves: what was wrong with it is not told again while the event is on its way.
    pub fn pod_deleted(&self, namespace: &str, name: &str) {
        self.shared
            .update(|index| index.pod_deleted(namespace, name));
    }

    /// The releases of which something new was seen, each once however much it was. One consumer at a time.
    pub fn changes(&self) -> impl Stream<Item = ReleaseKey> + Send + use<> {
        stream::unfold(self.shared.clone(), |shared| async move {
            loop {
                let next = shared.index().next_changed();
                if let Some(release) = next {
                    return Some((release, shared));
                }
                shared.news.notified().await;
            }
        })
    }

    /// How many watches run, for gauges and for proving that an operator at rest has none.
    pub fn running(&self) -> usize {
        self.shared.running().len()
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    fn watch_for(&self, key: &ObjectKey, follow: Follow) -> WatchKey {
        match (follow, self.shared.scope, &key.namespace) {
            (Follow::Named | Follow::Hook, _, _) | (_, WatchScope::Namespaces, None) => {
                WatchKey::Named(key.clone())
            }
            (_, WatchScope::Cluster, _) => WatchKey::Kind {
                group: key.group.clone(),
                kind: key.kind.clone(),
                namespace: None,
            },
            (_, WatchScope::Namespaces, Some(namespace)) => WatchKey::Kind {
                group: key.group.clone(),
                kind: key.kind.clone(),
                namespace: Some(namespace.clone()),
            },
        }
    }

    fn start(&self, watch: WatchKey, from: Option<ResourceVersion>) -> Running {
        let desk = Arc::new(Desk::starting_at(from));
        let observer = Observer::new(&self.shared, watch, desk.clone());
        Running {
            users: BTreeSet::new(),
            guards: BTreeSet::new(),
            desk,
            task: tokio::spawn(observer.run()),
        }
    }

    fn stop_unused_later(&self) {
        if self.shared.running().values().all(Running::is_used) {
            return;
        }
        let shared = Arc::downgrade(&self.shared);
        tokio::spawn(async move {
            tokio::time::sleep(LINGER).await;
            if let Some(shared) = shared.upgrade() {
                shared.running().retain(|_, entry| entry.is_used());
            }
        });
    }
}

/// Can something have happened to an object between the last moment at which its state was known and this one, of
/// which its watch will not tell?
fn may_have_missed(
    tracked: &Tracked,
    from: Option<ResourceVersion>,
    shared: bool,
    desk: &Desk,
) -> bool {
    match (&tracked.first, &tracked.uid) {
        // Before the apply there is nothing to miss.
        (None, None) => false,
        // Nothing is known, and only a list would tell it.
        (None, Some(_)) => shared || from.is_some(),
        (Some(_), _) => {
            let known = tracked.not_before.max(from.unwrap_or_default());
            // A watch that stands nowhere is listing, and may have passed this object already.
            shared && desk.position().is_none_or(|position| position > known)
        }
    }
}
