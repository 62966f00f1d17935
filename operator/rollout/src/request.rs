//! Orders to go back: which are carried out, which are refused, and why.

use belay_api::rollback_request::{RequestPhase, RollbackRequestSpec, Until};
use belay_api::{Reason, Timestamp};
use belay_release::Status;

use crate::digest::spec_hash;
use crate::step::Target;
use crate::{Approval, ChartId, Digest, Hold, Ledger, Outcome, Proven, Running, Stored};

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
    /// Whose approval its annotation tells of.
    pub approved_by: Option<String>,
    /// Whether it needs a second person's word, and has it.
    pub approval: Approval,
}

/// What is to be done with an order.
#[derive(Clone, Debug, PartialEq)]
pub enum Ruling {
    /// Carry it out.
    Execute(Target),
    /// Find out what carrying it out would do.
    Preview(Target),
    /// It can be carried out once somebody else approves.
    AwaitApproval,
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

/// The next instant at which an open order expires by itself; none that has passed.
pub(crate) fn next_limit(orders: &[Order], now: Timestamp) -> Option<Timestamp> {
    let open = orders.iter().filter(|order| !order.phase.is_final());
    let limits = open.flat_map(|order| {
        let held = match order.hold() {
            Hold::Time(until) => Some(until),
            _ => None,
        };
        // `notAfter` itself is still in time.
        let late = order.spec.not_after.map(|limit| Timestamp(limit.0 + 1));
        held.into_iter().chain(late)
    });
    limits.filter(|limit| *limit > now).min()
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
    if let Some(limit) = order.spec.not_after
        && now > limit
    {
        return refuse(
            Reason::Expired,
            format!("notAfter, {limit}, has passed; make a new request"),
        );
    }
    if let Hold::Time(until) = order.hold()
        && now >= until
    {
        return refuse(
            Reason::Expired,
            format!("holdUntil, {until}, has passed: nothing would be held; make a new request"),
        );
    }
    if let Some(refusal) = unexpected(order, ledger) {
        return refusal;
    }
    match resolve(order, ledger, storage) {
        Ok(target) if order.spec.dry_run => Ruling::Preview(target),
        Ok(target) => match &order.approval {
            Approval::NotNeeded | Approval::Given { .. } => Ruling::Execute(target),
            Approval::Awaited => Ruling::AwaitApproval,
            Approval::Unenforced { why } => refuse(
                Reason::ApprovalNotEnforced,
                format!(
                    "the release asks for a second person's approval, and the cluster does not see to it: {why}; apply deploy/admission, then make a new request"
                ),
            ),
        },
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
                told(expected.revision, expected.digest.as_deref()),
                told(revision, digest.filter(|_| expected.digest.is_some())),
            ),
        )
    })
}

fn told(revision: Option<u32>, digest: Option<&str>) -> String {
    match (revision, digest) {
        (Some(revision), Some(digest)) => format!("revision {revision} ({digest})"),
        (Some(revision), None) => format!("revision {revision}"),
        (None, Some(digest)) => format!("the digest {digest}"),
        (None, None) => "nothing".to_owned(),
    }
}

fn resolve(order: &Order, ledger: &Ledger, storage: &[Stored]) -> Result<Target, Ruling> {
    let target = &order.spec.target;
    let current = ledger.current.as_ref();
    if let Some(revision) = target.revision {
        return by_revision(revision, ledger, storage);
    }
    if let Some(digest) = &target.digest {
        let what = format!("has the digest {digest}");
        return by_content(&what, ledger, storage, |found, _| found.as_str() == digest);
    }
    if let Some(version) = &target.chart_version {
        let what = format!("is of chart version {version}");
        return by_content(&what, ledger, storage, |_, chart| &chart.version == version);
    }
    if let Some(current) = current
        && is_same_wish(order, ledger, current)
    {
        return Err(already_there(current.revision));
    }
    let previous = ledger.proven.iter().find(|proven| {
        // What failed or was ordered away is brought back by name only: the second of two orders
        // for `previous` would otherwise undo the first.
        let runs = current.is_some_and(|current| current.digest == proven.digest);
        !runs && ledger.block(&proven.digest).is_none()
    });
    match previous {
        Some(proven) => Ok(Target::Proven(proven.digest.clone())),
        None => Err(refuse(
            Reason::RevisionNotFound,
            format!(
                "there is no proven revision before the one that runs; proven are {}",
                list_proven(ledger)
            ),
        )),
    }
}

/// Whether an order for `previous` brought back what runs after a removal by hand, and this one was made before it was
/// there: it wants the same. What ran before is not blocked, since nothing did.
fn is_same_wish(order: &Order, ledger: &Ledger, current: &Running) -> bool {
    let out_of_nothing = ledger
        .executed
        .first()
        .is_some_and(|last| last.from.is_none() && last.new_revision == current.revision);
    out_of_nothing && order.created <= current.since
}

/// The newest revision that `is_meant` and was deployed: a proven one, or one of Helm's history.
fn by_content(
    what: &str,
    ledger: &Ledger,
    storage: &[Stored],
    is_meant: impl Fn(&Digest, &ChartId) -> bool,
) -> Result<Target, Ruling> {
    if let Some(current) = &ledger.current
        && current.consistent
        && is_meant(&current.digest, &current.chart)
    {
        return Err(already_there(current.revision));
    }
    let proven = ledger
        .proven
        .iter()
        .find(|proven| is_meant(&proven.digest, &proven.chart));
    if let Some(proven) = proven {
        return Ok(Target::Proven(proven.digest.clone()));
    }
    let stored = storage.iter().find(|stored| {
        let known = ledger.known(stored.revision);
        was_deployed(stored) && known.is_some_and(|known| is_meant(&known.digest, &known.chart))
    });
    match stored {
        Some(stored) => Ok(Target::Stored(stored.revision)),
        None => Err(refuse(
            Reason::RevisionNotFound,
            format!(
                "no revision that was deployed {what}; proven are {}, and the history holds {}",
                list_proven(ledger),
                list_stored(storage)
            ),
        )),
    }
}

fn was_deployed(stored: &Stored) -> bool {
    matches!(stored.status, Status::Superseded | Status::Deployed)
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
    // After a removal Helm may have begun to count anew: then the older of two has lost its number.
    let digest = digest.filter(|digest| !digest.as_str().is_empty());
    let is_meant = |proven: &&Proven| {
        digest.map_or(proven.revision == revision, |digest| {
            digest == &proven.digest
        })
    };
    if let Some(proven) = ledger.proven.iter().find(is_meant) {
        return Ok(Target::Proven(proven.digest.clone()));
    }
    match storage.iter().find(|stored| stored.revision == revision) {
        Some(stored) if was_deployed(stored) => Ok(Target::Stored(revision)),
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
