//! How the story looks.

use std::io::IsTerminal;

use crate::error::Error;

/// Headings and remarks; colours only on a terminal.
pub(crate) struct Terminal {
    colours: bool,
}

impl Terminal {
    pub(crate) fn new() -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            colours: !unwanted && std::io::stdout().is_terminal(),
        }
    }

    /// A chapter of the story.
    pub(crate) fn chapter(&self, title: &str) {
        println!("\n{}", self.paint("1;36", &format!("── {title}")));
    }

    /// A command as the reader would type it.
    pub(crate) fn typed(&self, command: &str) {
        println!("{}", self.paint("1", &format!("$ {command}")));
    }

    /// Something that was looked for in the cluster and found.
    pub(crate) fn seen(&self, what: &str) {
        println!("{} {what}", self.paint("32", "✔ seen in the cluster:"));
    }

    /// A remark.
    pub(crate) fn aside(&self, remark: &str) {
        println!("{}", self.paint("2", remark));
    }

    pub(crate) fn failed(&self, error: &Error) {
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(error);
        while let Some(error) = cause {
            let more = error.to_string();
            if !text.contains(&more) {
                text = format!("{text}: {more}");
            }
            cause = error.source();
        }
        eprintln!("{} {text}", self.paint("31", "✘"));
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colours {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}
