//! Pure judgement: the verdict of an object, pod faults, classes, masking.
//!
//! Nothing here reads a clock, a network or the environment: objects come in as JSON, moments as
//! milliseconds, and the same input always gives the same answer. What a cluster says is read
//! leniently, because a missing or odd field must never stop a rollout by a panic; it simply does
//! not count as evidence.

mod api_service;
mod claim;
mod class;
mod definition;
mod difference;
mod evidence;
mod expression;
mod field;
mod fingerprint;
mod hook;
mod ignore;
mod image_pull;
mod job;
mod mask;
mod object;
mod patience;
mod pod;
mod pod_fault;
mod pod_fault_reason;
mod pod_owner;
mod progress;
mod readiness;
mod selector;
mod service;
mod trim;
mod verdict;
mod workload;

pub use claim::{claim_verdict, claim_waits_for_consumer};
pub use class::{FailureClass, FaultClass, UnknownName};
pub use difference::{Change, Difference, changes, covers, leave_alone};
pub use evidence::{Evidence, ObjectEvidence, PodEvidence, TimelineEntry};
pub use expression::{Expression, ExpressionError, MAX_EXPRESSION_BYTES, NoAnswer};
pub use fingerprint::{Fingerprint, Sight, owns_alike};
pub use hook::hook_verdict;
pub use ignore::{BadRule, IgnoreRule, Target, ignored_paths, is_ignored};
pub use image_pull::{PullFailure, classify_pull_message};
pub use job::expires_when_finished;
pub use mask::{MASK, Mask, mask, mask_secret_objects, secret_strings};
pub use object::{ObjectError, ObjectKey, ObjectRef, is_builtin_group};
pub use patience::{Patience, PatiencePolicy, Sighting, Undertaking, patience};
pub use pod_fault::{PodFault, pod_fault};
pub use pod_fault_reason::PodFaultReason;
pub use pod_owner::{Controller, controller_of, is_new_pod, is_stranded_pod};
pub use progress::ProgressReason;
pub use readiness::{ReadinessRule, WrongRule};
pub use selector::{NotASelector, Selector};
pub use trim::{EVIDENCE_LIMIT, clip, clip_tail};
pub use verdict::{Verdict, verdict, without_report};
