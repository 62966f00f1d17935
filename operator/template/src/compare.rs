//! Comparing values: Go's `eq`, `lt` and their kin, and `reflect.DeepEqual`.

use crate::value::Value;

/// Go's `reflect.DeepEqual`: types must be the same, maps and lists are compared by content.
pub fn deep_equal(a: &Value, b: &Value) -> bool {
    format!("{a:?}") == format!("{b:?}")
}
