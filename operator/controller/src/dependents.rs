//! Who waits for which release, so that a change of it wakes them: nobody looks again and again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use belay_api::HelmRelease;
use belay_rollout::{Place, unready};
use futures::{Stream, stream};
use kube::runtime::reflector::ObjectRef;
use tokio::sync::Notify;

/// What was last seen of a release that others wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Gone,
    /// It exists; why it is not ready, if so, and what it depends on itself: a circle may close or open there.
    Is(Option<String>, Vec<Place>),
}

/// Who waits for which release. Holds an entry for each release that depends on others and for each that others depend
/// on, and nothing else.
#[derive(Debug, Default)]
pub(crate) struct Dependents {
    inner: Mutex<Inner>,
    news: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    needs: BTreeMap<Place, BTreeSet<Place>>,
    seen: BTreeMap<Place, Seen>,
    woken: BTreeSet<Place>,
}

impl Dependents {
    /// A release is about to look at what it needs: what happens to that from here on wakes it.
    pub(crate) fn needs(&self, release: &Place, needed: &[Place]) {
        let mut inner = self.lock();
        if needed.is_empty() {
            inner.needs.remove(release);
        } else {
            let needed = needed.iter().cloned().collect();
            inner.needs.insert(release.clone(), needed);
        }
        inner.forget_unneeded();
    }

    /// A release as it is now. Those that wait for it are woken if that is news.
    pub(crate) fn saw(&self, release: &HelmRelease) {
        let seen = Seen::Is(unready(release), Place::needed_by(release));
        self.note(&Place::of(release), seen);
    }

    /// A release is gone: it needs nothing any more, and those that wait for it are woken.
    pub(crate) fn gone(&self, release: &Place) {
        self.needs(release, &[]);
        self.note(release, Seen::Gone);
    }

    fn note(&self, place: &Place, seen: Seen) {
        let mut inner = self.lock();
        let waiting: Vec<_> = inner
            .needs
            .iter()
            .filter(|(_, needed)| needed.contains(place))
            .map(|(release, _)| release.clone())
            .collect();
        if waiting.is_empty() || inner.seen.get(place) == Some(&seen) {
            return;
        }
        inner.seen.insert(place.clone(), seen);
        inner.woken.extend(waiting);
        drop(inner);
        self.news.notify_one();
    }

    /// Releases that are to look again.
    pub(crate) fn woken(self: Arc<Self>) -> impl Stream<Item = ObjectRef<HelmRelease>> + Send {
        stream::unfold(self, |dependents| async move {
            loop {
                let next = dependents.lock().woken.pop_first();
                if let Some(place) = next {
                    let woken = ObjectRef::new(&place.name).within(&place.namespace);
                    return Some((woken, dependents));
                }
                dependents.news.notified().await;
            }
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn forget_unneeded(&mut self) {
        let needs = &self.needs;
        self.seen
            .retain(|place, _| needs.values().any(|needed| needed.contains(place)));
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, StreamExt};
    use serde_json::{Value, json};

    use super::*;

    fn place(name: &str) -> Place {
        Place {
            namespace: "shop".into(),
            name: name.into(),
        }
    }

    fn release(name: &str, ready: &str, needs: &Value) -> HelmRelease {
        serde_json::from_value(json!({
            "apiVersion": "belay.dev/v1alpha1", "kind": "HelmRelease",
            "metadata": {"name": name, "namespace": "shop", "generation": 1},
            "spec": {"chart": {"inline": {"files": {}}}, "dependsOn": needs},
            "status": {"observedGeneration": 1, "conditions": [{
                "type": "Ready", "status": ready, "reason": "Installing",
                "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": 1,
            }]},
        }))
        .unwrap()
    }

    /// Who is woken by now.
    fn woken(dependents: &Arc<Dependents>) -> Vec<String> {
        let mut stream = std::pin::pin!(Arc::clone(dependents).woken());
        std::iter::from_fn(|| stream.next().now_or_never().flatten())
            .map(|woken| woken.name)
            .collect()
    }

    #[test]
    fn news_of_a_release_wake_those_that_need_it_and_only_news_do() {
        let dependents = Arc::new(Dependents::default());
        dependents.needs(&place("web"), &[place("db")]);
        dependents.needs(&place("other"), &[place("cache")]);
        dependents.saw(&release("db", "False", &json!([])));
        assert_eq!(woken(&dependents), ["web"]);
        dependents.saw(&release("db", "False", &json!([])));
        assert!(woken(&dependents).is_empty(), "nothing new");
        dependents.saw(&release("db", "True", &json!([])));
        assert_eq!(woken(&dependents), ["web"]);
        dependents.gone(&place("db"));
        assert_eq!(woken(&dependents), ["web"]);
    }

    #[test]
    fn a_circle_that_opens_elsewhere_is_news() {
        let dependents = Arc::new(Dependents::default());
        dependents.needs(&place("web"), &[place("db")]);
        dependents.saw(&release("db", "False", &json!([{"name": "web"}])));
        woken(&dependents);
        dependents.saw(&release("db", "False", &json!([])));
        assert_eq!(woken(&dependents), ["web"]);
    }

    #[test]
    fn what_nobody_needs_is_not_kept() {
        let dependents = Arc::new(Dependents::default());
        dependents.saw(&release("db", "True", &json!([])));
        assert!(dependents.lock().seen.is_empty());
        dependents.needs(&place("web"), &[place("db")]);
        dependents.saw(&release("db", "True", &json!([])));
        dependents.needs(&place("web"), &[]);
        let inner = dependents.lock();
        assert!(inner.seen.is_empty() && inner.needs.is_empty());
    }
}
