//! Helm's release Secrets, as Helm keeps them: manager `Helm`, found by labels, one per revision.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use belay_release::{
    Moment, OWNER, Record, SECRET_DATA_KEY, SECRET_TYPE, Status, StorageKey, labels, user_labels,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::client::Connection;
use crate::error::{Error, RefusalKind, Written};
use crate::identity::RECORD_MANAGER;
use crate::object::{ResourceVersion, identified};
use crate::wire::{Call, METADATA, METADATA_LIST};

/// The release Secrets of one storage namespace.
#[derive(Debug, Clone)]
pub struct Storage {
    connection: Connection,
    namespace: String,
}

/// What a release Secret's metadata tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The release and its revision.
    pub key: StorageKey,
    /// The label `status`, as written; a hint only, as the record decides.
    pub status: Option<String>,
    /// Where the Secret stands.
    pub stamp: RecordStamp,
}

/// Where a release Secret stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordStamp {
    /// The Secret's uid.
    pub uid: String,
    /// The state that an update must start from.
    pub resource_version: ResourceVersion,
    /// When the API server created it, on the API server's clock.
    pub created: Option<Timestamp>,
}

/// A record and where its Secret stands.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The record, its user labels filled in.
    pub record: Record,
    /// Where its Secret stands.
    pub stamp: RecordStamp,
}

/// The outcome of creating a record: the creation of a pending one is the lock of its release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Creation {
    /// It is ours.
    Created(RecordStamp),
    /// A record of this revision is there already: somebody else's, or ours from before an answer was lost.
    AlreadyExists,
}

/// The outcome of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Update {
    /// Written.
    Done(RecordStamp),
    /// It changed since it was read, or is gone.
    Conflict,
}

impl Storage {
    /// The release Secrets of `namespace`. Nothing is read yet.
    pub fn new(connection: Connection, namespace: &str) -> Self {
        Self {
            connection,
            namespace: namespace.to_owned(),
        }
    }

    /// The revisions of a release, oldest first, uncached; metadata only.
    ///
    /// # Errors
    /// Read errors.
    pub async fn list(&self, release: &str) -> Result<Vec<Summary>, Error> {
        self.list_labelled(&format!("owner={OWNER},name={release}"))
            .await
    }

    /// All revisions of all releases of the namespace, by release and revision; metadata only.
    ///
    /// # Errors
    /// Read errors.
    pub async fn list_all(&self) -> Result<Vec<Summary>, Error> {
        self.list_labelled(&format!("owner={OWNER}")).await
    }

    async fn list_labelled(&self, selector: &str) -> Result<Vec<Summary>, Error> {
        let list: Value = Call::get(self.collection())
            .accept(METADATA_LIST)
            .query("labelSelector", selector)
            .read(&self.connection)
            .await?;
        let items = list
            .get("items")
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let mut found = Vec::with_capacity(items.len());
        for item in items {
            let name = item
                .pointer("/metadata/name")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let Some(key) = StorageKey::parse(name) else {
                continue;
            };
            let status = item
                .pointer("/metadata/labels/status")
                .and_then(Value::as_str)
                .map(str::to_owned);
            found.push(Summary {
                stamp: stamp(item, &key)?,
                key,
                status,
            });
        }
        found.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(found)
    }

    /// One record, uncached; `None` when it is not there.
    ///
    /// # Errors
    /// Read errors; [`Error::Record`] when it was damaged.
    pub async fn get(&self, key: &StorageKey) -> Result<Option<Stored>, Error> {
        let Some(secret) = Call::get(self.path(key))
            .read_opt::<Value>(&self.connection)
            .await?
        else {
            return Ok(None);
        };
        let damaged = |why: String| Error::Malformed {
            what: format!("Secret {}/{key}", self.namespace),
            why,
        };
        let text = secret
            .pointer("/data/release")
            .and_then(Value::as_str)
            .ok_or_else(|| damaged("has no `release` in its data: restore or delete it".into()))?;
        let bytes = STANDARD
            .decode(text)
            .map_err(|error| damaged(format!("is not base64: {error}")))?;
        let mut record = belay_release::decode(&bytes).map_err(|source| Error::Record {
            what: format!("Secret {}/{key}", self.namespace),
            source,
        })?;
        let all: BTreeMap<String, String> = secret
            .pointer("/metadata/labels")
            .and_then(Value::as_object)
            .map(|labels| {
                labels
                    .iter()
                    .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
                    .collect()
            })
            .unwrap_or_default();
        record.labels = user_labels(&all);
        Ok(Some(Stored {
            record,
            stamp: stamp(&secret, key)?,
        }))
    }

    /// Creates a record's Secret.
    ///
    /// # Errors
    /// As every write; refused with [`Error::Record`] before anything is sent when it does not fit.
    pub async fn create(&self, record: &Record) -> Written<Creation> {
        let key = StorageKey::new(&record.name, record.version);
        let secret = self.secret(
            &key,
            record,
            Moment::CreatedAt(Timestamp::now().as_second()),
        )?;
        let call = Call::post(self.collection())
            .accept(METADATA)
            .query("fieldManager", RECORD_MANAGER)
            .json(&secret)?;
        match call.write::<Value>(&self.connection).await {
            Ok((_, secret)) => Ok(Creation::Created(stamp(&secret, &key)?)),
            Err(error) if error.is(RefusalKind::AlreadyExists) => Ok(Creation::AlreadyExists),
            Err(error) => Err(error),
        }
    }

    /// Replaces a record in the state that was read.
    ///
    /// # Errors
    /// As [`Storage::create`].
    pub async fn update(&self, record: &Record, from: &RecordStamp) -> Written<Update> {
        let key = StorageKey::new(&record.name, record.version);
        let mut secret = self.secret(
            &key,
            record,
            Moment::ModifiedAt(Timestamp::now().as_second()),
        )?;
        secret["metadata"]["resourceVersion"] = Value::from(from.resource_version.to_string());
        secret["metadata"]["uid"] = Value::from(from.uid.as_str());
        let call = Call::put(self.path(&key))
            .accept(METADATA)
            .query("fieldManager", RECORD_MANAGER)
            .json(&secret)?;
        match call.write::<Value>(&self.connection).await {
            Ok((_, secret)) => Ok(Update::Done(stamp(&secret, &key)?)),
            Err(error) if error.is(RefusalKind::Conflict) || error.is(RefusalKind::NotFound) => {
                Ok(Update::Conflict)
            }
            Err(error) => Err(error),
        }
    }

    /// Gives a Secret another status by its label alone: for one whose record cannot be read. `false`: it is gone.
    ///
    /// # Errors
    /// As every write.
    pub async fn relabel(&self, key: &StorageKey, status: Status) -> Written<bool> {
        let labels = json!({"metadata": {"labels": {"status": status.as_str()}}});
        let call = Call::patch(self.path(key))
            .accept(METADATA)
            .query("fieldManager", RECORD_MANAGER)
            .typed_json("application/merge-patch+json", &labels)?;
        match call.write::<Value>(&self.connection).await {
            Ok(_) => Ok(true),
            Err(error) if error.is(RefusalKind::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Deletes a record. `false`: it was not there.
    ///
    /// # Errors
    /// As every write.
    pub async fn delete(&self, key: &StorageKey) -> Written<bool> {
        match Call::delete(self.path(key))
            .write::<Value>(&self.connection)
            .await
        {
            Ok(_) => Ok(true),
            Err(error) if error.is(RefusalKind::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn secret(&self, key: &StorageKey, record: &Record, moment: Moment) -> Result<Value, Error> {
        let encoded = encoded(record)?;
        Ok(json!({
            "apiVersion": "v1", "kind": "Secret", "type": SECRET_TYPE,
            "metadata": {"name": key.to_string(), "namespace": self.namespace, "labels": labels(record, moment)},
            "data": {SECRET_DATA_KEY: STANDARD.encode(encoded)},
        }))
    }

    fn collection(&self) -> String {
        format!("/api/v1/namespaces/{}/secrets", self.namespace)
    }

    fn path(&self, key: &StorageKey) -> String {
        format!("{}/{key}", self.collection())
    }
}

fn encoded(record: &Record) -> Result<Vec<u8>, Error> {
    belay_release::encode(record).map_err(|source| Error::Record {
        what: StorageKey::new(&record.name, record.version).to_string(),
        source,
    })
}

fn stamp(secret: &Value, key: &StorageKey) -> Result<RecordStamp, Error> {
    let (uid, resource_version) = identified(secret, key)?;
    let created = secret
        .pointer("/metadata/creationTimestamp")
        .and_then(Value::as_str)
        .and_then(|text| text.parse::<Timestamp>().ok());
    Ok(RecordStamp {
        uid,
        resource_version,
        created,
    })
}
