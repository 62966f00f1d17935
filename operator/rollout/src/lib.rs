//! What to do next with a release, decided without doing anything: no I/O, no clock, no randomness.
//!
//! [`World`] is what was gathered; [`decide`] answers with one [`Step`] or with what to wait for;
//! the transitions of [`Ledger`] say what a done step changes; [`report`] turns the same facts into
//! the status that people see.
//!
//! ```text
//! gather -> World -> decide -> Step -> (the controller acts) -> Ledger' -> World' -> decide ...
//!                           -> Wait -> report
//! ```

mod approval;
mod attempt;
mod backoff;
mod blocked;
mod check;
mod decide;
mod dependency;
mod digest;
mod drift;
mod failure;
mod judge;
mod ledger;
mod outside;
mod pin;
mod questions;
pub mod report;
mod request;
mod rest;
mod soak;
mod step;
mod under_way;
mod world;

pub use approval::{Approval, Enforcement};
pub use attempt::{At, Attempt, Cause, HookPlan, HookProgress, News, Soaking, When};
pub use backoff::{Backoff, spread};
pub use blocked::{Blocked, MAX_BLOCKED, MAX_RETRIES};
pub use check::{Answered, Asked, CheckId, Look, Reading, Reply, Sample};
pub use decide::decide;
pub use dependency::{HeldUp, Place, Unready, circle, unready};
pub use digest::{Digest, DigestInput, DigestKey, NotADigestKey};
pub use drift::{
    Checked, Correction, Deviation, Drift, Finding, MAX_CORRECTED, MAX_CORRECTIONS, Scope, WINDOW,
    next_look,
};
pub use failure::Failure;
pub use judge::{Judgement, judge};
pub use ledger::{
    ChartId, Corrected, DAMAGED, Executed, Known, Ledger, MAX_EXECUTED, Outcome, Owner, Proven,
    Removal, Running, Soaked, Tested, Tracked, WayBack,
};
pub use pin::{Hold, Pin};
pub use request::{Order, Ruling, rule};
pub use step::{Amendment, Decision, Plan, Step, Target, Wait, Waiting};
pub use world::{
    Declared, Desired, Home, Progress, Proof, Rejection, SightedFault, SourceLook, Stored,
    StrandedPod, World,
};
