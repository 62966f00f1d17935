//! Which `allOf`, `anyOf` and `oneOf` a fault passed on its way up.
//!
//! The validator here leaves such a rule out of its report when a single alternative failed; Helm's always shows it.
//! Where the schema of the fault stands tells which were left out.

/// A rule that combines schemas, and the place in the values that it was for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Combined<'a> {
    pub(super) keyword: &'a str,
    /// JSON pointer.
    pub(super) place: &'a str,
}

/// The combining rules between the schema at `base` and the one at `url` that failed for `place`, outermost first.
/// `shown` says that the first of them has a line of its own already.
pub(super) fn collapsed<'a>(
    base: &str,
    url: &'a str,
    place: &'a str,
    shown: bool,
) -> Vec<Combined<'a>> {
    let Some(path) = url.strip_prefix(base) else {
        return Vec::new();
    };
    let mut found: Vec<(&str, usize)> = Vec::new();
    let mut descended = 0;
    let mut parts = path.split('/').filter(|part| !part.is_empty()).peekable();
    while let Some(keyword) = parts.next() {
        match keyword {
            "allOf" | "anyOf" | "oneOf" => {
                parts.next();
                found.push((keyword, descended));
            }
            "properties" | "patternProperties" | "prefixItems" => {
                parts.next();
                descended += 1;
            }
            "items" => {
                parts.next_if(|part| part.bytes().all(|b| b.is_ascii_digit()));
                descended += 1;
            }
            "additionalProperties"
            | "additionalItems"
            | "unevaluatedProperties"
            | "unevaluatedItems"
            | "contains" => {
                descended += 1;
            }
            "dependencies" | "dependentSchemas" | "definitions" | "$defs" => {
                parts.next();
            }
            _ => {}
        }
    }
    let skip = usize::from(shown);
    found
        .iter()
        .skip(skip)
        .map(|(keyword, depth)| Combined {
            keyword,
            place: above(place, descended - depth),
        })
        .collect()
}

/// The pointer without its last `levels` parts.
fn above(pointer: &str, levels: usize) -> &str {
    (0..levels).fold(pointer, |pointer, _| {
        pointer.rfind('/').map_or(pointer, |end| &pointer[..end])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_found_by_the_way_to_the_schema() {
        let found = collapsed(
            "file:///s#",
            "file:///s#/properties/allOf/allOf/1/items/0/anyOf/0/properties/x",
            "/allOf/0/x",
            false,
        );
        let expected = [
            Combined {
                keyword: "allOf",
                place: "/allOf",
            },
            Combined {
                keyword: "anyOf",
                place: "/allOf/0",
            },
        ];
        assert_eq!(found, expected);
        assert_eq!(collapsed("file:///s#", "file:///s#/anyOf/0", "", true), []);
        assert_eq!(
            collapsed("file:///s#/definitions/a", "file:///s#/allOf/0", "", false),
            []
        );
    }
}
