//! Waits for states of objects, woken by watches.

use std::fmt::Debug;
use std::pin::pin;
use std::time::Duration;

use futures::StreamExt;
use kube::runtime::watcher::watch_object;
use kube::{Api, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

use crate::{Error, Result};

/// A limit that only a broken promise reaches, on a busy machine too.
pub const GENEROUS: Duration = Duration::from_mins(2);

/// Waits until the object exists and `holds` is true of it, and returns that state of
/// it. `what` completes the sentence "… did not happen".
///
/// # Errors
/// [`Error::NeverHappened`] with the object's last state.
pub async fn until<K>(
    api: &Api<K>,
    name: &str,
    what: &str,
    limit: Duration,
    mut holds: impl FnMut(&K) -> bool,
) -> Result<K>
where
    K: Resource + Clone + Debug + Serialize + DeserializeOwned + Send + 'static,
{
    let seen = watch(api, name, limit, |object| {
        object.as_ref().is_some_and(&mut holds)
    })
    .await;
    seen.map_or_else(
        |last| {
            Err(Error::NeverHappened {
                what: format!("{what} ({name})"),
                limit,
                last,
            })
        },
        |object| {
            object.ok_or_else(|| Error::NeverHappened {
                what: format!("{what} ({name})"),
                limit,
                last: "no such object".to_owned(),
            })
        },
    )
}

/// Waits until the object does not exist.
///
/// # Errors
/// [`Error::NeverHappened`] with the object's last state.
pub async fn gone<K>(api: &Api<K>, name: &str, limit: Duration) -> Result<()>
where
    K: Resource + Clone + Debug + Serialize + DeserializeOwned + Send + 'static,
{
    match watch(api, name, limit, Option::is_none).await {
        Ok(_) => Ok(()),
        Err(last) => Err(Error::NeverHappened {
            what: format!("the end of {name}"),
            limit,
            last,
        }),
    }
}

/// The state that was waited for, or a description of the last one.
async fn watch<K>(
    api: &Api<K>,
    name: &str,
    limit: Duration,
    mut holds: impl FnMut(&Option<K>) -> bool,
) -> std::result::Result<Option<K>, String>
where
    K: Resource + Clone + Debug + Serialize + DeserializeOwned + Send + 'static,
{
    let deadline = Instant::now() + limit;
    let mut states = pin!(watch_object(api.clone(), name));
    let mut last = "nothing, the API server did not answer".to_owned();
    loop {
        match timeout_at(deadline, states.next()).await {
            Ok(Some(Ok(object))) => {
                if holds(&object) {
                    return Ok(object);
                }
                last =
                    object.map_or_else(|| "no such object".to_owned(), |object| describe(&object));
            }
            // The watch reconnects on its own; what it met is worth telling.
            Ok(Some(Err(error))) => last = format!("{last}; then {error}"),
            Ok(None) | Err(_) => return Err(last),
        }
    }
}

fn describe<K: Resource + Clone + Serialize>(object: &K) -> String {
    let mut object = object.clone();
    object.meta_mut().managed_fields = None;
    serde_json::to_string_pretty(&object).unwrap_or_else(|error| error.to_string())
}
