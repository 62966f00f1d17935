//! Keeping secrets out of everything that people and dashboards read.

use serde_json::Value;

/// What stands in the place of a secret.
pub const MASK: &str = "***";

/// Secrets shorter than this are masked only where they stand as words of their own, so that a
/// password `a` does not turn every sentence into stars.
const SHORT: usize = 6;

/// A prepared set of secrets: the longest are masked first, so that a secret that is part of
/// another leaves nothing of it behind.
#[derive(Clone, Default)]
pub struct Mask {
    secrets: Vec<String>,
}

/// Prints how many secrets there are and none of them.
impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mask")
            .field("secrets", &self.secrets.len())
            .finish()
    }
}

impl Mask {
    /// A mask for these secrets. Lines of a secret that has several are masked one by one too,
    /// because logs print them so. Empty ones are left out.
    pub fn new<I, S>(secrets: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: AsRef<str>,
    {
        let mut all: Vec<String> = Vec::new();
        for secret in secrets {
            let secret = secret.as_ref();
            all.push(secret.to_owned());
            all.push(secret.trim().to_owned());
            all.extend(
                secret
                    .lines()
                    .map(str::trim)
                    .filter(|line| line.len() >= SHORT)
                    .map(str::to_owned),
            );
        }
        all.retain(|secret| !secret.trim().is_empty());
        all.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        all.dedup();
        Self { secrets: all }
    }

    /// The text with every secret replaced by [`MASK`].
    pub fn apply(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| {
            if secret.len() < SHORT {
                replace_words(&text, secret)
            } else {
                text.replace(secret.as_str(), MASK)
            }
        })
    }
}

/// The text with every secret replaced by [`MASK`]; for many texts prepare a [`Mask`] once.
pub fn mask(text: &str, secrets: &[&str]) -> String {
    Mask::new(secrets).apply(text)
}

/// Everything in a Secret object that must not be seen: the values of `data`, encoded as they
/// stand and decoded by `decode` where that gives text, and those of `stringData`.
pub fn secret_strings(secret: &Value, decode: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let values = |field: &str| {
        secret
            .get(field)
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(|map| map.values())
            .filter_map(Value::as_str)
    };
    let mut found: Vec<String> = values("stringData").map(str::to_owned).collect();
    for encoded in values("data") {
        found.extend(decode(encoded));
        found.push(encoded.to_owned());
    }
    found.retain(|text| !text.is_empty());
    found
}

/// Masks the values of every Secret inside a JSON value, lists and nested objects included, and
/// the copy of it that `kubectl apply` leaves in an annotation. Keys stay, so that a difference can
/// still name what changed.
pub fn mask_secret_objects(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(mask_secret_objects),
        Value::Object(map) => {
            let is_secret = map.get("kind").and_then(Value::as_str) == Some("Secret")
                && map.get("apiVersion").and_then(Value::as_str) == Some("v1");
            if is_secret {
                for field in ["data", "stringData"] {
                    if let Some(Value::Object(entries)) = map.get_mut(field) {
                        entries.values_mut().for_each(|entry| *entry = MASK.into());
                    }
                }
                let copy = "kubectl.kubernetes.io/last-applied-configuration";
                if let Some(copy) = map
                    .get_mut("metadata")
                    .and_then(|metadata| metadata.get_mut("annotations"))
                    .and_then(|annotations| annotations.get_mut(copy))
                {
                    *copy = MASK.into();
                }
            } else {
                map.values_mut().for_each(mask_secret_objects);
            }
        }
        _ => {}
    }
}

fn replace_words(text: &str, word: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut before: Option<char> = None;
    while let Some(start) = rest.find(word) {
        let (head, tail) = rest.split_at(start);
        let after = &tail[word.len()..];
        let left = head.chars().next_back().or(before);
        let alone = !left.is_some_and(char::is_alphanumeric)
            && !after.chars().next().is_some_and(char::is_alphanumeric);
        out.push_str(head);
        out.push_str(if alone { MASK } else { word });
        before = word.chars().next_back();
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_secret_inside_another_leaves_nothing_of_it_behind() {
        assert_eq!(
            mask(
                "user=hunter2hunter2 pass=hunter2",
                &["hunter2", "hunter2hunter2"]
            ),
            "user=*** pass=***"
        );
    }

    #[test]
    fn a_short_secret_is_masked_as_a_word_only() {
        assert_eq!(mask("abc a ba (a) a", &["a"]), "abc *** ba (***) ***");
        assert_eq!(mask("abc", &["", " "]), "abc");
    }

    #[test]
    fn each_line_of_a_key_is_masked_by_itself() {
        let key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\n-----END KEY-----\n";
        assert_eq!(mask("log: MIIEvQIBADANBg", &[key]), "log: ***");
    }

    #[test]
    fn secrets_of_an_object_are_known_encoded_and_decoded() {
        let secret = json!({"data": {"password": "aHVudGVyMg=="}, "stringData": {"token": "t0k"}});
        let found = secret_strings(&secret, |text| {
            (text == "aHVudGVyMg==").then(|| "hunter2".into())
        });
        assert_eq!(found, ["t0k", "hunter2", "aHVudGVyMg=="]);
    }

    #[test]
    fn the_data_of_every_secret_in_a_list_is_masked_and_nothing_else() {
        let mut list = json!({"kind": "List", "apiVersion": "v1", "items": [
            {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "s", "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": "{hunter2}", "note": "kept"}},
             "data": {"password": "aHVudGVyMg=="}, "stringData": {"token": "t0k"}},
            {"kind": "ConfigMap", "apiVersion": "v1", "data": {"mode": "fast"}}
        ]});
        mask_secret_objects(&mut list);
        assert_eq!(
            list["items"],
            json!([
                {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "s", "annotations": {
                    "kubectl.kubernetes.io/last-applied-configuration": "***", "note": "kept"}},
                 "data": {"password": "***"}, "stringData": {"token": "***"}},
                {"kind": "ConfigMap", "apiVersion": "v1", "data": {"mode": "fast"}}
            ])
        );
    }

    #[test]
    fn a_mask_never_prints_what_it_hides() {
        assert_eq!(
            format!("{:?}", Mask::new(["hunter2"])),
            "Mask { secrets: 1 }"
        );
    }
}
