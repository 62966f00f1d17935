//! Makes a question that both sides answer differently as small as it stays different.

use crate::search::verdict;
use crate::{Error, Oracle, Question, Text, ours};

/// How often the oracle is asked for one difference.
const ATTEMPTS: usize = 600;

/// The smallest question that was found on the way.
pub(crate) fn shrink(oracle: &mut Oracle, mut question: Question) -> Result<Question, Error> {
    let mut left = ATTEMPTS;
    for part in 0..parts(&question) {
        let mut length = characters(&question, part).len();
        while length > 0 {
            let mut at = 0;
            while at < characters(&question, part).len() && left > 0 {
                let smaller = without(&question, part, at, length);
                left -= 1;
                let (theirs, own) = (oracle.ask(&smaller)?, ours::answer(&smaller));
                if verdict(&smaller, &theirs, &own).is_err() {
                    question = smaller;
                } else {
                    at += length;
                }
            }
            length /= 2;
        }
    }
    Ok(question)
}

fn parts(question: &Question) -> usize {
    match question {
        Question::Render {
            templates, sets, ..
        } => templates.len() + sets.len(),
        Question::Values { sets, .. } => 1 + sets.len(),
        Question::Yaml { .. } => 1,
        Question::Names | Question::Time { .. } => 0,
    }
}

/// Characters, or bytes where they are none.
fn characters(question: &Question, part: usize) -> Vec<Vec<u8>> {
    let mut question = question.clone();
    let mut all = Vec::new();
    edit(&mut question, part, |text| {
        all = text
            .utf8_chunks()
            .flat_map(|chunk| {
                let valid = chunk.valid().chars().map(|c| c.to_string().into_bytes());
                let broken = chunk.invalid().iter().map(|byte| vec![*byte]);
                valid.chain(broken).collect::<Vec<_>>()
            })
            .collect();
    });
    all
}

fn without(question: &Question, part: usize, at: usize, length: usize) -> Question {
    let mut left = characters(question, part);
    left.drain(at..(at + length).min(left.len()));
    let mut smaller = question.clone();
    edit(&mut smaller, part, |text| *text = left.concat());
    smaller
}

fn edit(question: &mut Question, part: usize, change: impl FnOnce(&mut Vec<u8>)) {
    let (texts, sets): (Vec<&mut Text>, &mut [crate::Set]) = match question {
        Question::Render {
            templates, sets, ..
        } => (templates.values_mut().collect(), sets),
        Question::Values { values, sets } => (vec![values], sets),
        Question::Yaml { text } => (vec![text], &mut []),
        Question::Names | Question::Time { .. } => (Vec::new(), &mut []),
    };
    let count = texts.len();
    if let Some(text) = texts.into_iter().nth(part) {
        change(&mut text.0);
    } else if let Some(set) = sets.get_mut(part - count) {
        let mut bytes = std::mem::take(&mut set.text).into_bytes();
        change(&mut bytes);
        set.text = String::from_utf8_lossy(&bytes).into_owned();
    }
}
