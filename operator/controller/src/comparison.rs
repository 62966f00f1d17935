//! What rolling out a spec would change in the cluster: found out with the rights of whoever asks, by dry runs alone.

mod masking;

use std::collections::BTreeSet;
use std::sync::Arc;

use belay_api::HelmRelease;
use belay_api::helm_release::AttemptKind;
use belay_chart::{Chart, Release};
use belay_cluster::identity::{Owner, Ownership, is_kept, ownership};
use belay_cluster::ledger::Ledger as LedgerStore;
use belay_cluster::storage::Storage;
use belay_cluster::{
    ApplyOptions, Connection, Error as ClusterError, Foreseen, Item, NotDone, RefusalKind, Say,
};
use belay_health::{ObjectKey, ObjectRef, clip};
use belay_release::{Manifest, Status, install_order};
use belay_rollout::Ledger;
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use crate::act::objects;
use crate::act::surroundings::{Surroundings, undone};
use crate::asked::asked;
use crate::clusters;
use crate::error::Error;
use crate::render::Renders;

/// How many objects are looked at at once.
const AT_ONCE: usize = 8;
/// The most bytes of a refusal's words.
const WORDS: usize = 1000;

/// What rolling out a spec would change.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The chart's name and version.
    pub chart: String,
    /// The revision that would be made.
    pub revision: u32,
    /// The objects that would change, in the order in which they would be applied, then those that would go.
    pub differences: Vec<Difference>,
    /// How many objects would stay as they are.
    pub unchanged: usize,
}

/// An object that would change.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Kind, namespace and name.
    pub object: String,
    /// What would become of it.
    pub change: Change,
}

/// What would become of an object. What the API server keeps about it (uid, managed fields, status and the like) is left
/// out, and values of Secrets are masked: a value that would change says so.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// It would be created.
    Added {
        /// As it would be then; as far as its manifest says, if what it needs comes with the same chart.
        after: Value,
    },
    /// It would be changed.
    Changed {
        /// As it is.
        before: Value,
        /// As it would be.
        after: Value,
    },
    /// It would be deleted and made anew, since a field of it cannot change.
    Recreated {
        /// As it is, of it what the new manifest speaks of: what the API server filled in is not in a manifest.
        before: Value,
        /// As its manifest says.
        after: Value,
    },
    /// It would be removed.
    Removed {
        /// As it is.
        before: Value,
    },
    /// The API server would refuse it, and the attempt would not begin.
    Refused {
        /// Why.
        message: String,
    },
}

/// Why nothing can be compared.
#[derive(Debug, thiserror::Error)]
pub enum CannotCompare {
    /// The spec comes to nothing: its chart, its values or what they render to.
    #[error("{0}")]
    Spec(String),
    /// The cluster could not be asked.
    #[error(
        "{0}; what is compared is read with your own rights, Helm's records and Belay's ledger among it"
    )]
    Cluster(#[from] Error),
}

/// Compares what a `HelmRelease` asks for with what the cluster holds. Nothing is written. `chart` is used in place of
/// what the spec names, if it is given.
///
/// # Errors
/// See [`CannotCompare`].
pub async fn compare(
    connection: &Connection,
    release: &HelmRelease,
    chart: Option<Arc<Chart>>,
) -> Result<Comparison, CannotCompare> {
    let ready = asked(connection, release, chart).await?;
    // Chart and values are read where the HelmRelease is, all else where its objects are.
    let connection = &clusters::way_to(release, connection).await?;
    let namespace = release.target_namespace().to_owned();
    let base = Base::read(connection, release).await?;
    let asked = Release {
        name: release.release_name().to_owned(),
        namespace: namespace.clone(),
        revision: i64::from(base.newest + 1),
        is_upgrade: base.kind == AttemptKind::Upgrade,
    };
    let rendering = Renders::new()
        .render(connection, &ready, asked)
        .await?
        .map_err(|rejection| CannotCompare::Spec(rejection.message))?;
    let mut wanted = rendering.rendered.manifest.objects().map_err(Error::from)?;
    wanted.sort_by(|a, b| install_order(kind(a), kind(b)));
    let options = ApplyOptions {
        owner: Owner {
            release: release.release_name().to_owned(),
            namespace: namespace.clone(),
        },
        take_ownership: match base.kind {
            AttemptKind::Install => release.spec.install.take_ownership,
            _ => release.spec.upgrade.take_ownership,
        },
        on_immutable: objects::on_immutable(&release.spec, base.kind),
    };
    let references = objects::references(connection, &wanted, &options.owner.namespace).await?;
    let stays: BTreeSet<_> = references.iter().map(ObjectRef::key).collect();
    let goes = base.objects.difference(&stays).cloned().collect();
    let surroundings = Surroundings {
        brings: Say::of(&wanted).with_definitions(!rendering.crds.is_empty()),
        undone: undone(connection, &options.owner, goes).await?,
    };
    let one = One {
        connection,
        options: &options,
        kind: base.kind,
        surroundings: &surroundings,
    };
    let found: Vec<_> = stream::iter(wanted.into_iter().map(|object| one.foresee(object)))
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let kept: BTreeSet<_> = found.iter().map(|(key, _)| key.clone()).collect();
    let mut comparison = Comparison {
        chart: ready.id.full_name(),
        revision: base.newest + 1,
        differences: Vec::new(),
        unchanged: 0,
    };
    for (key, change) in found {
        comparison.note(&key, change);
    }
    for key in base.objects.difference(&kept) {
        let live = connection.get(key).await.map_err(Error::from)?;
        let Some(live) = live else { continue };
        if ownership(&live, &options.owner) == Ownership::Ours && !is_kept(&live) {
            let before = shown(live);
            comparison.note(key, Some(Change::Removed { before }));
        }
    }
    Ok(comparison)
}

impl Comparison {
    fn note(&mut self, key: &ObjectKey, change: Option<Change>) {
        match change {
            Some(change) => self.differences.push(Difference {
                object: key.to_string(),
                change: change.masked(),
            }),
            None => self.unchanged += 1,
        }
    }
}

/// What is there before.
struct Base {
    kind: AttemptKind,
    newest: u32,
    /// What Belay, or else Helm, has applied.
    objects: BTreeSet<ObjectKey>,
}

impl Base {
    async fn read(connection: &Connection, release: &HelmRelease) -> Result<Self, Error> {
        let storage = Storage::new(connection.clone(), release.storage_namespace());
        let mut records = storage.list(release.release_name()).await?;
        records.sort_by_key(|record| std::cmp::Reverse(record.key.revision));
        let status = |record: &belay_cluster::Summary| -> Option<Status> {
            record.status.as_deref()?.parse().ok()
        };
        let deployed = records
            .iter()
            .find(|record| status(record) == Some(Status::Deployed));
        let was_deployed = records
            .iter()
            .any(|record| matches!(status(record), Some(Status::Deployed | Status::Superseded)));
        let store = LedgerStore::<Ledger>::new(
            connection.clone(),
            release.storage_namespace(),
            release.release_name(),
        );
        let objects = match store.read().await? {
            Some(entry) if entry.value.newest > 0 => {
                let inventory = entry.value.inventory.iter();
                inventory.map(|tracked| tracked.object.key()).collect()
            }
            _ => match deployed {
                Some(record) => {
                    let record = storage.get(&record.key).await?.map(|stored| stored.record);
                    of_record(connection, record.as_ref()).await?
                }
                None => BTreeSet::new(),
            },
        };
        Ok(Self {
            kind: if was_deployed {
                AttemptKind::Upgrade
            } else {
                AttemptKind::Install
            },
            newest: records.first().map_or(0, |record| record.key.revision),
            objects,
        })
    }
}

async fn of_record(
    connection: &Connection,
    record: Option<&belay_release::Record>,
) -> Result<BTreeSet<ObjectKey>, Error> {
    let Some(record) = record else {
        return Ok(BTreeSet::new());
    };
    let objects = Manifest::parse(&record.manifest)?.objects()?;
    let references = objects::references(connection, &objects, &record.namespace).await?;
    Ok(references.iter().map(ObjectRef::key).collect())
}

/// How one object is looked at.
#[derive(Clone, Copy)]
struct One<'c> {
    connection: &'c Connection,
    options: &'c ApplyOptions,
    kind: AttemptKind,
    surroundings: &'c Surroundings,
}

impl One<'_> {
    /// The object, and what would become of it; nothing if it would stay as it is.
    async fn foresee(self, object: Value) -> Result<(ObjectKey, Option<Change>), Error> {
        let namespace = &self.options.owner.namespace;
        let key = objects::reference(self.connection, &object, namespace)
            .await?
            .key();
        let item = Item::new(object);
        let change = match self.connection.dry_run(&item, self.options).await {
            Ok(Foreseen::Taken(applied)) if applied.created => Some(Change::Added {
                after: shown(applied.live),
            }),
            Ok(Foreseen::Taken(applied)) => {
                let live = self.connection.get(&key).await?;
                let before = shown(live.unwrap_or_default());
                let after = shown(applied.live);
                (before != after).then_some(Change::Changed { before, after })
            }
            Ok(Foreseen::Recreated { live, .. }) => {
                let after = shown(item.object);
                let before = of_it(shown(live), &after);
                Some(Change::Recreated { before, after })
            }
            Err(error)
                if self.surroundings.passes(&error, &item.object)
                    || error.is(RefusalKind::DryRunUnsupported) =>
            {
                self.untried(&key, item.object).await?
            }
            Err(error @ NotDone::Refused(_)) => Some(Change::Refused {
                message: clip(&objects::with_remedy(&error, self.kind), WORDS),
            }),
            Err(error) => return Err(error.into()),
        };
        Ok((key, change))
    }

    /// What would become of an object that cannot be tried: as far as its manifest speaks of what is there.
    async fn untried(self, key: &ObjectKey, object: Value) -> Result<Option<Change>, Error> {
        let live = match self.connection.get(key).await {
            Err(ClusterError::UnknownKind { .. }) => None,
            Err(error) if error.is_api_unavailable() => None,
            live => live?,
        };
        let after = shown(object);
        let Some(live) = live else {
            return Ok(Some(Change::Added { after }));
        };
        let before = of_it(shown(live), &after);
        Ok((before != after).then_some(Change::Changed { before, after }))
    }
}

/// The object without what the API server keeps about it.
fn shown(mut object: Value) -> Value {
    if let Some(object) = object.as_object_mut() {
        object.remove("status");
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for kept in [
            "creationTimestamp",
            "generation",
            "managedFields",
            "resourceVersion",
            "selfLink",
            "uid",
        ] {
            metadata.remove(kept);
        }
    }
    object
}

/// Of an object what another speaks of, too.
fn of_it(object: Value, other: &Value) -> Value {
    match (object, other) {
        (Value::Object(object), Value::Object(other)) => object
            .into_iter()
            .filter_map(|(key, value)| {
                let value = of_it(value, other.get(&key)?);
                Some((key, value))
            })
            .collect(),
        (Value::Array(list), Value::Array(other)) => list
            .into_iter()
            .enumerate()
            .map(|(index, value)| match other.get(index) {
                Some(other) => of_it(value, other),
                None => value,
            })
            .collect(),
        (object, _) => object,
    }
}

fn kind(object: &Value) -> &str {
    object
        .get("kind")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_the_api_server_keeps_is_not_shown() {
        let live = json!({"kind": "Service", "metadata": {"name": "a", "uid": "u", "resourceVersion": "1",
            "generation": 2, "managedFields": [], "creationTimestamp": "x"}, "status": {}});
        assert_eq!(
            shown(live),
            json!({"kind": "Service", "metadata": {"name": "a"}})
        );
    }
}
