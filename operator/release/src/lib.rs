//! Helm's release record: codec, manifest split and sort, hooks.
//!
//! What Helm 4 writes is written the same way; what Helm 3 and 4 wrote is read, and what this crate does not
//! know survives being read and written again. Nothing here reads a clock, a network or the environment.
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use belay_release::{
//!     HookEvent, Record, Rendered, Status, StorageKey, decode, encode, execution_order, uninstall_order,
//! };
//!
//! // What a chart rendered to, cut into objects and hooks.
//! let files = BTreeMap::from([(
//!     "web/templates/all.yaml".to_owned(),
//!     "kind: Deployment\nmetadata: {name: web}\n---\nkind: Job\nmetadata:\n  name: migrate\n  annotations:\n    \
//!      helm.sh/hook: pre-install,pre-upgrade\n---\nkind: Secret\nmetadata: {name: key}\n"
//!         .to_owned(),
//! )]);
//! let rendered = Rendered::from_files(&files)?;
//! let kinds: Vec<&str> = rendered.manifest.documents.iter().map(|document| document.head.kind.as_str()).collect();
//! assert_eq!(kinds, ["Secret", "Deployment"]);
//! assert_eq!(execution_order(&rendered.hooks, HookEvent::PreUpgrade)[0].name, "migrate");
//! assert!(uninstall_order("Deployment", "Secret").is_lt());
//!
//! // A record as Helm keeps it in a Secret, and back.
//! let mut record = Record::new("shop", "default", 3);
//! record.info.status = Status::Deployed;
//! record.manifest = rendered.manifest.to_text();
//! record.hooks = rendered.hooks;
//! assert_eq!(StorageKey::new("shop", 3).to_string(), "sh.helm.release.v1.shop.v3");
//! assert_eq!(decode(&encode(&record)?)?, record);
//!
//! // What cannot be read says where and why.
//! let broken = BTreeMap::from([("web/templates/a.yaml".to_owned(), "kind: [\n".to_owned())]);
//! let error = Rendered::from_files(&broken).unwrap_err();
//! assert!(error.to_string().contains("web/templates/a.yaml"), "{error}");
//! # Ok::<(), belay_release::Error>(())
//! ```

mod annotation;
mod chart;
mod codec;
mod difference;
mod document;
mod error;
mod essence;
mod fit;
mod head;
mod hook;
mod hook_event;
mod info;
mod manifest;
mod misfit;
mod order;
mod post_render;
mod record;
mod rendered;
mod split;
mod status;
mod storage;
mod timestamp;

pub use annotation::{
    HOOK, HOOK_DELETE_POLICY, HOOK_OUTPUT_LOG_POLICY, HOOK_WEIGHT, IRREVERSIBLE, RESOURCE_POLICY,
    is_irreversible, is_kept,
};
pub use chart::{Blob, ChartFile, ChartRecord, ChartSummary};
pub use codec::{DECODED_LIMIT, STORED_LIMIT, decode, decode_within, encode};
pub use difference::{Difference, FieldChange, Named, differences};
pub use document::Document;
pub use error::Error;
pub use essence::Essence;
pub use fit::LEFT_OUT;
pub use head::Head;
pub use hook::{
    Hook, HookDeletePolicy, HookExecution, HookOutputLogPolicy, HookPhase, execution_order,
};
pub use hook_event::HookEvent;
pub use info::Info;
pub use manifest::Manifest;
pub use misfit::{Misfit, Part, Shape};
pub use order::{Waves, has_a_say_in_others, install_order, uninstall_order, waves};
pub use post_render::PostRender;
pub use record::{APPLY_METHOD_SERVER_SIDE, Record};
pub use rendered::{Rendered, SkippedHook};
pub use split::split_manifests;
pub use status::Status;
pub use storage::{
    MAX_RELEASE_NAME, Moment, OWNER, SECRET_DATA_KEY, SECRET_TYPE, StorageKey, labels, user_labels,
};
