//! Checks of a soak: numbers that somebody else measures, and what follows from them.
//!
//! Only an answer says anything. What was asked and not answered neither lengthens nor ends a row of bad answers: that
//! nobody measures is no fault of the revision, and no proof that it got well. What was answered is in the ledger, as far
//! as it decides; what is in memory alone ([`Look`]) is found anew by asking once more.

use std::fmt::Write as _;

use belay_api::Timestamp;
use belay_api::helm_release::{Check, Moment, ThresholdRange};
use belay_health::clip;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::attempt::Soaking;

/// The most bad answers in a row that are kept; no `failureThreshold` is higher.
const MAX_READINGS: usize = 10;
/// The most bytes of a series' labels that are told.
const LABELS: usize = 200;
/// The most bytes of why there was no answer.
const WHY: usize = 300;

/// A check as it is now: by its name, and by what it asks and compares with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CheckId {
    /// Its name.
    pub name: String,
    /// Tells it from what had its name before an edit: what that one answered does not count for this one.
    pub print: String,
}

impl CheckId {
    /// The identity of a check.
    pub fn of(check: &Check) -> Self {
        let asked = serde_json::to_vec(&(&check.prometheus, &check.threshold_range));
        let hash = Sha256::digest(asked.unwrap_or_default());
        let print = hash.iter().take(8).fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        Self {
            name: check.name.clone(),
            print,
        }
    }
}

/// A number of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The series that it belongs to, as `{pod="web-1"}`; empty for a number alone.
    pub series: String,
    /// The number; may be `NaN` or infinite.
    pub number: f64,
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Every number is in range.
    Good {
        /// The one that is nearest to a bound.
        value: String,
    },
    /// At least one number is out of range.
    Bad {
        /// The one that is farthest out.
        value: String,
    },
    /// There was no answer, or none that could be compared.
    None {
        /// Why.
        why: String,
    },
}

impl Reply {
    /// What an answer says of a check: the worst of its numbers decides. `NaN` is none, as a quotient without requests
    /// gives it; infinity is a number beyond every other.
    pub fn to(check: &Check, samples: &[Sample]) -> Self {
        let range = &check.threshold_range;
        let margin = |sample: &Sample| range.margin(sample.number);
        let numbers = samples.iter().filter(|sample| !sample.number.is_nan());
        let count = numbers.clone().count();
        let Some(worst) = numbers.min_by(|a, b| margin(a).total_cmp(&margin(b))) else {
            return Self::none(if samples.is_empty() {
                "the result is empty"
            } else {
                "the result is NaN, which is no number"
            });
        };
        let value = told(worst, count);
        if margin(worst) < 0.0 {
            Self::Bad { value }
        } else {
            Self::Good { value }
        }
    }

    /// No answer.
    pub fn none(why: &str) -> Self {
        Self::None {
            why: clip(why, WHY),
        }
    }

    /// The number that was answered.
    pub fn value(&self) -> Option<&str> {
        match self {
            Self::Good { value } | Self::Bad { value } => Some(value),
            Self::None { .. } => None,
        }
    }
}

fn told(sample: &Sample, of: usize) -> String {
    let mut text = number(sample.number);
    let labels = clip(&sample.series, LABELS);
    match (labels.as_str(), of) {
        ("", ..=1) => {}
        (labels, ..=1) => {
            let _ = write!(text, " ({labels})");
        }
        ("", of) => {
            let _ = write!(text, " (the worst of {of} series)");
        }
        (labels, of) => {
            let _ = write!(text, " ({labels}, the worst of {of} series)");
        }
    }
    text
}

/// A number as Prometheus prints it.
fn number(number: f64) -> String {
    let size = number.abs();
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        return format!("{number:e}");
    }
    number.to_string()
}

/// A question that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// When it was over.
    pub at: Timestamp,
    /// What came of it.
    pub reply: Reply,
}

/// What a process knows of a check of a soak.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The check.
    pub check: CheckId,
    /// Since when a question is on its way.
    pub asking: Option<Timestamp>,
    /// The last one that is over.
    pub last: Option<Asked>,
    /// The last number that was answered.
    pub value: Option<String>,
}

impl Look {
    /// A check of which nothing is known.
    pub fn new(check: CheckId) -> Self {
        Self {
            check,
            asking: None,
            last: None,
            value: None,
        }
    }

    /// The question is over.
    pub fn settle(&mut self, at: Timestamp, reply: Reply) {
        self.asking = None;
        if let Some(value) = reply.value() {
            self.value = Some(value.to_owned());
        }
        self.last = Some(Asked { at, reply });
    }
}

/// What a check has answered, once it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// The check.
    pub check: CheckId,
    /// Its answers out of range in a row up to the last one, oldest first; none: the last one was in range.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bad: Vec<Reading>,
}

/// An answer that was out of range.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// When it came.
    pub at: Timestamp,
    /// The number, with its series.
    pub value: String,
}

impl Soaking {
    /// What a check has answered.
    pub fn answered(&self, check: &CheckId) -> Option<&Answered> {
        self.answered
            .iter()
            .find(|answered| answered.check == *check)
    }

    /// The same soak after what `looks` know of these checks, and what is new about it. An answer counts once, by its
    /// time, however often it is looked at.
    pub(crate) fn after(&self, checks: &[Check], looks: &[Look]) -> (Self, Vec<Moment>) {
        let mut news = Vec::new();
        let answered = checks.iter().filter_map(|check| {
            let id = CheckId::of(check);
            let known = self.answered(&id);
            let look = looks.iter().find(|look| look.check == id);
            let Some(asked) = look.and_then(|look| look.last.as_ref()) else {
                return known.cloned();
            };
            let bad = known.map_or_else(Vec::new, |known| known.bad.clone());
            let bad = match &asked.reply {
                Reply::None { .. } => return known.cloned(),
                Reply::Good { value } => {
                    if !bad.is_empty() {
                        news.push(Moment {
                            at: asked.at,
                            what: format!("check {}: {value}, in range again", check.name),
                        });
                    }
                    Vec::new()
                }
                Reply::Bad { value } => grown(bad, check, asked.at, value, &mut news),
            };
            Some(Answered { check: id, bad })
        });
        let answered = answered.collect();
        let soaking = Self {
            answered,
            ..self.clone()
        };
        (soaking, news)
    }
}

fn grown(
    mut bad: Vec<Reading>,
    check: &Check,
    at: Timestamp,
    value: &str,
    news: &mut Vec<Moment>,
) -> Vec<Reading> {
    if bad.last().is_some_and(|last| last.at >= at) {
        return bad;
    }
    bad.push(Reading {
        at,
        value: value.to_owned(),
    });
    let surplus = bad.len().saturating_sub(MAX_READINGS);
    bad.drain(..surplus);
    let what = format!(
        "check {}: {}, {} of {} in a row",
        check.name,
        out_of(value, &check.threshold_range),
        bad.len(),
        check.failure_threshold
    );
    news.push(Moment { at, what });
    bad
}

/// A number out of its range, for people.
pub(crate) fn out_of(value: &str, range: &ThresholdRange) -> String {
    format!("{value}, and it has to be {range}")
}

#[cfg(test)]
mod tests;
