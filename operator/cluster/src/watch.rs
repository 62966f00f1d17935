//! Watches shared by all releases, and what they saw: a release that waits is some entries in an index, and nothing
//! else.

pub(crate) mod events;
mod fresh;
mod guard;
mod index;
pub(crate) mod named;
mod observe;
mod pods;
mod registry;
mod tracked;

pub use guard::Guard;
pub use index::Progress;
pub use pods::{PodObservation, StrandedPod};
pub use registry::{WatchScope, Watches};
pub use tracked::{Follow, Judge, Observed, PodScope, ReleaseKey, Tracked, Tracking};
