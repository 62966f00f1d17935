//! Whether the releases that a spec depends on are ready.

use std::collections::BTreeMap;

use belay_api::HelmRelease;
use belay_rollout::{HeldUp, Place, Unready, circle, unready};
use kube::Api;

use crate::context::Context;
use crate::error::Error;
use crate::session::Session;

/// What holds a release up, as the watch last saw the others. From here on a change of theirs wakes it.
pub(super) fn held_up(context: &Context, release: &HelmRelease) -> Option<HeldUp> {
    let own = Place::of(release);
    let needed = Place::needed_by(release);
    context.dependents.needs(&own, &needed);
    if needed.is_empty() {
        return None;
    }
    let way = circle(&own, |place| {
        // What the watch says of the release itself may be older than what was read.
        if place == &own {
            return needed.clone();
        }
        let found = context.cached(place);
        found.map_or_else(Vec::new, |release| Place::needed_by(&release))
    });
    if let Some(way) = way {
        return Some(HeldUp::Circle(way));
    }
    judged(&needed, |place| {
        context.cached(place).map(|release| unready(&release))
    })
}

/// Looks at the others uncached, right before something is begun: the watch may lag behind an edit of theirs.
pub(crate) async fn confirm(session: &Session) -> Result<(), Error> {
    let needed = Place::needed_by(&session.release);
    let mut read = BTreeMap::new();
    for place in &needed {
        let api: Api<HelmRelease> = Api::namespaced(session.own.client(), &place.namespace);
        let found = api
            .get_opt(&place.name)
            .await
            .map_err(Error::kube("reading a HelmRelease of spec.dependsOn"))?;
        read.insert(place, found.map(|release| unready(&release)));
    }
    let held_up = judged(&needed, |place| read.get(place).cloned().flatten());
    // The watch brings what was read here, and then it is decided anew.
    held_up.map_or(Ok(()), |_| Err(Error::Stale))
}

/// Those that do not count as ready; `look` knows of each that exists why, if so.
fn judged(needed: &[Place], look: impl Fn(&Place) -> Option<Option<String>>) -> Option<HeldUp> {
    let unready: Vec<_> = needed
        .iter()
        .filter_map(|place| {
            let why = match look(place) {
                None => Some("does not exist here".to_owned()),
                Some(why) => why,
            };
            why.map(|why| Unready {
                place: place.clone(),
                why,
            })
        })
        .collect();
    (!unready.is_empty()).then_some(HeldUp::Unready(unready))
}
