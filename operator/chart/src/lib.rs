//! Helm charts: load, values, schema, dependencies, render.
//!
//! The way of a chart: [`Chart::from_archive`] (or a folder, or files in memory) → [`UserValues::merge`] for what the
//! user set → [`Prepared::new`] applies dependencies, coalesces and validates the values → [`Renderer::render`] gives
//! each template's output and the notes. Cutting the output into objects and hooks is another crate's work.
//!
//! Everything behaves as Helm 4.2 does, texts of errors included; the real helm is the oracle of the tests.

mod archive;
mod capabilities;
mod chart;
mod coalesce;
mod compiled;
mod decode;
mod dependencies;
mod digest;
mod directory;
mod error;
mod file;
mod handlebars;
mod ignore;
mod metadata;
mod path_match;
mod prepare;
mod record;
mod render;
mod schema;
mod scope;
pub mod strvals;
mod user_values;
mod validate;

pub use belay_template::semver;

pub use archive::{MAX_CHART_BYTES, MAX_FILE_BYTES};
pub use capabilities::{Capabilities, HelmVersion, KubeVersion};
pub use chart::{Chart, Crd, Values};
pub use digest::Digest;
pub use error::ChartError;
pub use file::File;
pub use metadata::{Dependency, Maintainer, Metadata};
pub use path_match::{BadPattern, path_match};
pub use prepare::{Prepared, SchemaCheck};
pub use render::{RenderOptions, Rendered, Renderer};
pub use scope::Release;
pub use user_values::{UserValues, ValuesFile, overlay};
