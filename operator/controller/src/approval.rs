//! Whether the API server keeps requests honest about who asked and who approved.
//!
//! Two looks, as neither is enough by itself. The policy and its binding are read: a request that is older than they
//! are was never checked. And forgeries are tried, without effect: only the API server's refusal shows that the binding
//! is in force for this namespace and that nobody has taken the teeth out of the policy.

use belay_api::rollback_request::RollbackTarget;
use belay_api::{RollbackRequest, RollbackRequestSpec, names};
use belay_cluster::Connection;
use belay_rollout::Enforcement;
use k8s_openapi::api::admissionregistration::v1::{
    ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::error::Error;

/// A user that nobody is.
const NOBODY: &str = "belay.dev/nobody";

/// Finds out whether what a request says of itself can be believed; `None`: the request is gone.
pub(crate) async fn enforcement(
    connection: &Connection,
    request: &RollbackRequest,
) -> Result<Option<Enforcement>, Error> {
    let client = connection.client();
    if let Some(why) = unchecked(&client, request).await? {
        return Ok(Some(Enforcement::Missing { why }));
    }
    let namespace = request.namespace().unwrap_or_default();
    let requests: Api<RollbackRequest> = Api::namespaced(client, &namespace);
    let forged = forged_request(request);
    let params = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    let made = requests.create(&params, &forged).await;
    if let Some(missing) = taken(made, "a request in somebody else's name")? {
        return Ok(Some(missing));
    }
    let params = PatchParams {
        dry_run: true,
        ..PatchParams::default()
    };
    let forged = json!({"metadata": {"annotations": {names::APPROVED_BY: NOBODY}}});
    let written = requests
        .patch(&request.name_any(), &params, &Patch::Merge(&forged))
        .await;
    if matches!(&written, Err(kube::Error::Api(answer)) if answer.code == 404) {
        return Ok(None);
    }
    let missing = taken(written, "an approval in somebody else's name")?;
    Ok(Some(missing.unwrap_or(Enforcement::Enforced)))
}

/// Why the request was not checked when it was made.
async fn unchecked(
    client: &kube::Client,
    request: &RollbackRequest,
) -> Result<Option<String>, Error> {
    let kind = "ValidatingAdmissionPolicy";
    let policy = match read::<ValidatingAdmissionPolicy>(client, kind).await? {
        Ok(policy) => policy,
        Err(why) => return Ok(Some(why)),
    };
    let lenient = policy
        .spec
        .as_ref()
        .is_some_and(|spec| spec.failure_policy.as_deref() == Some("Ignore"));
    if lenient {
        return Ok(Some(format!(
            "{kind} {} has failurePolicy Ignore",
            names::ADMISSION_POLICY
        )));
    }
    let kind = "ValidatingAdmissionPolicyBinding";
    let binding = match read::<ValidatingAdmissionPolicyBinding>(client, kind).await? {
        Ok(binding) => binding,
        Err(why) => return Ok(Some(why)),
    };
    let installed = [policy.creation_timestamp(), binding.creation_timestamp()];
    let older = predates(request.creation_timestamp().as_ref(), &installed);
    Ok(older.then(|| {
        format!(
            "the request is older than {kind} or policy {}, so nobody checked who made it",
            names::ADMISSION_POLICY
        )
    }))
}

/// Whether something came into being no later than what should have checked it; the API server counts in seconds.
fn predates(made: Option<&Time>, installed: &[Option<Time>]) -> bool {
    let mut installed = installed.iter();
    installed.any(|installed| made <= installed.as_ref())
}

/// The policy or its binding, or why it cannot be had.
async fn read<K>(client: &kube::Client, kind: &str) -> Result<Result<K, String>, Error>
where
    K: Resource<DynamicType = (), Scope = kube::core::ClusterResourceScope>
        + Clone
        + std::fmt::Debug
        + DeserializeOwned,
{
    let name = names::ADMISSION_POLICY;
    match Api::<K>::all(client.clone()).get_opt(name).await {
        Ok(Some(found)) => Ok(Ok(found)),
        Ok(None) => Ok(Err(format!("there is no {kind} {name}"))),
        Err(kube::Error::Api(answer)) if answer.code == 403 => Ok(Err(format!(
            "the operator may not read the {kind} {name}: {}",
            answer.message
        ))),
        Err(error) => Err(Error::kube("reading the admission policy of requests")(
            error,
        )),
    }
}

fn forged_request(request: &RollbackRequest) -> RollbackRequest {
    RollbackRequest {
        metadata: ObjectMeta {
            generate_name: Some("belay-forged-".to_owned()),
            ..ObjectMeta::default()
        },
        spec: RollbackRequestSpec {
            release_ref: request.spec.release_ref.clone(),
            target: RollbackTarget::default(),
            expected_current: None,
            reason: String::new(),
            requested_by: NOBODY.to_owned(),
            until: belay_api::rollback_request::Until::default(),
            hold_until: None,
            not_after: None,
            dry_run: true,
        },
        status: None,
    }
}

/// What the answer to a forgery shows: nothing is missing if the policy refused it.
fn taken<T>(answer: kube::Result<T>, forgery: &str) -> Result<Option<Enforcement>, Error> {
    let why = match answer {
        Ok(_) => format!("the API server would take {forgery}"),
        Err(kube::Error::Api(answer)) if refused_by_policy(&answer.message) => return Ok(None),
        Err(kube::Error::Api(answer)) if answer.code == 403 => format!(
            "the operator cannot find out whether the API server takes {forgery}: {}",
            answer.message
        ),
        Err(error) => return Err(Error::kube("trying a forged RollbackRequest")(error)),
    };
    Ok(Some(Enforcement::Missing { why }))
}

/// As the API server words it: `ValidatingAdmissionPolicy 'NAME' with binding 'NAME' denied request: …`.
fn refused_by_policy(message: &str) -> bool {
    let policy = format!("ValidatingAdmissionPolicy '{}'", names::ADMISSION_POLICY);
    message.contains(&policy) && message.contains("denied request")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_before_the_policy_or_its_binding_was_not_checked() {
        let at = |second: i64| {
            let instant = jiff::Timestamp::from_second(second).unwrap();
            Some(Time(instant))
        };
        let installed = |policy, binding| [at(policy), at(binding)];
        assert!(!predates(at(12).as_ref(), &installed(10, 11)));
        for late in [installed(13, 11), installed(10, 13), installed(10, 12)] {
            assert!(predates(at(12).as_ref(), &late), "{late:?}");
        }
        assert!(predates(None, &installed(10, 11)));
    }

    #[test]
    fn only_the_policys_own_refusal_counts() {
        let ours = "rollbackrequests.belay.dev \"belay-forged-x\" is forbidden: ValidatingAdmissionPolicy 'belay-rollback-requests' with binding 'belay-rollback-requests' denied request: spec.requestedBy has to be jane";
        assert!(refused_by_policy(ours));
        let rights =
            "rollbackrequests.belay.dev is forbidden: User \"belay\" cannot create resource";
        assert!(!refused_by_policy(rights));
        let other = "is forbidden: ValidatingAdmissionPolicy 'other' with binding 'belay-rollback-requests' denied request";
        assert!(!refused_by_policy(other));
    }
}
