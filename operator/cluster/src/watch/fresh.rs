//! Fresh reads of what is tracked: before a release is called good, and before a timeout is believed.

use std::collections::BTreeMap;

use belay_health::{ObjectKey, ProgressReason, Verdict};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use crate::client::Connection;
use crate::error::{Error, RefusalKind};
use crate::identity::{MANAGED_BY, MANAGED_BY_HELM};
use crate::object::uid;
use crate::watch::events::{Selection, next_page};
use crate::watch::index::Progress;
use crate::watch::named::name_kind;
use crate::watch::registry::Watches;
use crate::watch::tracked::{Follow, ReleaseKey, Tracked};

/// Up to this many objects of one kind and namespace are read one by one; more are listed.
const READ_SINGLY: usize = 3;
const READS_AT_ONCE: usize = 8;

impl Watches {
    /// Reads everything that is tracked for a release anew, past all watches and caches, and answers with what is seen
    /// then; `None` when nothing is tracked for it.
    ///
    /// # Errors
    /// Read errors. What was read before the error counts.
    pub async fn refresh(&self, release: &ReleaseKey) -> Result<Option<Progress>, Error> {
        let tracked = self.shared().index().tracked_for(release);
        let mut groups: BTreeMap<(String, String, Option<String>, Follow), Vec<ObjectKey>> =
            BTreeMap::new();
        for Tracked { key, follow, .. } in tracked {
            groups
                .entry((
                    key.group.clone(),
                    key.kind.clone(),
                    key.namespace.clone(),
                    follow,
                ))
                .or_default()
                .push(key);
        }
        let connection = &self.shared().connection;
        let reads: Vec<_> = groups
            .into_iter()
            .map(|((_, _, _, follow), keys)| async move {
                if keys.len() <= READ_SINGLY || follow != Follow::Labelled {
                    self.refresh_singly(connection, keys).await
                } else {
                    self.refresh_listed(connection, keys).await
                }
            })
            .collect();
        stream::iter(reads)
            .buffer_unordered(READS_AT_ONCE)
            .try_collect::<Vec<()>>()
            .await?;
        Ok(self.progress(release))
    }

    async fn refresh_singly(
        &self,
        connection: &Connection,
        keys: Vec<ObjectKey>,
    ) -> Result<(), Error> {
        for key in keys {
            let known = self.shared().index().known(&key);
            let live = match connection.get(&key).await {
                Err(Error::UnknownKind { .. }) => None,
                Err(error) if error.is(RefusalKind::NotServed) => None,
                // What was seen last stands: the watch goes on asking.
                Err(error) if error.is_api_unavailable() => continue,
                answer => answer?,
            };
            self.shared().update(|index| match &live {
                Some(object) => index.seen(&key, object),
                None => index.missing(&key, known),
            });
        }
        Ok(())
    }

    async fn refresh_listed(
        &self,
        connection: &Connection,
        keys: Vec<ObjectKey>,
    ) -> Result<(), Error> {
        let Some(first) = keys.first() else {
            return Ok(());
        };
        let resolved = match connection
            .resolve_preferred(&first.group, &first.kind)
            .await
        {
            Err(Error::UnknownKind { .. }) => return self.refresh_singly(connection, keys).await,
            answer => answer?,
        };
        let selection = Selection {
            path: resolved.collection(first.namespace.as_deref()),
            labels: format!("{MANAGED_BY}={MANAGED_BY_HELM}"),
            fields: String::new(),
            accept: "application/json",
        };
        let mut left: BTreeMap<String, ObjectKey> = keys
            .into_iter()
            .map(|key| (key.name.clone(), key))
            .collect();
        let mut next = None;
        loop {
            let mut page: Value = selection
                .page("application/json", next.as_deref())
                .read(connection)
                .await?;
            let items = match page.get_mut("items").map(Value::take) {
                Some(Value::Array(items)) => items,
                // An empty list of partial metadata says null.
                Some(Value::Null) => Vec::new(),
                _ => {
                    return Err(Error::Malformed {
                        what: selection.path,
                        why: "answered without items".into(),
                    });
                }
            };
            for mut object in items {
                let name = object
                    .pointer("/metadata/name")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                if let Some(key) = left.remove(name) {
                    name_kind(&mut object, &resolved);
                    self.shared().update(|index| index.seen(&key, &object));
                }
            }
            next = next_page(&page);
            if next.is_none() || left.is_empty() {
                break;
            }
        }
        // Gone, or without its label.
        self.refresh_singly(connection, left.into_values().collect())
            .await
    }
}

fn unavailable(error: &Error) -> Verdict {
    Verdict::Progressing {
        reason: ProgressReason::ApiNotAvailable,
        message: format!("its API does not answer: {error}"),
    }
}

impl Connection {
    /// The verdicts of tracked objects by one fresh read of each, without watches; in the given order.
    ///
    /// # Errors
    /// Read errors.
    pub async fn verdicts(&self, objects: &[Tracked]) -> Result<Vec<(ObjectKey, Verdict)>, Error> {
        let reads: Vec<_> = objects
            .iter()
            .map(|tracked| async move {
                let live = match self.get(&tracked.key).await {
                    Err(Error::UnknownKind { .. }) => None,
                    // Its API is served elsewhere, by somebody who does not answer: that is all there is to know of it.
                    Err(error) if error.is_api_unavailable() => {
                        return Ok((tracked.key.clone(), unavailable(&error)));
                    }
                    answer => answer?,
                };
                let verdict = match live {
                    Some(live)
                        if tracked
                            .uid
                            .as_deref()
                            .is_none_or(|ours| uid(&live) == Some(ours)) =>
                    {
                        tracked.judge(&live)
                    }
                    Some(_) => Verdict::Missing,
                    None => tracked.absent(),
                };
                Ok((tracked.key.clone(), verdict))
            })
            .collect();
        stream::iter(reads)
            .buffered(READS_AT_ONCE)
            .try_collect()
            .await
    }
}
