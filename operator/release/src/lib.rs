//! Helm's release record: codec, manifest split and sort, hooks.
//!
//! What Helm 4 writes is written the same way; what Helm 3 and 4 wrote is read, and what this crate does not
//! know survives being read and written again. Nothing here reads a clock, a network or the environment.

mod annotation;
mod chart;
mod codec;
mod difference;
mod document;
mod error;
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
pub use fit::LEFT_OUT;
pub use head::Head;
pub use hook::{
    Hook, HookDeletePolicy, HookExecution, HookOutputLogPolicy, HookPhase, execution_order,
};
pub use hook_event::HookEvent;
pub use info::Info;
pub use manifest::Manifest;
pub use misfit::{Misfit, Part, Shape};
pub use order::{Waves, install_order, uninstall_order, waves};
pub use post_render::PostRender;
pub use record::{APPLY_METHOD_SERVER_SIDE, Record};
pub use rendered::{Rendered, SkippedHook};
pub use split::split_manifests;
pub use status::Status;
pub use storage::{
    MAX_RELEASE_NAME, Moment, OWNER, SECRET_DATA_KEY, SECRET_TYPE, StorageKey, labels, user_labels,
};
