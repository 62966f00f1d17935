//! All objects of a release, in waves: definitions first and served, then namespaces and the rest in Helm's order, and
//! last what an API that is served elsewhere has to take.

use std::time::Duration;

use belay_health::{ObjectKey, ObjectRef};
use belay_release::{install_order, waves};
use futures::StreamExt;
use futures::stream;
use serde_json::Value;

use crate::apply::{Applied, ApplyOptions, Item};
use crate::client::Connection;
use crate::error::{Error, NotDone, RefusalKind};
use crate::say::Say;

/// How many applies of one kind are in flight for one release.
const APPLIES_AT_ONCE: usize = 8;

/// What was applied, and what was not.
#[derive(Debug)]
pub struct WavesOutcome {
    /// Every object that the API server took, in the order in which it answered.
    pub applied: Vec<Applied>,
    /// Every object that it is known or possible not to have taken. After the first of them nothing new was begun, and
    /// what was under way was waited for.
    pub failed: Vec<FailedItem>,
    /// Every object that waits for what was applied beside it: for the server of a webhook, or of an API. It was passed
    /// over, and is to be tried again.
    pub waiting: Vec<FailedItem>,
    /// The objects that were not begun.
    pub untouched: Vec<ObjectKey>,
}

/// An object that could not be applied.
#[derive(Debug)]
pub struct FailedItem {
    /// The object, its namespace as its manifest gives it; `None` when the manifest names no object at all.
    pub key: Option<ObjectKey>,
    /// Why, and what is known about it.
    pub error: NotDone,
}

impl WavesOutcome {
    /// Was everything applied?
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.waiting.is_empty() && self.untouched.is_empty()
    }
}

/// How to apply in waves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WavesOptions {
    /// How to apply each object.
    pub apply: ApplyOptions,
    /// How long definitions of custom resources may take to be served.
    pub definitions_within: Duration,
}

impl Connection {
    /// Applies all objects: definitions of custom resources, waits until they are served, then the others in Helm's
    /// order of kinds, those of one kind side by side; last those of APIs that an `APIService` among them brings. Never
    /// cut in the middle: it ends when all is done or when the first failure is known and everything that was under way
    /// has answered.
    ///
    /// What has to wait for the server of a webhook or API that is among the objects ends nothing: that server may only
    /// come with the ones after it.
    pub async fn apply_waves(&self, items: Vec<Item>, options: &WavesOptions) -> WavesOutcome {
        let mut outcome = WavesOutcome {
            applied: Vec::new(),
            failed: Vec::new(),
            waiting: Vec::new(),
            untouched: Vec::new(),
        };
        let say = Say::of(items.iter().map(|item| &item.object));
        let split = waves(items, |item| kind(&item.object));
        let definitions = !split.definitions.is_empty();
        self.apply_group(split.definitions, &say, options, &mut outcome)
            .await;
        if definitions && outcome.failed.is_empty() {
            let keys: Vec<ObjectKey> = outcome
                .applied
                .iter()
                .map(|applied| applied.key.clone())
                .collect();
            if let Err((key, error)) = self.wait_served(&keys, options.definitions_within).await {
                outcome.failed.push(FailedItem {
                    key: Some(key),
                    error: error.into(),
                });
            }
        }
        let (elsewhere, mut rest): (Vec<_>, Vec<_>) = split
            .rest
            .into_iter()
            .partition(|item| say.api_service(api_version(&item.object)).is_some());
        rest.sort_by(|a, b| install_order(kind(&a.object), kind(&b.object)));
        let mut rest = rest.into_iter().peekable();
        while let Some(first) = rest.next() {
            let mut group = vec![first];
            while let Some(next) = rest.next_if(|next| kind(&next.object) == kind(&group[0].object))
            {
                group.push(next);
            }
            self.apply_group(group, &say, options, &mut outcome).await;
        }
        self.apply_group(elsewhere, &say, options, &mut outcome)
            .await;
        outcome
    }

    async fn apply_group(
        &self,
        group: Vec<Item>,
        say: &Say,
        options: &WavesOptions,
        outcome: &mut WavesOutcome,
    ) {
        let mut left = group.into_iter();
        let mut under_way = stream::FuturesUnordered::new();
        loop {
            while outcome.failed.is_empty() && under_way.len() < APPLIES_AT_ONCE {
                let Some(item) = left.next() else { break };
                under_way.push(async move {
                    let answer = self.apply(&item, &options.apply).await;
                    let answer = answer.map_err(|error| awaiting(error, &item.object, say));
                    (named(&item.object), answer)
                });
            }
            match under_way.next().await {
                Some((_, Ok(applied))) => outcome.applied.push(applied),
                Some((key, Err(error))) => {
                    let failed = FailedItem { key, error };
                    if has_to_wait(&failed.error, say) {
                        outcome.waiting.push(failed);
                    } else {
                        outcome.failed.push(failed);
                    }
                }
                None => break,
            }
        }
        outcome
            .untouched
            .extend(left.filter_map(|item| named(&item.object)));
    }
}

/// Whether the objects beside it are what may let an object through.
fn has_to_wait(error: &NotDone, say: &Say) -> bool {
    say.keeps_waiting(error) || matches!(error.error(), Error::NotServedYet { .. })
}

/// A kind that is not served is on its way if an `APIService` of the same objects is to bring it.
fn awaiting(error: NotDone, object: &Value, say: &Say) -> NotDone {
    let api_version = api_version(object);
    let Some(by) = say.api_service(api_version) else {
        return error;
    };
    let is_missing = matches!(error.error(), Error::UnknownKind { .. })
        || error.is(RefusalKind::NotServed)
        || error.error().is_api_unavailable();
    if !is_missing {
        return error;
    }
    Error::NotServedYet {
        api_version: api_version.to_owned(),
        kind: kind(object).to_owned(),
        by: by.to_owned(),
    }
    .into()
}

fn api_version(object: &Value) -> &str {
    object
        .get("apiVersion")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn kind(object: &Value) -> &str {
    object
        .get("kind")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn named(object: &Value) -> Option<ObjectKey> {
    ObjectRef::of(object).ok().map(|reference| reference.key())
}
