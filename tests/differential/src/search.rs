//! Asks both sides and keeps what differs.

use std::collections::BTreeMap;
use std::fmt;

use crate::{Answer, Error, Oracle, Question, explained, ours, shrink};

/// How many questions are asked at once.
const BATCH: usize = 200;

/// A question that both sides answer differently.
#[derive(Debug, Clone)]
pub struct Difference {
    /// The question, made small.
    pub question: Question,
    /// What Helm's engine answers.
    pub theirs: Answer,
    /// What ours answers.
    pub ours: Answer,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.question)?;
        writeln!(f, "  helm:  {}", self.theirs)?;
        writeln!(f, "  belay: {}", self.ours)
    }
}

/// What a search has found.
#[derive(Debug, Default)]
pub struct Found {
    /// How many questions were asked.
    pub asked: usize,
    /// To how many of them Helm's engine gave an answer that is no error.
    pub good: usize,
    /// How often each reason of [`explained`] was met.
    pub explained: BTreeMap<&'static str, usize>,
    /// The rest.
    pub differences: Vec<Difference>,
}

impl Found {
    fn add(&mut self, theirs: &Answer) {
        self.asked += 1;
        self.good += usize::from(theirs.error().is_none());
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for difference in &self.differences {
            writeln!(f, "{difference}")?;
        }
        for (reason, count) in &self.explained {
            writeln!(f, "{count} times explained: {reason}")?;
        }
        write!(
            f,
            "{} asked, {} without error, {} differ",
            self.asked,
            self.good,
            self.differences.len()
        )
    }
}

/// Whether the two sides agree, or why they need not.
pub(crate) fn verdict(
    question: &Question,
    theirs: &Answer,
    ours: &Answer,
) -> Result<Option<&'static str>, ()> {
    if theirs == ours {
        return Ok(None);
    }
    explained::reason(question, theirs, ours)
        .map(Some)
        .ok_or(())
}

/// Asks both sides all questions; stops after `at_most` differences.
///
/// # Errors
/// When the oracle cannot be asked.
pub fn search(
    oracle: &mut Oracle,
    questions: impl IntoIterator<Item = Question>,
    at_most: usize,
) -> Result<Found, Error> {
    let mut found = Found::default();
    let mut questions = questions.into_iter();
    loop {
        let batch: Vec<Question> = questions.by_ref().take(BATCH).collect();
        if batch.is_empty() {
            return Ok(found);
        }
        let answers = oracle.ask_all(&batch)?;
        for (question, theirs) in batch.into_iter().zip(answers) {
            found.add(&theirs);
            let ours = ours::answer(&question);
            match verdict(&question, &theirs, &ours) {
                Ok(None) => {}
                Ok(Some(reason)) => *found.explained.entry(reason).or_default() += 1,
                Err(()) => {
                    let small = shrink::shrink(oracle, question)?;
                    found.differences.push(Difference {
                        theirs: oracle.ask(&small)?,
                        ours: ours::answer(&small),
                        question: small,
                    });
                    if found.differences.len() >= at_most {
                        return Ok(found);
                    }
                }
            }
        }
    }
}
