//! Colours, where they belong.

use std::io::IsTerminal;

/// Whether text is coloured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    colours: bool,
}

impl Style {
    /// Colours only on a terminal, and not where the user wants none (`--no-color`, `NO_COLOR`).
    pub(crate) fn of_stdout(no_color: bool) -> Self {
        let unwanted =
            no_color || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            colours: !unwanted && std::io::stdout().is_terminal(),
        }
    }

    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self { colours: false };

    pub(crate) fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    pub(crate) fn bad(self, text: &str) -> String {
        self.paint("31", text)
    }

    pub(crate) fn attention(self, text: &str) -> String {
        self.paint("33", text)
    }

    pub(crate) fn strong(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(crate) fn faint(self, text: &str) -> String {
        self.paint("2", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colours && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}
