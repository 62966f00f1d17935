//! How functions are registered and what they may ask for.
//!
//! A function declares the Go types of its parameters; the engine checks every argument against them, with Go's
//! texts, before the function runs. So a body may rely on them: a `String` parameter is a [`Value::Str`].

use crate::error::FuncError;
use crate::value::{Str, Value};

/// The Go type of a parameter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Param {
    /// `interface {}`: anything; what is missing or nil arrives as [`Value::Nil`].
    Any,
    /// `reflect.Value`: the same, as Go's own functions take it.
    Reflect,
    /// `string`
    String,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `int64`
    Int64,
    /// `uint32`
    Uint32,
    /// `float64`
    Float64,
    /// `[]interface {}`; nil arrives as the nil list
    List,
    /// `[]string`; nil arrives as the nil list
    Strings,
    /// `map[string]interface {}`; nil arrives as the nil map
    Map,
    /// An object of this Go type, e.g. `time.Time`.
    Object(&'static str),
}

impl Param {
    /// Go's name of the type.
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Any => "interface {}",
            Self::Reflect => "reflect.Value",
            Self::String => "string",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Int64 => "int64",
            Self::Uint32 => "uint32",
            Self::Float64 => "float64",
            Self::List => "[]interface {}",
            Self::Strings => "[]string",
            Self::Map => "map[string]interface {}",
            Self::Object(name) => name,
        }
    }
}

/// The body of a function: arguments are already checked for number and type.
pub type Run = fn(&mut dyn Caller, &[Value]) -> Result<Value, FuncError>;

/// A function that templates can call.
#[derive(Clone, Copy)]
pub struct Function {
    /// The name in templates.
    pub name: &'static str,
    /// The types of the fixed parameters.
    pub params: &'static [Param],
    /// The type of each further argument, if any are taken.
    pub variadic: Option<Param>,
    /// Whether the type of its result is `interface {}`. Go tells a nil in one from no value at all where the result
    /// is used in place (`coalesce.a`, `len coalesce`), not through parentheses or a pipe.
    pub any: bool,
    /// The body.
    pub run: Run,
}

impl Function {
    /// A function with a fixed number of parameters.
    pub const fn new(name: &'static str, params: &'static [Param], run: Run) -> Self {
        Self {
            name,
            params,
            variadic: None,
            any: false,
            run,
        }
    }

    /// A function that takes any number of arguments of type `rest` after the fixed ones.
    pub const fn variadic(
        name: &'static str,
        params: &'static [Param],
        rest: Param,
        run: Run,
    ) -> Self {
        Self {
            name,
            params,
            variadic: Some(rest),
            any: false,
            run,
        }
    }

    /// The same function with a result of the type `interface {}`.
    #[must_use]
    pub const fn giving_any(self) -> Self {
        Self { any: true, ..self }
    }
}

/// Functions that belong together. Of two functions of one name, that of the later library is called.
#[derive(Clone, Copy)]
pub struct Library {
    /// What the library is about, for messages and documentation.
    pub name: &'static str,
    /// The functions.
    pub functions: &'static [Function],
}

/// What a running function may use of the engine.
pub trait Caller {
    /// The world outside: clock, randomness, DNS, cluster.
    fn host(&mut self) -> &mut dyn Host;

    /// Helm's `include`: executes the named template and returns its output.
    ///
    /// # Errors
    /// When there is no such template, it fails, or templates include each other too deeply.
    fn include(&mut self, name: &[u8], data: &Value) -> Result<Value, FuncError>;

    /// Helm's `tpl`: executes the text as a template that sees all templates of the set.
    ///
    /// # Errors
    /// When the text does not parse or fails.
    fn tpl(&mut self, text: &Str, data: &Value) -> Result<Value, FuncError>;

    /// Accounts for `bytes` of result before a function builds it, so that `repeat 1000000000 "x"` fails instead of
    /// eating the memory.
    ///
    /// # Errors
    /// When the render has used up its limit.
    fn reserve(&mut self, bytes: usize) -> Result<(), FuncError>;

    /// Whether the nil argument of a [`Param::Reflect`] function lay in an interface, as what comes out of a map does;
    /// any other nil is no value at all to Go.
    fn nil_in_interface(&self) -> bool {
        false
    }

    /// Whether `required` and `fail` let it pass, as while linting.
    fn lenient(&self) -> bool {
        false
    }
}

/// What a lenient render lets pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passed {
    /// `required` found nothing where a value has to be.
    Missing,
    /// `required` found an empty text.
    Empty,
    /// `fail` was called.
    Failure,
}

/// The world outside of a render. All that makes two renders of the same chart differ comes through here.
pub trait Host {
    /// Now.
    fn now(&mut self) -> jiff::Timestamp;

    /// The local time zone, as Go's `time.Local`.
    fn zone(&mut self) -> jiff::tz::TimeZone {
        jiff::tz::TimeZone::UTC
    }

    /// Fills the buffer with random bytes fit for keys and passwords.
    fn random(&mut self, buffer: &mut [u8]);

    /// An address of the host name, "" when DNS is not enabled (Helm's default) or knows none.
    fn resolve(&mut self, name: &str) -> String {
        let _ = name;
        String::new()
    }

    /// Hears of what a lenient render lets pass, with the message of `required` or `fail`. Helm logs it while linting.
    fn let_pass(&mut self, what: Passed, message: &str) {
        let _ = (what, message);
    }

    /// Helm's `lookup`: the object, or a list when `name` is empty; an empty map when it does not exist or there is
    /// no cluster.
    ///
    /// # Errors
    /// The text of what the cluster answered otherwise.
    fn lookup(
        &mut self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Value, String> {
        let _ = (api_version, kind, namespace, name);
        Ok(Value::Map(crate::value::Map::new(
            crate::value::MapType::Any,
        )))
    }
}
