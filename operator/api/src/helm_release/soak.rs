//! Watching a revision that became ready before it counts as good.

use std::fmt;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::NameRef;
use crate::{Duration, Timestamp};

/// Watching a revision that became ready before it counts as good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.checks) || size(self.checks) == 0 || duration(self.duration) > duration('0s')").message("checks are asked while a revision soaks: set soak.duration"))]
#[x_kube(validation = Rule::new("!has(self.checks) || self.checks.all(check, duration(check.interval).getSeconds() * check.failureThreshold <= duration(self.duration).getSeconds())").message("a check is asked failureThreshold times, interval apart, before it can fail: let that fit into soak.duration"))]
pub struct Soak {
    /// How long an installed or upgraded revision is watched after it became ready. `0s`: not at all.
    #[serde(default)]
    pub duration: Duration,
    /// How long in a row something of it may be other than ready meanwhile; longer, and it is taken back.
    #[serde(default = "thirty_seconds")]
    pub grace: Duration,
    /// What is measured meanwhile. A revision of which a check fails is taken back; a check that gets no answer is not
    /// held against it.
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    #[schemars(length(max = 8))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
}

impl Default for Soak {
    fn default() -> Self {
        Self {
            duration: Duration::seconds(0),
            grace: thirty_seconds(),
            checks: Vec::new(),
        }
    }
}

/// Something that is measured while a revision soaks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("duration(self.interval) >= duration('1s')").message("interval must be at least 1s"))]
pub struct Check {
    /// Its name, once in the list.
    #[schemars(
        length(min = 1, max = 63),
        regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
    )]
    pub name: String,
    /// Where it is asked, and what.
    pub prometheus: PrometheusQuery,
    /// What every number of the answer has to be.
    pub threshold_range: ThresholdRange,
    /// How often it is asked: for the first time so long after the revision became ready.
    #[serde(default = "fifteen_seconds")]
    pub interval: Duration,
    /// After how many answers out of range in a row it has failed. What gets no answer is none of them.
    #[serde(default = "two")]
    #[schemars(range(min = 1, max = 10))]
    pub failure_threshold: u32,
}

/// An instant query of a Prometheus, or of what answers as one does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PrometheusQuery {
    /// The address below which `/api/v1/query` is.
    #[schemars(length(min = 8, max = 2048), regex(pattern = r"^https?://"))]
    pub url: String,
    /// The query, in `PromQL`: a scalar or an instant vector, each series of which has to be in range. An empty vector
    /// and `NaN` are no answer: write `… or vector(0)` where nothing means zero.
    #[schemars(length(min = 1, max = 2048))]
    pub query: String,
    /// A Secret with `username` and `password`, or `token`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<NameRef>,
    /// A Secret with `ca.crt`: the authorities to trust for this address, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_secret_ref: Option<NameRef>,
    /// A Secret with `tls.crt` and `tls.key`, PEM: the certificate to show to this address. A `ca.crt` in it is
    /// trusted as that of `caSecretRef` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert_secret_ref: Option<NameRef>,
}

/// A range of numbers, its bounds included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.min) || has(self.max)").message("set min, max or both"))]
#[x_kube(validation = Rule::new("!has(self.min) || !has(self.max) || self.min <= self.max").message("min must not be above max"))]
pub struct ThresholdRange {
    /// The least; none if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The most; none if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

impl ThresholdRange {
    /// How far a number is from the nearer bound: below zero for one that is out of range.
    pub fn margin(&self, number: f64) -> f64 {
        let above_min = self.min.map_or(f64::INFINITY, |min| number - min);
        let below_max = self.max.map_or(f64::INFINITY, |max| max - number);
        above_min.min(below_max)
    }
}

impl fmt::Display for ThresholdRange {
    /// `at most 0.05`, as the end of a sentence that begins with `it has to be`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (Some(min), Some(max)) => write!(f, "from {min} to {max}"),
            (Some(min), None) => write!(f, "at least {min}"),
            (None, Some(max)) => write!(f, "at most {max}"),
            (None, None) => f.write_str("any number"),
        }
    }
}

/// What a check of a soak says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum CheckState {
    /// It has not been asked yet.
    Pending,
    /// Its last answer was in range.
    Passing,
    /// Its last answer was out of range.
    Failing,
    /// It was asked, and has had no answer at all.
    Unanswered,
}

/// A check of a soak as it was last asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckStatus {
    /// Its name.
    pub name: String,
    /// What it says.
    pub state: CheckState,
    /// The number of its last answer, with the series that it belongs to; absent after a restart, until it is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// When it was last asked; absent after a restart, until it is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Why it got no answer when it was last asked; absent if it got one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

fn thirty_seconds() -> Duration {
    Duration::seconds(30)
}

fn fifteen_seconds() -> Duration {
    Duration::seconds(15)
}

fn two() -> u32 {
    2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(min: Option<f64>, max: Option<f64>) -> ThresholdRange {
        ThresholdRange { min, max }
    }

    #[test]
    fn the_bounds_of_a_range_are_in_it() {
        let both = range(Some(1.0), Some(2.0));
        assert_eq!(both.margin(1.0), 0.0);
        assert_eq!(both.margin(2.0), 0.0);
        assert_eq!(both.margin(0.5), -0.5);
        assert_eq!(both.margin(2.5), -0.5);
    }

    #[test]
    fn infinity_is_beyond_a_bound_on_its_side_and_in_a_range_that_has_none_there() {
        let most = range(None, Some(1.0));
        assert!(most.margin(f64::INFINITY) < 0.0);
        assert!(most.margin(f64::NEG_INFINITY) > 0.0);
        let least = range(Some(1.0), None);
        assert!(least.margin(f64::NEG_INFINITY) < 0.0);
        assert!(least.margin(f64::INFINITY) > 0.0);
    }

    #[test]
    fn a_range_is_told_by_the_bounds_that_it_has() {
        assert_eq!(range(None, Some(0.05)).to_string(), "at most 0.05");
        assert_eq!(range(Some(0.99), None).to_string(), "at least 0.99");
        assert_eq!(range(Some(0.5), Some(2.0)).to_string(), "from 0.5 to 2");
    }
}
