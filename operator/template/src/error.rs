//! What goes wrong, in the words of Go and Helm.

use std::fmt;

/// Helm hides the text of `fail` and `required` between these, finds it again in the finished error, and shows only
/// that.
const WARN_START: &str = "HELM_ERR_START";
const WARN_END: &str = "HELM_ERR_END";

/// A text that is no template. Prints as Go does: `template: NAME:LINE: MESSAGE`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template: {name}:{line}: {message}")]
pub struct ParseError {
    /// The name that the text was parsed under.
    pub name: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong; change the template there.
    pub message: String,
}

impl ParseError {
    /// The text that Helm prints: the location, and of the message what follows its last colon and space.
    pub fn as_helm(&self) -> String {
        let text = self.to_string();
        let mut tokens = text.split(": ");
        let location = tokens.nth(1).unwrap_or_default();
        let message = tokens.last().unwrap_or(location);
        format!("parse error at ({location}): {message}")
    }
}

/// The error of a function, before the engine adds where it was called.
#[derive(Debug, thiserror::Error)]
pub enum FuncError {
    /// The function's own words.
    #[error("{0}")]
    Message(String),
    /// `include` failed inside the included template.
    #[error(transparent)]
    Template(Box<ExecError>),
    /// `tpl` failed inside the text.
    #[error("{context}: {source}")]
    Context {
        /// What was being done.
        context: String,
        /// What failed.
        source: Box<ExecError>,
    },
}

impl FuncError {
    /// An error with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self::Message(text.into())
    }

    /// An error of `fail` or `required`: Helm prints only this text and where it was called.
    pub fn fail(text: &str) -> Self {
        Self::Message(format!("{WARN_START}{text}{WARN_END}"))
    }

    fn next(&self) -> Option<&ExecError> {
        match self {
            Self::Message(_) => None,
            Self::Template(source) | Self::Context { source, .. } => Some(source),
        }
    }
}

impl From<&str> for FuncError {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}
impl From<String> for FuncError {
    fn from(text: String) -> Self {
        Self::Message(text)
    }
}

/// Where in which template execution stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// `NAME:LINE:COLUMN`: the file's name; line from 1, column from 0 in bytes (Go counts the first line's from 0,
    /// too).
    pub location: String,
    /// The node as Go prints it.
    pub node: String,
}

/// A template that failed. Prints as Go does:
/// `template: NAME:LINE:COL: executing "NAME" at <NODE>: MESSAGE`.
#[derive(Debug)]
pub struct ExecError {
    /// The name of the template that was executing.
    pub template: String,
    /// Where; nothing when it failed before it began.
    pub place: Option<Place>,
    /// What is wrong, without the text of `source`.
    pub message: String,
    /// The error of the function that was called.
    pub source: Option<FuncError>,
}

impl fmt::Display for ExecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            None => write!(f, "template: {}: ", self.template)?,
            Some(place) => write!(
                f,
                "template: {}: executing {} at <{}>: ",
                place.location,
                crate::fmt::quoted(self.template.as_bytes()),
                place.node
            )?,
        }
        f.write_str(&self.message)?;
        match &self.source {
            None => Ok(()),
            Some(source) => write!(f, ": {source}"),
        }
    }
}

impl ExecError {
    /// The text that Helm prints. Of `fail` and `required` it shows their message and where they were called; else a
    /// trace, three lines for each template, when every error on the way is one of a template.
    pub fn as_helm(&self) -> String {
        let text = self.to_string();
        let mut tokens = text.splitn(3, ": ");
        let (Some(_), Some(location), Some(rest)) = (tokens.next(), tokens.next(), tokens.next())
        else {
            return format!("execution error in ({}): {text}", self.template);
        };
        if let (Some(start), Some(end)) = (rest.find(WARN_START), rest.rfind(WARN_END))
            && let Some(message) = rest.get(start + WARN_START.len()..end)
        {
            return format!("execution error at ({location}): {message}");
        }
        let mut trace: Vec<Trace> = Vec::new();
        for error in self.chain() {
            let Some(step) = Trace::read(&error) else {
                return text;
            };
            if trace.last() != Some(&step) {
                trace.push(step);
            }
        }
        let lines: String = trace.iter().map(Trace::show).collect();
        lines.trim().to_owned()
    }

    /// The texts of this error and of those that it wraps.
    fn chain(&self) -> Vec<String> {
        let mut texts = vec![self.to_string()];
        let mut current = self.source.as_ref();
        while let Some(error) = current {
            texts.push(error.to_string());
            let Some(inner) = error.next() else {
                break;
            };
            if matches!(error, FuncError::Context { .. }) {
                texts.push(inner.to_string());
            }
            current = inner.source.as_ref();
        }
        texts
    }
}

/// One template in Helm's trace.
#[derive(PartialEq, Eq)]
struct Trace {
    location: String,
    executing: String,
    message: String,
}

impl Trace {
    /// Takes the text of an error apart, as Helm does.
    fn read(text: &str) -> Option<Self> {
        let cut = |message: &str| {
            message
                .split(" template:")
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        let rest = text.strip_prefix("template: ")?;
        if rest.starts_with("no template ") {
            return Some(Self {
                location: String::new(),
                executing: String::new(),
                message: text.to_owned(),
            });
        }
        if let Some(step) = rest
            .split_once(": executing ")
            .and_then(|(location, after)| {
                let (name, after) = after.strip_prefix('"')?.split_once('"')?;
                let (node, message) = after.strip_prefix(" at <")?.split_once(">: ")?;
                let executing = format!("executing \"{name}\" at <{node}>:");
                Some(Self {
                    location: location.to_owned(),
                    executing,
                    message: cut(message),
                })
            })
        {
            return Some(step);
        }
        let (location, message) = rest.rsplit_once(": ")?;
        Some(Self {
            location: location.to_owned(),
            executing: String::new(),
            message: cut(message),
        })
    }

    fn show(&self) -> String {
        let mut out = String::new();
        for (part, end) in [
            (&self.location, "\n  "),
            (&self.executing, "\n    "),
            (&self.message, "\n"),
        ] {
            if !part.is_empty() {
                out.push_str(part);
                out.push_str(end);
            }
        }
        out
    }
}

impl std::error::Error for ExecError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}
