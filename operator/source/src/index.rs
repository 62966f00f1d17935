//! `index.yaml`: what a repository offers, and which version a range means.

mod read;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use belay_chart::semver::{Constraints, Version};

use crate::error::Error;

pub(crate) use read::read;

/// What a repository offers: only what is needed to choose a version and fetch it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Index {
    /// Newest first, what is no version last, as Helm sorts them.
    charts: BTreeMap<Box<str>, Box<[Entry]>>,
}

/// One version of a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub version: Box<str>,
    /// As the index writes it; many old indexes have none.
    pub digest: Option<Box<str>>,
    pub urls: Box<[Box<str>]>,
}

/// Names and versions that an error suggests.
const SUGGESTIONS: usize = 5;

impl Index {
    pub fn new(charts: impl IntoIterator<Item = (String, Vec<Entry>)>) -> Self {
        let charts = charts
            .into_iter()
            .map(|(name, entries)| (name.into(), sorted(entries)));
        Self {
            charts: charts.collect(),
        }
    }

    /// The version of a chart that a range means, by Helm's rule: an entry whose version is exactly the text asked
    /// for, else the newest one inside the range; without a range the newest stable one.
    pub fn select(&self, repository: &str, name: &str, range: &Range) -> Result<&Entry, Error> {
        let entries = self.charts.get(name).ok_or_else(|| Error::ChartNotFound {
            url: repository.to_owned(),
            name: name.to_owned(),
            near: self.names_like(name),
        })?;
        let exact = entries.iter().find(|entry| *entry.version == *range.text);
        let inside = |entry: &&Entry| {
            Version::parse(&entry.version).is_ok_and(|version| range.constraints.check(&version))
        };
        exact
            .or_else(|| entries.iter().find(inside))
            .ok_or_else(|| Error::VersionNotFound {
                url: repository.to_owned(),
                name: name.to_owned(),
                range: range.text.clone(),
                near: versions_near(entries, &range.text),
            })
    }

    fn names_like(&self, wanted: &str) -> Vec<String> {
        let mut names: Vec<_> = self
            .charts
            .keys()
            .map(|name| (strsim::jaro_winkler(name, wanted), name))
            .filter(|(likeness, _)| *likeness > 0.75)
            .collect();
        names.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        names
            .into_iter()
            .take(SUGGESTIONS)
            .map(|(_, name)| name.to_string())
            .collect()
    }
}

/// A range of versions, read.
#[derive(Clone, Debug)]
pub(crate) struct Range {
    text: String,
    constraints: Constraints,
}

impl Range {
    pub fn parse(text: Option<&str>) -> Result<Self, Error> {
        let text = text
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .unwrap_or("*");
        let constraints = Constraints::parse(text).map_err(|source| Error::BadRange {
            range: text.to_owned(),
            source,
        })?;
        Ok(Self {
            text: text.to_owned(),
            constraints,
        })
    }

    /// As it was written; `*` when it was not.
    pub fn text(&self) -> &str {
        &self.text
    }
}

fn sorted(entries: Vec<Entry>) -> Box<[Entry]> {
    let mut keyed: Vec<_> = entries
        .into_iter()
        .map(|entry| (Version::parse(&entry.version).ok(), entry))
        .collect();
    // Stable, so that of two equal versions the one that the repository lists first wins.
    keyed.sort_by(|(a, _), (b, _)| match (a, b) {
        (Some(a), Some(b)) => b.precedence(a),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    });
    keyed.into_iter().map(|(_, entry)| entry).collect()
}

/// The versions around the one asked for when a single one was, the newest ones otherwise.
fn versions_near(entries: &[Entry], range: &str) -> Vec<String> {
    let newer = Version::parse(range).map_or(0, |wanted| {
        entries
            .iter()
            .take_while(|entry| {
                Version::parse(&entry.version)
                    .is_ok_and(|version| version.precedence(&wanted).is_gt())
            })
            .count()
    });
    let start = newer
        .saturating_sub(SUGGESTIONS / 2)
        .min(entries.len().saturating_sub(SUGGESTIONS));
    entries
        .iter()
        .skip(start)
        .take(SUGGESTIONS)
        .map(|entry| entry.version.to_string())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn entry(version: &str) -> Entry {
        Entry {
            version: version.into(),
            digest: None,
            urls: Box::new(["web.tgz".into()]),
        }
    }

    fn index(versions: &[&str]) -> Index {
        Index::new([(
            "web".to_owned(),
            versions.iter().map(|version| entry(version)).collect(),
        )])
    }

    fn selected(versions: &[&str], range: Option<&str>) -> Result<String, Error> {
        let range = Range::parse(range)?;
        let index = index(versions);
        index
            .select("https://a.example/", "web", &range)
            .map(|entry| entry.version.to_string())
    }

    const VERSIONS: [&str; 6] = [
        "1.2.0",
        "2.0.0-rc.1",
        "1.10.0",
        "v1.9.0",
        "nonsense",
        "1.3.0+build.4",
    ];

    #[rstest]
    #[case(None, "1.10.0")]
    #[case(Some(""), "1.10.0")]
    #[case(Some("1.2.0"), "1.2.0")]
    #[case(Some("1.9.0"), "v1.9.0")]
    #[case(Some("~1.3"), "1.3.0+build.4")]
    #[case(Some(">=1.2.0 <1.10.0"), "v1.9.0")]
    #[case(Some(">0.0.0-0"), "2.0.0-rc.1")]
    #[case(Some("2.0.0-rc.1"), "2.0.0-rc.1")]
    fn a_range_means_the_newest_version_inside_it(
        #[case] range: Option<&str>,
        #[case] version: &str,
    ) {
        assert_eq!(selected(&VERSIONS, range).unwrap(), version);
    }

    #[test]
    fn of_two_builds_of_one_version_the_one_asked_for_by_its_full_name_is_taken() {
        let versions = ["1.0.0+a", "1.0.0+b"];

        assert_eq!(selected(&versions, Some("1.0.0+b")).unwrap(), "1.0.0+b");
        assert_eq!(selected(&versions, Some("1.0.0")).unwrap(), "1.0.0+a");
    }

    #[test]
    fn a_version_that_is_not_there_is_answered_with_its_neighbours() {
        let versions = [
            "1.0.0", "1.1.0", "1.2.0", "1.4.0", "1.5.0", "1.6.0", "1.7.0", "1.8.0",
        ];

        let error = selected(&versions, Some("1.3.0")).unwrap_err().to_string();

        assert!(
            error.ends_with("nearest: 1.5.0, 1.4.0, 1.2.0, 1.1.0, 1.0.0"),
            "{error}"
        );
    }

    #[test]
    fn a_chart_that_is_not_there_is_answered_with_names_that_look_alike() {
        let charts = ["postgresql", "postgresql-ha", "redis"]
            .map(|name| (name.to_owned(), vec![entry("1.0.0")]));
        let range = Range::parse(None).unwrap();

        let error = Index::new(charts)
            .select("https://a.example/", "postgres", &range)
            .unwrap_err()
            .to_string();

        assert!(
            error.ends_with("nearest: postgresql, postgresql-ha"),
            "{error}"
        );
    }

    #[test]
    fn what_is_no_range_is_refused_with_examples() {
        let error = selected(&VERSIONS, Some("latest")).unwrap_err().to_string();

        assert!(
            error.contains("\"latest\"") && error.contains(">=6.0.0 <7.0.0"),
            "{error}"
        );
    }
}
