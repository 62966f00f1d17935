//! Go's text/template with sprig's and Helm's functions.
//!
//! A template text is parsed once into a [`Template`] that depends on its name and text only and may be shared by
//! threads and charts. A [`Set`] links the templates of one chart; [`Set::execute`] renders one of them
//! with a [`Value`] as its data. Values live in one render and on one thread.

pub mod call;
pub mod compare;
pub mod error;
pub mod fmt;
pub mod funcs;
pub mod limits;
pub mod value;

pub use call::{Caller, Function, Host, Library, Param};
pub use error::{ExecError, FuncError, ParseError};
pub use limits::Limits;
pub use value::{IntKind, Kind, List, ListType, Map, MapType, Member, Object, Str, Value};
