//! One object by server-side apply as manager `helm`, after a look at whose it is.

use belay_health::ObjectKey;
use futures::StreamExt;
use futures::stream;
use http::StatusCode;
use serde_json::Value;

use crate::client::Connection;
use crate::error::{Error, NotDone, RefusalKind, Written};
use crate::identity::{MANAGER, Owner, Ownership, ownership, stamp};
use crate::managed_fields::{is_client_side, migration, replicas_are_scaled, rules_are_aggregated};
use crate::object::{Place, ResourceVersion, identified, uid};
use crate::recreate::OnImmutable;
use crate::strategy;
use crate::wire::Call;

const APPLY: &str = "application/apply-patch+yaml";
const JSON_PATCH: &str = "application/json-patch+json";

/// How many dry runs are in flight for one release.
pub(crate) const DRY_RUNS_AT_ONCE: usize = 8;

/// What the caller knows about an object before it is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Nothing: look first.
    Nothing,
    /// It is proven that nothing of that name is there: no look.
    Absent,
    /// It was seen to be ours under this uid: no look, unless its replicas may be an autoscaler's. When another object
    /// stands there now, it is looked at after all.
    Ours {
        /// The uid.
        uid: String,
    },
}

/// One object to apply.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The manifest, without ownership marks.
    pub object: Value,
    /// What is known beforehand.
    pub known: Known,
}

impl Item {
    /// An object about which nothing is known.
    pub fn new(object: Value) -> Self {
        Self {
            object,
            known: Known::Nothing,
        }
    }
}

/// How to apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplyOptions {
    /// The release, whose marks every object gets.
    pub owner: Owner,
    /// Take objects that belong to nobody or to another release.
    pub take_ownership: bool,
    /// What to do where a field would change that cannot.
    pub on_immutable: OnImmutable,
}

impl ApplyOptions {
    fn recreates_after(&self, error: &NotDone) -> bool {
        self.on_immutable == OnImmutable::Recreate && error.is(RefusalKind::Immutable)
    }
}

/// What the API server answered to an apply.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// The object, its namespace filled in.
    pub key: ObjectKey,
    /// Its uid.
    pub uid: String,
    /// The state that the answer shows.
    pub resource_version: ResourceVersion,
    /// Did it not exist before?
    pub created: bool,
    /// The whole answer: judge it, then drop it.
    pub live: Value,
}

/// The outcome of one dry run.
#[derive(Debug)]
pub struct DryRun {
    /// The object; as far as its manifest says when its kind is not served.
    pub key: Option<ObjectKey>,
    /// What applying it would come to.
    pub outcome: Written<Foreseen>,
}

/// What applying an object would come to.
#[derive(Debug, Clone, PartialEq)]
pub enum Foreseen {
    /// The API server would take it, with this answer.
    Taken(Applied),
    /// A field would change that cannot: it would be deleted and made anew.
    Recreated {
        /// The object, its namespace filled in.
        key: ObjectKey,
        /// As it stands now.
        live: Value,
    },
}

impl Foreseen {
    /// The object.
    pub fn key(&self) -> &ObjectKey {
        match self {
            Self::Taken(applied) => &applied.key,
            Self::Recreated { key, .. } => key,
        }
    }
}

impl DryRun {
    /// Would a revert or upgrade fail here because a field cannot change?
    pub fn is_immutable(&self) -> bool {
        self.outcome
            .as_ref()
            .is_err_and(|error| error.is(RefusalKind::Immutable))
    }
}

/// How often a change of ownership is made from what stands, while controllers write to the same object.
const OWNING_TRIES: usize = 5;

impl Connection {
    /// Applies one object. Safe to repeat.
    ///
    /// # Errors
    /// As every write; refused with [`Error::NotOurs`] when the object belongs to somebody else, and with
    /// [`Error::Spared`] when it may not be deleted although it would have to be made anew.
    pub async fn apply(&self, item: &Item, options: &ApplyOptions) -> Written<Applied> {
        match self.apply_or_dry_run(item, options, false).await {
            Ok(applied) => self.outlive(item, options, applied).await,
            Err(error) if options.recreates_after(&error) => {
                self.recreate(item, options, error).await
            }
            Err(error) => Err(error),
        }
    }

    /// Asks what applying would answer, admission and validation included, and changes nothing.
    ///
    /// # Errors
    /// As [`Connection::apply`].
    pub async fn dry_run(&self, item: &Item, options: &ApplyOptions) -> Written<Foreseen> {
        match self.apply_or_dry_run(item, options, true).await {
            Ok(applied) => Ok(Foreseen::Taken(applied)),
            Err(error) if options.recreates_after(&error) => {
                self.foresee_recreation(item, options, error).await
            }
            Err(error) => Err(error),
        }
    }

    /// Dry-runs all objects, some at once; the answers come in the order of the items. An object whose CRD or
    /// namespace the same release brings cannot be dry-run before it: its outcome is a refusal that says so.
    pub async fn dry_run_all(&self, items: &[Item], options: &ApplyOptions) -> Vec<DryRun> {
        let tries: Vec<_> = items
            .iter()
            .map(|item| async move {
                let key = belay_health::ObjectRef::of(&item.object)
                    .ok()
                    .map(|reference| reference.key());
                let outcome = self.dry_run(item, options).await;
                DryRun {
                    key: outcome
                        .as_ref()
                        .map(|foreseen| foreseen.key().clone())
                        .ok()
                        .or(key),
                    outcome,
                }
            })
            .collect();
        stream::iter(tries)
            .buffered(DRY_RUNS_AT_ONCE)
            .collect()
            .await
    }

    pub(crate) async fn apply_or_dry_run(
        &self,
        item: &Item,
        options: &ApplyOptions,
        dry_run: bool,
    ) -> Written<Applied> {
        let place = self.place(&item.object, &options.owner.namespace).await?;
        let body = prepared(item.object.clone(), &place, &options.owner);
        let may_yield =
            body.pointer("/spec/replicas").is_some() || body.get("aggregationRule").is_some();
        match &item.known {
            Known::Absent => self.send(&place, body, false, dry_run).await,
            Known::Ours { uid } if !may_yield => {
                let mut expecting = body.clone();
                expecting["metadata"]["uid"] = Value::from(uid.as_str());
                match self.send(&place, expecting, true, dry_run).await {
                    Err(error) if error.is(RefusalKind::Conflict) => {
                        self.look_and_apply(&place, body, options, dry_run).await
                    }
                    // Somebody applied it client-side meanwhile: what the manifest dropped is still owned by that.
                    Ok(applied) if !dry_run && is_client_side(&applied.live) => {
                        self.look_and_apply(&place, body, options, dry_run).await
                    }
                    answer => answer,
                }
            }
            // Whose an object is need not be asked if the answer says that there is none: one request less for each
            // object of an install.
            Known::Nothing if dry_run => match self.send(&place, body.clone(), true, true).await {
                Ok(applied) if applied.created => Ok(applied),
                _ => self.look_and_apply(&place, body, options, true).await,
            },
            Known::Ours { .. } | Known::Nothing => {
                self.look_and_apply(&place, body, options, dry_run).await
            }
        }
    }

    async fn look_and_apply(
        &self,
        place: &Place,
        mut body: Value,
        options: &ApplyOptions,
        dry_run: bool,
    ) -> Written<Applied> {
        let Some(live) = self.get_at(place).await? else {
            return self.send(place, body, false, dry_run).await;
        };
        check_owner(place, &live, options)?;
        if !dry_run && migration(&live).is_some() {
            self.own(place, live.clone(), migration).await?;
        }
        yield_to_owners(&mut body, &live);
        let (uid, _) = identified(&live, &place.key)?;
        body["metadata"]["uid"] = Value::from(uid);
        self.send(place, body, true, dry_run).await
    }

    /// Rewrites which fields of an object are ours; `false` when there was nothing to rewrite.
    ///
    /// The patch names the state that it was made from. A controller that writes its status meanwhile makes it
    /// conflict, and it is made anew from what stands then.
    async fn own(
        &self,
        place: &Place,
        mut live: Value,
        rewrite: fn(&Value) -> Option<Value>,
    ) -> Written<bool> {
        let ours = uid(&live).map(str::to_owned);
        let mut tries = OWNING_TRIES;
        loop {
            let Some(patch) = rewrite(&live) else {
                return Ok(false);
            };
            tries -= 1;
            match self.patch_fields(place, &patch).await {
                Err(error) if tries > 0 && error.is(RefusalKind::Conflict) => {}
                answer => return answer.map(|()| true),
            }
            match self.get_at(place).await? {
                Some(now) if uid(&now) == ours.as_deref() => live = now,
                // Something else stands there now: the apply, which names the uid, finds that out.
                _ => return Ok(false),
            }
        }
    }

    async fn patch_fields(&self, place: &Place, patch: &Value) -> Written<()> {
        Call::patch(place.path())
            .query("fieldManager", MANAGER)
            .typed_json(JSON_PATCH, patch)?
            .write::<Value>(self)
            .await?;
        Ok(())
    }

    pub(crate) async fn send(
        &self,
        place: &Place,
        mut body: Value,
        existed: bool,
        dry_run: bool,
    ) -> Written<Applied> {
        let call = |body: &Value| {
            Call::patch(place.path())
                .query("fieldManager", MANAGER)
                .query("force", "true")
                .query("fieldValidation", "Strict")
                .query_if(dry_run, "dryRun", "All")
                .typed_json(APPLY, body)
        };
        let mut answer = call(&body)?.write(self).await;
        if answer
            .as_ref()
            .is_err_and(|error| strategy::is_refused(error, &body))
        {
            let mended = if dry_run {
                body = strategy::without_strategy(body);
                true
            } else if let Some(live) = self.get_at(place).await? {
                self.own(place, live, strategy::owning_defaults).await?
            } else {
                false
            };
            if mended {
                answer = call(&body)?.write(self).await;
            }
        }
        if answer
            .as_ref()
            .is_err_and(|error| error.is(RefusalKind::NotServed))
        {
            // What was known of the kind is out of date; the next try must not rely on it.
            self.rediscover().await?;
        }
        let (status, live): (StatusCode, Value) = answer?;
        let (uid, resource_version) = identified(&live, &place.key)?;
        let created = status == StatusCode::CREATED || (dry_run && !existed);
        Ok(Applied {
            key: place.key.clone(),
            uid,
            resource_version,
            created,
            live,
        })
    }
}

fn check_owner(place: &Place, live: &Value, options: &ApplyOptions) -> Result<(), Error> {
    let owner = match ownership(live, &options.owner) {
        Ownership::Ours => return Ok(()),
        Ownership::Unowned => None,
        Ownership::Foreign(owner) => Some(owner),
    };
    if options.take_ownership {
        tracing::info!(object = %place.key, from = ?owner, "taking ownership");
        return Ok(());
    }
    Err(Error::NotOurs {
        object: place.key.to_string(),
        owner,
    })
}

/// Takes out of a manifest what a controller has taken over: replicas that are scaled, rules that are aggregated.
pub(crate) fn yield_to_owners(body: &mut Value, live: &Value) {
    if replicas_are_scaled(live)
        && let Some(spec) = body.get_mut("spec").and_then(Value::as_object_mut)
    {
        spec.remove("replicas");
    }
    if rules_are_aggregated(live)
        && let Some(role) = body.as_object_mut()
    {
        role.remove("rules");
    }
}

/// The manifest as it is sent: marked, in its namespace, and without what an apply may not carry.
pub(crate) fn prepared(mut object: Value, place: &Place, owner: &Owner) -> Value {
    stamp(&mut object, owner);
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        match &place.key.namespace {
            Some(namespace) => metadata.insert("namespace".into(), Value::from(namespace.as_str())),
            None => metadata.remove("namespace"),
        };
        for unwanted in [
            "managedFields",
            "resourceVersion",
            "uid",
            "creationTimestamp",
            "generation",
            "selfLink",
        ] {
            metadata.remove(unwanted);
        }
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::{Resolved, Scope};
    use serde_json::json;

    #[test]
    fn what_is_sent_is_marked_placed_and_free_of_server_side_fields() {
        let place = Place {
            resolved: Resolved {
                group: String::new(),
                version: "v1".into(),
                kind: "ConfigMap".into(),
                plural: "configmaps".into(),
                scope: Scope::Namespaced,
                watchable: true,
                listable: true,
            },
            key: ObjectKey {
                group: String::new(),
                kind: "ConfigMap".into(),
                namespace: Some("prod".into()),
                name: "a".into(),
            },
        };
        let owner = Owner {
            release: "shop".into(),
            namespace: "prod".into(),
        };
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "a", "uid": "x", "creationTimestamp": null, "managedFields": []}});
        let sent = prepared(object, &place, &owner);
        let metadata = sent["metadata"].as_object().unwrap();
        let keys: Vec<&str> = metadata.keys().map(String::as_str).collect();
        assert_eq!(keys, ["annotations", "labels", "name", "namespace"]);
        assert_eq!(metadata["namespace"], "prod");
    }
}
