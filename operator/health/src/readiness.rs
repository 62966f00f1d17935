//! What a release itself says of when its objects are ready: CEL rules in the place of a kind's own.

use serde_json::Value;

use crate::expression::{Expression, ExpressionError};
use crate::object::{ObjectKey, split_api_version};
use crate::progress::ProgressReason;
use crate::verdict::{Verdict, unobserved_or_going};

/// A rule that cannot be used, by its place among the rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("readiness[{index}].{field}, {error}")]
pub struct WrongRule {
    /// Its place, from zero.
    pub index: usize,
    /// `current` or `failed`.
    pub field: &'static str,
    /// What is wrong with the expression.
    #[source]
    pub error: ExpressionError,
}

/// When objects of one kind are ready, in place of the rules of the kind.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadinessRule {
    group: String,
    kind: String,
    outcome: Result<Expressions, WrongRule>,
}

#[derive(Debug, Clone, PartialEq)]
struct Expressions {
    current: Expression,
    failed: Option<Expression>,
}

impl ReadinessRule {
    /// The rule at this place for an `apiVersion` and kind, as a user wrote it.
    ///
    /// The version says how it is meant to be read by people; an object is found by group and kind, and asked in the
    /// version in which the API server gives it. A rule with a wrong expression is kept, with what is wrong: see
    /// [`ReadinessRule::wrong`].
    pub fn read(
        index: usize,
        api_version: &str,
        kind: &str,
        current: &str,
        failed: Option<&str>,
    ) -> Self {
        let compile = |field, text: &str| {
            Expression::compile(text).map_err(|error| WrongRule {
                index,
                field,
                error,
            })
        };
        let outcome = compile("current", current).and_then(|current| {
            let failed = failed.map(|text| compile("failed", text)).transpose()?;
            Ok(Expressions { current, failed })
        });
        Self {
            group: split_api_version(api_version).0.to_owned(),
            kind: kind.to_owned(),
            outcome,
        }
    }

    /// What is wrong with it, if anything is.
    pub fn wrong(&self) -> Option<&WrongRule> {
        self.outcome.as_ref().err()
    }

    /// Whether it speaks of this object.
    pub fn is_for(&self, object: &ObjectKey) -> bool {
        self.group == object.group && self.kind == object.kind
    }

    /// The verdict of an object as the API server gave it; JSON `null` stands for one that is missing.
    ///
    /// Deletion and a generation that its controller has not observed are told as for every object. Then `failed` is
    /// asked, then `current`. An expression without an answer, since a field is not there yet for example, means that
    /// the object is on its way: what may still come is no failure.
    pub fn verdict(&self, object: &Value) -> Verdict {
        if object.is_null() {
            return Verdict::Missing;
        }
        if let Some(answer) = unobserved_or_going(object) {
            return answer;
        }
        let waits = |message| Verdict::progressing(ProgressReason::NotReady, message);
        let expressions = match &self.outcome {
            Ok(expressions) => expressions,
            Err(wrong) => return waits(format!("it cannot be judged: spec.{wrong}")),
        };
        if let Some(failed) = &expressions.failed
            && failed.holds(object) == Ok(true)
        {
            return Verdict::failed("ReadinessRule", format!("{} is true", failed.text()));
        }
        let current = &expressions.current;
        match current.holds(object) {
            Ok(true) => Verdict::Current,
            Ok(false) => waits(format!("{} is not true", current.text())),
            Err(error) => waits(format!("{} has no answer: {error}", current.text())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class::FailureClass;
    use crate::object::ObjectRef;
    use serde_json::json;

    fn rule(current: &str, failed: Option<&str>) -> ReadinessRule {
        ReadinessRule::read(0, "example.org/v1", "Database", current, failed)
    }

    fn database(phase: &str) -> Value {
        json!({"apiVersion": "example.org/v1", "kind": "Database",
               "metadata": {"name": "main", "generation": 2},
               "status": {"observedGeneration": 2, "phase": phase}})
    }

    fn by_phase() -> ReadinessRule {
        rule(
            "self.status.phase == 'Up'",
            Some("self.status.phase == 'Broken'"),
        )
    }

    #[test]
    fn the_rule_says_when_an_object_is_current_and_when_it_has_failed() {
        assert_eq!(by_phase().verdict(&database("Up")), Verdict::Current);
        assert_eq!(
            by_phase().verdict(&database("Starting")),
            Verdict::progressing(
                ProgressReason::NotReady,
                "self.status.phase == 'Up' is not true"
            )
        );
        assert_eq!(
            by_phase().verdict(&database("Broken")),
            Verdict::Failed {
                class: FailureClass::Terminal,
                reason: "ReadinessRule".to_owned(),
                message: "self.status.phase == 'Broken' is true".to_owned(),
            }
        );
    }

    #[test]
    fn a_field_that_is_not_there_yet_is_waited_for_and_no_failure() {
        let fresh = json!({"metadata": {"name": "main", "generation": 1}});
        let Verdict::Progressing { message, .. } = by_phase().verdict(&fresh) else {
            panic!("{}", by_phase().verdict(&fresh));
        };
        assert!(message.contains("has no status"), "{message}");
    }

    #[test]
    fn what_is_going_missing_or_not_observed_is_told_whatever_the_rule_says() {
        let always = rule("true", None);
        assert_eq!(always.verdict(&Value::Null), Verdict::Missing);
        let mut going = database("Up");
        going["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert_eq!(always.verdict(&going), Verdict::Terminating);
        let mut edited = database("Up");
        edited["metadata"]["generation"] = json!(3);
        assert_eq!(always.verdict(&edited).as_str(), "Progressing");
    }

    #[test]
    fn conditions_say_nothing_where_a_rule_does() {
        let mut stalled = database("Up");
        stalled["status"]["conditions"] =
            json!([{"type": "Stalled", "status": "True"}, {"type": "Ready", "status": "False"}]);
        assert_eq!(by_phase().verdict(&stalled), Verdict::Current);
    }

    #[test]
    fn a_wrong_rule_names_its_place_and_calls_nothing_ready() {
        let wrong = ReadinessRule::read(3, "example.org/v1", "Database", "true", Some("self.a &&"));
        let told = wrong.wrong().unwrap().to_string();
        assert!(
            told.starts_with("readiness[3].failed, line 1, column "),
            "{told}"
        );
        assert_eq!(wrong.verdict(&database("Up")).as_str(), "Progressing");
    }

    #[test]
    fn a_rule_is_for_a_group_and_a_kind_in_any_version() {
        let of = |version: &str, kind: &str| ObjectRef::new(version, kind, None, "x").key();
        assert!(by_phase().is_for(&of("example.org/v1beta1", "Database")));
        assert!(!by_phase().is_for(&of("example.com/v1", "Database")));
        assert!(!by_phase().is_for(&of("example.org/v1", "Backup")));
        let core = ReadinessRule::read(0, "v1", "ConfigMap", "true", None);
        assert!(core.is_for(&of("v1", "ConfigMap")));
    }
}
