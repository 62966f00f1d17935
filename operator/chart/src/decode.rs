//! Reading typed fields out of parsed YAML with the answers that Go's JSON decoder gives.

use std::collections::BTreeMap;

use belay_yaml::Value;

/// Why a file does not fit its type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum DecodeError {
    /// A field has another type; in the words of Go's decoder.
    Type(String),
    /// A rule that Helm checks once all fields are read.
    Rule(String),
}

impl DecodeError {
    pub(crate) fn rule(first: &mut Option<Self>, text: &str) {
        first.get_or_insert_with(|| Self::Rule(text.to_owned()));
    }
}

/// Where in a typed file a value stands.
pub(crate) struct Path<'a> {
    /// The structure that holds the place, and the one that the place is.
    outer: &'a str,
    structure: &'a str,
    go_type: &'a str,
    prefix: String,
}

impl<'a> Path<'a> {
    pub(crate) fn root(structure: &'a str, go_type: &'a str) -> Self {
        Self {
            outer: structure,
            structure,
            go_type,
            prefix: String::new(),
        }
    }

    /// The same place, seen as a structure of its own.
    pub(crate) fn of(&self, structure: &'a str, go_type: &'a str) -> Path<'a> {
        Path {
            outer: self.structure,
            structure,
            go_type,
            prefix: self.prefix.clone(),
        }
    }

    /// The place of a field that is a structure itself.
    pub(crate) fn inner(&self, field: &str, structure: &'a str, go_type: &'a str) -> Path<'a> {
        Path {
            outer: self.structure,
            structure,
            go_type,
            prefix: self.below(field),
        }
    }

    fn below(&self, field: &str) -> String {
        if self.prefix.is_empty() {
            field.to_owned()
        } else {
            format!("{}.{field}", self.prefix)
        }
    }

    /// The fields in key order, or nothing for null and for what is no object (which is an error).
    pub(crate) fn object<'v>(
        &self,
        value: &'v Value,
        first: &mut Option<DecodeError>,
    ) -> Option<&'v belay_yaml::Map> {
        match value {
            Value::Map(fields) => Some(fields),
            Value::Null => None,
            other => {
                let (kind, place) = (kind(other), self.place());
                first.get_or_insert_with(|| {
                    DecodeError::Type(format!(
                        "json: cannot unmarshal {kind} into {place} of type {}",
                        self.go_type
                    ))
                });
                None
            }
        }
    }

    fn place(&self) -> String {
        if self.prefix.is_empty() {
            "Go value".to_owned()
        } else {
            format!("Go struct field {}.{}", self.outer, self.prefix)
        }
    }
}

/// One field that is being read.
pub(crate) struct Decode<'d, 'p> {
    pub(crate) path: &'d Path<'p>,
    pub(crate) value: &'d Value,
    pub(crate) first: &'d mut Option<DecodeError>,
}

impl Decode<'_, '_> {
    fn wrong(&mut self, field: &str, found: &Value, go_type: &str) {
        let text = format!(
            "json: cannot unmarshal {} into Go struct field {}.{} of type {go_type}",
            kind(found),
            self.path.structure,
            self.path.below(field),
        );
        self.first.get_or_insert(DecodeError::Type(text));
    }

    /// A string; numbers and booleans are taken as written, as Helm's YAML reader does for fields of type string.
    pub(crate) fn text(&mut self, field: &str, into: &mut String) {
        match self.value.to_string_field() {
            Some(text) => *into = text,
            None if self.value.is_null() => {}
            None => self.wrong(field, self.value, "string"),
        }
    }

    pub(crate) fn flag(&mut self, field: &str, into: &mut bool) {
        match self.value {
            Value::Bool(b) => *into = *b,
            Value::Null => {}
            other => self.wrong(field, other, "bool"),
        }
    }

    pub(crate) fn texts(&mut self, field: &str, into: &mut Vec<String>) {
        match self.value {
            Value::Seq(items) => {
                into.clear();
                for item in items {
                    match item.to_string_field() {
                        Some(text) => into.push(text),
                        None if item.is_null() => into.push(String::new()),
                        None => self.wrong(field, item, "string"),
                    }
                }
            }
            Value::Null => into.clear(),
            other => self.wrong(field, other, "[]string"),
        }
    }

    pub(crate) fn strings(&mut self, field: &str, into: &mut Option<BTreeMap<String, String>>) {
        match self.value {
            Value::Map(fields) => {
                let map = into.get_or_insert_default();
                for (key, value) in fields {
                    match value.to_string_field() {
                        Some(text) => {
                            map.insert(key.clone(), text);
                        }
                        None if value.is_null() => {
                            map.insert(key.clone(), String::new());
                        }
                        None => self.wrong(field, value, "string"),
                    }
                }
            }
            Value::Null => *into = None,
            other => self.wrong(field, other, "map[string]string"),
        }
    }

    pub(crate) fn anything(&mut self, field: &str, into: &mut Vec<Value>) {
        match self.value {
            Value::Seq(items) => into.clone_from(items),
            Value::Null => into.clear(),
            other => self.wrong(field, other, "[]interface {}"),
        }
    }

    /// A list of structures; `None` for null.
    pub(crate) fn list<T>(
        &mut self,
        field: &str,
        go_type: &str,
        read: impl Fn(&Path<'_>, &Value, &mut Option<DecodeError>) -> T,
    ) -> Option<Vec<T>> {
        match self.value {
            Value::Seq(items) => {
                let path = Path {
                    outer: self.path.outer,
                    structure: self.path.structure,
                    go_type: self.path.go_type,
                    prefix: self.path.below(field),
                };
                Some(
                    items
                        .iter()
                        .map(|item| read(&path, item, self.first))
                        .collect(),
                )
            }
            Value::Null => None,
            other => {
                self.wrong(field, other, go_type);
                None
            }
        }
    }
}

/// What Go's decoder calls a value.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Int(_) | Value::Uint(_) | Value::Float(_) => "number",
        Value::Str(_) | Value::Bytes(_) => "string",
        Value::Seq(_) => "array",
        Value::Map(_) => "object",
    }
}
