//! What was measured, and the table of it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use belay_harness::Request;

/// Who rolls out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Contender {
    /// `kubectl apply --server-side`, eight at once: the floor.
    Kubectl,
    /// The operator.
    Belay,
    /// `helm upgrade --install --wait`, eight at once.
    Helm,
}

impl fmt::Display for Contender {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Kubectl => "kubectl apply, 8 at once",
            Self::Belay => "belay operator",
            Self::Helm => "helm upgrade --install, 8 at once",
        })
    }
}

/// One rollout of all releases by one contender.
pub(crate) struct Rollout {
    /// Until the last release was ready.
    pub(crate) seconds: f64,
    /// Requests by verb, for all releases together.
    verbs: BTreeMap<String, usize>,
    /// Resident bytes before the first release, and at rest with all of them.
    pub(crate) resident: Option<(u64, u64)>,
    /// The requests of a quiet minute, leases left out.
    pub(crate) quiet: Option<Vec<Request>>,
}

impl Rollout {
    pub(crate) fn new(took: Duration, requests: Vec<Request>) -> Self {
        let mut verbs = BTreeMap::new();
        for request in requests {
            *verbs.entry(request.verb).or_default() += 1;
        }
        Self {
            seconds: took.as_secs_f64(),
            verbs,
            resident: None,
            quiet: None,
        }
    }
}

/// All rollouts.
pub(crate) struct Rollouts {
    releases: usize,
    of: BTreeMap<Contender, Vec<Rollout>>,
}

impl Rollouts {
    pub(crate) fn of(releases: usize) -> Self {
        Self {
            releases,
            of: BTreeMap::new(),
        }
    }

    pub(crate) fn add(&mut self, contender: Contender, rollout: Rollout) {
        self.of.entry(contender).or_default().push(rollout);
    }

    /// The seconds of each round.
    fn seconds(&self, contender: Contender) -> Vec<f64> {
        let rollouts = self.of.get(&contender).into_iter().flatten();
        rollouts.map(|rollout| rollout.seconds).collect()
    }

    /// Requests of one release by verb: the mean over releases, the median over rounds.
    fn requests(&self, contender: Contender) -> BTreeMap<&str, f64> {
        let rollouts = || self.of.get(&contender).into_iter().flatten();
        let verbs = rollouts().flat_map(|rollout| rollout.verbs.keys());
        verbs
            .map(|verb| {
                let counts = rollouts().map(|rollout| {
                    let count = rollout.verbs.get(verb).copied().unwrap_or_default();
                    count as f64 / self.releases as f64
                });
                (verb.as_str(), median(counts.collect()))
            })
            .collect()
    }
}

impl fmt::Display for Rollouts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "{:<34}{:>9}{:>17}{:>21}  by verb",
            "until all are ready", "seconds", "ratio to floor", "requests a release"
        )?;
        let floor = self.seconds(Contender::Kubectl);
        for contender in self.of.keys().copied() {
            let seconds = self.seconds(contender);
            let ratios = seconds.iter().zip(&floor).map(|(own, floor)| own / floor);
            let requests = self.requests(contender);
            let by_verb: Vec<_> = requests
                .iter()
                .map(|(verb, count)| format!("{verb} {count:.1}"))
                .collect();
            writeln!(
                out,
                "{contender:<34}{:>9.1}{:>17.2}{:>21.1}  {}",
                median(seconds.clone()),
                median(ratios.collect()),
                requests.values().sum::<f64>(),
                by_verb.join(", ")
            )?;
        }
        let operator = || self.of.get(&Contender::Belay).into_iter().flatten();
        let megabytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        let resident: Vec<_> = operator().filter_map(|rollout| rollout.resident).collect();
        if !resident.is_empty() {
            let idle = resident.iter().map(|(idle, _)| megabytes(*idle)).collect();
            let rest = resident.iter().map(|(_, rest)| megabytes(*rest)).collect();
            writeln!(
                out,
                "\noperator's resident memory: {:.1} MiB before the first release, {:.1} MiB at rest with {}",
                median(idle),
                median(rest),
                self.releases
            )?;
        }
        for quiet in operator().filter_map(|rollout| rollout.quiet.as_ref()) {
            let begun = quiet.iter().filter(|request| request.verb != "watch");
            writeln!(
                out,
                "requests of {} releases in a quiet minute, leases left out: {} (and {} watches that ended)",
                self.releases,
                begun.clone().count(),
                quiet.len() - begun.count()
            )?;
        }
        Ok(())
    }
}

/// The middle one; zero of none.
pub(crate) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    match numbers.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => numbers[middle],
        _ => f64::midpoint(numbers[middle - 1], numbers[middle]),
    }
}

/// The number below which this share of them lies, by the nearest rank; zero of none.
pub(crate) fn quantile(mut numbers: Vec<f64>, share: f64) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let rank = (share * numbers.len() as f64).ceil() as usize;
    numbers
        .get(rank.clamp(1, numbers.len().max(1)) - 1)
        .copied()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_middle_one_or_between_the_middle_two() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(Vec::new()), 0.0);
    }

    #[test]
    fn a_quantile_is_one_of_the_numbers() {
        let numbers: Vec<f64> = (1..=50).map(f64::from).collect();
        assert_eq!(quantile(numbers.clone(), 0.5), 25.0);
        assert_eq!(quantile(numbers.clone(), 0.99), 50.0);
        assert_eq!(quantile(numbers, 1.0), 50.0);
        assert_eq!(quantile(vec![7.0], 0.5), 7.0);
        assert_eq!(quantile(Vec::new(), 0.5), 0.0);
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        let mut rollouts = Rollouts::of(1);
        for (floor, own) in [(1.0, 2.0), (10.0, 20.0), (100.0, 200.0)] {
            let rollout = |seconds| Rollout::new(Duration::from_secs_f64(seconds), Vec::new());
            rollouts.add(Contender::Kubectl, rollout(floor));
            rollouts.add(Contender::Belay, rollout(own));
        }
        let table = rollouts.to_string();
        let line = table
            .lines()
            .find(|line| line.starts_with("belay"))
            .unwrap();
        assert!(line.contains("20.0") && line.contains("2.00"), "{table}");
    }
}
