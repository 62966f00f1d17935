//! Names and labels of the Secrets in which Helm keeps its records.

use std::collections::BTreeMap;
use std::fmt;

use crate::record::Record;

/// The Secret's `type`.
pub const SECRET_TYPE: &str = "helm.sh/release.v1";
/// The only key in the Secret's data.
pub const SECRET_DATA_KEY: &str = "release";
/// The value of the label `owner`, by which Helm finds its Secrets.
pub const OWNER: &str = "helm";
/// The longest release name that Helm accepts, in bytes.
pub const MAX_RELEASE_NAME: usize = 53;

const PREFIX: &str = "sh.helm.release.v1.";
const SYSTEM_LABELS: [&str; 6] = [
    "name",
    "owner",
    "status",
    "version",
    "createdAt",
    "modifiedAt",
];

/// Which revision of which release a Secret holds. Prints as the Secret's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StorageKey {
    /// Name of the release.
    pub name: String,
    /// Revision, counted from 1.
    pub revision: u32,
}

impl StorageKey {
    /// The key of a revision.
    pub fn new(name: &str, revision: u32) -> Self {
        Self {
            name: name.to_owned(),
            revision,
        }
    }

    /// Reads a Secret's name; `None` if it is not one of Helm's.
    pub fn parse(secret: &str) -> Option<Self> {
        let (name, revision) = secret.strip_prefix(PREFIX)?.rsplit_once(".v")?;
        let revision = revision
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| revision.parse().ok())
            .flatten()?;
        (!name.is_empty()).then(|| Self::new(name, revision))
    }
}

impl fmt::Display for StorageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}.v{}", self.name, self.revision)
    }
}

/// When a Secret is written, in seconds since 1970, and whether it is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The Secret is being created.
    CreatedAt(i64),
    /// The Secret is being changed. Helm then drops `createdAt`, and so do we.
    ModifiedAt(i64),
}

/// The labels of a record's Secret: the user's and, above them, Helm's own.
pub fn labels(record: &Record, moment: Moment) -> BTreeMap<String, String> {
    let mut labels = user_labels(&record.labels);
    let (when, seconds) = match moment {
        Moment::CreatedAt(seconds) => ("createdAt", seconds),
        Moment::ModifiedAt(seconds) => ("modifiedAt", seconds),
    };
    labels.extend([
        (when.to_owned(), seconds.to_string()),
        ("name".to_owned(), record.name.clone()),
        ("owner".to_owned(), OWNER.to_owned()),
        ("status".to_owned(), record.info.status.to_string()),
        ("version".to_owned(), record.version.to_string()),
    ]);
    labels
}

/// The labels of a Secret that are the user's, to be put into [`Record::labels`] after reading.
pub fn user_labels(labels: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    labels
        .iter()
        .filter(|(name, _)| !SYSTEM_LABELS.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::Status;

    #[test]
    fn a_secrets_name_leads_back_to_its_revision() {
        let key = StorageKey::new("web.v2", 12);
        assert_eq!(key.to_string(), "sh.helm.release.v1.web.v2.v12");
        assert_eq!(
            StorageKey::parse("sh.helm.release.v1.web.v2.v12"),
            Some(key)
        );
    }

    #[test]
    fn other_secrets_are_not_taken_for_helms() {
        for name in [
            "web",
            "sh.helm.release.v1.web",
            "sh.helm.release.v1.web.v",
            "sh.helm.release.v1.web.v+1",
            "sh.helm.release.v1..v1",
            "sh.helm.release.v1.web.v99999999999",
        ] {
            assert_eq!(StorageKey::parse(name), None, "{name}");
        }
    }

    #[test]
    fn helms_labels_stand_above_the_users() {
        let mut record = Record::new("web", "shop", 4);
        record.info.status = Status::PendingUpgrade;
        record.labels = [("team", "checkout"), ("owner", "me"), ("createdAt", "1")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        let written = labels(&record, Moment::ModifiedAt(1_767_225_600));
        let expected = [
            ("modifiedAt", "1767225600"),
            ("name", "web"),
            ("owner", "helm"),
            ("status", "pending-upgrade"),
            ("team", "checkout"),
            ("version", "4"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(written, BTreeMap::from(expected));
        assert_eq!(
            user_labels(&written),
            BTreeMap::from([("team".to_owned(), "checkout".to_owned())])
        );
    }
}
