//! Patches of objects as kustomize knows them: a target says which objects, a JSON patch (RFC 6902) or a strategic
//! merge patch says what becomes of them.
//!
//! ```
//! use belay_patch::{Outcome, Patch, Target};
//! use serde_json::json;
//!
//! let target = Target { kind: Some("Deployment|StatefulSet".into()), ..Target::default() };
//! let change = json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "web:2"}]}}}});
//! let patch = Patch::new(Some(&target), &change)?;
//!
//! let web = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
//!     "spec": {"template": {"spec": {"containers": [{"name": "proxy", "image": "proxy:1"}, {"name": "web", "image": "web:1"}]}}}});
//! assert!(patch.is_meant_for(&web, "shop"));
//! let Outcome::Changed(web) = patch.apply(web)? else { panic!() };
//! assert_eq!(web["spec"]["template"]["spec"]["containers"][1]["image"], "web:2");
//! # Ok::<(), belay_patch::Error>(())
//! ```
//!
//! Nothing here does I/O, and equal input gives equal output.

mod error;
mod merge_keys;
mod patch;
mod selector;
mod strategic;
mod target;

pub use error::Error;
pub use patch::{Outcome, Patch};
pub use target::Target;
