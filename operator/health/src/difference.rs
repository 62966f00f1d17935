//! What differs between an object as it is and as it should be, path by path.

use serde_json::Value;

use crate::mask::{MASK, Mask};
use crate::trim::clip;

/// The most bytes of a value that are told.
const VALUE_BYTES: usize = 96;
/// The most bytes of a path that are told: an annotation's key alone may take 317.
const PATH_BYTES: usize = 512;
/// What names the elements of lists that the API server merges by a key.
const KEYS: [&str; 5] = ["name", "key", "type", "ip", "mountPath"];

/// One place in which two states of an object differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Change<'a> {
    /// Where: a JSON pointer (RFC 6901) into the live object, or into the wanted one where the live one has nothing.
    pub path: String,
    /// What is there; `None`: nothing.
    pub live: Option<&'a Value>,
    /// What should be there; `None`: nothing.
    pub wanted: Option<&'a Value>,
}

/// Where a live object differs from what its manifest would make of it, in the order of the paths.
///
/// `wanted` is the answer of a dry-run apply, so that the two hold the same defaults. Status and the API server's
/// bookkeeping are left out; who owns which field is no difference.
pub fn changes<'a>(live: &'a Value, wanted: &'a Value) -> Vec<Change<'a>> {
    let mut found = Vec::new();
    walk(String::new(), Some(live), Some(wanted), &mut found);
    found
}

fn is_passed_over(path: &str) -> bool {
    matches!(
        path,
        "/status"
            | "/metadata/managedFields"
            | "/metadata/resourceVersion"
            | "/metadata/generation"
            | "/metadata/uid"
            | "/metadata/selfLink"
            | "/metadata/creationTimestamp"
            | "/metadata/deletionTimestamp"
            | "/metadata/deletionGracePeriodSeconds"
    )
}

fn walk<'a>(
    path: String,
    live: Option<&'a Value>,
    wanted: Option<&'a Value>,
    found: &mut Vec<Change<'a>>,
) {
    if live == wanted || is_passed_over(&path) {
        return;
    }
    match (live, wanted) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let mut names: Vec<_> = old.keys().chain(new.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let path = format!("{path}/{}", escaped(name));
                walk(path, old.get(name), new.get(name), found);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => match pairs(old, new) {
            Some(pairs) => {
                for (index, live, wanted) in pairs {
                    walk(format!("{path}/{index}"), live, wanted, found);
                }
            }
            None => found.push(Change { path, live, wanted }),
        },
        _ => found.push(Change { path, live, wanted }),
    }
}

type Pair<'a> = (usize, Option<&'a Value>, Option<&'a Value>);

/// The elements of two lists that mean the same, by what names them, or by their place. `None`: they cannot be told
/// apart, and the lists differ as a whole.
fn pairs<'a>(old: &'a [Value], new: &'a [Value]) -> Option<Vec<Pair<'a>>> {
    for key in KEYS {
        let (Some(olds), Some(news)) = (names(old, key), names(new, key)) else {
            continue;
        };
        let mut pairs: Vec<Pair<'a>> = olds
            .iter()
            .zip(old)
            .enumerate()
            .map(|(index, (name, live))| {
                let there = news.iter().position(|other| other == name);
                (index, Some(live), there.map(|there| &new[there]))
            })
            .collect();
        for (index, (name, wanted)) in news.iter().zip(new).enumerate() {
            if !olds.contains(name) {
                pairs.push((index, None, Some(wanted)));
            }
        }
        return Some(pairs);
    }
    (old.len() == new.len()).then(|| {
        let both = old.iter().zip(new).enumerate();
        both.map(|(index, (live, wanted))| (index, Some(live), Some(wanted)))
            .collect()
    })
}

/// What each element is named by `key`, if all are and no two by the same.
fn names<'a>(items: &'a [Value], key: &str) -> Option<Vec<&'a str>> {
    let names: Option<Vec<_>> = items
        .iter()
        .map(|item| item.get(key).and_then(Value::as_str))
        .collect();
    let names = names.filter(|names| !names.is_empty())?;
    let mut distinct = names.clone();
    distinct.sort_unstable();
    distinct.dedup();
    (distinct.len() == names.len()).then_some(names)
}

/// A name as a token of a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Whether a JSON pointer leads to `path` or to something that holds it. The empty one leads to the whole object.
pub fn covers(pointer: &str, path: &str) -> bool {
    path.strip_prefix(pointer)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Puts into `wanted` what `live` holds at a JSON pointer, so that applying it leaves that place alone. Elements of
/// lists are found by what names them, as in [`changes`].
pub fn leave_alone(wanted: &mut Value, live: &Value, pointer: &str) {
    let Some(rest) = pointer.strip_prefix('/') else {
        return;
    };
    let tokens: Vec<_> = rest
        .split('/')
        .map(|token| token.replace("~1", "/").replace("~0", "~"))
        .collect();
    copy(wanted, Some(live), &tokens);
}

fn copy(wanted: &mut Value, live: Option<&Value>, tokens: &[String]) {
    let Some((token, rest)) = tokens.split_first() else {
        return;
    };
    match wanted {
        Value::Object(fields) => {
            let there = live.and_then(|live| live.get(token));
            if rest.is_empty() {
                match there {
                    Some(value) => fields.insert(token.clone(), value.clone()),
                    None => fields.remove(token),
                };
            } else if let Some(field) = fields.get_mut(token) {
                copy(field, there, rest);
            }
        }
        Value::Array(items) => {
            let Ok(index) = token.parse::<usize>() else {
                return;
            };
            let there = live.and_then(|live| live.get(index));
            let ours = match there {
                Some(there) => position_of(items, there).unwrap_or(index),
                None => index,
            };
            match (items.get_mut(ours), there) {
                (Some(item), Some(value)) if rest.is_empty() => item.clone_from(value),
                (Some(_), None) if rest.is_empty() => {
                    items.remove(ours);
                }
                (Some(item), _) => copy(item, there, rest),
                (None, _) => {}
            }
        }
        _ => {}
    }
}

fn position_of(items: &[Value], like: &Value) -> Option<usize> {
    KEYS.iter().find_map(|key| {
        let name = like.get(key)?.as_str()?;
        items
            .iter()
            .position(|item| item.get(key).and_then(Value::as_str) == Some(name))
    })
}

/// One place in which an object differs, fit to be shown: masked and clipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where: a JSON pointer.
    pub path: String,
    /// What is there, as JSON; empty: nothing.
    pub live: String,
    /// What should be there, as JSON; empty: nothing.
    pub wanted: String,
}

impl Difference {
    /// A change as it may be shown: without what a `Secret` holds, and without what `mask` hides.
    pub fn shown(change: &Change<'_>, is_secret: bool, mask: &Mask) -> Self {
        let hidden = is_secret
            && ["/data", "/stringData"]
                .iter()
                .any(|held| covers(held, &change.path))
            || change
                .path
                .ends_with("/kubectl.kubernetes.io~1last-applied-configuration")
            || is_secret && change.path.is_empty();
        let show = |value: Option<&Value>| match value {
            None => String::new(),
            Some(_) if hidden => MASK.to_owned(),
            // Before it is written down, which escapes what is to be found.
            Some(value) => clip(&masked(value, mask).to_string(), VALUE_BYTES),
        };
        Self {
            path: clip(&change.path, PATH_BYTES),
            live: show(change.live),
            wanted: show(change.wanted),
        }
    }
}

fn masked(value: &Value, mask: &Mask) -> Value {
    match value {
        Value::String(text) => Value::from(mask.apply(text)),
        Value::Array(items) => items.iter().map(|item| masked(item, mask)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, field)| (name.clone(), masked(field, mask)))
            .collect(),
        plain => plain.clone(),
    }
}

/// `/spec/replicas is 5, should be 2`.
impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { path, live, wanted } = self;
        match (live.as_str(), wanted.as_str()) {
            (MASK, MASK) => write!(f, "{path} has another value"),
            ("", wanted) => write!(f, "{path} is missing, should be {wanted}"),
            (live, "") => write!(f, "{path} is {live}, should not be there"),
            (live, wanted) => write!(f, "{path} is {live}, should be {wanted}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(live: &Value, wanted: &Value) -> Vec<String> {
        changes(live, wanted)
            .iter()
            .map(|change| Difference::shown(change, false, &Mask::default()).to_string())
            .collect()
    }

    #[test]
    fn only_what_differs_is_told_and_the_servers_bookkeeping_is_not() {
        let live = json!({"metadata": {"resourceVersion": "9", "generation": 3, "managedFields": [1],
                          "labels": {"a/b": "x", "own": "y"}},
                          "spec": {"replicas": 5, "paused": true}, "status": {"replicas": 5}});
        let wanted = json!({"metadata": {"resourceVersion": "7", "generation": 4, "managedFields": [2],
                            "labels": {"a/b": "z", "own": "y", "new": "n"}},
                            "spec": {"replicas": 2}});
        assert_eq!(
            told(&live, &wanted),
            [
                "/metadata/labels/a~1b is \"x\", should be \"z\"",
                "/metadata/labels/new is missing, should be \"n\"",
                "/spec/paused is true, should not be there",
                "/spec/replicas is 5, should be 2",
            ]
        );
        assert_eq!(changes(&wanted, &wanted), []);
    }

    #[test]
    fn elements_of_lists_are_compared_with_those_of_the_same_name() {
        let live = json!({"containers": [{"name": "sidecar", "image": "s"}, {"name": "web", "image": "new"}]});
        let wanted = json!({"containers": [{"name": "web", "image": "old"}, {"name": "sidecar", "image": "s"}]});
        assert_eq!(
            told(&live, &wanted),
            ["/containers/1/image is \"new\", should be \"old\""]
        );
        let gone = json!({"containers": [{"name": "sidecar", "image": "s"}]});
        assert_eq!(
            told(&gone, &wanted),
            ["/containers/0 is missing, should be {\"image\":\"old\",\"name\":\"web\"}",]
        );
    }

    #[test]
    fn lists_whose_elements_have_no_name_differ_as_a_whole_when_their_lengths_do() {
        assert_eq!(
            told(
                &json!({"verbs": ["get", "list"]}),
                &json!({"verbs": ["get"]})
            ),
            ["/verbs is [\"get\",\"list\"], should be [\"get\"]"]
        );
        assert_eq!(
            told(&json!({"verbs": ["get"]}), &json!({"verbs": ["list"]})),
            ["/verbs/0 is \"get\", should be \"list\""]
        );
    }

    #[test]
    fn a_pointer_covers_its_place_and_all_below_it() {
        assert!(covers("/spec", "/spec/replicas"));
        assert!(covers("/spec/replicas", "/spec/replicas"));
        assert!(covers("", "/spec"));
        assert!(!covers("/spec/rep", "/spec/replicas"));
        assert!(!covers("/spec/replicas", "/spec"));
    }

    #[test]
    fn a_place_that_is_left_alone_is_applied_as_it_is() {
        let live = json!({"spec": {"replicas": 5, "containers": [{"name": "side", "image": "s"},
                          {"name": "web", "image": "new", "args": ["a"]}]}, "metadata": {"labels": {"a/b": "x"}}});
        let mut wanted = json!({"spec": {"replicas": 2, "containers": [{"name": "web", "image": "old"}]},
                                "metadata": {"labels": {"a/b": "y", "gone": "g"}}});
        for pointer in [
            "/spec/replicas",
            "/spec/containers/1/image",
            "/metadata/labels/a~1b",
            "/metadata/labels/gone",
            "/nowhere/at/all",
            "",
        ] {
            leave_alone(&mut wanted, &live, pointer);
        }
        assert_eq!(
            wanted,
            json!({"spec": {"replicas": 5, "containers": [{"name": "web", "image": "new"}]},
                   "metadata": {"labels": {"a/b": "x"}}})
        );
    }

    #[test]
    fn nothing_of_a_secret_is_shown_and_nothing_that_is_masked_elsewhere() {
        let live = json!({"data": {"password": "bmV3"}, "type": "Opaque"});
        let wanted = json!({"data": {"password": "b2xk"}, "type": "other"});
        let secret: Vec<_> = changes(&live, &wanted)
            .iter()
            .map(|change| Difference::shown(change, true, &Mask::default()).to_string())
            .collect();
        assert_eq!(
            secret,
            [
                "/data/password has another value",
                "/type is \"Opaque\", should be \"other\"",
            ]
        );
        let env = json!({"env": "hunter2hunter2"});
        let nothing = json!({});
        let change = changes(&env, &nothing);
        let shown = Difference::shown(&change[0], false, &Mask::new(["hunter2hunter2"]));
        assert_eq!(shown.live, "\"***\"");
    }

    #[test]
    fn long_values_are_clipped() {
        let live = json!({"data": {"page": "x".repeat(5000)}});
        let wanted = json!({"data": {"page": ""}});
        let change = changes(&live, &wanted);
        let shown = Difference::shown(&change[0], false, &Mask::default());
        assert!(shown.live.len() <= VALUE_BYTES, "{}", shown.live.len());
    }
}
