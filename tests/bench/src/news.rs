//! What a watch brings.

use std::fmt;

use futures::{Stream, StreamExt, future};
use kube::runtime::watcher::{self, Event, watcher};
use kube::runtime::{WatchStreamExt, reflector::Lookup};
use kube::{Api, Resource};

/// The objects that are there, and each state of one from then on.
pub(crate) fn states<K>(api: Api<K>) -> impl Stream<Item = K>
where
    K: Lookup<DynamicType = ()>
        + Resource<DynamicType = ()>
        + Clone
        + fmt::Debug
        + serde::de::DeserializeOwned
        + Send
        + 'static,
{
    watcher(api, watcher::Config::default())
        .default_backoff()
        .filter_map(|event| {
            future::ready(match event {
                Ok(Event::Apply(found) | Event::InitApply(found)) => Some(found),
                _ => None,
            })
        })
}
