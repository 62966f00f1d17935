//! The API server said no: what it is about, and what it says.

use std::fmt;
use std::time::Duration;

use http::StatusCode;
use kube::core::Status;

use crate::error::RETRY_AFTER;

/// What a refusal is about, read from the status code, the reason, the causes and, where the API has no better
/// sign, its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RefusalKind {
    /// The object is not there.
    NotFound,
    /// The path is not there: the kind is not served.
    NotServed,
    /// Something of that name is there already.
    AlreadyExists,
    /// The object is another one, or a newer one, than the request says.
    Conflict,
    /// A field may not change once it is set.
    Immutable,
    /// The object breaks its schema or a validation rule.
    Invalid,
    /// Our account may not do this.
    Forbidden,
    /// Our credentials are not accepted.
    Unauthorized,
    /// A resource quota is used up.
    Quota,
    /// The namespace is being deleted: nothing can be created in it.
    NamespaceTerminating,
    /// An admission webhook or policy said no.
    Denied,
    /// An admission webhook could not be asked. Nothing was written.
    WebhookUnreachable,
    /// An admission webhook has side effects, so that the API server does not ask it in a dry run and refuses that: it
    /// says nothing about the object.
    DryRunUnsupported,
    /// The resourceVersion is too old to start from.
    Expired,
    /// The verb is not offered for this kind.
    NotSupported,
    /// The request is larger than the API server takes.
    TooLarge,
    /// Too many requests.
    Throttled,
    /// The API server failed: what it did is not known.
    ServerError,
    /// Anything else.
    Other,
}

impl RefusalKind {
    pub(crate) fn category(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::NotServed => "not_served",
            Self::AlreadyExists => "already_exists",
            Self::Conflict => "conflict",
            Self::Immutable => "immutable",
            Self::Invalid => "invalid",
            Self::Forbidden => "forbidden",
            Self::Unauthorized => "unauthorized",
            Self::Quota => "quota",
            Self::NamespaceTerminating => "namespace_terminating",
            Self::Denied => "denied",
            Self::WebhookUnreachable => "webhook_unreachable",
            Self::DryRunUnsupported => "dry_run_unsupported",
            Self::Expired => "expired",
            Self::NotSupported => "not_supported",
            Self::TooLarge => "request_too_large",
            Self::Throttled => "throttled",
            Self::ServerError => "server_error",
            Self::Other => "other",
        }
    }
}

/// One reason inside a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// The field, in the API server's notation; empty when it is about the whole object.
    pub field: String,
    /// The machine-readable reason.
    pub reason: String,
    /// The text for people.
    pub message: String,
}

/// The API server said no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Verb and resource of the call.
    pub call: String,
    /// The HTTP status code.
    pub status: u16,
    /// What it is about.
    pub kind: RefusalKind,
    /// The API server's own words.
    pub message: String,
    /// Field by field, where given.
    pub causes: Vec<Cause>,
    /// How long the API server asks us to stay away.
    pub retry_after: Option<Duration>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{}: {} (status {})",
            self.call, self.message, self.status
        )
    }
}

impl std::error::Error for Refusal {}

impl Refusal {
    /// Reads a failed answer: status code, `Retry-After` in seconds, body (a `Status` object or plain text).
    pub(crate) fn read(
        call: String,
        code: StatusCode,
        retry_after: Option<Duration>,
        body: &[u8],
    ) -> Self {
        let parsed: Option<Status> = serde_json::from_slice(body).ok();
        let status = parsed.unwrap_or_else(|| {
            let text: String = String::from_utf8_lossy(body).chars().take(1024).collect();
            Status {
                message: text.trim().to_owned(),
                ..Status::default()
            }
        });
        let details = status.details.as_ref();
        let causes: Vec<Cause> = details
            .map(|details| {
                details
                    .causes
                    .iter()
                    .map(|cause| Cause {
                        field: cause.field.clone(),
                        reason: cause.reason.clone(),
                        message: cause.message.clone(),
                    })
                    .collect()
            })
            .unwrap_or_default();
        let message = if status.message.is_empty() {
            code.canonical_reason().unwrap_or("refused").to_owned()
        } else {
            status.message.clone()
        };
        Self {
            call,
            status: code.as_u16(),
            kind: kind_of(code, &status, &causes),
            message,
            causes,
            retry_after: retry_after.or(asked_time(&status)),
        }
    }

    /// Whether the account lacks the rights; admission refuses with the same status.
    pub fn is_access_denied(&self) -> bool {
        self.kind == RefusalKind::Forbidden && tells_of_rights(&self.message)
    }

    /// Whether all that is refused is that fields cannot change.
    pub fn is_all_immutable(&self) -> bool {
        self.kind == RefusalKind::Immutable
            && self.causes.iter().all(|cause| is_immutable(&cause.message))
    }

    /// The same in few words where all of it is about fields that cannot change: the API server prints them whole, and
    /// what is wrong with them last.
    pub fn in_short(&self) -> String {
        if self.causes.is_empty() || !self.is_all_immutable() {
            return self.to_string();
        }
        let fields = self.causes.iter().map(|cause| {
            let line = cause.message.lines().next().unwrap_or_default();
            let why = line.rsplit(": ").next().unwrap_or_default();
            format!("{}: {why}", cause.field)
        });
        let fields: Vec<_> = fields.collect();
        format!("{}: {}", self.call, fields.join("; "))
    }

    /// The admission webhook or policy that refused, or could not be asked, as the message names it: the API has no
    /// field for it.
    pub fn admission(&self) -> Option<&str> {
        let asked = matches!(
            self.kind,
            RefusalKind::Denied | RefusalKind::WebhookUnreachable | RefusalKind::DryRunUnsupported
        );
        let named = |before: &str, quote: char| {
            let (_, rest) = self.message.split_once(before)?;
            rest.split_once(quote).map(|(name, _)| name)
        };
        // `ValidatingAdmissionPolicy 'NAME' with binding 'NAME' denied request`
        let name = || named("webhook \"", '"').or_else(|| named("AdmissionPolicy '", '\''));
        asked.then(name).flatten()
    }
}

/// How long an API server that is asked too much wants to be left alone, of an answer that kube has read: it keeps the
/// status' body only, which for that has no time in it.
pub fn retry_after(status: &Status) -> Option<Duration> {
    (status.code == 429).then(|| asked_time(status).unwrap_or(RETRY_AFTER))
}

/// How long an answer's body says to stay away.
fn asked_time(status: &Status) -> Option<Duration> {
    let seconds = status.details.as_ref()?.retry_after_seconds;
    (seconds > 0).then(|| Duration::from_secs(u64::from(seconds)))
}

/// Whether a message is RBAC's: it has no reason code of its own, but always names the user and the verb
/// (`ForbiddenMessage` in Kubernetes' `endpoints/handlers/responsewriters`).
pub fn tells_of_rights(message: &str) -> bool {
    message.contains("User \"") && message.contains("\" cannot ")
}

fn kind_of(code: StatusCode, status: &Status, causes: &[Cause]) -> RefusalKind {
    let message = status.message.as_str();
    if message.contains("failed calling webhook") {
        return RefusalKind::WebhookUnreachable;
    }
    if message.contains("does not support dry run") {
        return RefusalKind::DryRunUnsupported;
    }
    if message.contains("denied the request") || message.contains("denied request:") {
        return RefusalKind::Denied;
    }
    match code.as_u16() {
        401 => RefusalKind::Unauthorized,
        403 if causes
            .iter()
            .any(|cause| cause.reason == "NamespaceTerminating")
            || message.contains("because it is being terminated") =>
        {
            RefusalKind::NamespaceTerminating
        }
        403 if message.contains("exceeded quota") => RefusalKind::Quota,
        403 => RefusalKind::Forbidden,
        404 if status
            .details
            .as_ref()
            .is_none_or(|details| details.name.is_empty()) =>
        {
            RefusalKind::NotServed
        }
        404 => RefusalKind::NotFound,
        405 | 415 => RefusalKind::NotSupported,
        409 if status.reason == "AlreadyExists" => RefusalKind::AlreadyExists,
        409 => RefusalKind::Conflict,
        // A uid that is not the live object's is an immutable field to the API server, and another object to us.
        422 if causes.iter().any(|cause| cause.field == "metadata.uid") => RefusalKind::Conflict,
        410 => RefusalKind::Expired,
        413 => RefusalKind::TooLarge,
        422 if is_immutable(message) || causes.iter().any(|cause| is_immutable(&cause.message)) => {
            RefusalKind::Immutable
        }
        400 | 422 => RefusalKind::Invalid,
        429 => RefusalKind::Throttled,
        500..=599 => RefusalKind::ServerError,
        _ => RefusalKind::Other,
    }
}

/// The API has no reason code for this, so the texts of its validation are what there is.
fn is_immutable(message: &str) -> bool {
    const SIGNS: [&str; 6] = [
        "field is immutable",
        "is immutable",
        "may not change once set",
        "may not be changed in an update",
        "cannot change roleRef",
        "pod updates may not change fields other than",
    ];
    // A StatefulSet's spec, a StorageClass' parameters and provisioner.
    let updates = message.contains("updates to ") && message.contains("forbidden");
    updates || SIGNS.iter().any(|sign| message.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: u16, body: &str) -> Refusal {
        Refusal::read(
            "patch deployments".into(),
            StatusCode::from_u16(code).unwrap(),
            None,
            body.as_bytes(),
        )
    }

    #[test]
    fn an_immutable_field_is_told_from_a_wrong_one() {
        let immutable = r#"{"kind":"Status","status":"Failure","reason":"Invalid","code":422,"message":"Service \"a\" is invalid",
            "details":{"name":"a","causes":[{"field":"spec.clusterIP","reason":"FieldValueInvalid","message":"field is immutable"}]}}"#;
        assert_eq!(refusal(422, immutable).kind, RefusalKind::Immutable);
        assert_eq!(
            refusal(422, "spec.replicas: Invalid value").kind,
            RefusalKind::Invalid
        );
    }

    #[test]
    fn a_fault_beside_an_immutable_field_is_not_cured_by_another_object() {
        let said = |more: &str| {
            let body = format!(
                r#"{{"kind":"Status","status":"Failure","reason":"Invalid","code":422,"message":"Job is invalid",
                "details":{{"name":"a","causes":[{{"field":"spec.template","message":"Invalid value: field is immutable"}}{more}]}}}}"#
            );
            refusal(422, &body)
        };
        assert!(said("").is_all_immutable());
        assert_eq!(
            said("").in_short(),
            "patch deployments: spec.template: field is immutable"
        );
        let more =
            r#",{"field":"spec.parallelism","message":"must be greater than or equal to 0"}"#;
        assert_eq!(said(more).kind, RefusalKind::Immutable);
        assert!(!said(more).is_all_immutable());
    }

    #[test]
    fn another_object_of_the_same_name_is_a_conflict() {
        let body = r#"{"kind":"Status","status":"Failure","reason":"Invalid","code":422,"message":"field is immutable",
            "details":{"name":"a","causes":[{"field":"metadata.uid","message":"field is immutable"}]}}"#;
        assert_eq!(refusal(422, body).kind, RefusalKind::Conflict);
    }

    #[test]
    fn missing_rights_are_told_from_what_admission_forbids() {
        let rights = r#"configmaps is forbidden: User "system:serviceaccount:a:b" cannot list resource "configmaps""#;
        assert!(refusal(403, rights).is_access_denied());
        let admission = r#"pods "a" is forbidden: violates PodSecurity "restricted:latest""#;
        assert!(!refusal(403, admission).is_access_denied());
    }

    #[test]
    fn who_of_admission_has_spoken_is_read_out_of_the_message() {
        let said = |code: u16, message: &str| {
            let body = serde_json::json!({"kind": "Status", "status": "Failure", "code": code, "message": message});
            let refusal = refusal(code, &body.to_string());
            (refusal.kind, refusal.admission().map(str::to_owned))
        };
        let named = |name: &str| Some(name.to_owned());
        assert_eq!(
            said(
                400,
                r#"admission webhook "a.example.org" does not support dry run"#
            ),
            (RefusalKind::DryRunUnsupported, named("a.example.org"))
        );
        assert_eq!(
            said(
                400,
                r#"admission webhook "a.example.org" denied the request: no"#
            ),
            (RefusalKind::Denied, named("a.example.org"))
        );
        assert_eq!(
            said(
                422,
                "configmaps \"x\" is forbidden: ValidatingAdmissionPolicy 'limits' with binding 'all' denied request: no"
            ),
            (RefusalKind::Denied, named("limits"))
        );
        let unreachable = r#"Internal error occurred: failed calling webhook "a.example.org": failed to call webhook: EOF"#;
        assert_eq!(
            said(500, unreachable),
            (RefusalKind::WebhookUnreachable, named("a.example.org"))
        );
        assert_eq!(said(422, "spec.x: Invalid value").1, None);
    }

    #[test]
    fn an_unknown_path_is_told_from_an_unknown_object() {
        assert_eq!(
            refusal(404, "404 page not found").kind,
            RefusalKind::NotServed
        );
        let object = r#"{"kind":"Status","status":"Failure","reason":"NotFound","code":404,"message":"no","details":{"name":"a"}}"#;
        assert_eq!(refusal(404, object).kind, RefusalKind::NotFound);
    }
}
