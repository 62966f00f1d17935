//! Go's text/template with sprig's and Helm's functions.
//!
//! A text is parsed once into a [`Template`], which depends on its name and text only and may be shared by threads
//! and charts. A [`Set`] links the templates of one chart, and a [`Render`] executes them with a [`Value`] as data.
//! Values live in one render and on one thread. What differs from one run to the next (clock, randomness, cluster)
//! comes from a [`Host`].
//!
//! ```
//! use belay_template::{Host, Options, Render, Set, Template, convert, run_with_stack};
//!
//! /// What templates learn of the world outside: nothing that changes.
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
//! let text = run_with_stack(|| -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
//!     let mut set = Set::new();
//!     set.add(&Template::parse("names.tpl", r#"{{ define "full" }}{{ .name | trunc 5 }}-{{ .tier }}{{ end }}"#)?);
//!     set.add(&Template::parse("a.yaml", r#"name: {{ include "full" . | quote }}{{ range .ports }} {{ . }}{{ end }}"#)?);
//!
//!     let data = belay_yaml::parse(b"{name: frontend, tier: web, ports: [80, 443]}")?;
//!     let mut host = Fixed;
//!     let mut render = Render::new(&set, &mut host, Options::default());
//!     let output = render.execute("a.yaml", &convert::from_data(&data)).map_err(|error| error.to_string())?;
//!     Ok(String::from_utf8_lossy(&output).into_owned())
//! });
//!
//! assert_eq!(text.unwrap().unwrap(), "name: \"front-web\" 80 443");
//! ```
//!
//! Parsing, executing and printing recurse as deep as a chart nests: do them within [`run_with_stack`].

mod ast;
mod builtin;
pub mod call;
pub mod compare;
pub mod convert;
pub mod dates;
pub mod error;
mod eval;
mod exec;
pub mod fmt;
mod funcs;
mod glob;
mod helm;
mod lex;
pub mod limits;
mod literal;
mod method;
mod object;
mod parse;
pub mod regex;
mod registry;
mod render;
pub mod semver;
mod set;
mod stack;
mod strconv;
pub mod value;

pub use call::{Caller, Function, Host, Library, Param, Passed};
pub use error::{ExecError, FuncError, ParseError, Place};
pub use limits::Limits;
pub use object::{Capabilities, CapabilityFields, HelmVersion, KubeVersion};
pub use registry::{function, function_names};
pub use render::{Options, Render};
pub use set::{Set, Template};
pub use stack::run_with_stack;
pub use value::{IntKind, Kind, List, ListType, Map, MapType, Member, Object, Str, Value};
