//! `WWW-Authenticate`: by which way a registry may be entered.

use std::collections::BTreeMap;

/// A way in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// User and password with each request.
    Basic,
    /// A token, to be fetched from the service at `realm`.
    Bearer {
        realm: String,
        service: Option<String>,
    },
}

impl Challenge {
    /// The first way of these headers that can be gone; a token is preferred to sending the password again and again.
    pub fn read(headers: &[String]) -> Option<Self> {
        let all: Vec<_> = headers.iter().filter_map(|text| one(text)).collect();
        let bearer = all.iter().find(|way| matches!(way, Self::Bearer { .. }));
        bearer.or_else(|| all.first()).cloned()
    }
}

fn one(text: &str) -> Option<Challenge> {
    let (scheme, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    if scheme.eq_ignore_ascii_case("basic") {
        return Some(Challenge::Basic);
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let mut parameters = parameters(rest);
    Some(Challenge::Bearer {
        realm: parameters.remove("realm")?,
        service: parameters.remove("service"),
    })
}

/// `name="value",name="value"`, with `\` before a quote inside, as RFC 9110 has it.
fn parameters(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let name = name
            .trim_matches(|c: char| c == ',' || c.is_whitespace())
            .to_ascii_lowercase();
        let (value, after) = value(after);
        found.insert(name, value);
        rest = after;
    }
    found
}

fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(',').unwrap_or(text.len());
        return (text[..end].trim().to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut escaped = false;
    for (at, c) in quoted.char_indices() {
        match c {
            _ if escaped => {
                value.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return (value, &quoted[at + 1..]),
            _ => value.push(c),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn bearer(realm: &str, service: Option<&str>) -> Challenge {
        Challenge::Bearer {
            realm: realm.into(),
            service: service.map(str::to_owned),
        }
    }

    #[rstest]
    #[case(&["Basic realm=\"x\""], Some(Challenge::Basic))]
    #[case(
        &["Bearer realm=\"https://a.example/token\",service=\"a, b\",scope=\"repository:web:pull\""],
        Some(bearer("https://a.example/token", Some("a, b")))
    )]
    #[case(&["bearer realm=https://a.example/token"], Some(bearer("https://a.example/token", None)))]
    #[case(&["Basic", "Bearer realm=\"r\\\"s\""], Some(bearer("r\"s", None)))]
    #[case(&["Negotiate", "Bearer service=\"x\""], None)]
    #[case(&[], None)]
    fn the_best_way_is_taken(#[case] headers: &[&str], #[case] way: Option<Challenge>) {
        let headers: Vec<_> = headers.iter().map(|text| (*text).to_owned()).collect();

        assert_eq!(Challenge::read(&headers), way);
    }
}
