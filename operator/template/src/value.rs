//! The values that templates compute with: Go's dynamic values, as far as a chart can observe them.
//!
//! A value is small (24 bytes), cheap to clone and not `Send`: it belongs to one render on one thread. Lists are
//! immutable; maps are shared and mutable, because `set` in one template is seen by every holder of the map.
mod free;
mod list;
mod map;
mod str;
mod types;

use std::any::Any;
use std::fmt;
use std::rc::Rc;

use crate::call::Function;

pub(crate) use self::free::Running;
pub use self::list::List;
pub use self::map::Map;
pub use self::str::Str;
pub use self::types::{IntKind, Kind, ListType, MapType};

/// What a name after a dot means on an object.
pub enum Member {
    /// A field's value.
    Field(Value),
    /// A method; its `run` gets the receiver before the declared parameters.
    Method(&'static Function),
}

/// A Go struct that templates can hold: its fields, methods and how it prints.
pub trait Object: Any {
    /// Go's name of the type with package and star, e.g. `*semver.Version`.
    fn type_name(&self) -> &'static str;

    /// The exported field or method of this name.
    fn member(&self, name: &[u8]) -> Option<Member>;

    /// The fields in declaration order, for `%v`, `%+v` and comparing. As in Go, one that begins with a small letter
    /// is not exported: it prints, but not by methods of its own.
    fn fields(&self) -> Vec<(&'static str, Value)>;

    /// What `String()` gives, when the type has it: `%v` and `%s` print it.
    fn text(&self) -> Option<String> {
        None
    }

    /// What an action prints, when that is not [`Object::text`]: Go finds `String()` of a pointer only where the
    /// object is still a field of what it came from.
    fn printed(&self) -> Option<String> {
        self.text()
    }

    /// What a function gets that takes anything, where that is another value than this: Go hands such a function a
    /// copy, which lacks the methods of pointers.
    fn copied(&self) -> Option<Value> {
        None
    }

    /// What JSON and YAML see instead of the object.
    fn plain(&self) -> Value {
        let map = Map::new(MapType::Any);
        for (name, value) in self.fields() {
            map.insert(Str::from(name), value);
        }
        Value::Map(map)
    }

    /// The object itself, to be downcast; write `self`.
    fn as_any(&self) -> &dyn Any;
}

/// Any value that a template can hold.
#[derive(Clone, Default)]
pub enum Value {
    /// An untyped nil.
    #[default]
    Nil,
    /// `bool`
    Bool(bool),
    /// An integer of one of Go's types.
    Int(IntKind, i64),
    /// `float64`
    Float(f64),
    /// `string`
    Str(Str),
    /// `[]uint8`
    Bytes(Str),
    /// A slice of anything but bytes.
    List(List),
    /// A map.
    Map(Map),
    /// A struct or a pointer to one.
    Object(Rc<dyn Object>),
}

const _: () = assert!(std::mem::size_of::<Value>() <= 24);

impl Value {
    /// An `int`.
    pub fn int(number: i64) -> Self {
        Self::Int(IntKind::Int, number)
    }

    /// An `int64`.
    pub fn int64(number: i64) -> Self {
        Self::Int(IntKind::Int64, number)
    }

    /// A `string`.
    pub fn str(text: impl Into<Str>) -> Self {
        Self::Str(text.into())
    }

    /// A `[]interface {}`.
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(List::new(ListType::Any, items))
    }

    /// A `[]string`.
    pub fn strings<S: Into<Str>>(items: impl IntoIterator<Item = S>) -> Self {
        Self::List(List::new(
            ListType::String,
            items.into_iter().map(Self::str).collect(),
        ))
    }

    /// A `map[string]interface {}`.
    pub fn map<K: Into<Str>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::Map(Map::with(
            MapType::Any,
            entries.into_iter().map(|(k, v)| (k.into(), v)).collect(),
        ))
    }

    /// An object.
    pub fn object(object: impl Object) -> Self {
        Self::Object(Rc::new(object))
    }

    /// The object, when it is one of type `T`.
    pub fn downcast<T: Object>(&self) -> Option<&T> {
        match self {
            Self::Object(object) => object.as_any().downcast_ref(),
            _ => None,
        }
    }

    /// The bytes of a string, else nothing. Inside a function, a parameter declared `String` always has them.
    pub fn as_str(&self) -> Option<&Str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The number of an integer of any type.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(_, number) => Some(*number),
            _ => None,
        }
    }

    /// The list.
    pub fn as_list(&self) -> Option<&List> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    /// The map.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// Whether this is the untyped nil.
    pub fn is_nil(&self) -> bool {
        matches!(self, Self::Nil)
    }

    /// Go's truth: false for nil, false, 0, "" and what is empty; structs are always true.
    pub fn truth(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(b) => *b,
            Self::Int(_, number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Str(text) | Self::Bytes(text) => !text.is_empty(),
            Self::List(list) => !list.is_empty(),
            Self::Map(map) => !map.is_empty(),
            Self::Object(_) => true,
        }
    }

    /// Go's kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Nil => Kind::Invalid,
            Self::Bool(_) => Kind::Bool,
            Self::Int(kind, _) => Kind::Int(*kind),
            Self::Float(_) => Kind::Float64,
            Self::Str(_) => Kind::String,
            Self::Bytes(_) | Self::List(_) => Kind::Slice,
            Self::Map(_) => Kind::Map,
            Self::Object(object) if object.type_name().starts_with('*') => Kind::Ptr,
            Self::Object(_) => Kind::Struct,
        }
    }

    /// Go's name of the type, as `%T` prints it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(kind, _) => kind.type_name(),
            Self::Float(_) => "float64",
            Self::Str(_) => "string",
            Self::Bytes(_) => "[]uint8",
            Self::List(list) => list.kind().type_name(),
            Self::Map(map) => map.kind().type_name(),
            Self::Object(object) => object.type_name(),
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil => f.write_str("nil"),
            Self::Bool(b) => b.fmt(f),
            Self::Int(kind, number) => write!(f, "{}({number})", kind.type_name()),
            Self::Float(number) => fmt::Debug::fmt(number, f),
            Self::Str(text) => text.fmt(f),
            Self::Bytes(text) => write!(f, "[]byte({text:?})"),
            Self::List(list) => f.debug_list().entries(list.iter()).finish(),
            Self::Map(map) => write!(f, "map of {}", map.len()), // a map may hold itself
            Self::Object(object) => f.write_str(object.type_name()),
        }
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Self::Bool(b)
    }
}
impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}
impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::str(text)
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::str(text)
    }
}
impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::str(bytes)
    }
}
impl From<Str> for Value {
    fn from(text: Str) -> Self {
        Self::Str(text)
    }
}
impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}
impl From<List> for Value {
    fn from(list: List) -> Self {
        Self::List(list)
    }
}
