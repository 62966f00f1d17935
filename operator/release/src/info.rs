use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::status::Status;
use crate::timestamp::moment;

/// What a record says about the revision's life. Moments are RFC 3339 text, for example
/// `2026-01-31T12:00:00.123456789Z`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Info {
    /// When revision 1 of the release was made.
    #[serde(
        default,
        deserialize_with = "moment",
        skip_serializing_if = "Option::is_none"
    )]
    pub first_deployed: Option<String>,
    /// When this revision was made.
    #[serde(
        default,
        deserialize_with = "moment",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_deployed: Option<String>,
    /// When the release was uninstalled, its history kept.
    #[serde(
        default,
        deserialize_with = "moment",
        skip_serializing_if = "Option::is_none"
    )]
    pub deleted: Option<String>,
    /// What happened, for people: `Upgrade complete`, `Rollback to 3`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Where the revision stands.
    #[serde(default)]
    pub status: Status,
    /// The rendered `NOTES.txt`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub notes: String,
    /// Fields that this crate does not know, kept as they are.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
