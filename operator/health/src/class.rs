//! Why something failed, as far as it decides what happens next.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The text is not one of an enum's stable names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a known {what}; use one of: {known}")]
pub struct UnknownName {
    /// What was looked for, for example `failure class`.
    pub what: &'static str,
    /// The text that was given.
    pub name: String,
    /// The names that exist, separated by commas.
    pub known: String,
}

/// The class of a failed attempt. Names are stable: they stand in status, events and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FailureClass {
    /// A cause of the revision's own that trying again cannot cure: the digest is blocked.
    Terminal,
    /// A cause outside the revision (network, quota, scheduling): a bounded number of retries.
    Transient,
    /// Nothing failed by name, but the time was up before everything was ready.
    Timeout,
    /// It was proven good and went bad afterwards, while soaking.
    Degraded,
    /// A person or tool ordered it away (a `RollbackRequest`).
    Operator,
}

impl FailureClass {
    /// All classes, in the order of their declaration.
    pub const ALL: [Self; 5] = [
        Self::Terminal,
        Self::Transient,
        Self::Timeout,
        Self::Degraded,
        Self::Operator,
    ];

    /// The stable name, as written in status and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Terminal => "Terminal",
            Self::Transient => "Transient",
            Self::Timeout => "Timeout",
            Self::Degraded => "Degraded",
            Self::Operator => "Operator",
        }
    }

    /// Whether a bounded, automatic retry of the same digest makes sense.
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Transient)
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for FailureClass {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|class| class.as_str() == name)
            .ok_or_else(|| UnknownName {
                what: "failure class",
                name: name.to_owned(),
                known: Self::ALL.map(Self::as_str).join(", "),
            })
    }
}

/// How a fault of one pod is to be taken before an attempt is given up for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FaultClass {
    /// Cannot get better without a change of the manifest.
    Terminal,
    /// May get better in the ordinary course of starting; given up after some patience.
    Patience,
    /// Has its cause elsewhere; waited for until the attempt's deadline.
    Transient,
}

impl FaultClass {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Terminal => "Terminal",
            Self::Patience => "Patience",
            Self::Transient => "Transient",
        }
    }

    /// The class of the attempt that is given up, or runs out of time, because of such a fault.
    pub const fn failure_class(self) -> FailureClass {
        match self {
            Self::Terminal | Self::Patience => FailureClass::Terminal,
            Self::Transient => FailureClass::Transient,
        }
    }
}

impl fmt::Display for FaultClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_is_read_back_from_its_own_name_and_serialised_by_it() {
        for class in FailureClass::ALL {
            assert_eq!(class.as_str().parse(), Ok(class));
            assert_eq!(
                serde_json::to_value(class).unwrap(),
                serde_json::Value::from(class.as_str())
            );
        }
    }

    #[test]
    fn an_unknown_class_names_the_known_ones() {
        let error = "terminal".parse::<FailureClass>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`terminal` is not a known failure class; use one of: Terminal, Transient, Timeout, Degraded, Operator"
        );
    }

    #[test]
    fn only_causes_outside_the_revision_are_retried() {
        let retried: Vec<_> = FailureClass::ALL
            .into_iter()
            .filter(|class| class.is_retryable())
            .collect();
        assert_eq!(retried, [FailureClass::Transient]);
    }
}
