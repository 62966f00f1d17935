//! The values that templates compute with: Go's dynamic values, as far as a chart can observe them.
//!
//! A value is small (24 bytes), cheap to clone and not `Send`: it belongs to one render on one thread. Lists are
//! immutable; maps are shared and mutable, because `set` in one template is seen by every holder of the map.

use std::any::Any;

use std::cell::{Ref, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

use crate::call::Function;

/// A string of bytes, as Go's strings are: usually UTF-8, but `trunc 1 "é"` is half a character.
///
/// Shared by reference count and `Send`, so that the constants of a parsed template need no copy.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Str(Arc<[u8]>);

impl Str {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text; bytes that are no UTF-8 become U+FFFD.
    pub fn to_text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }
}

impl Deref for Str {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}
impl std::borrow::Borrow<[u8]> for Str {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}
impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_text(), f)
    }
}
impl From<&str> for Str {
    fn from(text: &str) -> Self {
        Self(Arc::from(text.as_bytes()))
    }
}
impl From<String> for Str {
    fn from(text: String) -> Self {
        Self(Arc::from(text.into_bytes()))
    }
}
impl From<&[u8]> for Str {
    fn from(bytes: &[u8]) -> Self {
        Self(Arc::from(bytes))
    }
}
impl From<Vec<u8>> for Str {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Arc::from(bytes))
    }
}

/// Which of Go's integer types a number has; `typeOf`, `eq` and `printf` tell them apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IntKind {
    /// `int`
    Int,
    /// `int8`
    Int8,
    /// `int16`
    Int16,
    /// `int32`
    Int32,
    /// `int64`
    Int64,
    /// `uint`
    Uint,
    /// `uint8`, the element of a `[]byte`
    Uint8,
    /// `uint16`
    Uint16,
    /// `uint32`
    Uint32,
    /// `uint64`; the bits of the `i64` are read as unsigned
    Uint64,
    /// `time.Duration`, in nanoseconds
    Duration,
    /// `time.Month`, 1 is January
    Month,
    /// `time.Weekday`, 0 is Sunday
    Weekday,
}

impl IntKind {
    /// Whether the type is unsigned.
    pub fn is_unsigned(self) -> bool {
        matches!(
            self,
            Self::Uint | Self::Uint8 | Self::Uint16 | Self::Uint32 | Self::Uint64
        )
    }

    /// Go's name of the type.
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Uint => "uint",
            Self::Uint8 => "uint8",
            Self::Uint16 => "uint16",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Duration => "time.Duration",
            Self::Month => "time.Month",
            Self::Weekday => "time.Weekday",
        }
    }
}

/// Go's `reflect.Kind`, as `kindOf` prints it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// No value at all.
    Invalid,
    /// A boolean.
    Bool,
    /// An integer; named types such as `time.Duration` have the kind of what they are made of.
    Int(IntKind),
    /// A 64-bit float.
    Float64,
    /// A string.
    String,
    /// A slice.
    Slice,
    /// A map.
    Map,
    /// A struct by value.
    Struct,
    /// A pointer.
    Ptr,
}

impl Kind {
    /// Go's name of the kind.
    pub fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Bool => "bool",
            Self::Int(IntKind::Duration) => "int64",
            Self::Int(IntKind::Month | IntKind::Weekday) => "int",
            Self::Int(kind) => kind.type_name(),
            Self::Float64 => "float64",
            Self::String => "string",
            Self::Slice => "slice",
            Self::Map => "map",
            Self::Struct => "struct",
            Self::Ptr => "ptr",
        }
    }
}

/// The static type of a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ListType {
    /// `[]interface {}`
    Any,
    /// `[]string`
    String,
    /// `[]int`
    Int,
    /// `[][]interface {}`, what `chunk` gives
    Lists,
    /// `common.VersionSet`, a `[]string` with the method `Has`
    VersionSet,
}

impl ListType {
    /// Go's name of the list's type.
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Any => "[]interface {}",
            Self::String => "[]string",
            Self::Int => "[]int",
            Self::Lists => "[][]interface {}",
            Self::VersionSet => "common.VersionSet",
        }
    }

    /// Whether the elements are interfaces, which may be nil and forget their type.
    pub fn holds_any(self) -> bool {
        self == Self::Any
    }
}

/// An immutable list. Go's nil slice (`null` in JSON) and the empty slice (`[]`) are different lists.
#[derive(Clone)]
pub struct List {
    items: Option<Rc<[Value]>>,
    kind: ListType,
}

impl List {
    /// A list with these items, not nil even when empty.
    pub fn new(kind: ListType, items: Vec<Value>) -> Self {
        Self {
            items: Some(Rc::from(items)),
            kind,
        }
    }

    /// Go's nil slice.
    pub fn nil(kind: ListType) -> Self {
        Self { items: None, kind }
    }

    /// Whether this is the nil slice.
    pub fn is_nil(&self) -> bool {
        self.items.is_none()
    }

    /// The static type.
    pub fn kind(&self) -> ListType {
        self.kind
    }
}

impl Deref for List {
    type Target = [Value];
    fn deref(&self) -> &[Value] {
        self.items.as_deref().unwrap_or_default()
    }
}

/// The static type of a map; all keys are strings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MapType {
    /// `map[string]interface {}`
    Any,
    /// `common.Values`: the same with methods
    Values,
    /// `map[string]string`; a missing key is ""
    Strings,
    /// `engine.files`: names to `[]byte`, with the methods of `.Files`
    Files,
}

impl MapType {
    /// Go's name of the map's type.
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Any => "map[string]interface {}",
            Self::Values => "common.Values",
            Self::Strings => "map[string]string",
            Self::Files => "engine.files",
        }
    }

    /// Whether the elements are interfaces, which may be nil and forget their type.
    pub fn holds_any(self) -> bool {
        matches!(self, Self::Any | Self::Values)
    }
}

/// A shared, mutable map in the order of its keys' bytes (the order in which Go's templates range over maps).
///
/// A clone is another reference to the same map, see [`Map::copy`]. Iterate over [`Map::snapshot`] when anything
/// foreign runs in between.
#[derive(Clone)]
pub struct Map {
    entries: Rc<RefCell<BTreeMap<Str, Value>>>,
    kind: MapType,
    nil: bool,
}

impl Map {
    /// An empty map.
    pub fn new(kind: MapType) -> Self {
        Self::with(kind, BTreeMap::new())
    }

    /// A map with these entries.
    pub fn with(kind: MapType, entries: BTreeMap<Str, Value>) -> Self {
        Self {
            entries: Rc::new(RefCell::new(entries)),
            kind,
            nil: false,
        }
    }

    /// Go's nil map: reads as empty, is `null` in JSON, refuses to be written.
    pub fn nil(kind: MapType) -> Self {
        Self {
            entries: Rc::default(),
            kind,
            nil: true,
        }
    }

    /// Whether this is the nil map.
    pub fn is_nil(&self) -> bool {
        self.nil
    }

    /// The static type.
    pub fn kind(&self) -> MapType {
        self.kind
    }

    /// The value under the key.
    pub fn get(&self, key: &[u8]) -> Option<Value> {
        self.entries.borrow().get(key).cloned()
    }

    /// Whether the key is there.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.entries.borrow().contains_key(key)
    }

    /// Sets the key. Go's nil map cannot be written: check [`Map::is_nil`] first where Go would panic.
    pub fn insert(&self, key: Str, value: Value) {
        let old = self.entries.borrow_mut().insert(key, value);
        drop(old); // after the borrow: dropping may reach this map again
    }

    /// Removes the key.
    pub fn remove(&self, key: &[u8]) -> Option<Value> {
        self.entries.borrow_mut().remove(key)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.borrow().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.borrow().is_empty()
    }

    /// The entries in key order; the map must not be written while this is held.
    pub fn entries(&self) -> Ref<'_, BTreeMap<Str, Value>> {
        self.entries.borrow()
    }

    /// The entries of now, in key order.
    pub fn snapshot(&self) -> Vec<(Str, Value)> {
        self.entries
            .borrow()
            .iter()
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    }

    /// Another map with the same entries (one level deep).
    #[must_use]
    pub fn copy(&self) -> Self {
        Self::with(self.kind, self.entries.borrow().clone())
    }

    /// The same map under another static type, as a conversion in Go.
    #[must_use]
    pub fn retyped(&self, kind: MapType) -> Self {
        Self {
            entries: Rc::clone(&self.entries),
            kind,
            nil: self.nil,
        }
    }

    /// Whether both are the same map, not only alike.
    pub fn same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.entries, &other.entries)
    }

    /// An address to recognise this map by, while it lives.
    pub fn identity(&self) -> usize {
        Rc::as_ptr(&self.entries).cast::<()>() as usize
    }
}

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

    /// The exported fields in declaration order, for `%v`, `%+v` and comparing.
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
