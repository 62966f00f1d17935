//! Making an object anew whose change the API server refuses, since a field of it cannot change.

use std::fmt;
use std::time::Duration;

use belay_health::ObjectKey;
use serde_json::Value;

use crate::apply::{Applied, ApplyOptions, Foreseen, Item, Known};
use crate::client::Connection;
use crate::error::{Error, NotDone, Refusal, Written};
use crate::identity::{Ownership, is_kept, ownership};
use crate::object::{Place, identified, is_terminating};
use crate::prune::Propagation;

/// How long one try waits for an object to be gone: its pods may take half a minute to end.
const GONE_WITHIN: Duration = Duration::from_mins(1);
/// How soon a try comes again after an object that has not gone yet.
const AGAIN: Duration = Duration::from_secs(1);

/// What to do with an object of which a field would change that cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum OnImmutable {
    /// Leave it, and answer with the refusal.
    #[default]
    Fail,
    /// Delete it, and make it anew when it is gone.
    Recreate,
}

/// Why an object is not deleted to be made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Spared {
    /// Its kind holds data, which would go with it.
    HoldsData,
    /// Its kind holds other objects, which would go with it.
    HoldsObjects,
    /// It is a custom resource: what its controller deletes with it is not known.
    CustomResource,
    /// It asks to be kept: `helm.sh/resource-policy: keep`.
    Kept,
    /// It is not marked as this release's.
    NotOurs,
    /// A `StatefulSet` with another selector would not find its pods again.
    OtherSelector,
    /// Not all that the API server refuses is cured by it.
    NotCured,
}

impl fmt::Display for Spared {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::HoldsData => "data may go with it: move the data, then delete it by hand",
            Self::HoldsObjects => "other objects would go with it",
            Self::CustomResource => {
                "it is a custom resource, and what goes with it is not known: delete it by hand if nothing is lost"
            }
            Self::Kept => "it is marked helm.sh/resource-policy: keep",
            Self::NotOurs => "it is not marked as this release's",
            Self::OtherSelector => {
                "with another selector it would not find its pods again: delete it by hand, or give it another name"
            }
            Self::NotCured => "not all of this is about fields that cannot change",
        })
    }
}

/// How an object of this kind goes to be made anew, if it may.
///
/// Only kinds of Kubernetes itself go, and of those none that holds data or other objects. The dependents go first, so
/// that old and new never run side by side; those of a `StatefulSet` stay instead: pods with their claims, which the
/// new one takes on.
///
/// # Errors
/// Why it may not go.
pub fn propagation(key: &ObjectKey) -> Result<Propagation, Spared> {
    match (key.group.as_str(), key.kind.as_str()) {
        ("", "PersistentVolumeClaim" | "PersistentVolume") => Err(Spared::HoldsData),
        ("", "Namespace") | ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            Err(Spared::HoldsObjects)
        }
        ("apps", "StatefulSet") => Ok(Propagation::Orphan),
        (group, _) if belay_health::is_builtin_group(group) => Ok(Propagation::Foreground),
        ("snapshot.storage.k8s.io" | "groupsnapshot.storage.k8s.io", _) => Err(Spared::HoldsData),
        _ => Err(Spared::CustomResource),
    }
}

/// Whether a live object may go for what is wanted in its place, and how.
fn may_go(
    place: &Place,
    live: &Value,
    wanted: &Value,
    refusal: &Refusal,
    options: &ApplyOptions,
) -> Result<Propagation, Spared> {
    let propagation = propagation(&place.key)?;
    if ownership(live, &options.owner) != Ownership::Ours {
        return Err(Spared::NotOurs);
    }
    if is_kept(live) {
        return Err(Spared::Kept);
    }
    if !refusal.is_all_immutable() {
        return Err(Spared::NotCured);
    }
    let selector = |object: &Value| object.pointer("/spec/selector").cloned();
    if propagation == Propagation::Orphan && selector(live) != selector(wanted) {
        return Err(Spared::OtherSelector);
    }
    Ok(propagation)
}

impl Connection {
    /// Deletes an object that the API server does not let change, and makes it anew.
    ///
    /// A crash in between leaves an object that goes, or none: the same apply then waits, or makes it.
    pub(crate) async fn recreate(
        &self,
        item: &Item,
        options: &ApplyOptions,
        refused: NotDone,
    ) -> Written<Applied> {
        let place = self.place(&item.object, &options.owner.namespace).await?;
        let Some(live) = self.get_at(&place).await? else {
            return self.make(item, options).await;
        };
        let propagation = judged(&place, &live, item, options, refused)?;
        let (uid, _) = identified(&live, &place.key)?;
        tracing::info!(object = %place.key, %uid, "deleted to be made anew, since a field of it cannot change");
        self.delete_at(&place, &uid, propagation).await?;
        self.make_after(item, options, &place.key, &uid).await
    }

    /// What [`Connection::recreate`] would do; nothing is changed.
    pub(crate) async fn foresee_recreation(
        &self,
        item: &Item,
        options: &ApplyOptions,
        refused: NotDone,
    ) -> Written<Foreseen> {
        let place = self.place(&item.object, &options.owner.namespace).await?;
        let Some(live) = self.get_at(&place).await? else {
            return Err(refused);
        };
        judged(&place, &live, item, options, refused)?;
        Ok(Foreseen::Recreated {
            key: place.key,
            live,
        })
    }

    /// An apply that was taken by an object which is being deleted is lost with it: it is made anew once it is gone.
    pub(crate) async fn outlive(
        &self,
        item: &Item,
        options: &ApplyOptions,
        applied: Applied,
    ) -> Written<Applied> {
        if is_terminating(&applied.live) && propagation(&applied.key).is_ok() {
            return self
                .make_after(item, options, &applied.key, &applied.uid)
                .await;
        }
        Ok(applied)
    }

    async fn make_after(
        &self,
        item: &Item,
        options: &ApplyOptions,
        key: &ObjectKey,
        uid: &str,
    ) -> Written<Applied> {
        match self.wait_gone(key, uid, GONE_WITHIN).await {
            Ok(()) => self.make(item, options).await,
            // Its finalizers are not done yet. That may take as long as the attempt has.
            Err(source @ Error::Deadline { .. }) => Err(NotDone::Retry {
                after: AGAIN,
                source: Box::new(source),
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes what is not there any more. Whoever made one of that name meanwhile is asked whose it is.
    async fn make(&self, item: &Item, options: &ApplyOptions) -> Written<Applied> {
        let item = Item {
            object: item.object.clone(),
            known: Known::Nothing,
        };
        self.apply_or_dry_run(&item, options, false).await
    }
}

/// How the object goes; otherwise the refusal, with the reason why it stands.
fn judged(
    place: &Place,
    live: &Value,
    item: &Item,
    options: &ApplyOptions,
    refused: NotDone,
) -> Written<Propagation> {
    let Some(refusal) = refused.refusal().cloned().map(Box::new) else {
        return Err(refused);
    };
    may_go(place, live, &item.object, &refusal, options)
        .map_err(|spared| Error::Spared { refusal, spared }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(group: &str, kind: &str) -> ObjectKey {
        ObjectKey {
            group: group.into(),
            kind: kind.into(),
            namespace: None,
            name: "a".into(),
        }
    }

    #[test]
    fn what_holds_data_or_other_objects_never_goes() {
        for (group, kind, spared) in [
            ("", "PersistentVolumeClaim", Spared::HoldsData),
            ("", "PersistentVolume", Spared::HoldsData),
            (
                "snapshot.storage.k8s.io",
                "VolumeSnapshotContent",
                Spared::HoldsData,
            ),
            ("", "Namespace", Spared::HoldsObjects),
            (
                "apiextensions.k8s.io",
                "CustomResourceDefinition",
                Spared::HoldsObjects,
            ),
            ("postgresql.cnpg.io", "Cluster", Spared::CustomResource),
        ] {
            assert_eq!(propagation(&key(group, kind)), Err(spared), "{kind}");
        }
    }

    #[test]
    fn the_pods_of_a_stateful_set_stay_and_those_of_others_go_first() {
        assert_eq!(
            propagation(&key("apps", "StatefulSet")),
            Ok(Propagation::Orphan)
        );
        for (group, kind) in [
            ("batch", "Job"),
            ("apps", "Deployment"),
            ("", "Service"),
            ("", "ConfigMap"),
            ("rbac.authorization.k8s.io", "RoleBinding"),
        ] {
            assert_eq!(
                propagation(&key(group, kind)),
                Ok(Propagation::Foreground),
                "{kind}"
            );
        }
    }
}
