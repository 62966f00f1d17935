//! Questions from a seed: the same seed gives the same questions.

mod chance;
mod functions;
mod mutate;
mod sets;
mod template;
mod words;
mod yaml;

use std::collections::BTreeMap;

pub use chance::Chance;
pub use functions::calls;

use crate::{Question, Text};

/// What questions are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// Templates that mostly work.
    Template,
    /// Templates with a few characters changed: mostly errors.
    BrokenTemplate,
    /// Documents.
    Yaml,
    /// Values and the `--set` family.
    Values,
}

impl Subject {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Template,
        Self::BrokenTemplate,
        Self::Yaml,
        Self::Values,
    ];
}

/// Endless questions about a subject.
pub fn questions(subject: Subject, seed: u64) -> impl Iterator<Item = Question> {
    let mut chance = Chance::new(seed);
    std::iter::repeat_with(move || question(subject, &mut chance))
}

fn question(subject: Subject, chance: &mut Chance) -> Question {
    match subject {
        Subject::Template => render(template::template(chance).into()),
        Subject::BrokenTemplate => {
            let text = template::template(chance);
            render(mutate::mutate(chance, &text, words::TEMPLATE_PIECES).into())
        }
        Subject::Yaml => Question::Yaml {
            text: yaml::document(chance).into(),
        },
        Subject::Values => Question::Values {
            values: yaml::values(chance).into(),
            sets: sets::sets(chance),
        },
    }
}

fn render(template: Text) -> Question {
    let templates = [
        ("templates/a.yaml".to_owned(), template),
        ("templates/_h.tpl".to_owned(), words::HELPERS.into()),
    ];
    let files = words::FILES
        .iter()
        .map(|(name, text)| ((*name).to_owned(), Text(text.to_vec())));
    Question::Render {
        templates: BTreeMap::from(templates),
        files: files.collect(),
        values: words::VALUES.into(),
        sets: words::sets(),
    }
}
