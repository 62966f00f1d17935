//! Evidence: what the cluster warned of.
//!
//! The API server keeps events in no cache: to find those of one object it reads all of their namespace from etcd. When
//! many releases of a namespace fail together, one such read has to do for all of them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, Weak};

use serde_json::Value;
use tokio::sync::Mutex;

use crate::client::Connection;
use crate::error::Error;
use crate::watch::events::next_page;
use crate::wire::Call;

/// How many events are read with one request.
const PAGE: u32 = 500;
/// How many pages of a namespace are read at most.
const PAGES: usize = 8;

/// A warning about an object, by a component of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The kind of the object.
    pub kind: String,
    /// The object's name.
    pub name: String,
    /// When it happened last, RFC 3339; empty when the event says no time.
    pub at: String,
    /// A word in camel case, for example `FailedScheduling`.
    pub reason: String,
    /// The text for people.
    pub message: String,
    /// How often.
    pub count: u32,
}

/// Whose eyes see a namespace: the account that is spoken for, and the namespace.
type View = (Option<Vec<u8>>, String);

/// The reads of warnings that are under way; a view that nobody asks for is not kept.
#[derive(Debug, Default)]
pub(crate) struct WarningReads {
    views: std::sync::Mutex<BTreeMap<View, Weak<Reads>>>,
}

/// Reads of one view, one at a time.
#[derive(Debug, Default)]
struct Reads {
    /// How many have asked so far.
    asked: AtomicU64,
    last: Mutex<Option<Read>>,
}

#[derive(Debug)]
struct Read {
    /// How many had asked when it began: it has all that they can have meant.
    covers: u64,
    found: Arc<[Warning]>,
}

impl WarningReads {
    fn of(&self, view: View) -> Arc<Reads> {
        let mut views = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reads) = views.get(&view).and_then(Weak::upgrade) {
            return reads;
        }
        views.retain(|_, reads| reads.strong_count() > 0);
        let reads = Arc::new(Reads::default());
        views.insert(view, Arc::downgrade(&reads));
        reads
    }
}

impl Connection {
    /// What the cluster warned of in a namespace, oldest first; of very many events some are left out. Who asks while
    /// others ask the same shares a read that begins after he has asked. Empty if it cannot be read.
    pub async fn warnings_in(&self, namespace: &str) -> Arc<[Warning]> {
        let account = self.context.account.as_ref();
        let account = account.map(|account| account.as_bytes().to_vec());
        let reads = self.warning_reads().of((account, namespace.to_owned()));
        let ticket = reads.asked.fetch_add(1, Ordering::SeqCst);
        let mut last = reads.last.lock().await;
        if let Some(read) = last.as_ref().filter(|read| read.covers > ticket) {
            return Arc::clone(&read.found);
        }
        let covers = reads.asked.load(Ordering::SeqCst);
        let found: Arc<[Warning]> = match self.read_warnings(namespace).await {
            Ok(found) => found.into(),
            Err(error) => {
                tracing::debug!(namespace, %error, "warnings cannot be read");
                Arc::default()
            }
        };
        *last = Some(Read {
            covers,
            found: Arc::clone(&found),
        });
        found
    }

    async fn read_warnings(&self, namespace: &str) -> Result<Vec<Warning>, Error> {
        let mut found = Vec::new();
        let mut next: Option<String> = None;
        for _ in 0..PAGES {
            let mut call = Call::get(format!(
                "/apis/events.k8s.io/v1/namespaces/{namespace}/events"
            ))
            .query("fieldSelector", "type=Warning")
            .query("limit", &PAGE.to_string());
            if let Some(next) = &next {
                call = call.query("continue", next);
            }
            let page: Value = call.read(self).await?;
            let items = page.get("items").and_then(Value::as_array);
            found.extend(items.into_iter().flatten().map(told));
            next = next_page(&page);
            if next.is_none() {
                break;
            }
        }
        found.sort_by(|a, b| a.at.cmp(&b.at));
        Ok(found)
    }
}

fn told(event: &Value) -> Warning {
    let text = |path: &str| {
        event
            .pointer(path)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let owned = |path: &str| text(path).unwrap_or_default().to_owned();
    let number = |path: &str| event.pointer(path).and_then(Value::as_u64);
    let at = [
        "/series/lastObservedTime",
        "/deprecatedLastTimestamp",
        "/eventTime",
        "/metadata/creationTimestamp",
    ];
    let count = number("/series/count")
        .or_else(|| number("/deprecatedCount"))
        .unwrap_or(1);
    Warning {
        kind: owned("/regarding/kind"),
        name: owned("/regarding/name"),
        at: at.into_iter().find_map(text).unwrap_or_default().to_owned(),
        reason: owned("/reason"),
        message: owned("/note"),
        count: u32::try_from(count).unwrap_or(u32::MAX),
    }
}
