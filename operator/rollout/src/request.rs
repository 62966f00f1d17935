//! Orders to go back: which are carried out, which are refused, and why.

use belay_api::rollback_request::{RequestPhase, RollbackRequestSpec, Until};
use belay_api::{Reason, Timestamp};
use belay_release::Status;

use crate::digest::spec_hash;
use crate::step::Target;
use crate::{Digest, Hold, Ledger, Outcome, Stored};

/// A `RollbackRequest`, as far as decisions need it.
#[derive(Clone, Debug)]
pub struct Order {
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Its spec.
    pub spec: RollbackRequestSpec,
    /// How far its status says it is.
    pub phase: RequestPhase,
    /// When it was created.
    pub created: Timestamp,
}

/// What is to be done with an order.
#[derive(Clone, Debug, PartialEq)]
pub enum Ruling {
    /// Carry it out.
    Execute(Target),
    /// It is under way or over; its status is taken from the ledger.
    Recorded(Outcome),
    /// It cannot be carried out.
    Refuse {
        /// In one word.
        reason: Reason,
        /// For people.
        message: String,
    },
    /// Its status already says how it ended.
    Over,
}

impl Order {
    /// What identifies the order, whoever creates it anew.
    pub fn spec_hash(&self) -> String {
        spec_hash(&self.spec)
    }

    /// What lifts the hold that the order brings.
    pub fn hold(&self) -> Hold {
        match (self.spec.until, self.spec.hold_until) {
            (Until::Time, Some(until)) => Hold::Time(until),
            (Until::DesiredChange, _) => Hold::DesiredChange,
            (Until::Manual, _) => Hold::Manual,
            (Until::SpecChange | Until::Time, _) => Hold::SpecChange,
        }
    }
}

/// Rules on one order.
pub fn rule(order: &Order, ledger: &Ledger, storage: &[Stored], now: Timestamp) -> Ruling {
    let same = ledger
        .executed
        .iter()
        .find(|executed| executed.name == order.name && executed.spec_hash == order.spec_hash());
    if let Some(executed) = same {
        if executed.uid == order.uid {
            return Ruling::Recorded(executed.outcome.clone());
        }
        if order.phase.is_final() {
            return Ruling::Over;
        }
        return refuse(
            Reason::AlreadyExecuted,
            format!(
                "the same request was begun at {}; to go back again, give the request another name",
                executed.started_at
            ),
        );
    }
    if order.phase.is_final() {
        return Ruling::Over;
    }
    if order.spec.not_after.is_some_and(|limit| now > limit) {
        return refuse(
            Reason::Expired,
            "notAfter has passed; make a new request".into(),
        );
    }
    if let Some(refusal) = unexpected(order, ledger) {
        return refusal;
    }
    match resolve(order, ledger, storage) {
        Ok(target) => Ruling::Execute(target),
        Err(refusal) => refusal,
    }
}

fn unexpected(order: &Order, ledger: &Ledger) -> Option<Ruling> {
    let expected = order.spec.expected_current.as_ref()?;
    let current = ledger.current.as_ref();
    let revision = current.map(|current| current.revision);
    let digest = current.map(|current| current.digest.as_str());
    let holds = expected
        .revision
        .is_none_or(|wanted| revision == Some(wanted))
        && expected
            .digest
            .as_deref()
            .is_none_or(|wanted| digest == Some(wanted));
    (!holds).then(|| {
        refuse(
            Reason::ExpectationFailed,
            format!(
                "the request expects {}, but {} runs",
                expected
                    .revision
                    .map_or_else(|| "another digest".to_owned(), |r| format!("revision {r}")),
                revision.map_or_else(|| "nothing".to_owned(), |r| format!("revision {r}")),
            ),
        )
    })
}

fn resolve(order: &Order, ledger: &Ledger, storage: &[Stored]) -> Result<Target, Ruling> {
    let target = &order.spec.target;
    let current = ledger.current.as_ref();
    if let Some(revision) = target.revision {
        return by_revision(revision, ledger, storage);
    }
    let found = if let Some(digest) = &target.digest {
        ledger
            .proven
            .iter()
            .find(|proven| proven.digest.as_str() == digest)
            .ok_or_else(|| format!("no proven revision has the digest {digest}"))
    } else if let Some(version) = &target.chart_version {
        ledger
            .proven
            .iter()
            .find(|proven| &proven.chart.version == version)
            .ok_or_else(|| format!("no proven revision is of chart version {version}"))
    } else {
        ledger
            .proven
            .iter()
            // What failed or was ordered away is brought back by name only: the second of two orders
            // for `previous` would otherwise undo the first.
            .find(|proven| {
                let runs = current.is_some_and(|current| current.digest == proven.digest);
                !runs && ledger.block(&proven.digest).is_none()
            })
            .ok_or_else(|| "there is no proven revision before the one that runs".to_owned())
    };
    let proven = found.map_err(|message| {
        refuse(
            Reason::RevisionNotFound,
            format!("{message}; proven are {}", list_proven(ledger)),
        )
    })?;
    match current {
        Some(current) if current.digest == proven.digest && current.consistent => {
            Err(already_there(current.revision))
        }
        _ => Ok(Target::Proven(proven.digest.clone())),
    }
}

fn by_revision(revision: u32, ledger: &Ledger, storage: &[Stored]) -> Result<Target, Ruling> {
    let current = ledger.current.as_ref();
    let digest: Option<&Digest> = ledger.known(revision).map(|known| &known.digest);
    if let Some(current) = current
        && current.consistent
        && (current.revision == revision || digest == Some(&current.digest))
    {
        return Err(already_there(revision));
    }
    if let Some(proven) = ledger
        .proven
        .iter()
        .find(|proven| proven.revision == revision || digest == Some(&proven.digest))
    {
        return Ok(Target::Proven(proven.digest.clone()));
    }
    match storage.iter().find(|stored| stored.revision == revision) {
        Some(stored) if matches!(stored.status, Status::Superseded | Status::Deployed) => {
            Ok(Target::Stored(revision))
        }
        Some(stored) => Err(refuse(
            Reason::RevisionNotFound,
            format!(
                "revision {revision} is {}: only a revision that was deployed can be brought back",
                stored.status
            ),
        )),
        None => Err(refuse(
            Reason::RevisionNotFound,
            format!(
                "revision {revision} does not exist; the history holds {}",
                list_stored(storage)
            ),
        )),
    }
}

fn already_there(revision: u32) -> Ruling {
    refuse(
        Reason::AlreadyThere,
        format!("revision {revision} runs already: there is nothing to go back to"),
    )
}

fn refuse(reason: Reason, message: String) -> Ruling {
    Ruling::Refuse { reason, message }
}

fn list_proven(ledger: &Ledger) -> String {
    let revisions: Vec<_> = ledger
        .proven
        .iter()
        .map(|proven| {
            format!(
                "revision {} ({})",
                proven.revision,
                proven.chart.full_name()
            )
        })
        .collect();
    if revisions.is_empty() {
        "none".to_owned()
    } else {
        revisions.join(", ")
    }
}

fn list_stored(storage: &[Stored]) -> String {
    let revisions: Vec<_> = storage
        .iter()
        .map(|stored| stored.revision.to_string())
        .collect();
    if revisions.is_empty() {
        "none".to_owned()
    } else {
        revisions.join(", ")
    }
}
