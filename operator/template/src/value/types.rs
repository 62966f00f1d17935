//! Go's types, as far as values can have them.

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
