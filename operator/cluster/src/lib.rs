//! The API server: identity, apply, prune, ledger, storage, watches, pods, claims.
//!
//! This is one of the two crates that touch a network. It knows objects, Helm's records and ownership marks; it
//! knows nothing of a `HelmRelease` and takes no decision: reads answer with facts, writes answer with what is
//! known to have happened ([`Written`]), and the caller decides.
//!
//! Nothing here waits without a time limit, and no queue here grows without a bound.

pub mod apply;
pub mod claim;
pub mod client;
pub(crate) mod connections;
pub mod crds;
pub mod drift;
pub mod error;
pub mod faults;
pub mod hooks;
pub mod identity;
pub mod kinds;
pub mod layers;
pub mod ledger;
pub mod managed_fields;
pub mod object;
pub mod permits;
pub mod pods;
pub mod prune;
pub mod recreate;
pub mod refusal;
pub mod request;
pub mod say;
pub mod storage;
mod strategy;
pub mod warnings;
pub mod watch;
pub mod waves;
pub(crate) mod wire;

pub use apply::{Applied, ApplyOptions, DryRun, Foreseen, Item, Known};
pub use claim::{Claim, ClaimOptions};
pub use client::{ConnectOptions, Connection, connect};
pub use crds::{CrdOutcome, CrdPolicy};
pub use drift::{Compared, Comparison};
pub use error::{Cause, Error, NotDone, Refusal, RefusalKind, Transport, Written};
pub use faults::{FaultPlan, Injection};
pub use hooks::{HookEnd, HookObject, HookRun};
pub use identity::{Owner, Ownership};
pub use kinds::{Kinds, Resolved, Scope, ServerVersion};
pub use layers::{RequestObserver, WriteGate};
pub use ledger::{Entry, Found, Ledger, Stamp, Swap};
pub use object::{Lookup, Place, ResourceVersion};
pub use permits::{Lane, Permit, Permits};
pub use pods::ContainerLog;
pub use prune::{Propagation, Pruned};
pub use recreate::{OnImmutable, Spared};
pub use request::{RequestInfo, Verb};
pub use say::Say;
pub use storage::{Creation, RecordStamp, Storage, Stored, Summary, Update};
pub use watch::{
    Follow, Guard, Judge, Observed, PodObservation, PodScope, Progress, ReleaseKey, StrandedPod,
    Tracked, Tracking, WatchScope, Watches,
};
pub use waves::{FailedItem, WavesOptions, WavesOutcome};
