//! What a dry run cannot know: the same attempt brings what an object misses, and undoes what refuses it.

use belay_cluster::identity::{Owner, Ownership, ownership};
use belay_cluster::{Connection, Error as ClusterError, NotDone, RefusalKind, Say};
use belay_health::ObjectKey;
use serde_json::Value;

use super::apply::has_a_say;
use crate::error::Error;

/// What will have a say in the objects of an attempt when they are applied, as far as that is not what has it now.
#[derive(Debug, Default)]
pub(crate) struct Surroundings {
    /// What the attempt brings or keeps.
    pub(crate) brings: Say,
    /// What it undoes before it applies anything else.
    pub(crate) undone: Say,
}

impl Surroundings {
    /// Whether a refusal of a dry run says nothing of the apply to come: an instance of a kind, or an object in a
    /// namespace, that the same chart brings cannot be tried before it; nor what a webhook is asked about whose server
    /// the chart brings, or which goes before.
    pub(crate) fn passes(&self, error: &NotDone, object: &Value) -> bool {
        let api_version = object.get("apiVersion").and_then(Value::as_str);
        let brings_api =
            api_version.is_some_and(|version| self.brings.api_service(version).is_some());
        let is_unserved = matches!(error.error(), ClusterError::UnknownKind { .. });
        if is_unserved && (self.brings.brings_definitions() || brings_api) {
            return true;
        }
        let does_not_answer =
            error.is(RefusalKind::NotServed) || error.error().is_api_unavailable();
        error.is(RefusalKind::NotFound)
            || (brings_api && does_not_answer)
            || self.undone.is_of(error)
            || self.brings.keeps_waiting(error)
    }
}

/// What these objects of a release have a say in now. Each is read as it stands: what a revision that failed brought is
/// on no record that could be relied on.
pub(crate) async fn undone(
    connection: &Connection,
    owner: &Owner,
    goes: Vec<ObjectKey>,
) -> Result<Say, Error> {
    let mut found = Vec::new();
    for key in goes {
        if !has_a_say(&key) {
            continue;
        }
        match connection.get(&key).await {
            Ok(Some(live)) if ownership(&live, owner) == Ownership::Ours => found.push(live),
            Ok(_) | Err(ClusterError::UnknownKind { .. }) => {}
            // Who may not look cannot excuse a refusal by it.
            Err(error) if error.is_access_denied() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Say::of(&found))
}
