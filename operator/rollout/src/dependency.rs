//! Releases that a spec wants to be ready before its own is touched.

use std::collections::BTreeSet;
use std::fmt;

use belay_api::{ConditionStatus, ConditionType, HelmRelease};

/// Where a `HelmRelease` is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// Why nothing new is begun for a spec that depends on other releases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeldUp {
    /// Some of them are not ready.
    Unready(Vec<Unready>),
    /// They depend on each other: the way from the release back to itself, both ends named.
    Circle(Vec<Place>),
}

/// A release that is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unready {
    /// Where it is.
    pub place: Place,
    /// What is wrong with it, as in "NAME …".
    pub why: String,
}

impl Place {
    /// The place of a `HelmRelease`.
    pub fn of(release: &HelmRelease) -> Self {
        Self {
            namespace: release.metadata.namespace.clone().unwrap_or_default(),
            name: release.metadata.name.clone().unwrap_or_default(),
        }
    }

    /// The places that a release depends on.
    pub fn needed_by(release: &HelmRelease) -> Vec<Self> {
        let own = release.metadata.namespace.as_deref().unwrap_or_default();
        let needed = release.spec.depends_on.iter();
        needed
            .map(|dependency| Self {
                namespace: dependency.namespace.as_deref().unwrap_or(own).to_owned(),
                name: dependency.name.clone(),
            })
            .collect()
    }

    /// Its name, with its namespace if that is not `own`.
    fn told(&self, own: &str) -> String {
        if self.namespace == own {
            self.name.clone()
        } else {
            self.to_string()
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl HeldUp {
    /// For people: what is waited for, with what to do about it where waiting does not help. `own` is the namespace of
    /// the release that is held up.
    pub fn told(&self, own: &str) -> String {
        match self {
            Self::Unready(unready) => {
                let each: Vec<_> = unready
                    .iter()
                    .map(|unready| format!("{}, which {}", unready.place.told(own), unready.why))
                    .collect();
                format!("waits for {}", each.join(", and for "))
            }
            Self::Circle(circle) => {
                let way: Vec<_> = circle.iter().map(|place| place.told(own)).collect();
                format!(
                    "{} depend on each other, so none can be first: take one out of spec.dependsOn",
                    way.join(" -> ")
                )
            }
        }
    }
}

/// Why a release does not count as ready, if it does not: what its status says has to be about its spec as it is now
/// (kstatus).
pub fn unready(release: &HelmRelease) -> Option<String> {
    if release.metadata.deletion_timestamp.is_some() {
        return Some("is being removed".to_owned());
    }
    let generation = release.metadata.generation;
    let status = release.status.as_ref();
    let ready = status
        .filter(|status| Some(status.observed_generation) == generation)
        .and_then(|status| {
            let mut conditions = status.conditions.iter();
            conditions.find(|condition| condition.type_ == ConditionType::Ready)
        })
        .filter(|ready| Some(ready.observed_generation) == generation);
    match ready {
        None => Some("has a spec that was not looked at yet".to_owned()),
        Some(ready) if ready.status == ConditionStatus::True => None,
        Some(ready) => Some(format!("is not Ready ({})", ready.reason)),
    }
}

/// The shortest way from `start` back to itself along what each release `needs`, both ends named.
pub fn circle(start: &Place, needs: impl Fn(&Place) -> Vec<Place>) -> Option<Vec<Place>> {
    let mut seen = BTreeSet::new();
    let mut ways = vec![vec![start.clone()]];
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for next in way.last().map(&needs).unwrap_or_default() {
                let mut way = way.clone();
                way.push(next.clone());
                if &next == start {
                    return Some(way);
                }
                if seen.insert(next) {
                    longer.push(way);
                }
            }
        }
        ways = longer;
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn place(name: &str) -> Place {
        Place {
            namespace: "shop".into(),
            name: name.into(),
        }
    }

    fn way(needs: &[(&str, &[&str])]) -> Option<String> {
        let found = circle(&place("a"), |of| {
            let named = needs.iter().find(|(name, _)| *name == of.name);
            named.map_or_else(Vec::new, |(_, needed)| {
                needed.iter().map(|name| place(name)).collect()
            })
        });
        found.map(|way| {
            let names: Vec<_> = way.iter().map(|place| place.name.as_str()).collect();
            names.join(" -> ")
        })
    }

    #[test]
    fn a_circle_is_named_by_its_shortest_way() {
        assert_eq!(way(&[("a", &["a"])]).as_deref(), Some("a -> a"));
        let two: &[(&str, &[&str])] = &[("a", &["b"]), ("b", &["a"])];
        assert_eq!(way(two).as_deref(), Some("a -> b -> a"));
        let long: &[(&str, &[&str])] = &[
            ("a", &["b", "c"]),
            ("b", &["c"]),
            ("c", &["d"]),
            ("d", &["a"]),
        ];
        assert_eq!(way(long).as_deref(), Some("a -> c -> d -> a"));
    }

    #[test]
    fn what_leads_to_somebody_elses_circle_is_in_none() {
        let needs: &[(&str, &[&str])] = &[("a", &["b"]), ("b", &["c"]), ("c", &["b"])];
        assert_eq!(way(needs), None);
        let diamond: &[(&str, &[&str])] = &[("a", &["b", "c"]), ("b", &["d"]), ("c", &["d"])];
        assert_eq!(way(diamond), None);
    }

    fn release(generation: i64, status: &Value) -> HelmRelease {
        serde_json::from_value(json!({
            "apiVersion": "belay.dev/v1alpha1", "kind": "HelmRelease",
            "metadata": {"name": "db", "namespace": "shop", "generation": generation},
            "spec": {
                "chart": {"inline": {"files": {}}},
                "dependsOn": [{"name": "store"}, {"name": "dns", "namespace": "net"}],
            },
            "status": status,
        }))
        .unwrap()
    }

    fn status(observed: i64, condition: i64, ready: &str) -> Value {
        json!({
            "observedGeneration": observed,
            "conditions": [{
                "type": "Ready", "status": ready, "reason": "Installing",
                "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": condition,
            }],
        })
    }

    #[test]
    fn a_status_counts_only_for_the_spec_as_it_is_now() {
        assert_eq!(unready(&release(2, &status(2, 2, "True"))), None);
        for (observed, condition) in [(1, 1), (1, 2), (2, 1)] {
            let told = unready(&release(2, &status(observed, condition, "True")));
            assert!(
                told.unwrap().contains("not looked at"),
                "{observed} {condition}"
            );
        }
        let told = unready(&release(2, &status(2, 2, "Unknown"))).unwrap();
        assert!(told.contains("Installing"), "{told}");
        assert!(unready(&release(1, &json!({}))).is_some());
    }

    #[test]
    fn a_release_that_goes_is_not_ready() {
        let mut release = release(1, &status(1, 1, "True"));
        release.metadata.deletion_timestamp =
            serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap();
        assert!(unready(&release).unwrap().contains("removed"));
    }

    #[test]
    fn names_are_of_the_own_namespace_unless_they_say_another() {
        let needed = Place::needed_by(&release(1, &json!({})));
        let told: Vec<_> = needed.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["shop/store", "net/dns"]);
        let held = HeldUp::Circle(needed);
        assert!(held.told("shop").starts_with("store -> net/dns depend"));
    }
}
