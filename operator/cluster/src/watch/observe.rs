//! One watch at work: it lists if it must, watches, looks where a look is asked for, and turns all of it into
//! verdicts.

use std::collections::BTreeSet;
use std::pin::{Pin, pin};
use std::sync::{Arc, Weak};
use std::time::Duration;

use belay_health::ObjectKey;
use futures::future::{Fuse, FusedFuture};
use futures::{FutureExt, Stream, StreamExt, stream};
use jiff::Timestamp;
use serde_json::Value;

use crate::client::Connection;
use crate::error::{Cause, Error, RefusalKind};
use crate::identity::{MANAGED_BY, MANAGED_BY_HELM};
use crate::kinds::Resolved;
use crate::object::{ResourceVersion, resource_version};
use crate::watch::events::{Event, Selection, next_page, watch};
use crate::watch::named::name_kind;
use crate::watch::registry::{Desk, Shared, WatchKey};
use crate::wire::{METADATA, METADATA_LIST};

/// Between two looks at what cannot be watched.
const POLL: Duration = Duration::from_secs(5);
/// After a broken watch, growing up to the longest.
const PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);
/// Between two tries to watch what cannot be watched, while nobody waits for anything of it.
const PAUSE_AT_REST: Duration = Duration::from_mins(10);
/// Reads in flight for one watch.
const LOOKS_AT_ONCE: usize = 8;
/// From this many looks on, a list is cheaper.
const LIST_INSTEAD: usize = 50;

pub(crate) struct Observer {
    shared: Weak<Shared>,
    connection: Connection,
    watch: WatchKey,
    desk: Arc<Desk>,
}

/// How a round of watching ended.
enum Round {
    /// Open the watch again where it stopped.
    Again,
    /// The position is of no use any more: list.
    List,
}

impl Observer {
    pub fn new(shared: &Arc<Shared>, watch: WatchKey, desk: Arc<Desk>) -> Self {
        Self {
            shared: Arc::downgrade(shared),
            connection: shared.connection.clone(),
            watch,
            desk,
        }
    }

    /// Runs until it is aborted, or until nobody holds the watches any more.
    pub async fn run(self) {
        let mut pause = PAUSE;
        loop {
            let answer = self.work(&mut pause).await;
            let Err(error) = answer else { return };
            if is_useless_position(&error) {
                tracing::debug!(watch = ?self.watch, %error, "listing anew");
                self.desk.moved_to(None);
                continue;
            }
            let unwatchable = matches!(error, Error::UnknownKind { .. })
                || [
                    RefusalKind::Forbidden,
                    RefusalKind::NotSupported,
                    RefusalKind::NotServed,
                    RefusalKind::NotFound,
                ]
                .into_iter()
                .any(|kind| error.is(kind));
            tracing::debug!(watch = ?self.watch, %error, unwatchable, "a watch broke");
            if unwatchable {
                self.poll_once().await;
                // Whatever was seen by polling is no place to go on watching from.
                self.desk.moved_to(None);
                pause = if self.tracked().is_empty() {
                    PAUSE_AT_REST
                } else {
                    POLL
                };
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.desk.wake.notified() => self.look_round().await,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn work(&self, pause: &mut Duration) -> Result<(), Error> {
        let resolved = self.resolve().await?;
        let selection = self.selection(&resolved);
        loop {
            if self.shared.strong_count() == 0 {
                return Ok(());
            }
            if !resolved.watchable {
                self.poll_once().await;
                tokio::select! {
                    () = tokio::time::sleep(POLL) => {}
                    () = self.desk.wake.notified() => {}
                }
                continue;
            }
            let from = match self.desk.position() {
                Some(position) if !self.desk.must_list() => position,
                _ => self.list(&resolved, &selection).await?,
            };
            let events = pin!(watch(&self.connection, &selection, from).await?);
            *pause = PAUSE;
            if let Round::List = self.round(&resolved, events).await? {
                self.desk.moved_to(None);
            }
        }
    }

    async fn round(
        &self,
        resolved: &Resolved,
        mut events: Pin<&mut (impl Stream<Item = Result<Event, Error>> + Send)>,
    ) -> Result<Round, Error> {
        // Events are read on while looks are under way: what is not read piles up between the API server and us.
        let mut looking = pin!(Fuse::terminated());
        loop {
            tokio::select! {
                event = events.next() => match event {
                    Some(event) => self.take(resolved, event?),
                    None => break,
                },
                () = &mut looking, if !looking.is_terminated() => {}
                () = self.desk.wake.notified(), if looking.is_terminated() => {
                    if self.desk.must_list() || self.desk.looks() >= LIST_INSTEAD {
                        return Ok(Round::List);
                    }
                    looking.set(self.look(self.desk.take_looks()).fuse());
                }
            }
        }
        // What was asked for is answered, also if the watch ended meanwhile.
        if !looking.is_terminated() {
            looking.await;
        }
        Ok(Round::Again)
    }

    fn take(&self, resolved: &Resolved, event: Event) {
        let Some(shared) = self.shared.upgrade() else {
            return;
        };
        let position = match event {
            Event::Bookmark(position) => position,
            Event::Seen(object) => {
                let position = resource_version(&object);
                self.seen(&shared, resolved, object);
                position
            }
            Event::Deleted(object) => {
                let position = resource_version(&object);
                self.deleted(&shared, resolved, object);
                position
            }
        };
        self.desk.moved_to(Some(position));
    }

    fn seen(&self, shared: &Shared, resolved: &Resolved, mut object: Value) {
        match &self.watch {
            WatchKey::Pods(namespace) => {
                let now = Timestamp::now();
                shared.update(|index| index.pod_seen(namespace, &object, now));
            }
            WatchKey::ReplicaSets(namespace) => {
                shared.update(|index| index.replica_set_seen(namespace, &object));
            }
            WatchKey::Kind { .. } | WatchKey::Named(_) => {
                let Some(key) = key_of(resolved, &object) else {
                    return;
                };
                shared.update(|index| {
                    if index.is_wanted(&key) {
                        name_kind(&mut object, resolved);
                        index.seen(&key, &object);
                    }
                });
            }
        }
    }

    fn deleted(&self, shared: &Shared, resolved: &Resolved, mut object: Value) {
        match &self.watch {
            WatchKey::Pods(namespace) => shared.update(|index| index.pod_gone(namespace, &object)),
            WatchKey::ReplicaSets(namespace) => {
                shared.update(|index| index.replica_set_gone(namespace, &object));
            }
            WatchKey::Kind { .. } | WatchKey::Named(_) => {
                let Some(key) = key_of(resolved, &object) else {
                    return;
                };
                let look = shared.update(|index| {
                    name_kind(&mut object, resolved);
                    index.guarded_gone(&key, resource_version(&object));
                    index.is_tracked(&key) && !index.ended(&key, &object)
                });
                // It may only have lost its label, or been made anew.
                if look {
                    self.desk.look_at(key);
                }
            }
        }
    }

    /// Reads everything that is selected, page by page; what is tracked and not among it is looked at.
    async fn list(
        &self,
        resolved: &Resolved,
        selection: &Selection,
    ) -> Result<ResourceVersion, Error> {
        // What was asked for before is answered by the list; what is asked for meanwhile is not.
        self.desk.take_looks();
        self.desk.must_list();
        self.desk.moved_to(None);
        let accept = if matches!(self.watch, WatchKey::ReplicaSets(_)) {
            METADATA_LIST
        } else {
            "application/json"
        };
        let mut listed = BTreeSet::new();
        let mut names = BTreeSet::new();
        let mut next = None;
        loop {
            let mut page: Value = selection
                .page(accept, next.as_deref())
                .read(&self.connection)
                .await?;
            let Some(shared) = self.shared.upgrade() else {
                return Ok(ResourceVersion::default());
            };
            let position = resource_version(&page);
            next = next_page(&page);
            let items = match page.get_mut("items").map(Value::take) {
                Some(Value::Array(items)) => items,
                // An empty list of partial metadata says null.
                Some(Value::Null) => Vec::new(),
                _ => {
                    return Err(Error::Malformed {
                        what: selection.path.clone(),
                        why: "answered without items".into(),
                    });
                }
            };
            for object in items {
                listed.extend(key_of(resolved, &object));
                names.extend(
                    object
                        .pointer("/metadata/name")
                        .and_then(Value::as_str)
                        .map(str::to_owned),
                );
                self.seen(&shared, resolved, object);
            }
            if next.is_none() {
                self.desk.listed_at(position);
                match &self.watch {
                    WatchKey::Pods(namespace) => {
                        shared.update(|index| index.pods_listed(namespace, &names));
                    }
                    WatchKey::ReplicaSets(_) => {}
                    WatchKey::Kind { .. } | WatchKey::Named(_) => {
                        let mut missing = self.tracked();
                        missing.retain(|key| !listed.contains(key));
                        // Looked at here and now: left on the desk, many of them would ask for the next list.
                        self.look(missing).await;
                        let gone = self.guarded();
                        shared.update(|index| {
                            for key in gone.iter().filter(|key| !listed.contains(*key)) {
                                index.guarded_gone(key, position);
                            }
                        });
                    }
                }
                return Ok(position);
            }
        }
    }

    fn tracked(&self) -> Vec<ObjectKey> {
        let Some(shared) = self.shared.upgrade() else {
            return Vec::new();
        };
        match &self.watch {
            WatchKey::Kind {
                group,
                kind,
                namespace,
            } => shared.index().tracked_of(group, kind, namespace.as_deref()),
            WatchKey::Named(key) if shared.index().is_tracked(key) => vec![key.clone()],
            WatchKey::Named(_) | WatchKey::Pods(_) | WatchKey::ReplicaSets(_) => Vec::new(),
        }
    }

    /// What this watch is to tell of that is at rest.
    fn guarded(&self) -> Vec<ObjectKey> {
        let Some(shared) = self.shared.upgrade() else {
            return Vec::new();
        };
        match &self.watch {
            WatchKey::Kind {
                group,
                kind,
                namespace,
            } => {
                let index = shared.index();
                index.guards().guarded_of(group, kind, namespace.as_deref())
            }
            WatchKey::Named(key) => vec![key.clone()],
            WatchKey::Pods(_) | WatchKey::ReplicaSets(_) => Vec::new(),
        }
    }

    /// What cannot be watched is read again and again while somebody waits for it, and not at rest: there the full
    /// check of each release's interval has to do.
    async fn poll_once(&self) {
        self.desk.take_looks();
        self.look(self.tracked()).await;
    }

    async fn look_round(&self) {
        let looks = self.desk.take_looks();
        self.look(looks).await;
    }

    async fn look(&self, keys: impl IntoIterator<Item = ObjectKey>) {
        let reads = keys.into_iter().map(|key| async move {
            let known = self
                .shared
                .upgrade()
                .map(|shared| shared.index().known(&key))
                .unwrap_or_default();
            let answer = self.connection.get(&key).await;
            (key, known, answer)
        });
        let mut answers = stream::iter(reads).buffer_unordered(LOOKS_AT_ONCE);
        while let Some((key, known, answer)) = answers.next().await {
            let Some(shared) = self.shared.upgrade() else {
                return;
            };
            match answer {
                Ok(Some(object)) => shared.update(|index| index.seen(&key, &object)),
                Ok(None) | Err(Error::UnknownKind { .. }) => {
                    shared.update(|index| index.missing(&key, known));
                }
                Err(error) => {
                    tracing::debug!(object = %key, %error, "a look failed");
                    if shared.index().is_tracked(&key) {
                        self.look_again(key);
                    }
                }
            }
        }
    }

    /// Asks for the look once more, a little later, without holding anything up.
    fn look_again(&self, key: ObjectKey) {
        let desk = Arc::downgrade(&self.desk);
        tokio::spawn(async move {
            tokio::time::sleep(POLL).await;
            if let Some(desk) = desk.upgrade() {
                desk.look_at(key);
            }
        });
    }

    async fn resolve(&self) -> Result<Resolved, Error> {
        match &self.watch {
            WatchKey::Kind { group, kind, .. } => {
                self.connection.resolve_preferred(group, kind).await
            }
            WatchKey::Named(key) => {
                self.connection
                    .resolve_preferred(&key.group, &key.kind)
                    .await
            }
            WatchKey::Pods(_) => self.connection.resolve_preferred("", "Pod").await,
            WatchKey::ReplicaSets(_) => {
                self.connection
                    .resolve_preferred("apps", "ReplicaSet")
                    .await
            }
        }
    }

    fn selection(&self, resolved: &Resolved) -> Selection {
        let (namespace, labels, fields) = match &self.watch {
            WatchKey::Kind { namespace, .. } => (
                namespace.as_deref(),
                format!("{MANAGED_BY}={MANAGED_BY_HELM}"),
                String::new(),
            ),
            WatchKey::Named(key) => (
                key.namespace.as_deref(),
                String::new(),
                format!("metadata.name={}", key.name),
            ),
            WatchKey::Pods(namespace) | WatchKey::ReplicaSets(namespace) => {
                (Some(namespace.as_str()), String::new(), String::new())
            }
        };
        let metadata = matches!(self.watch, WatchKey::ReplicaSets(_));
        Selection {
            path: resolved.collection(namespace),
            labels,
            fields,
            accept: if metadata {
                METADATA
            } else {
                "application/json"
            },
        }
    }
}

/// Compacted away, or from a history that this kind is not part of.
fn is_useless_position(error: &Error) -> bool {
    error.refusal().is_some_and(|refusal| {
        let too_large = |cause: &Cause| cause.reason == "ResourceVersionTooLarge";
        refusal.kind == RefusalKind::Expired || refusal.causes.iter().any(too_large)
    })
}

fn key_of(resolved: &Resolved, object: &Value) -> Option<ObjectKey> {
    let text = |path: &str| {
        object
            .pointer(path)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    Some(ObjectKey {
        group: resolved.group.clone(),
        kind: resolved.kind.clone(),
        namespace: text("/metadata/namespace").map(str::to_owned),
        name: text("/metadata/name")?.to_owned(),
    })
}
