//! Following one object by name until something can be said about it.

use std::pin::pin;
use std::time::Duration;

use futures::StreamExt;
use serde_json::Value;
use tokio::time::Instant;

use crate::client::Connection;
use crate::error::Error;
use crate::kinds::Resolved;
use crate::object::{Place, ResourceVersion, resource_version};
use crate::watch::events::{Event, Selection, watch};

/// Between two looks when a watch cannot be kept open.
const PAUSE: Duration = Duration::from_millis(500);

/// What is known of the object at the moment.
pub(crate) enum Sight<'a> {
    /// It is there, in this state.
    There(&'a Value),
    /// It was just deleted; this was its last state.
    Deleted(&'a Value),
    /// It is not there.
    Gone,
}

impl Connection {
    /// Follows one object until `judge` answers, or the deadline.
    pub(crate) async fn follow<T>(
        &self,
        place: &Place,
        deadline: Duration,
        what: &str,
        mut judge: impl FnMut(&Sight<'_>) -> Option<T>,
    ) -> Result<T, Error> {
        let ends = Instant::now() + deadline;
        let selection = Selection {
            path: place.resolved.collection(place.key.namespace.as_deref()),
            labels: String::new(),
            fields: format!("metadata.name={}", place.key.name),
            accept: "application/json",
        };
        let following = async {
            loop {
                // A collection read of one name: it gives the position from which a watch misses nothing, whether
                // the object is there or not.
                let list: Value = selection.list("application/json").read(self).await?;
                let from = resource_version(&list);
                let mut object = list.pointer("/items/0").cloned();
                if let Some(object) = object.as_mut() {
                    name_kind(object, &place.resolved);
                }
                let sight = object.as_ref().map_or(Sight::Gone, Sight::There);
                if let Some(answer) = judge(&sight) {
                    return Ok(answer);
                }
                if place.resolved.watchable {
                    match self.follow_from(&selection, from, &mut judge).await {
                        Ok(Some(answer)) => return Ok(answer),
                        Ok(None) => continue,
                        Err(error) => {
                            tracing::debug!(%error, "a watch by name broke; looking again");
                        }
                    }
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        tokio::time::timeout_at(ends, following)
            .await
            .unwrap_or_else(|_| {
                Err(Error::Deadline {
                    what: what.to_owned(),
                    after: deadline,
                })
            })
    }

    async fn follow_from<T>(
        &self,
        selection: &Selection,
        from: ResourceVersion,
        judge: &mut impl FnMut(&Sight<'_>) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let mut events = pin!(watch(self, selection, from).await?);
        while let Some(event) = events.next().await {
            let answer = match event? {
                Event::Seen(object) => judge(&Sight::There(&object)),
                Event::Deleted(object) => {
                    judge(&Sight::Deleted(&object)).or_else(|| judge(&Sight::Gone))
                }
                Event::Bookmark(_) => None,
            };
            if answer.is_some() {
                return Ok(answer);
            }
        }
        Ok(None)
    }
}

/// Items of a list do not say their kind, which judges need.
pub(crate) fn name_kind(object: &mut Value, resolved: &Resolved) {
    if let Some(object) = object.as_object_mut() {
        object
            .entry("apiVersion")
            .or_insert_with(|| Value::from(resolved.api_version()));
        object
            .entry("kind")
            .or_insert_with(|| Value::from(resolved.kind.as_str()));
    }
}
