//! The two kinds of Belay, `HelmRelease` and `RollbackRequest`, in the group `belay.dev/v1alpha1`:
//! their types, conditions, reasons and the names that code, CLI and docs share.
//!
//! `crds/` in the repository is printed from here by the binary `crds`.
//!
//! ```
//! use belay_api::HelmRelease;
//! use kube::CustomResourceExt;
//! assert_eq!(HelmRelease::crd_name(), "helmreleases.belay.dev");
//! ```

pub mod condition;
mod crd;
pub mod helm_release;
pub mod names;
pub mod reason;
pub mod rollback_request;
pub mod time;

pub use condition::{Condition, ConditionStatus, ConditionType};
pub use crd::{Error, crds};
pub use helm_release::{HelmRelease, HelmReleaseSpec, HelmReleaseStatus};
pub use reason::{Phase, Reason};
pub use rollback_request::{RollbackRequest, RollbackRequestSpec, RollbackRequestStatus};
pub use time::{Duration, Timestamp};
