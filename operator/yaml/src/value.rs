use std::collections::BTreeMap;

/// A mapping: keys in byte order, which is the order in which Go prints JSON and ranges over maps.
pub type Map = BTreeMap<String, Value>;

/// What a YAML or JSON document says.
///
/// The variants are those that Go's decoders can produce. Reading values the way Helm does yields no integers
/// at all (see [`Numbers`](crate::Numbers)); `--set` and template functions do.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Value {
    /// Go's `nil`.
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer that fits `int64`.
    Int(i64),
    /// An integer above `int64`'s range; smaller ones may be here too and print the same.
    Uint(u64),
    /// A `float64`.
    Float(f64),
    /// Text.
    Str(String),
    /// A Go string that is not UTF-8. Reading never yields it; templates can build it.
    Bytes(Vec<u8>),
    /// A sequence.
    Seq(Vec<Value>),
    /// A mapping.
    Map(Map),
}

impl Value {
    /// A Go string: [`Value::Str`] when the bytes are UTF-8, else [`Value::Bytes`].
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self::Str(text),
            Err(error) => Self::Bytes(error.into_bytes()),
        }
    }

    /// Whether this is [`Value::Null`].
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text of a [`Value::Str`].
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The boolean of a [`Value::Bool`].
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// A number of any variant as a `float64`.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Uint(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// A number of any variant as an integer, if it is one and fits.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(*value),
            Self::Uint(value) => i64::try_from(*value).ok(),
            Self::Float(value) if value.fract() == 0.0 && value.abs() < 9.2e18 => {
                Some(*value as i64)
            }
            _ => None,
        }
    }

    /// The items of a [`Value::Seq`].
    pub fn as_seq(&self) -> Option<&[Value]> {
        match self {
            Self::Seq(items) => Some(items),
            _ => None,
        }
    }

    /// The entries of a [`Value::Map`].
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The entries of a [`Value::Map`], to change them.
    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        match self {
            Self::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// What `key` of a [`Value::Map`] holds.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_map()?.get(key)
    }

    /// What a path of keys leads to, through nested mappings.
    pub fn at(&self, path: &[&str]) -> Option<&Value> {
        path.iter().try_fold(self, |value, key| value.get(key))
    }

    /// The text that a Go struct's string field takes from this scalar, `None` for anything that it refuses.
    ///
    /// `sigs.k8s.io/yaml` lets `version: 1.10` fill a string field: numbers and booleans become text on the way,
    /// floats through a `float32` (`1.10` becomes `1.1`). For this to see integers as such, read with
    /// [`Numbers::Exact`](crate::Numbers::Exact).
    pub fn to_string_field(&self) -> Option<String> {
        match self {
            Self::Str(text) => Some(text.clone()),
            Self::Bool(value) => Some(value.to_string()),
            Self::Int(value) => Some(value.to_string()),
            Self::Uint(value) => Some(value.to_string()),
            Self::Float(value) => Some(crate::number::float_g32(*value)),
            Self::Null | Self::Bytes(_) | Self::Seq(_) | Self::Map(_) => None,
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Str(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Str(value)
    }
}

impl From<Vec<Value>> for Value {
    fn from(value: Vec<Value>) -> Self {
        Self::Seq(value)
    }
}

impl From<Map> for Value {
    fn from(value: Map) -> Self {
        Self::Map(value)
    }
}
