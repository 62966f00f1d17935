//! One Secret per release in which everything is written down that must survive: every change is a compare-and-swap.
//! What stands in it is the caller's.

use std::io::{Read, Write};
use std::marker::PhantomData;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::client::Connection;
use crate::error::{Error, RefusalKind, Written};
use crate::object::{ResourceVersion, identified};
use crate::wire::{Call, METADATA_LIST};

/// The type of a ledger's Secret.
pub const LEDGER_TYPE: &str = "belay.dev/ledger";
/// The label that names the release.
pub const LEDGER_RELEASE: &str = "belay.dev/release";
/// The label that marks a ledger.
pub const LEDGER_LABEL: &str = "belay.dev/ledger";
/// The field manager of ledgers.
pub const LEDGER_MANAGER: &str = "belay";
/// The most bytes that the packed ledger may take: a Secret's limit less what its other fields may need.
pub const LEDGER_LIMIT: usize = (1 << 20) - (8 << 10);

const DATA: &str = "ledger";
/// What an unpacked ledger may take in memory; a larger one was not written by us.
const UNPACKED_LIMIT: u64 = 64 << 20;

/// The ledger of one release.
#[derive(Debug, Clone)]
pub struct Ledger<T> {
    connection: Connection,
    namespace: String,
    release: String,
    holds: PhantomData<fn() -> T>,
}

/// A ledger as it was read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<T> {
    /// What stands in it.
    pub value: T,
    /// The state that a replacement must start from.
    pub resource_version: ResourceVersion,
    /// The Secret's uid.
    pub uid: String,
}

/// The outcome of a compare-and-swap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Swap {
    /// Written; the next swap starts from here.
    Done(Stamp),
    /// It is not in the state that the swap started from: read it again.
    Conflict,
}

/// Where a written ledger stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// The state that the next replacement must start from.
    pub resource_version: ResourceVersion,
    /// The Secret's uid.
    pub uid: String,
}

/// The name of a release's ledger Secret.
pub fn ledger_name(release: &str) -> String {
    format!("belay.v1.{release}")
}

impl<T: Serialize + DeserializeOwned> Ledger<T> {
    /// The ledger of `release` in its storage namespace. Nothing is read or written yet.
    pub fn new(connection: Connection, namespace: &str, release: &str) -> Self {
        Self {
            connection,
            namespace: namespace.to_owned(),
            release: release.to_owned(),
            holds: PhantomData,
        }
    }

    /// Reads it, uncached; `None` when there is none.
    ///
    /// # Errors
    /// Read errors; [`Error::Malformed`], [`Error::Compression`] or [`Error::Decode`] when it was damaged.
    pub async fn read(&self) -> Result<Option<Entry<T>>, Error> {
        let Some(secret) = Call::get(self.path())
            .read_opt::<Value>(&self.connection)
            .await?
        else {
            return Ok(None);
        };
        let what = self.what();
        let text = secret
            .pointer("/data/ledger")
            .and_then(Value::as_str)
            .ok_or_else(|| Error::Malformed {
                what: what.clone(),
                why: "has no `ledger` in its data: restore it from a backup or delete it".into(),
            })?;
        let value = unpack(text, &what)?;
        let (uid, resource_version) = identified(&secret, &what)?;
        Ok(Some(Entry {
            value,
            resource_version,
            uid,
        }))
    }

    /// Writes the first one. [`Swap::Conflict`]: there is one already.
    ///
    /// # Errors
    /// As every write; refused with [`Error::TooLarge`] before anything is sent.
    pub async fn create(&self, value: &T) -> Written<Swap> {
        let call = Call::post(self.collection())
            .query("fieldManager", LEDGER_MANAGER)
            .json(&self.secret(value, None)?)?;
        self.swap(call.write(&self.connection).await)
    }

    /// Replaces the state that was read. [`Swap::Conflict`]: it changed since, or is gone.
    ///
    /// # Errors
    /// As [`Ledger::create`].
    pub async fn replace(&self, value: &T, from: &Stamp) -> Written<Swap> {
        let call = Call::put(self.path())
            .query("fieldManager", LEDGER_MANAGER)
            .json(&self.secret(value, Some(from))?)?;
        self.swap(call.write(&self.connection).await)
    }

    /// Deletes it. `false`: there was none.
    ///
    /// # Errors
    /// As every write.
    pub async fn delete(&self) -> Written<bool> {
        match Call::delete(self.path())
            .write::<Value>(&self.connection)
            .await
        {
            Ok(_) => Ok(true),
            Err(error) if error.is(RefusalKind::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// How many bytes the ledger takes when packed, and whether that fits.
    ///
    /// # Errors
    /// [`Error::TooLarge`]; [`Error::Encode`].
    pub fn size(&self, value: &T) -> Result<usize, Error> {
        Ok(pack(value, &self.what())?.len())
    }

    fn swap(&self, answer: Written<(http::StatusCode, Value)>) -> Written<Swap> {
        match answer {
            Ok((_, secret)) => {
                let (uid, resource_version) = identified(&secret, &self.what())?;
                Ok(Swap::Done(Stamp {
                    resource_version,
                    uid,
                }))
            }
            Err(error)
                if [
                    RefusalKind::AlreadyExists,
                    RefusalKind::Conflict,
                    RefusalKind::NotFound,
                ]
                .into_iter()
                .any(|kind| error.is(kind)) =>
            {
                Ok(Swap::Conflict)
            }
            Err(error) => Err(error),
        }
    }

    fn secret(&self, value: &T, from: Option<&Stamp>) -> Result<Value, Error> {
        let packed = pack(value, &self.what())?;
        let mut secret = json!({
            "apiVersion": "v1", "kind": "Secret", "type": LEDGER_TYPE,
            "metadata": {
                "name": ledger_name(&self.release), "namespace": self.namespace,
                "labels": {LEDGER_LABEL: "v1", LEDGER_RELEASE: self.release},
            },
            "data": {DATA: STANDARD.encode(packed)},
        });
        if let Some(from) = from {
            secret["metadata"]["resourceVersion"] = Value::from(from.resource_version.to_string());
            secret["metadata"]["uid"] = Value::from(from.uid.as_str());
        }
        Ok(secret)
    }

    fn what(&self) -> String {
        format!(
            "the ledger {}/{}",
            self.namespace,
            ledger_name(&self.release)
        )
    }

    fn collection(&self) -> String {
        format!("/api/v1/namespaces/{}/secrets", self.namespace)
    }

    fn path(&self) -> String {
        format!("{}/{}", self.collection(), ledger_name(&self.release))
    }
}

impl<T> Entry<T> {
    /// What a replacement starts from.
    pub fn stamp(&self) -> Stamp {
        Stamp {
            resource_version: self.resource_version,
            uid: self.uid.clone(),
        }
    }
}

/// Where a ledger was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// The storage namespace.
    pub namespace: String,
    /// The release.
    pub release: String,
}

impl Connection {
    /// The releases that have a ledger, in one namespace or everywhere. Metadata only.
    ///
    /// # Errors
    /// Read errors.
    pub async fn ledgers(&self, namespace: Option<&str>) -> Result<Vec<Found>, Error> {
        let path = namespace.map_or_else(
            || "/api/v1/secrets".to_owned(),
            |ns| format!("/api/v1/namespaces/{ns}/secrets"),
        );
        let list: Value = Call::get(path)
            .accept(METADATA_LIST)
            .query("labelSelector", LEDGER_LABEL)
            .read(self)
            .await?;
        let items = list
            .get("items")
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let text = |item: &Value, path: &str| {
            item.pointer(path)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let mut found: Vec<Found> = items
            .iter()
            .filter_map(|item| {
                let name = text(item, "/metadata/name")?;
                let release = name.strip_prefix("belay.v1.")?.to_owned();
                Some(Found {
                    namespace: text(item, "/metadata/namespace")?,
                    release,
                })
            })
            .collect();
        found.sort();
        Ok(found)
    }
}

fn pack<T: Serialize>(value: &T, what: &str) -> Result<Vec<u8>, Error> {
    let text = serde_json::to_vec(value).map_err(|source| Error::Encode {
        what: what.to_owned(),
        source,
    })?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let packed = encoder
        .write_all(&text)
        .and_then(|()| encoder.finish())
        .map_err(|source| Error::Compression {
            what: what.to_owned(),
            source,
        })?;
    if packed.len() > LEDGER_LIMIT {
        return Err(Error::TooLarge {
            what: what.to_owned(),
            bytes: packed.len(),
            limit: LEDGER_LIMIT,
        });
    }
    Ok(packed)
}

fn unpack<T: DeserializeOwned>(text: &str, what: &str) -> Result<T, Error> {
    let packed = STANDARD.decode(text).map_err(|error| Error::Malformed {
        what: what.to_owned(),
        why: format!("is not base64: {error}"),
    })?;
    let mut plain = Vec::new();
    GzDecoder::new(packed.as_slice())
        .take(UNPACKED_LIMIT)
        .read_to_end(&mut plain)
        .map_err(|source| Error::Compression {
            what: what.to_owned(),
            source,
        })?;
    serde_json::from_slice(&plain).map_err(|source| Error::Decode {
        what: what.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back() {
        let packed = pack(&json!({"proven": ["a", "b"]}), "ledger").unwrap();
        let back: Value = unpack(&STANDARD.encode(packed), "ledger").unwrap();
        assert_eq!(back, json!({"proven": ["a", "b"]}));
    }

    #[test]
    fn a_ledger_that_does_not_fit_is_refused_before_it_is_sent() {
        let noise: Vec<u64> = (0..400_000_u64)
            .map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23))
            .collect();
        let error = pack(&noise, "the ledger prod/belay.v1.shop").unwrap_err();
        assert!(
            matches!(
                error,
                Error::TooLarge {
                    limit: LEDGER_LIMIT,
                    ..
                }
            ),
            "{error}"
        );
    }

    #[test]
    fn a_damaged_ledger_says_so() {
        let error = unpack::<Value>("bm90IGd6aXA=", "the ledger").unwrap_err();
        assert_eq!(error.category(), "compression");
    }
}
