//! Fingerprints of live objects: whether an object is still as it was left, told from eight bytes.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::field::{at, list, text};

/// A short hash. Equal means equal for all practical purposes: nobody gains by a collision, and the full check of the
/// interval does not rely on it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub u64);

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// What one look at a live object leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// The object's uid and what one manager owns of it by server-side apply, with the time of its last apply.
    ///
    /// Whoever else changes a field of ours takes it from our entry in `managedFields`, so that this stays the same
    /// exactly as long as nothing of ours was changed; what others add, and every status, leaves it alone. `None`: that
    /// manager has applied nothing, so that nothing can be told.
    pub owned: Option<Fingerprint>,
    /// The uid and all that the object says, without its status and the API server's own bookkeeping.
    pub content: Fingerprint,
}

impl Sight {
    /// Looks at a live object for `manager`.
    pub fn of(live: &Value, manager: &str) -> Self {
        Self {
            owned: owned_by(live, manager).map(|entry| {
                let mut hash = Sha256::new();
                feed(&mut hash, at(live, &["metadata", "uid"]));
                feed(&mut hash, entry.get("fieldsV1"));
                feed(&mut hash, entry.get("time"));
                // The API server moves it into `data`, and whoever changes that takes nothing from us.
                if at(entry, &["fieldsV1", "f:stringData"]).is_some() {
                    feed(&mut hash, live.get("data"));
                }
                short(hash)
            }),
            content: content(live),
        }
    }
}

/// Whether `manager` owns the same fields of two states of an object.
pub fn owns_alike(one: &Value, other: &Value, manager: &str) -> bool {
    let fields = |live| owned_by(live, manager).and_then(|entry| entry.get("fieldsV1"));
    fields(one).is_some() && fields(one) == fields(other)
}

fn owned_by<'a>(live: &'a Value, manager: &str) -> Option<&'a Value> {
    list(live, &["metadata", "managedFields"])
        .iter()
        .find(|entry| {
            text(entry, &["manager"]) == Some(manager)
                && text(entry, &["operation"]) == Some("Apply")
                && text(entry, &["subresource"]).unwrap_or_default().is_empty()
        })
}

/// What a server keeps for itself, or counts up with each change.
const BOOKKEEPING: [&str; 4] = ["managedFields", "resourceVersion", "generation", "selfLink"];

/// The annotation in which the Deployment controller counts its rollouts.
const ROLLOUTS: &str = "deployment.kubernetes.io/revision";

fn content(live: &Value) -> Fingerprint {
    let mut hash = Sha256::new();
    for (name, field) in sorted(live) {
        match name.as_str() {
            "status" => {}
            "metadata" => {
                for (name, field) in sorted(field) {
                    if BOOKKEEPING.contains(&name.as_str()) {
                        continue;
                    }
                    word(&mut hash, name);
                    for (name, field) in sorted(field) {
                        if name != ROLLOUTS {
                            word(&mut hash, name);
                            feed(&mut hash, Some(field));
                        }
                    }
                    if !field.is_object() {
                        feed(&mut hash, Some(field));
                    }
                }
            }
            _ => {
                word(&mut hash, name);
                feed(&mut hash, Some(field));
            }
        }
    }
    short(hash)
}

fn sorted(value: &Value) -> Vec<(&String, &Value)> {
    let mut entries: Vec<_> = value.as_object().into_iter().flatten().collect();
    entries.sort_by_key(|(name, _)| *name);
    entries
}

/// Each value begins with its kind and its length, so that no two values feed the same bytes.
fn feed(hash: &mut Sha256, value: Option<&Value>) {
    match value {
        None => hash.update([0]),
        Some(Value::Array(items)) => {
            hash.update([1]);
            hash.update((items.len() as u64).to_le_bytes());
            for item in items {
                feed(hash, Some(item));
            }
        }
        Some(value @ Value::Object(_)) => {
            let entries = sorted(value);
            hash.update([2]);
            hash.update((entries.len() as u64).to_le_bytes());
            for (name, field) in entries {
                word(hash, name);
                feed(hash, Some(field));
            }
        }
        Some(Value::String(text)) => {
            hash.update([3]);
            word(hash, text);
        }
        Some(plain) => {
            hash.update([4]);
            word(hash, &plain.to_string());
        }
    }
}

fn word(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text.as_bytes());
}

fn short(hash: Sha256) -> Fingerprint {
    let bytes = hash.finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&bytes[..8]);
    Fingerprint(u64::from_le_bytes(first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn live() -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {
                "name": "web", "uid": "u", "resourceVersion": "7", "generation": 1,
                "labels": {"app": "web"},
                "annotations": {"deployment.kubernetes.io/revision": "1"},
                "managedFields": [
                    {"manager": "helm", "operation": "Apply", "time": "2026-01-01T00:00:00Z",
                     "fieldsV1": {"f:spec": {"f:replicas": {}}}},
                    {"manager": "kube-controller-manager", "operation": "Update", "subresource": "status",
                     "fieldsV1": {"f:status": {}}},
                ],
            },
            "spec": {"replicas": 2},
            "status": {"replicas": 1},
        })
    }

    fn with(change: impl FnOnce(&mut Value)) -> Sight {
        let mut live = live();
        change(&mut live);
        Sight::of(&live, "helm")
    }

    #[test]
    fn a_status_and_the_servers_bookkeeping_say_nothing() {
        let before = Sight::of(&live(), "helm");
        let after = with(|live| {
            live["status"] = json!({"replicas": 2, "readyReplicas": 2});
            live["metadata"]["resourceVersion"] = json!("9");
            live["metadata"]["generation"] = json!(4);
            live["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = json!("2");
            live["metadata"]["managedFields"][1]["time"] = json!("2026-01-02T00:00:00Z");
        });
        assert_eq!(after, before);
    }

    #[test]
    fn whoever_changes_a_field_of_ours_takes_it_from_our_entry() {
        let before = Sight::of(&live(), "helm");
        let edited = with(|live| {
            live["spec"]["replicas"] = json!(5);
            live["metadata"]["managedFields"][0]["fieldsV1"] = json!({});
        });
        assert_ne!(edited.owned, before.owned);
        assert_ne!(edited.content, before.content);
        // The same manager's apply of other values is told by its time.
        let applied = with(|live| {
            live["metadata"]["managedFields"][0]["time"] = json!("2026-01-01T00:00:09Z");
        });
        assert_ne!(applied.owned, before.owned);
    }

    #[test]
    fn what_others_add_changes_the_content_and_nothing_of_ours() {
        let before = Sight::of(&live(), "helm");
        let labelled = with(|live| live["metadata"]["labels"]["team"] = json!("a"));
        assert_eq!(labelled.owned, before.owned);
        assert_ne!(labelled.content, before.content);
    }

    #[test]
    fn what_a_secret_holds_is_ours_where_it_was_written_as_text() {
        let secret = |data: &str, owned: &str| {
            let live = json!({"kind": "Secret", "data": {"password": data}, "metadata": {
                "uid": "u", "managedFields": [{"manager": "helm", "operation": "Apply",
                    "fieldsV1": {owned: {"f:password": {}}}}]}});
            Sight::of(&live, "helm").owned
        };
        assert_ne!(
            secret("YQ==", "f:stringData"),
            secret("Yg==", "f:stringData")
        );
        assert_eq!(secret("YQ==", "f:data"), secret("Yg==", "f:data"));
    }

    #[test]
    fn another_object_of_that_name_is_another_one() {
        let before = Sight::of(&live(), "helm");
        let anew = with(|live| live["metadata"]["uid"] = json!("v"));
        assert_ne!(anew.owned, before.owned);
        assert_ne!(anew.content, before.content);
    }

    #[test]
    fn of_what_was_never_applied_server_side_nothing_can_be_told() {
        let client_side = with(|live| {
            live["metadata"]["managedFields"][0]["operation"] = json!("Update");
        });
        assert_eq!(client_side.owned, None);
        assert!(!owns_alike(&json!({}), &json!({}), "helm"));
        assert!(owns_alike(&live(), &live(), "helm"));
    }

    #[test]
    fn no_two_values_feed_the_same_bytes() {
        let data = |value: Value| {
            let live = json!({"metadata": {"uid": "u"}, "data": value});
            Sight::of(&live, "helm").content
        };
        let values = [
            json!(null),
            json!([]),
            json!({}),
            json!(""),
            json!("1"),
            json!(1),
            json!(["a", "b"]),
            json!(["ab"]),
            json!({"a": "b"}),
            json!({"a": {"b": null}}),
            json!({"a": null, "b": null}),
        ];
        let mut prints: Vec<_> = values.into_iter().map(data).collect();
        let all = prints.len();
        prints.sort();
        prints.dedup();
        assert_eq!(prints.len(), all);
    }
}
