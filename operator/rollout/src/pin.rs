//! What holds a release at a revision that its spec does not ask for.

use belay_api::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Digest, Order};

/// A hold, copied into the ledger so that pruning the request does not lift it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pin {
    /// The `RollbackRequest`; none when helm was run by hand.
    pub request: Option<String>,
    /// What lifts it.
    pub hold: Hold,
    /// What is held.
    pub digest: Digest,
    /// What the spec asked for when the hold began; nothing if that could not be told.
    pub asked: Option<Digest>,
    /// The spec's generation when the hold began.
    pub generation: i64,
}

/// What lifts a pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Hold {
    /// A new digest by a new generation: a range that pulls a patch does not lift it.
    SpecChange,
    /// A new digest.
    DesiredChange,
    /// An instant.
    Time(Timestamp),
    /// The deletion of the request.
    Manual,
}

impl Pin {
    /// Whether the pin is lifted: `desired` is what the spec asks for now, at `generation`.
    pub fn is_lifted(
        &self,
        desired: Option<&Digest>,
        generation: i64,
        orders: &[Order],
        now: Timestamp,
    ) -> bool {
        let asks_anew = desired.is_some() && desired != self.asked.as_ref();
        match self.hold {
            Hold::SpecChange => asks_anew && generation != self.generation,
            Hold::DesiredChange => asks_anew,
            Hold::Time(until) => now >= until,
            Hold::Manual => !orders
                .iter()
                .any(|order| Some(&order.name) == self.request.as_ref()),
        }
    }

    /// What lifts it, as the status shows it.
    pub fn until(&self) -> String {
        self.hold.until()
    }
}

impl Hold {
    /// What lifts a pin, as the status shows it.
    pub fn until(self) -> String {
        match self {
            Self::SpecChange => "SpecChange".to_owned(),
            Self::DesiredChange => "DesiredChange".to_owned(),
            Self::Manual => "Manual".to_owned(),
            Self::Time(until) => until.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(hold: Hold) -> Pin {
        Pin {
            request: Some("back".into()),
            hold,
            digest: Digest::named("v1:good"),
            asked: Some(Digest::named("v1:bad")),
            generation: 3,
        }
    }

    #[test]
    fn a_spec_change_needs_a_new_digest_and_a_new_generation() {
        let pin = pin(Hold::SpecChange);
        let (bad, new) = (Digest::named("v1:bad"), Digest::named("v1:new"));
        let lifted =
            |digest, generation| pin.is_lifted(Some(digest), generation, &[], Timestamp(0));
        assert!(!lifted(&bad, 4), "only the interval was edited");
        assert!(!lifted(&new, 3), "only the range pulled a patch");
        assert!(lifted(&new, 4));
        assert!(
            !pin.is_lifted(None, 4, &[], Timestamp(0)),
            "the source is down"
        );
    }

    #[test]
    fn a_desired_change_needs_only_a_new_digest() {
        let new = Digest::named("v1:new");
        assert!(pin(Hold::DesiredChange).is_lifted(Some(&new), 3, &[], Timestamp(0)));
    }

    #[test]
    fn a_time_passes_and_a_manual_hold_goes_with_its_request() {
        assert!(!pin(Hold::Time(Timestamp(5))).is_lifted(None, 3, &[], Timestamp(4)));
        assert!(pin(Hold::Time(Timestamp(5))).is_lifted(None, 3, &[], Timestamp(5)));
        assert!(pin(Hold::Manual).is_lifted(None, 3, &[], Timestamp(0)));
    }
}
