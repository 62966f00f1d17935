//! Why a patch cannot be used.

/// Why a patch cannot be used, or does not apply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Text that is neither YAML of a list nor of an object was given, or something else altogether.
    #[error(
        "the patch is {found}; write a list of JSON patch operations, or an object to merge strategically"
    )]
    NeitherListNorObject {
        /// What it is.
        found: &'static str,
    },
    /// The list is no JSON patch.
    #[error(
        "the list is no JSON patch: {what}; each entry has an op (add, remove, replace, move, copy, test), a path, and what the op needs"
    )]
    NotAJsonPatch {
        /// What the decoder says.
        what: String,
    },
    /// A JSON patch says nothing of where it goes, and there is no target.
    #[error("a JSON patch does not say which object it is for: add a target")]
    NoTarget,
    /// A strategic merge patch without a target has to name its object.
    #[error(
        "without a target the patch has to name its object: add {field} to the patch, or add a target"
    )]
    Unnamed {
        /// What it lacks.
        field: &'static str,
    },
    /// A field of the target is no regular expression.
    #[error("target.{field} is no regular expression: {what}")]
    BadExpression {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        what: String,
    },
    /// A selector of labels or annotations cannot be read.
    #[error(
        "target.{field} {selector:?} cannot be read at {at:?}; write for example app=web,tier!=test,env in (a, b),!old"
    )]
    BadSelector {
        /// The field.
        field: &'static str,
        /// The selector.
        selector: String,
        /// Where reading it stopped.
        at: String,
    },
    /// An operation of a JSON patch does not apply.
    #[error("the JSON patch does not apply: {what}")]
    DoesNotApply {
        /// The operation and what is in its way.
        what: String,
    },
    /// A strategic merge patch does not apply.
    #[error("the merge does not apply at {at}: {what}")]
    DoesNotMerge {
        /// The field, from the object's root on.
        at: String,
        /// What is in its way.
        what: String,
    },
    /// What is left is no object of Kubernetes.
    #[error("after the patch the object has no {field}: a patch must leave it one")]
    NoObject {
        /// What it lacks.
        field: &'static str,
    },
}
