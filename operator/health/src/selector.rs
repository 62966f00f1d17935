//! Selectors of labels and annotations, in the notation of `kubectl get --selector`.

use std::str::FromStr;

use serde_json::Value;

/// A selector: all of its requirements have to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector(Vec<Requirement>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Exists,
    Absent,
    In(Vec<String>),
    NotIn(Vec<String>),
}

/// Text that is no selector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no selector; write for example app=web,tier!=cache,env in (a,b),!canary")]
pub struct NotASelector(String);

impl Selector {
    /// Whether a map of labels or annotations has all that is asked for; none has what an absent map has.
    pub fn matches(&self, map: Option<&Value>) -> bool {
        self.0.iter().all(|requirement| {
            let value = map
                .and_then(|map| map.get(&requirement.key))
                .and_then(Value::as_str);
            let among = |values: &[String]| {
                value.is_some_and(|value| values.iter().any(|other| other == value))
            };
            match &requirement.test {
                Test::Exists => value.is_some(),
                Test::Absent => value.is_none(),
                Test::In(values) => among(values),
                // As with Kubernetes, what has no such label is not among them either.
                Test::NotIn(values) => !among(values),
            }
        })
    }
}

impl FromStr for Selector {
    type Err = NotASelector;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let no = || NotASelector(text.to_owned());
        let mut requirements = Vec::new();
        for part in parts(text) {
            requirements.push(requirement(part.trim()).ok_or_else(no)?);
        }
        Ok(Self(requirements))
    }
}

/// The requirements, split at commas outside of parentheses.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth) = (0, 0_i32);
    for (index, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    if !text[start..].trim().is_empty() || !parts.is_empty() {
        parts.push(&text[start..]);
    }
    parts
}

fn requirement(text: &str) -> Option<Requirement> {
    let made = |key: &str, test| {
        let key = key.trim();
        let plain = !key.is_empty() && !key.contains([' ', '(', ')', '=', '!', ',']);
        plain.then(|| Requirement {
            key: key.to_owned(),
            test,
        })
    };
    let one = |value: &str| vec![value.trim().to_owned()];
    if let Some((key, value)) = text.split_once("!=") {
        return made(key, Test::NotIn(one(value)));
    }
    if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        return made(key, Test::In(one(value)));
    }
    if let Some(key) = text.strip_prefix('!') {
        return made(key, Test::Absent);
    }
    if let Some((head, values)) = text.split_once('(') {
        let values = values.strip_suffix(')')?;
        let values = values.split(',').map(|one| one.trim().to_owned()).collect();
        let (key, word) = head.trim().rsplit_once(char::is_whitespace)?;
        return match word {
            "in" => made(key, Test::In(values)),
            "notin" => made(key, Test::NotIn(values)),
            _ => None,
        };
    }
    made(text, Test::Exists)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn selects(selector: &str) -> bool {
        let labels = json!({"app": "web", "tier": "front", "example.org/part": "a"});
        selector.parse::<Selector>().unwrap().matches(Some(&labels))
    }

    #[test]
    fn it_reads_what_kubectl_reads() {
        for yes in [
            "",
            "app=web",
            "app == web",
            "app=web, tier!=back",
            "app in (shop, web),tier",
            "!canary",
            "canary!=yes",
            "env notin (a,b)",
            "example.org/part=a",
        ] {
            assert!(selects(yes), "{yes}");
        }
        for no in [
            "app=shop",
            "app!=web",
            "app in (shop)",
            "!app",
            "canary",
            "tier notin (front)",
        ] {
            assert!(!selects(no), "{no}");
        }
        assert!("".parse::<Selector>().unwrap().matches(None));
        assert!(!"app".parse::<Selector>().unwrap().matches(None));
    }

    #[test]
    fn what_it_cannot_read_is_told() {
        for wrong in [
            "app in web",
            "a b",
            "=web",
            "app in (web",
            ",",
            "app of (web)",
        ] {
            let error = wrong.parse::<Selector>().unwrap_err();
            assert!(error.to_string().contains(wrong), "{error}");
        }
    }
}
