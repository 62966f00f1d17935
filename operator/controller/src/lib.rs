//! The controller: four calls that can be read aloud.
//!
//! *gather* looks at the `HelmRelease`, its requests, the ledger, Helm's records and what the
//! watches left; *decide* (in `belay-rollout`) is pure; *act* does one short, idempotent step;
//! *report* writes what people see. [`run`] wires them to the cluster.

mod act;
mod approval;
mod asked;
mod checks;
mod clock;
mod clusters;
mod comparison;
mod context;
mod dependents;
mod error;
mod gather;
mod memory;
pub mod metrics;
mod reconcile;
mod references;
mod render;
mod report;
mod run;
mod serve;
mod session;
mod settings;
mod trial;
mod turns;
mod undeliverable;
mod unreachable;
mod values;
mod wake;

pub use asked::asked_chart;
pub use comparison::{CannotCompare, Change, Comparison, Difference, compare};
pub use error::Error;
pub use metrics::Metrics;
pub use run::{Operator, run};
pub use settings::Settings;
pub use trial::{TrialError, trial};
pub use values::{
    Keys, Origin, WrongValues, keys_of_config_map, keys_of_secret, merge_values, with_defaults,
};
