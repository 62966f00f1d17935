//! Taking away what a release no longer has: only what carries its marks, only the object that was looked at, and
//! never what asks to be kept.

use std::time::Duration;

use belay_health::ObjectKey;
use serde_json::{Value, json};

use crate::client::Connection;
use crate::error::{Error, RefusalKind, Written};
use crate::identity::{Owner, Ownership, is_kept, ownership};
use crate::object::{Place, identified, uid};
use crate::watch::named::Sight;
use crate::wire::{Call, METADATA};

/// What becomes of what an object owns when it is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Propagation {
    /// It goes after the object.
    Background,
    /// It goes before the object.
    Foreground,
    /// It stays, owned by nobody.
    Orphan,
}

impl Propagation {
    /// Kubernetes' name for it.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Background => "Background",
            Self::Foreground => "Foreground",
            Self::Orphan => "Orphan",
        }
    }
}

/// What became of an object that was to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pruned {
    /// It is deleted, or will be as soon as its finalizers are done.
    Deleted {
        /// The uid that was deleted.
        uid: String,
    },
    /// It was not there, or its kind is no longer served.
    AlreadyGone,
    /// `helm.sh/resource-policy: keep`.
    Kept,
    /// It does not carry our marks.
    NotOurs {
        /// The release that it names, if any.
        owner: Option<Owner>,
    },
}

impl Connection {
    /// Deletes an object of the release, its dependents in the background. Safe to repeat.
    ///
    /// # Errors
    /// As every write. [`RefusalKind::Conflict`]: the object was replaced between the look and the deletion.
    pub async fn prune(&self, key: &ObjectKey, owner: &Owner) -> Written<Pruned> {
        let Some((place, live)) = self.look(key).await? else {
            return Ok(Pruned::AlreadyGone);
        };
        match ownership(&live, owner) {
            Ownership::Unowned => return Ok(Pruned::NotOurs { owner: None }),
            Ownership::Foreign(owner) => return Ok(Pruned::NotOurs { owner: Some(owner) }),
            Ownership::Ours if is_kept(&live) => return Ok(Pruned::Kept),
            Ownership::Ours => {}
        }
        let (uid, _) = identified(&live, key)?;
        let deleted = self.delete_at(&place, &uid, Propagation::Background);
        Ok(if deleted.await? {
            Pruned::Deleted { uid }
        } else {
            Pruned::AlreadyGone
        })
    }

    /// Deletes exactly the object with this uid, whatever marks it carries: for objects that have none, such as hooks,
    /// and for one that is to be made anew. `false`: it was not there any more.
    ///
    /// # Errors
    /// As every write. [`RefusalKind::Conflict`]: another object of that name stands there now.
    pub async fn delete_exactly(&self, key: &ObjectKey, uid: &str) -> Written<bool> {
        match self.place_of(key).await {
            Ok(place) => self.delete_at(&place, uid, Propagation::Background).await,
            Err(Error::UnknownKind { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until the object with this uid is gone; another of that name counts as gone.
    ///
    /// # Errors
    /// [`Error::Deadline`]; read errors.
    pub async fn wait_gone(
        &self,
        key: &ObjectKey,
        gone: &str,
        deadline: Duration,
    ) -> Result<(), Error> {
        let place = match self.place_of(key).await {
            Ok(place) => place,
            Err(Error::UnknownKind { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        let what = format!("the deletion of {key}");
        self.follow(&place, deadline, &what, |sight| match sight {
            Sight::There(object) if uid(object) == Some(gone) => None,
            _ => Some(()),
        })
        .await
        .or_else(|error| {
            // Its CRD went while we waited.
            if error.is(RefusalKind::NotServed) {
                Ok(())
            } else {
                Err(error)
            }
        })
    }

    async fn look(&self, key: &ObjectKey) -> Result<Option<(Place, Value)>, Error> {
        let place = match self.place_of(key).await {
            Ok(place) => place,
            // Its CRD is gone, and it with it.
            Err(Error::UnknownKind { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let live: Option<Value> = match Call::get(place.path())
            .accept(METADATA)
            .read_opt(self)
            .await
        {
            Err(error) if error.is(RefusalKind::NotServed) => None,
            answer => answer?,
        };
        Ok(live.map(|live| (place, live)))
    }

    pub(crate) async fn delete_at(
        &self,
        place: &Place,
        uid: &str,
        propagation: Propagation,
    ) -> Written<bool> {
        let body = json!({
            "apiVersion": "v1", "kind": "DeleteOptions",
            "propagationPolicy": propagation.as_str(), "preconditions": {"uid": uid},
        });
        match Call::delete(place.path())
            .json(&body)?
            .write::<Value>(self)
            .await
        {
            Ok(_) => Ok(true),
            Err(error) if error.is(RefusalKind::NotFound) || error.is(RefusalKind::NotServed) => {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}
