//! When objects are ready, as a release itself says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When objects of a kind are ready, in place of the rules that Belay has for it. Expressions are CEL about the object
/// `self` and answer true or false: operators, `has`, `all`, `exists`, `exists_one`, `filter`, `size`, `contains`,
/// `startsWith`, `endsWith`, conversions, and optional fields (`self.?status.?phase.orValue('')`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReadinessRule {
    /// Group and version of the objects, such as `cert-manager.io/v1`. They are found by their group, and asked in the
    /// version that the API server prefers.
    #[schemars(length(min = 1, max = 317))]
    pub api_version: String,
    /// Kind of the objects.
    #[schemars(length(min = 1, max = 63))]
    pub kind: String,
    /// True of an object that is ready. Where it has no answer, as a field is not there yet, the object is on its way.
    #[schemars(length(min = 1, max = 1024))]
    pub current: String,
    /// True of an object that will not become ready: the attempt ends. Asked first; no answer means that it has not failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub failed: Option<String>,
}
