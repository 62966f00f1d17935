use std::fmt;

use belay_yaml::Value;

/// A part of a document that has not the shape that every Kubernetes object has there.
///
/// As text it names the part and what has to stand there; [`helm`](Self::helm) says the same in Helm's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The part.
    pub part: Part,
    /// What stands there.
    pub found: Shape,
}

/// The parts of a document that are looked at before it is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// The document itself, a mapping.
    Document,
    /// `apiVersion`, text.
    ApiVersion,
    /// `kind`, text.
    Kind,
    /// `metadata`, a mapping.
    Metadata,
    /// `metadata.name`, text.
    Name,
    /// `metadata.annotations`, a mapping.
    Annotations,
    /// One of the annotations by its name, text.
    Annotation(String),
}

/// The shapes of JSON, null apart, which fits anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// True or false.
    Bool,
    /// A number.
    Number,
    /// Text.
    String,
    /// A sequence.
    Array,
    /// A mapping.
    Object,
}

impl Shape {
    /// The shape of a value; nothing for null.
    pub fn of(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Null => return None,
            Value::Bool(_) => Self::Bool,
            Value::Int(_) | Value::Uint(_) | Value::Float(_) => Self::Number,
            Value::Str(_) | Value::Bytes(_) => Self::String,
            Value::Seq(_) => Self::Array,
            Value::Map(_) => Self::Object,
        })
    }

    fn go(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}

impl Misfit {
    /// As `encoding/json` tells it of Helm's type for the head of a document.
    pub fn helm(&self) -> String {
        let place = match self.part {
            Part::Document => "value of type util.SimpleHead",
            Part::ApiVersion => "struct field SimpleHead.apiVersion of type string",
            Part::Kind => "struct field SimpleHead.kind of type string",
            Part::Metadata => {
                r#"struct field SimpleHead.metadata of type struct { Name string "json:\"name\""; Annotations map[string]string "json:\"annotations\"" }"#
            }
            Part::Name => "struct field .metadata.name of type string",
            Part::Annotations => "struct field .metadata.annotations of type map[string]string",
            Part::Annotation(_) => "struct field .metadata.annotations of type string",
        };
        format!(
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {} into Go {place}",
            self.found.go()
        )
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.part {
            Part::Document => f.write_str("the document has to be a mapping"),
            Part::ApiVersion => f.write_str("apiVersion has to be a string"),
            Part::Kind => f.write_str("kind has to be a string"),
            Part::Metadata => f.write_str("metadata has to be a mapping"),
            Part::Name => f.write_str("metadata.name has to be a string"),
            Part::Annotations => f.write_str("metadata.annotations has to be a mapping"),
            Part::Annotation(name) => {
                write!(f, "metadata.annotations[{name}] has to be a string")
            }
        }
    }
}
