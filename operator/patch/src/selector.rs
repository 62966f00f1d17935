//! Selectors of labels, as text: `app=web,tier!=test,env in (a, b),!old`.
//!
//! The grammar is that of apimachinery's `labels.Parse`, without the comparisons of numbers.

use serde_json::{Map, Value};

use crate::error::Error;

/// A selector: all of its requirements have to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selector(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    asks: Asks,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Asks {
    Exists,
    IsAbsent,
    IsIn(Vec<String>),
    /// What has no such key fits, too.
    IsNotIn(Vec<String>),
}

impl Selector {
    pub(crate) fn read(field: &'static str, text: &str) -> Result<Self, Error> {
        let bad = |at: &str| Error::BadSelector {
            field,
            selector: text.to_owned(),
            at: at.to_owned(),
        };
        let mut requirements = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (requirement, after) = requirement(rest).ok_or_else(|| bad(rest))?;
            requirements.push(requirement);
            rest = after.trim_start();
            if let Some(after) = rest.strip_prefix(',') {
                rest = after.trim_start();
                if rest.is_empty() {
                    return Err(bad(","));
                }
            } else if !rest.is_empty() {
                return Err(bad(rest));
            }
        }
        Ok(Self(requirements))
    }

    pub(crate) fn selects(&self, entries: &Map<String, Value>) -> bool {
        self.0.iter().all(|requirement| {
            let value = entries.get(&requirement.key).and_then(Value::as_str);
            let among = |values: &[String]| {
                value.is_some_and(|value| values.iter().any(|wanted| wanted == value))
            };
            match &requirement.asks {
                Asks::Exists => value.is_some(),
                Asks::IsAbsent => value.is_none(),
                Asks::IsIn(values) => among(values),
                Asks::IsNotIn(values) => !among(values),
            }
        })
    }
}

/// One requirement, and what follows it.
fn requirement(text: &str) -> Option<(Requirement, &str)> {
    if let Some(rest) = text.strip_prefix('!') {
        let (key, rest) = word(rest.trim_start())?;
        let asks = Asks::IsAbsent;
        return Some((Requirement { key, asks }, rest));
    }
    let (key, rest) = word(text)?;
    let rest = rest.trim_start();
    for (sign, is_in) in [("!=", false), ("==", true), ("=", true)] {
        if let Some(rest) = rest.strip_prefix(sign) {
            // An empty value is one.
            let (value, rest) = word(rest.trim_start()).unwrap_or((String::new(), rest));
            return Some((asking(key, vec![value], is_in), rest));
        }
    }
    for (name, is_in) in [("notin", false), ("in", true)] {
        let Some(rest) = rest.strip_prefix(name) else {
            continue;
        };
        let inside = rest.trim_start().strip_prefix('(')?;
        let (inside, rest) = inside.split_once(')')?;
        let values = inside.split(',').map(|value| value.trim().to_owned());
        return Some((asking(key, values.collect(), is_in), rest));
    }
    let asks = Asks::Exists;
    Some((Requirement { key, asks }, rest))
}

fn asking(key: String, values: Vec<String>, is_in: bool) -> Requirement {
    let asks = if is_in {
        Asks::IsIn(values)
    } else {
        Asks::IsNotIn(values)
    };
    Requirement { key, asks }
}

/// A key or value, and what follows it.
fn word(text: &str) -> Option<(String, &str)> {
    let end = text
        .find(|c: char| c.is_whitespace() || matches!(c, ',' | '=' | '!' | '(' | ')'))
        .unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    (!word.is_empty()).then(|| (word.to_owned(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn selects(selector: &str) -> bool {
        let entries = json!({"app.kubernetes.io/name": "web", "tier": "front", "empty": ""});
        Selector::read("labelSelector", selector)
            .unwrap()
            .selects(entries.as_object().unwrap())
    }

    #[test]
    fn each_kind_of_requirement_asks_what_kubectl_asks() {
        for (selector, expected) in [
            ("", true),
            ("app.kubernetes.io/name=web", true),
            ("app.kubernetes.io/name == web , tier = front", true),
            ("tier=back", false),
            ("tier!=back", true),
            ("absent!=x", true),
            ("absent", false),
            ("tier", true),
            ("!absent", true),
            ("! tier", false),
            ("tier in (front, back)", true),
            ("tier notin (front,back)", false),
            ("absent notin (x)", true),
            ("tier in (front),!old,empty=", true),
        ] {
            assert_eq!(selects(selector), expected, "{selector}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_with_the_place() {
        for selector in ["=web", "a=b,", "a in front", "a=b c", "a in (b"] {
            let error = Selector::read("labelSelector", selector).unwrap_err();
            assert!(
                error.to_string().contains("labelSelector"),
                "{selector}: {error}"
            );
        }
    }
}
