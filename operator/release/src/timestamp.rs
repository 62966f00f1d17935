//! Moments as Helm writes them: RFC 3339 text. Helm 3 wrote `""`, and Go's zero time, for "never".

use serde::{Deserialize, Deserializer};

const GO_ZERO: &str = "0001-01-01T00:00:00Z";

pub(crate) fn moment<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.is_empty() && text != GO_ZERO))
}
