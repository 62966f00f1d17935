//! What both sides are asked, and what they answer.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text of a chart: bytes, which need not be UTF-8.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Text(pub Vec<u8>);

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&String::from_utf8_lossy(&self.0), f)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into_bytes())
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // Go writes an empty slice that is nil as null.
        let text = Option::<String>::deserialize(from)?.unwrap_or_default();
        STANDARD.decode(text).map(Self).map_err(D::Error::custom)
    }
}

/// A flag of the `--set` family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SetKind {
    /// `--set`
    Set,
    /// `--set-string`
    String,
    /// `--set-json`
    Json,
    /// `--set-literal`
    Literal,
    /// `--set-file`; every file holds its own name between `<` and `>`
    File,
}

/// One use of such a flag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Set {
    /// The flag.
    pub kind: SetKind,
    /// What follows it.
    pub text: String,
}

/// What both sides are asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum Question {
    /// Render these templates.
    Render {
        /// By their names below the chart, `templates/a.yaml`.
        templates: BTreeMap<String, Text>,
        /// What `.Files` shows.
        files: BTreeMap<String, Text>,
        /// A values file.
        values: Text,
        /// Flags, applied in this order.
        sets: Vec<Set>,
    },
    /// Merge these values.
    Values {
        /// A values file.
        values: Text,
        /// Flags, applied in this order.
        sets: Vec<Set>,
    },
    /// Read this document and print it as JSON, YAML and pretty YAML.
    Yaml {
        /// The document.
        text: Text,
    },
    /// Name sprig's functions. Only the oracle is asked.
    Names,
    /// Render a chart again and again. Only the oracle is asked.
    Time {
        /// Where the chart is.
        path: PathBuf,
        /// A values file.
        values: Text,
        /// How often.
        times: usize,
    },
}

/// What was made up: the first template without its helpers, or the texts.
impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |text: &Text| String::from_utf8_lossy(&text.0).into_owned();
        let (text, sets): (String, &[Set]) = match self {
            Self::Render {
                templates, sets, ..
            } => (
                templates
                    .iter()
                    .filter(|(name, _)| !name.contains("/_"))
                    .map(|(_, text)| show(text))
                    .collect(),
                sets,
            ),
            Self::Values { values, sets } => (show(values), sets),
            Self::Yaml { text } => (show(text), &[]),
            Self::Names => (String::new(), &[]),
            Self::Time { path, .. } => (path.display().to_string(), &[]),
        };
        write!(f, "{text:?}")?;
        for set in sets {
            write!(f, " {:?} {:?}", set.kind, set.text)?;
        }
        Ok(())
    }
}

/// How long renders took.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Times {
    /// Nanoseconds of each render.
    pub wall_ns: Vec<u64>,
    /// Nanoseconds of processor time of all renders together, on all processors.
    pub cpu_ns: u64,
    /// The most memory that the process ever held, in KiB.
    pub peak_kb: u64,
    /// Bytes of output of one render.
    pub bytes: usize,
}

/// What one side answers.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The text of an error.
    Error(String),
    /// The output of each template by full name.
    Files(BTreeMap<String, String>),
    /// Merged values, with the types of numbers.
    Value(serde_json::Value),
    /// A document printed.
    Yaml {
        /// As JSON.
        json: String,
        /// As `toYaml` prints.
        yaml: String,
        /// As `toYamlPretty` prints.
        pretty: String,
    },
    /// How long renders took.
    Times(Times),
    /// None: the process ended.
    Ended,
}

impl Answer {
    /// The error's text.
    pub fn error(&self) -> Option<&str> {
        match self {
            Self::Error(text) => Some(text),
            _ => None,
        }
    }
}

/// The error or the output, cut where it is long.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Error(text) => format!("Error {text:?}"),
            Self::Files(files) => format!("{:?}", files.values().collect::<Vec<_>>()),
            Self::Value(value) => value.to_string(),
            other => format!("{other:?}"),
        };
        match text.char_indices().nth(700) {
            None => f.write_str(&text),
            Some((end, _)) => write!(f, "{}…", &text[..end]),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Wire {
    error: Option<String>,
    files: BTreeMap<String, Text>,
    value: Option<serde_json::Value>,
    yaml: Option<WireYaml>,
    times: Option<Times>,
}

#[derive(Deserialize)]
struct WireYaml {
    json: Text,
    yaml: Text,
    pretty: Text,
}

impl<'de> Deserialize<'de> for Answer {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(from)?;
        let text = |text: Text| String::from_utf8_lossy(&text.0).into_owned();
        Ok(if let Some(error) = wire.error {
            Self::Error(error)
        } else if let Some(value) = wire.value {
            Self::Value(value)
        } else if let Some(yaml) = wire.yaml {
            Self::Yaml {
                json: text(yaml.json),
                yaml: text(yaml.yaml),
                pretty: text(yaml.pretty),
            }
        } else if let Some(times) = wire.times {
            Self::Times(times)
        } else {
            let files = wire.files.into_iter();
            Self::Files(files.map(|(name, output)| (name, text(output))).collect())
        })
    }
}
