//! Go's text/template with sprig's and Helm's functions.
//!
//! A text is parsed once into a [`Template`], which depends on its name and text only and may be shared by threads
//! and charts. A [`Set`] links the templates of one chart, and a [`Render`] executes them with a [`Value`] as data.
//! Values live in one render and on one thread. What differs from one run to the next (clock, randomness, cluster)
//! comes from a [`Host`].
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

pub use call::{Caller, Function, Host, Library, Param};
pub use error::{ExecError, FuncError, ParseError, Place};
pub use limits::Limits;
pub use object::{Capabilities, HelmVersion, KubeVersion};
pub use registry::{function, function_names};
pub use render::{Options, Render};
pub use set::{Set, Template};
pub use stack::run_with_stack;
pub use value::{IntKind, Kind, List, ListType, Map, MapType, Member, Object, Str, Value};
