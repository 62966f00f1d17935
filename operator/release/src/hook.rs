use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::annotation;
use crate::error::Error;
use crate::head::Head;
use crate::hook_event::HookEvent;
use crate::timestamp::moment;

/// A document that runs at certain events instead of being part of the release.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Hook {
    /// `metadata.name`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Kind.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// The template that it came from.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// The document's text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub manifest: String,
    /// When it runs.
    #[serde(
        default,
        deserialize_with = "known_events",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub events: Vec<HookEvent>,
    /// What became of it.
    #[serde(default, deserialize_with = "or_default")]
    pub last_run: HookExecution,
    /// Smaller ones run first.
    #[serde(default, skip_serializing_if = "is_default")]
    pub weight: i64,
    /// When its object is deleted, as declared; see [`Hook::deletes`].
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub delete_policies: Vec<HookDeletePolicy>,
    /// When its output is wanted.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub output_log_policies: Vec<HookOutputLogPolicy>,
    /// Fields that this crate does not know, kept as they are.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// When a hook's object is deleted. Prints and serialises as Helm's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum HookDeletePolicy {
    /// After it succeeded.
    Succeeded,
    /// After it failed.
    Failed,
    /// Before it is made the next time.
    BeforeCreation,
    /// A name that has no effect, kept as it is.
    Other(String),
}

/// When a hook's output is wanted. Prints and serialises as Helm's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum HookOutputLogPolicy {
    /// After it succeeded.
    Succeeded,
    /// After it failed.
    Failed,
    /// A name that has no effect, kept as it is.
    Other(String),
}

/// A hook's last run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookExecution {
    /// When it began, as RFC 3339.
    #[serde(
        default,
        deserialize_with = "moment",
        skip_serializing_if = "Option::is_none"
    )]
    pub started_at: Option<String>,
    /// When it ended, as RFC 3339.
    #[serde(
        default,
        deserialize_with = "moment",
        skip_serializing_if = "Option::is_none"
    )]
    pub completed_at: Option<String>,
    /// How it ended.
    #[serde(default, deserialize_with = "or_default")]
    pub phase: HookPhase,
}

/// How a hook's run stands.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(from = "String", into = "String")]
pub enum HookPhase {
    /// It never ran.
    #[default]
    None,
    /// It ran, and nobody knows how it ended; also for names that Helm does not use.
    Unknown,
    /// It is running.
    Running,
    /// It succeeded.
    Succeeded,
    /// It failed.
    Failed,
}

impl Hook {
    /// Whether its object is to be deleted under a policy. With none declared that is
    /// [`HookDeletePolicy::BeforeCreation`]. A definition of custom resources is never deleted, as all its
    /// instances would go with it.
    pub fn deletes(&self, policy: &HookDeletePolicy) -> bool {
        self.kind != "CustomResourceDefinition"
            && if self.delete_policies.is_empty() {
                *policy == HookDeletePolicy::BeforeCreation
            } else {
                self.delete_policies.contains(policy)
            }
    }

    /// What its document says about itself.
    ///
    /// # Errors
    /// [`Error::Yaml`] or [`Error::NotAnObject`], if a foreign record holds a hook that is no document.
    pub fn head(&self) -> Result<Head, Error> {
        Head::read(&self.path, 1, &self.manifest)
    }

    /// Whether there is no automatic way back once it ran (`belay.dev/irreversible`). A hook that cannot be read
    /// counts as reversible: it cannot run either.
    pub fn is_irreversible(&self) -> bool {
        self.head()
            .is_ok_and(|head| annotation::is_irreversible(&head.annotations))
    }
}

/// The hooks of an event in the order in which they run: by weight, then by name; ties stay in the given order,
/// which is by kind. Each runs once, even if it names the event twice.
pub fn execution_order(hooks: &[Hook], event: HookEvent) -> Vec<&Hook> {
    let mut due: Vec<&Hook> = hooks
        .iter()
        .filter(|hook| hook.events.contains(&event))
        .collect();
    due.sort_by(|a, b| a.weight.cmp(&b.weight).then_with(|| a.name.cmp(&b.name)));
    due
}

impl From<String> for HookDeletePolicy {
    fn from(name: String) -> Self {
        match name.as_str() {
            "hook-succeeded" => Self::Succeeded,
            "hook-failed" => Self::Failed,
            "before-hook-creation" => Self::BeforeCreation,
            _ => Self::Other(name),
        }
    }
}

impl From<HookDeletePolicy> for String {
    fn from(policy: HookDeletePolicy) -> Self {
        match policy {
            HookDeletePolicy::Succeeded => "hook-succeeded".to_owned(),
            HookDeletePolicy::Failed => "hook-failed".to_owned(),
            HookDeletePolicy::BeforeCreation => "before-hook-creation".to_owned(),
            HookDeletePolicy::Other(name) => name,
        }
    }
}

impl From<String> for HookOutputLogPolicy {
    fn from(name: String) -> Self {
        match name.as_str() {
            "hook-succeeded" => Self::Succeeded,
            "hook-failed" => Self::Failed,
            _ => Self::Other(name),
        }
    }
}

impl From<HookOutputLogPolicy> for String {
    fn from(policy: HookOutputLogPolicy) -> Self {
        match policy {
            HookOutputLogPolicy::Succeeded => "hook-succeeded".to_owned(),
            HookOutputLogPolicy::Failed => "hook-failed".to_owned(),
            HookOutputLogPolicy::Other(name) => name,
        }
    }
}

impl HookPhase {
    /// Helm's name; empty for [`HookPhase::None`].
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Unknown => "Unknown",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
        }
    }
}

impl From<String> for HookPhase {
    fn from(name: String) -> Self {
        [Self::None, Self::Running, Self::Succeeded, Self::Failed]
            .into_iter()
            .find(|phase| phase.as_str() == name)
            .unwrap_or(Self::Unknown)
    }
}

impl From<HookPhase> for String {
    fn from(phase: HookPhase) -> Self {
        phase.as_str().to_owned()
    }
}

/// Null is what Go writes for an empty list.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// Events of other versions of Helm never come for us.
fn known_events<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<HookEvent>, D::Error> {
    let names = Option::<Vec<String>>::deserialize(deserializer)?.unwrap_or_default();
    Ok(names
        .iter()
        .filter_map(|name| HookEvent::parse(name))
        .collect())
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn hook(name: &str, weight: i64, events: &[HookEvent]) -> Hook {
        Hook {
            name: name.to_owned(),
            kind: "Job".to_owned(),
            weight,
            events: events.to_vec(),
            ..Hook::default()
        }
    }

    #[test]
    fn hooks_run_by_weight_then_by_name_and_each_once() {
        use HookEvent::{PostUpgrade, PreUpgrade};
        let hooks = [
            hook("d", 5, &[PreUpgrade]),
            hook("c", -1, &[PreUpgrade, PreUpgrade]),
            hook("b", 0, &[PostUpgrade]),
            hook("b", 5, &[PostUpgrade, PreUpgrade]),
        ];
        let names = |event| -> Vec<&str> {
            execution_order(&hooks, event)
                .iter()
                .map(|hook| hook.name.as_str())
                .collect()
        };
        assert_eq!(names(PreUpgrade), ["c", "b", "d"]);
        assert_eq!(names(PostUpgrade), ["b", "b"]);
        assert_eq!(names(HookEvent::Test), [""; 0]);
    }

    #[test]
    fn a_hook_without_a_delete_policy_is_replaced_before_it_runs_again() {
        let mut hook = hook("a", 0, &[]);
        assert!(hook.deletes(&HookDeletePolicy::BeforeCreation));
        assert!(!hook.deletes(&HookDeletePolicy::Succeeded));
        hook.delete_policies = vec![HookDeletePolicy::Succeeded];
        assert!(!hook.deletes(&HookDeletePolicy::BeforeCreation));
        hook.kind = "CustomResourceDefinition".to_owned();
        assert!(!hook.deletes(&HookDeletePolicy::Succeeded));
    }

    #[test]
    fn a_hook_of_helm_3_is_read_and_written_without_loss() {
        let stored = json!({
            "name": "migrate", "kind": "Job", "path": "web/templates/job.yaml", "manifest": "kind: Job",
            "events": ["pre-upgrade", "crd-install"], "weight": -5,
            "last_run": {"started_at": "", "completed_at": "", "phase": ""},
            "delete_policies": ["hook-succeeded", "later"], "output_log_policies": null, "since": 5
        });
        let hook: Hook = serde_json::from_value(stored).unwrap();
        assert_eq!(
            serde_json::to_value(&hook).unwrap(),
            json!({
                "name": "migrate", "kind": "Job", "path": "web/templates/job.yaml", "manifest": "kind: Job",
                "events": ["pre-upgrade"], "weight": -5, "last_run": {"phase": ""},
                "delete_policies": ["hook-succeeded", "later"], "since": 5
            })
        );
    }

    #[test]
    fn a_hook_may_say_that_there_is_no_way_back() {
        let mut hook = hook("a", 0, &[]);
        hook.manifest = "metadata:\n  annotations:\n    belay.dev/irreversible: true\n".to_owned();
        assert!(hook.is_irreversible());
        hook.manifest = "kind: Job\n".to_owned();
        assert!(!hook.is_irreversible());
    }
}
