//! Definitions of custom resources: those of a chart's `crds/` folder, and waiting until any of them is served.

use std::time::Duration;

use belay_health::{ObjectKey, ObjectRef, Verdict, verdict};
use serde_json::Value;
use tokio::time::Instant;

use crate::client::Connection;
use crate::error::{Error, NotDone, Refusal, RefusalKind, Written};
use crate::identity::MANAGER;
use crate::object::{Place, uid};
use crate::watch::named::Sight;
use crate::wire::Call;

/// Between two looks whether established kinds are listed yet.
const LISTING_PAUSE: Duration = Duration::from_millis(100);

/// What to do with a chart's `crds/` (Flux's names; Helm does `Create`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum CrdPolicy {
    /// Leave them alone.
    Skip,
    /// Create what is not there.
    #[default]
    Create,
    /// Create what is not there and bring the others to the chart's state.
    CreateReplace,
}

/// What became of one definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CrdOutcome {
    /// It was not there.
    Created,
    /// It was there and was applied over.
    Replaced,
    /// It was there and was left as it is.
    Skipped,
}

impl Connection {
    /// Brings a chart's `crds/` in, without ownership marks as Helm does, waits until all that was written is served,
    /// and asks the cluster for its kinds again.
    ///
    /// # Errors
    /// As every write; refused with [`Error::Deadline`] when they are not served in time.
    pub async fn ensure_crds(
        &self,
        definitions: &[Value],
        policy: CrdPolicy,
        within: Duration,
    ) -> Written<Vec<(ObjectKey, CrdOutcome)>> {
        if policy == CrdPolicy::Skip {
            return Ok(Vec::new());
        }
        let mut outcomes = Vec::with_capacity(definitions.len());
        for definition in definitions {
            let place = self.place(definition, "").await?;
            let live = self.get_at(&place).await?;
            let outcome = match (&live, policy) {
                (Some(_), CrdPolicy::Create | CrdPolicy::Skip) => CrdOutcome::Skipped,
                (Some(_), CrdPolicy::CreateReplace) => CrdOutcome::Replaced,
                (None, _) => CrdOutcome::Created,
            };
            if outcome != CrdOutcome::Skipped {
                self.put_definition(&place, definition, live.as_ref(), false)
                    .await?;
            }
            outcomes.push((place.key, outcome));
        }
        let written: Vec<ObjectKey> = outcomes
            .iter()
            .filter(|(_, outcome)| *outcome != CrdOutcome::Skipped)
            .map(|(key, _)| key.clone())
            .collect();
        self.wait_served(&written, within)
            .await
            .map_err(|(_, error)| error)?;
        Ok(outcomes)
    }

    /// Asks whether the API server would take what [`Connection::ensure_crds`] writes. It refuses, among other things, to
    /// give up a version in which objects may still be stored (`status.storedVersions`).
    ///
    /// # Errors
    /// As every write, with the definition's name as far as it has one.
    pub async fn try_crds(
        &self,
        definitions: &[Value],
        policy: CrdPolicy,
    ) -> Result<(), (String, NotDone)> {
        if policy == CrdPolicy::Skip {
            return Ok(());
        }
        for definition in definitions {
            if let Err(error) = self.try_definition(definition, policy).await {
                let name = definition.pointer("/metadata/name").and_then(Value::as_str);
                return Err((name.unwrap_or_default().to_owned(), error));
            }
        }
        Ok(())
    }

    async fn try_definition(&self, definition: &Value, policy: CrdPolicy) -> Written<()> {
        let place = self.place(definition, "").await?;
        let live = self.get_at(&place).await?;
        if live.is_some() && policy == CrdPolicy::Create {
            return Ok(());
        }
        self.put_definition(&place, definition, live.as_ref(), true)
            .await
    }

    async fn put_definition(
        &self,
        place: &Place,
        definition: &Value,
        live: Option<&Value>,
        dry_run: bool,
    ) -> Written<()> {
        let mut body = definition.clone();
        if let Some(uid) = live.and_then(uid) {
            body["metadata"]["uid"] = Value::from(uid);
        }
        Call::patch(place.path())
            .query("fieldManager", MANAGER)
            .query("force", "true")
            .query("fieldValidation", "Strict")
            .query_if(dry_run, "dryRun", "All")
            .typed_json("application/apply-patch+yaml", &body)?
            .write::<Value>(self)
            .await?;
        Ok(())
    }

    /// Waits until definitions are established, then until the cluster lists their kinds, since the one comes a moment
    /// before the other.
    pub(crate) async fn wait_served(
        &self,
        definitions: &[ObjectKey],
        within: Duration,
    ) -> Result<(), (ObjectKey, Error)> {
        let Some(first) = definitions.first() else {
            return Ok(());
        };
        let ends = Instant::now() + within;
        let mut kinds = Vec::new();
        for key in definitions {
            let left = ends.saturating_duration_since(Instant::now());
            let established = self.wait_established(key, left).await;
            kinds.extend(
                established
                    .map_err(|error| (key.clone(), error))?
                    .into_iter()
                    .map(|kind| (kind, key)),
            );
        }
        let mut listed = 0;
        loop {
            self.rediscover()
                .await
                .map_err(|error| (first.clone(), error))?;
            while let Some(((api_version, kind), key)) = kinds.get(listed) {
                match self.resolve(api_version, kind).await {
                    Ok(_) => listed += 1,
                    Err(Error::UnknownKind { .. }) if Instant::now() < ends => break,
                    Err(Error::UnknownKind { .. }) => {
                        let what = format!("that kind {kind} in {api_version} is served");
                        return Err((
                            (*key).clone(),
                            Error::Deadline {
                                what,
                                after: within,
                            },
                        ));
                    }
                    Err(error) => return Err(((*key).clone(), error)),
                }
            }
            if listed == kinds.len() {
                return Ok(());
            }
            tokio::time::sleep(LISTING_PAUSE).await;
        }
    }

    /// Waits until one definition is established; answers with the (apiVersion, kind) pairs that it serves.
    async fn wait_established(
        &self,
        key: &ObjectKey,
        within: Duration,
    ) -> Result<Vec<(String, String)>, Error> {
        let place: Place = self.place_of(key).await?;
        let what = format!("that {key} is established");
        self.follow(&place, within, &what, |sight| {
            let Sight::There(object) = sight else {
                return None;
            };
            match verdict(object) {
                Verdict::Current => Some(Ok(served(object))),
                Verdict::Failed {
                    reason, message, ..
                } => Some(Err(Error::Refused(Refusal {
                    call: format!("establish {key}"),
                    status: 422,
                    kind: RefusalKind::Invalid,
                    message: format!("{reason}: {message}"),
                    causes: Vec::new(),
                    retry_after: None,
                }))),
                _ => None,
            }
        })
        .await?
    }
}

fn served(definition: &Value) -> Vec<(String, String)> {
    let text = |path: &str| {
        definition
            .pointer(path)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let (group, kind) = (text("/spec/group"), text("/spec/names/kind"));
    let versions = definition
        .pointer("/spec/versions")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    versions
        .iter()
        .filter(|version| {
            version
                .get("served")
                .and_then(Value::as_bool)
                .unwrap_or(false)
        })
        .filter_map(|version| version.get("name").and_then(Value::as_str))
        .map(|version| (format!("{group}/{version}"), kind.to_owned()))
        .collect()
}

/// Is a manifest a definition of custom resources?
pub fn is_definition(object: &Value) -> bool {
    ObjectRef::of(object).is_ok_and(|reference| {
        reference.group == "apiextensions.k8s.io" && reference.kind == "CustomResourceDefinition"
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_served_versions_are_waited_for() {
        let definition = json!({"spec": {"group": "example.org", "names": {"kind": "Widget"}, "versions": [
            {"name": "v1", "served": true}, {"name": "v1beta1", "served": false}]}});
        assert_eq!(
            served(&definition),
            [("example.org/v1".to_owned(), "Widget".to_owned())]
        );
    }
}
