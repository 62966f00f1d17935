use std::borrow::Cow;

use thiserror::Error as ThisError;

/// A place in a source text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line, counted from 1.
    pub line: u64,
    /// The character in its line, counted from 1.
    pub column: u64,
}

/// Why a text could not be read or a value not be printed.
///
/// Where Go's libraries have a message of their own, [`Display`](std::fmt::Display) gives it word for word:
/// charts see it under the key `Error` of `fromYaml` and its siblings. For line numbers trust [`Error::position`],
/// not the text, as go-yaml's own count is off by one for some kinds of errors.
#[derive(Debug, Clone, PartialEq, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// The text is not YAML.
    #[error("error converting YAML to JSON: yaml: {}{problem}", line_prefix(*.go_line))]
    Syntax {
        /// What is wrong, in libyaml's words.
        problem: Cow<'static, str>,
        /// The line as go-yaml reports it; 0 when it reports none.
        go_line: u64,
        /// Where it really is, when known.
        position: Option<Position>,
    },
    /// The text is YAML, but a tag, an alias or a merge in it means nothing.
    #[error("error converting YAML to JSON: yaml: {problem}")]
    Content {
        /// What is wrong, in go-yaml's words.
        problem: String,
        /// Where the offending node starts.
        position: Option<Position>,
    },
    /// Strict reading found keys that a mapping sets twice.
    #[error("error converting YAML to JSON: yaml: unmarshal errors:\n  {}", .0.join("\n  "))]
    DuplicateKeys(
        /// One line for each key set again, in the order of the document.
        Vec<String>,
    ),
    /// What the document says has no counterpart in JSON: NaN, an infinity, or a key such as `null`.
    #[error("error converting YAML to JSON: {0}")]
    NotJson(
        /// What is wrong, in Go's words.
        String,
    ),
    /// The document is well-formed but its top is not what the caller needs, say a list where a map has to be.
    #[error("error unmarshaling JSON: while decoding JSON: {0}")]
    Shape(
        /// What is wrong, in `encoding/json`'s words.
        String,
    ),
    /// The text is not JSON, or not JSON of the shape that the caller needs.
    #[error("{problem}")]
    Json {
        /// What is wrong, in `encoding/json`'s words.
        problem: String,
        /// How many bytes of the text were read when it went wrong.
        offset: usize,
    },
    /// A value holds NaN or an infinity, which JSON has no form for.
    #[error("{}json: unsupported value: {value}", if *.yaml { "error marshaling into JSON: " } else { "" })]
    UnsupportedFloat {
        /// The number as Go prints it.
        value: &'static str,
        /// Whether it was to become YAML, in which case Go's message says so.
        yaml: bool,
    },
    /// A text cannot pass through the YAML reader on its way out, say for a control character that JSON keeps.
    #[error("{}", without_prefix(.0))]
    Unprintable(
        /// What the reader says to the value's JSON.
        #[source]
        Box<Error>,
    ),
    /// A line that separates documents holds more than `---`, blanks and a comment.
    #[error("invalid Yaml document separator: {0}")]
    Separator(
        /// What follows the dashes.
        String,
    ),
    /// One of the [`Limits`](crate::Limits) was passed; the document has to become smaller.
    #[error("the document exceeds the limit of {limit} {what}; make it smaller or split it")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// How much of it is allowed.
        limit: usize,
    },
}

impl Error {
    /// Where in the source text it went wrong, when that is known.
    pub fn position(&self) -> Option<Position> {
        match self {
            Self::Syntax { position, .. } | Self::Content { position, .. } => *position,
            _ => None,
        }
    }
}

fn line_prefix(line: u64) -> String {
    if line == 0 {
        String::new()
    } else {
        format!("line {line}: ")
    }
}

/// Go converts JSON to YAML without the prefix that it has for the other direction.
fn without_prefix(error: &Error) -> String {
    let text = error.to_string();
    text.strip_prefix("error converting YAML to JSON: ")
        .map(str::to_owned)
        .unwrap_or(text)
}
