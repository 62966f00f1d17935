//! What Helm logs about a chart and goes on.

use std::fmt::{self, Write as _};

/// How Helm marks a line of its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// `level=INFO`.
    Info,
    /// `level=WARN`.
    Warn,
    /// `level=ERROR`, before what ends with the same text.
    Error,
}

/// Something odd about a chart or its values that is no error. As text it is the message with its details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// How Helm marks it.
    pub level: Level,
    /// The message.
    pub message: String,
    /// Names and values that go with it, in Helm's order.
    pub details: Vec<(&'static str, String)>,
}

impl Warning {
    /// A line of the level `INFO`.
    pub fn info(message: impl Into<String>) -> Self {
        Self {
            level: Level::Info,
            message: message.into(),
            details: Vec::new(),
        }
    }

    /// A warning of the level `WARN`.
    pub fn warn(message: impl Into<String>) -> Self {
        Self {
            level: Level::Warn,
            ..Self::info(message)
        }
    }

    /// A line of the level `ERROR`.
    pub fn error(message: impl Into<String>) -> Self {
        Self {
            level: Level::Error,
            ..Self::info(message)
        }
    }

    /// The same with one more detail.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.details.push((name, value.into()));
        self
    }

    /// The line that helm prints on standard error.
    pub fn helm(&self) -> String {
        let level = match self.level {
            Level::Info => "INFO",
            Level::Warn => "WARN",
            Level::Error => "ERROR",
        };
        let mut line = format!("level={level} msg={}", shown(&self.message));
        for (name, value) in &self.details {
            let _ = write!(line, " {name}={}", shown(value));
        }
        line
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for (name, value) in &self.details {
            write!(f, " {name}={}", shown(value))?;
        }
        Ok(())
    }
}

/// In quotes where Go's log handler puts some.
fn shown(text: &str) -> String {
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '=') || c.is_alphanumeric();
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        belay_template::fmt::quoted(text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_quoted_where_it_has_to_be() {
        let warning = Warning::warn("two words")
            .with("path", "a.b")
            .with("error", "\"x\" is none");

        assert_eq!(
            warning.helm(),
            r#"level=WARN msg="two words" path=a.b error="\"x\" is none""#
        );
        assert_eq!(
            warning.to_string(),
            r#"two words path=a.b error="\"x\" is none""#
        );
    }
}
