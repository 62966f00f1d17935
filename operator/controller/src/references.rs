//! What specs name: `ConfigMap`s and Secrets with charts, values and credentials, and who is to look again when one of
//! them changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

/// The kinds that specs name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ReferenceKind {
    ConfigMap,
    Secret,
}

/// An object that a spec names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reference {
    pub(crate) kind: ReferenceKind,
    /// The namespace of the object, and of the releases that name it.
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// What an object was when a release read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// The read is under way.
    Pending,
    /// It did not exist.
    Absent,
    /// It existed, in this resource version.
    At(u64),
}

/// What a watch last said of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It exists, in this resource version.
    At(u64),
    /// It was deleted.
    Gone,
}

impl Read {
    /// Whether what a watch saw is newer. A watch may lag behind what was read, so an older version is no news.
    fn is_older_than(self, seen: Seen) -> bool {
        match (self, seen) {
            (Self::Pending, _) | (Self::Absent, Seen::Gone) => false,
            (Self::Absent, Seen::At(_)) | (Self::At(_), Seen::Gone) => true,
            (Self::At(read), Seen::At(seen)) => seen > read,
        }
    }
}

/// Who named what, and what became of it since. Only what is named is kept.
#[derive(Debug)]
pub(crate) struct References {
    inner: Mutex<Inner>,
    /// What is to be watched: kinds in namespaces.
    wanted: watch::Sender<BTreeSet<(ReferenceKind, String)>>,
}

#[derive(Debug, Default)]
struct Inner {
    objects: BTreeMap<Reference, Object>,
    /// What each release, by namespace and name, has read.
    reads: BTreeMap<(String, String), BTreeMap<Reference, Read>>,
}

#[derive(Debug, Default)]
struct Object {
    seen: Option<Seen>,
    /// The names of the releases that have read it.
    users: BTreeSet<String>,
}

impl References {
    pub(crate) fn new() -> Self {
        Self {
            inner: Mutex::default(),
            wanted: watch::Sender::new(BTreeSet::new()),
        }
    }

    /// A release is about to read an object: what happens to it from here on is noted.
    pub(crate) fn begin(&self, release: &str, reference: &Reference) {
        let mut inner = self.lock();
        let object = inner.objects.entry(reference.clone()).or_default();
        object.users.insert(release.to_owned());
        let user = (reference.namespace.clone(), release.to_owned());
        let reads = inner.reads.entry(user).or_default();
        reads.entry(reference.clone()).or_insert(Read::Pending);
        drop(inner);
        let watched = (reference.kind, reference.namespace.clone());
        self.wanted
            .send_if_modified(|wanted| wanted.insert(watched));
    }

    /// A release has read all that its spec names; what it named before and does not any more is forgotten.
    pub(crate) fn end(&self, namespace: &str, release: &str, read: BTreeMap<Reference, Read>) {
        let mut inner = self.lock();
        let user = (namespace.to_owned(), release.to_owned());
        let before = inner.reads.remove(&user).unwrap_or_default();
        for reference in before.keys().filter(|old| !read.contains_key(*old)) {
            inner.leave(reference, release);
        }
        if !read.is_empty() {
            inner.reads.insert(user, read);
        }
    }

    /// A release has read one object, whatever else it reads.
    pub(crate) fn note(&self, release: &str, reference: &Reference, read: Read) {
        let user = (reference.namespace.clone(), release.to_owned());
        let mut inner = self.lock();
        let reads = inner.reads.entry(user).or_default();
        reads.insert(reference.clone(), read);
    }

    /// Whether a watch saw a newer state of an object than the one that was read.
    pub(crate) fn is_newer(&self, reference: &Reference, read: Read) -> bool {
        let inner = self.lock();
        let seen = inner.objects.get(reference).and_then(|object| object.seen);
        seen.is_some_and(|seen| read.is_older_than(seen))
    }

    /// A release is gone.
    pub(crate) fn forget(&self, namespace: &str, release: &str) {
        self.end(namespace, release, BTreeMap::new());
    }

    /// Whether something that a release has read is not as it was any more.
    pub(crate) fn changed(&self, namespace: &str, release: &str) -> bool {
        let inner = self.lock();
        let user = (namespace.to_owned(), release.to_owned());
        inner.reads.get(&user).is_some_and(|reads| {
            reads.iter().any(|(reference, read)| {
                let object = inner.objects.get(reference);
                object
                    .and_then(|object| object.seen)
                    .is_some_and(|seen| read.is_older_than(seen))
            })
        })
    }

    /// Takes in what a watch saw, and says which releases of the object's namespace it is news for.
    pub(crate) fn see(&self, reference: &Reference, seen: Seen) -> Vec<String> {
        let mut inner = self.lock();
        let Some(object) = inner.objects.get_mut(reference) else {
            return Vec::new();
        };
        object.seen = Some(seen);
        let users: Vec<_> = object.users.iter().cloned().collect();
        let is_news = |user: &String| {
            let user = (reference.namespace.clone(), user.clone());
            let reads = inner.reads.get(&user);
            reads
                .and_then(|reads| reads.get(reference))
                .is_some_and(|read| read.is_older_than(seen))
        };
        users.into_iter().filter(is_news).collect()
    }

    /// What is named of one kind, in one namespace or all of them.
    pub(crate) fn named(&self, kind: ReferenceKind, namespace: Option<&str>) -> Vec<Reference> {
        let inner = self.lock();
        let named = inner.objects.keys().filter(|reference| {
            reference.kind == kind && namespace.is_none_or(|name| name == reference.namespace)
        });
        named.cloned().collect()
    }

    /// Whether somebody names an object.
    pub(crate) fn names(&self, reference: &Reference) -> bool {
        self.lock().objects.contains_key(reference)
    }

    /// Waits until something of this kind is named: nothing is watched for nobody.
    pub(crate) async fn wanted(&self, kind: ReferenceKind, namespace: Option<&str>) {
        let mut wanted = self.wanted.subscribe();
        // The sender lives as long as this.
        let _ = wanted
            .wait_for(|wanted| {
                wanted.iter().any(|(named, within)| {
                    *named == kind && namespace.is_none_or(|name| name == within)
                })
            })
            .await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn leave(&mut self, reference: &Reference, release: &str) {
        if let Some(object) = self.objects.get_mut(reference) {
            object.users.remove(release);
            if object.users.is_empty() {
                self.objects.remove(reference);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Reference {
        Reference {
            kind: ReferenceKind::ConfigMap,
            namespace: "shop".into(),
            name: "values".into(),
        }
    }

    fn read(references: &References, release: &str, read: Read) {
        references.begin(release, &values());
        references.end("shop", release, [(values(), read)].into());
    }

    #[test]
    fn a_newer_version_is_news_for_those_who_read_the_older_one() {
        let references = References::new();
        read(&references, "old", Read::At(5));
        read(&references, "new", Read::At(9));

        assert_eq!(references.see(&values(), Seen::At(9)), ["old"]);

        assert!(references.changed("shop", "old"));
        assert!(!references.changed("shop", "new"));
    }

    #[test]
    fn what_a_lagging_watch_says_is_no_news() {
        let references = References::new();
        read(&references, "web", Read::At(5));

        assert!(references.see(&values(), Seen::At(4)).is_empty());
        assert!(!references.changed("shop", "web"));
    }

    #[test]
    fn appearing_and_going_are_news() {
        let references = References::new();
        read(&references, "web", Read::Absent);
        assert_eq!(references.see(&values(), Seen::At(7)), ["web"]);

        read(&references, "web", Read::At(7));
        assert!(!references.changed("shop", "web"));
        assert_eq!(references.see(&values(), Seen::Gone), ["web"]);
    }

    /// Given a change between the beginning of the read and the end of it.
    #[test]
    fn a_change_under_a_read_is_not_missed() {
        let references = References::new();
        references.begin("web", &values());
        assert!(references.see(&values(), Seen::At(8)).is_empty());

        references.end("shop", "web", [(values(), Read::At(7))].into());

        assert!(references.changed("shop", "web"));
    }

    #[test]
    fn what_nobody_names_any_more_is_not_kept() {
        let references = References::new();
        read(&references, "web", Read::At(5));

        references.end("shop", "web", BTreeMap::new());

        assert!(references.see(&values(), Seen::At(9)).is_empty());
        assert!(references.named(ReferenceKind::ConfigMap, None).is_empty());
    }

    #[tokio::test]
    async fn nothing_is_watched_before_something_is_named() {
        let references = References::new();
        let wanted = references.wanted(ReferenceKind::ConfigMap, Some("shop"));
        let mut wanted = std::pin::pin!(wanted);
        assert!(futures::poll!(wanted.as_mut()).is_pending());

        references.begin("web", &values());

        wanted.await;
    }
}
