//! Helm charts: load, values, schema, dependencies, render.
//!
//! The way of a chart: [`Chart::from_archive`] (or a folder, or files in memory) → [`UserValues::merge`] for what the
//! user set → [`Prepared::new`] applies dependencies, coalesces and validates the values → [`Renderer::render`] gives
//! each template's output and the notes. Cutting the output into objects and hooks is another crate's work.
//!
//! ```
//! use belay_chart::{
//!     Capabilities, Chart, File, Prepared, Release, RenderOptions, Renderer, SchemaCheck, UserValues, Values,
//! };
//! use belay_template::{Host, Limits};
//!
//! struct Fixed;
//!
//! impl Host for Fixed {
//!     fn now(&mut self) -> jiff::Timestamp {
//!         jiff::Timestamp::UNIX_EPOCH
//!     }
//!     fn random(&mut self, buffer: &mut [u8]) {
//!         buffer.fill(7);
//!     }
//! }
//!
//! // A chart from files in memory; `Chart::from_path` reads a folder or a package.
//! let chart = Chart::from_files([
//!     File::new("Chart.yaml", b"apiVersion: v2\nname: web\nversion: 1.0.0\n"),
//!     File::new("values.yaml", b"replicas: 1\nimage: {tag: stable}\n"),
//!     File::new("templates/NOTES.txt", b"{{ .Release.Name }} is there."),
//!     File::new(
//!         "templates/web.yaml",
//!         b"kind: Deployment\nspec: {replicas: {{ .Values.replicas }}, tag: {{ .Values.image.tag }}}\n",
//!     ),
//! ])?;
//!
//! // What the user set, as on Helm's command line.
//! let set = UserValues { set: vec!["replicas=3".to_owned()], ..UserValues::default() };
//! let values = set.merge(Values::new(), &mut |file| Err(format!("{file} is not read here")))?;
//!
//! let prepared = Prepared::new(&chart, &values, SchemaCheck::Enforce)?;
//! let options = RenderOptions {
//!     release: Release { name: "shop".into(), namespace: "default".into(), revision: 1, is_upgrade: false },
//!     capabilities: Capabilities::default().into(),
//!     subchart_notes: false,
//!     limits: Limits::default(),
//! };
//! let rendered = Renderer::default().render(&prepared, &options, &mut Fixed)?;
//!
//! assert_eq!(
//!     rendered.files["web/templates/web.yaml"],
//!     "kind: Deployment\nspec: {replicas: 3, tag: stable}\n"
//! );
//! assert_eq!(rendered.notes, "shop is there.");
//! # Ok::<(), belay_chart::ChartError>(())
//! ```
//!
//! [`lint`] finds what is wrong with a chart by the rules of `helm lint`.
//!
//! Everything behaves as Helm 4.2 does, texts of errors included; the real helm is the oracle of the tests.

mod archive;
mod capabilities;
mod chart;
mod clean_path;
mod coalesce;
mod compiled;
mod content_type;
mod decode;
mod dependencies;
mod digest;
mod directory;
mod error;
mod file;
mod file_error;
mod handlebars;
mod ignore;
mod layers;
mod lint;
mod loader;
mod lock;
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
mod warning;

pub use belay_template::semver;

pub use archive::{MAX_CHART_BYTES, MAX_FILE_BYTES};
pub use capabilities::{Capabilities, HelmVersion, KubeVersion};
pub use chart::{Chart, Crd, Values};
pub use clean_path::{absolute_path, clean_path};
pub use digest::Digest;
pub use error::ChartError;
pub use file::File;
pub use layers::{Layers, Leaf};
pub use lint::{Finding, LintOptions, Linted, Severity, lint};
pub use loader::{LoadFor, Unloadable};
pub use metadata::{Dependency, Maintainer, Metadata};
pub use path_match::{BadPattern, path_match};
pub use prepare::{Prepared, SchemaCheck};
pub use render::{RenderOptions, Rendered, Renderer};
pub use scope::Release;
pub use user_values::{UserValues, ValuesFile, overlay};
pub use warning::{Level, Warning};
