//! Rollbacks that need a second person's word, which the API server keeps from being forged.

use std::time::Duration;

use belay_api::rollback_request::RequestPhase;
use belay_api::{ConditionStatus, ConditionType, HelmRelease, Reason, RollbackRequest, names};
use belay_harness::{Cluster, GENEROUS, rule, until};
use k8s_openapi::api::rbac::v1::PolicyRule;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tokio::time::sleep;

use crate::command_line::User;
use crate::operator_charts::note;
use crate::operator_world::{SHOP, World, operated_world, phase, verdict};

/// The namespaces in which the policies are in force carry it: other tests share the API server.
const LABEL: &str = "belay.test/admission";
/// A user that may name others.
const TRUSTED: &str = "belay-test-trusted";
/// That the policies came into force gives no event.
const ASK_AGAIN: Duration = Duration::from_millis(50);

/// Installs `deploy/admission`, once for all tests, for labelled namespaces only.
async fn install(cluster: &Cluster) {
    static INSTALLED: OnceCell<()> = OnceCell::const_new();
    let installed = INSTALLED.get_or_init(|| async {
        for folder in ["admission", "admission/fill-in"] {
            let path = format!("{}/../../deploy/{folder}", env!("CARGO_MANIFEST_DIR"));
            let print = ["create", "--dry-run=client", "-o", "json", "-k", &path];
            let printed = cluster.kubectl(&print).await.unwrap().ok().unwrap();
            let documents = serde_json::Deserializer::from_str(&printed).into_iter::<Value>();
            for document in documents {
                for object in objects(document.unwrap()) {
                    let applied = cluster.apply(&narrowed(object).to_string()).await;
                    applied.unwrap().ok().unwrap();
                }
            }
        }
    });
    installed.await;
}

fn objects(document: Value) -> Vec<Value> {
    match document["items"].as_array() {
        Some(items) => items.clone(),
        None => vec![document],
    }
}

/// The object for labelled namespaces, with one user trusted as the page says.
fn narrowed(mut object: Value) -> Value {
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    if kind.ends_with("PolicyBinding") {
        object["spec"]["matchResources"] =
            json!({"namespaceSelector": {"matchLabels": {LABEL: "on"}}});
    }
    if kind == "ValidatingAdmissionPolicy" {
        assert_eq!(object["spec"]["variables"][0]["name"], "trusted");
        object["spec"]["variables"][0]["expression"] = format!("['{TRUSTED}']").into();
    }
    object
}

/// A world whose namespace the policies are in force for.
pub async fn guarded_world(label: &str) -> World {
    let world = operated_world(label).await;
    install(&world.cluster).await;
    let label = format!("{LABEL}=on");
    let namespace = world.namespace().to_owned();
    let args = ["label", "namespace", &namespace, &label];
    world.cluster.kubectl(&args).await.unwrap().ok().unwrap();
    let api = world.api::<RollbackRequest>();
    let params = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    let asked = tokio::time::timeout(GENEROUS, async {
        loop {
            let forged = api.create(&params, &request("forged", "nobody")).await;
            let empty = api.create(&params, &request("empty", "")).await;
            if forged.is_err() && empty.is_ok_and(|made| !made.spec.requested_by.is_empty()) {
                return;
            }
            sleep(ASK_AGAIN).await;
        }
    });
    asked.await.expect("the policies are in force");
    world
}

fn request(name: &str, requested_by: &str) -> RollbackRequest {
    let request = json!({
        "apiVersion": "belay.dev/v1alpha1", "kind": "RollbackRequest",
        "metadata": {"name": name},
        "spec": {"releaseRef": {"name": SHOP}, "requestedBy": requested_by},
    });
    serde_json::from_value(request).unwrap()
}

/// Two proven revisions of a release that wants a second person's word.
pub async fn careful(world: &World) -> HelmRelease {
    let mut asked = None;
    for greeting in ["one", "two"] {
        let spec = json!({
            "chart": note().inline(), "values": {"greeting": greeting},
            "rollback": {"approval": {"required": true}},
        });
        let applied = world.apply(SHOP, &spec).await;
        asked = Some(world.deployed(&applied).await);
    }
    asked.unwrap()
}

pub fn edits() -> PolicyRule {
    let verbs = [
        "get", "list", "watch", "create", "update", "patch", "delete",
    ];
    let kinds = ["helmreleases", "rollbackrequests"];
    rule(&["belay.dev"], &kinds, &verbs)
}

pub fn approves() -> PolicyRule {
    let verbs = ["approve", "get", "list", "watch", "patch"];
    rule(&["belay.dev"], &["rollbackrequests"], &verbs)
}

async fn in_phase(world: &World, name: &str, wanted: RequestPhase) -> RollbackRequest {
    let what = format!("{wanted:?}");
    let api = world.api::<RollbackRequest>();
    let reached = until(&api, name, &what, GENEROUS, |request| {
        phase(request) == wanted
    });
    reached.await.unwrap()
}

async fn ended(world: &World, name: &str) -> RollbackRequest {
    let api = world.api::<RollbackRequest>();
    let reached = until(&api, name, "its end", GENEROUS, |request| {
        phase(request).is_final()
    });
    reached.await.unwrap()
}

fn approved(request: &RollbackRequest) -> Option<ConditionStatus> {
    let mut conditions = request.status.as_ref()?.conditions.iter();
    let found = conditions.find(|condition| condition.type_ == ConditionType::Approved)?;
    Some(found.status)
}

/// Writes the approval as somebody; the API server's words if it refuses.
async fn says(user: &User, name: &str, approved_by: Option<&str>) -> Result<(), String> {
    let api: Api<RollbackRequest> =
        Api::namespaced(user.identity.client().await.unwrap(), &user.namespace);
    let patch = json!({"metadata": {"annotations": {names::APPROVED_BY: approved_by}}});
    let params = PatchParams::default();
    match api.patch(name, &params, &Patch::Merge(&patch)).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(answer)) => Err(answer.message.clone()),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_request_waits_for_a_second_person_and_is_carried_out_with_that_persons_word() {
    // Given a release that wants a second person's word.
    let world = guarded_world("approval").await;
    careful(&world).await;
    let jane = User::with(&world, "jane", [edits()]).await;
    let bob = User::with(&world, "bob", [approves()]).await;
    // When jane asks.
    let said = jane.does(&["rollback", SHOP, "--wait=false"]).await;
    let name = said.split_whitespace().nth(1).unwrap();
    // Then it waits, whatever else is looked at, and her own word is none.
    let waits = in_phase(&world, name, RequestPhase::AwaitingApproval).await;
    assert_eq!(waits.spec.requested_by, jane.identity.user());
    assert_eq!(approved(&waits), Some(ConditionStatus::False));
    assert_eq!(verdict(&waits).1, Some(Reason::AwaitingApproval));
    world.looked_at(SHOP, "anything").await;
    assert_eq!(world.greeting(SHOP).await, "two");
    let said = jane.fails(&["approve", name]).await;
    assert!(said.contains("cannot approve"), "{said}");
    // When bob approves.
    let said = bob.does(&["approve", name]).await;
    assert!(said.contains(bob.identity.user()), "{said}");
    // Then it is carried out, and the record says who asked and who approved.
    let done = ended(&world, name).await;
    assert_eq!(phase(&done), RequestPhase::Complete, "{:?}", verdict(&done));
    assert_eq!(world.greeting(SHOP).await, "one");
    assert_eq!(approved(&done), Some(ConditionStatus::True));
    let status = done.status.unwrap();
    assert_eq!(status.approved_by.as_deref(), Some(bob.identity.user()));
    // And it is too late to say anything.
    let said = bob.fails(&["approve", name, "--withdraw"]).await;
    assert!(said.contains("Complete"), "{said}");
    world.end().await;
}

#[tokio::test]
async fn neither_who_asked_nor_who_approved_can_be_forged() {
    // Given a release at which nothing is begun meanwhile.
    let world = guarded_world("forged").await;
    let asked = careful(&world).await;
    world.edit(SHOP, &json!({"spec": {"suspend": true}})).await;
    world.stopped(&asked, Reason::Suspended).await;
    let jane = User::with(&world, "jane", [edits(), approves()]).await;
    let carol = User::with(&world, "carol", [edits()]).await;
    let bob = User::with(&world, "bob", [approves()]).await;
    let (jane_user, bob_user) = (jane.identity.user(), bob.identity.user());
    let janes: Api<RollbackRequest> =
        Api::namespaced(jane.identity.client().await.unwrap(), world.namespace());
    let asks = async |request: &RollbackRequest| {
        let made = janes.create(&PostParams::default(), request).await;
        made.map_err(|error| error.to_string())
    };
    // When jane asks in bob's name, or approves with the making, then the API server refuses.
    let refused = asks(&request("back", bob_user)).await.unwrap_err();
    assert!(refused.contains(jane_user), "{refused}");
    let mut early = request("back", jane_user);
    early
        .annotations_mut()
        .insert(names::APPROVED_BY.to_owned(), bob_user.to_owned());
    let refused = asks(&early).await.unwrap_err();
    assert!(refused.contains("before it is made"), "{refused}");
    // When she names nobody, then her own name is filled in.
    let made = asks(&request("back", "")).await.unwrap();
    assert_eq!(made.spec.requested_by, jane_user);
    in_phase(&world, "back", RequestPhase::AwaitingApproval).await;
    // Her own word, another's by her hand, and a word without the right are all refused.
    let cases = [
        (&jane, jane_user, "cannot approve"),
        (&jane, bob_user, "has to be"),
        (&carol, bob_user, "has to be"),
        (&carol, carol.identity.user(), "verb approve"),
    ];
    for (user, word, expected) in cases {
        let refused = says(user, "back", Some(word)).await.unwrap_err();
        assert!(refused.contains(expected), "{refused}");
    }
    // Once bob has approved, nobody else can take that away or put another name there.
    says(&bob, "back", Some(bob_user)).await.unwrap();
    let approved = in_phase(&world, "back", RequestPhase::Pending).await;
    let status = approved.status.unwrap();
    assert_eq!(status.approved_by.as_deref(), Some(bob_user));
    for user in [&jane, &carol] {
        for word in [None, Some(""), Some(user.identity.user())] {
            let refused = says(user, "back", word).await.unwrap_err();
            assert!(refused.contains(bob_user), "{refused}");
        }
    }
    // Other edits are free, and bob may take his word back.
    let label = json!({"metadata": {"labels": {"seen": "yes"}}});
    let params = PatchParams::default();
    janes
        .patch("back", &params, &Patch::Merge(&label))
        .await
        .unwrap();
    says(&bob, "back", None).await.unwrap();
    let waits = in_phase(&world, "back", RequestPhase::AwaitingApproval).await;
    assert_eq!(waits.status.unwrap().approved_by, None);
    assert_eq!(world.greeting(SHOP).await, "two");
    world.end().await;
}

#[tokio::test]
async fn where_the_policies_are_not_in_force_nothing_is_carried_out() {
    // Given policies that are there, and not in force for this namespace.
    let world = operated_world("unguarded").await;
    install(&world.cluster).await;
    careful(&world).await;
    // When a request says that others asked and approved.
    let mut forged = request("back", "jane");
    forged
        .annotations_mut()
        .insert(names::APPROVED_BY.to_owned(), "bob".to_owned());
    let requests = world.api::<RollbackRequest>();
    let params = PostParams::default();
    requests.create(&params, &forged).await.unwrap();
    // Then it is refused, and what is missing is said.
    let (phase, reason, message) = verdict(&ended(&world, "back").await);
    assert_eq!(phase, RequestPhase::Refused);
    assert_eq!(reason, Some(Reason::ApprovalNotEnforced));
    assert!(message.contains("would take"), "{message}");
    assert!(message.contains("deploy/admission"), "{message}");
    assert_eq!(world.greeting(SHOP).await, "two");
    // A dry run changes nothing, and needs nobody.
    let looked = world.order("look", &json!({"dryRun": true})).await;
    assert_eq!(verdict(&looked).1, Some(Reason::Planned));
    world.end().await;
}

#[tokio::test]
async fn a_request_that_nobody_approves_expires_at_its_instant() {
    let world = guarded_world("expires").await;
    careful(&world).await;
    let jane = User::with(&world, "jane", [edits()]).await;
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(10);
    let mut request = request("back", jane.identity.user());
    request.spec.not_after = Some(belay_api::Timestamp(soon.as_millisecond()));
    let api: Api<RollbackRequest> =
        Api::namespaced(jane.identity.client().await.unwrap(), world.namespace());
    api.create(&PostParams::default(), &request).await.unwrap();
    in_phase(&world, "back", RequestPhase::AwaitingApproval).await;
    // Nobody does anything; the instant comes.
    let (phase, reason, _) = verdict(&ended(&world, "back").await);
    assert_eq!(phase, RequestPhase::Refused);
    assert_eq!(reason, Some(Reason::Expired));
    assert_eq!(world.greeting(SHOP).await, "two");
    world.end().await;
}

/// Applies a request as a GitOps tool does, in the name of a user of the API server.
async fn synced(world: &World, user: &str, manifest: &Value) -> Result<(), String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), manifest.to_string()).unwrap();
    let path = file.path().display().to_string();
    let namespace = world.namespace();
    let args = [
        "apply",
        "--server-side",
        "--as",
        user,
        "-n",
        namespace,
        "-f",
        &path,
    ];
    let answer = world.cluster.kubectl(&args).await.unwrap();
    answer.ok().map(drop).map_err(|error| error.to_string())
}

/// Lets a user by that name do everything with requests in the namespace.
async fn lets(world: &World, user: &str) {
    let resource = "--resource=rollbackrequests.belay.dev";
    let role = ["create", "role", "tool", "--verb=*", resource];
    world.kubectl(&role).await;
    let user = format!("--user={user}");
    let binding = ["create", "rolebinding", "tool", "--role=tool", &user];
    world.kubectl(&binding).await;
}

#[tokio::test]
async fn a_gitops_tool_asks_by_its_own_account_and_the_next_sync_leaves_the_approval_alone() {
    let world = guarded_world("gitops").await;
    careful(&world).await;
    let bob = User::with(&world, "bob", [approves()]).await;
    let tool = "system:serviceaccount:argocd:controller";
    lets(&world, tool).await;
    let mut manifest = json!({
        "apiVersion": "belay.dev/v1alpha1", "kind": "RollbackRequest",
        "metadata": {"name": "back"},
        "spec": {"releaseRef": {"name": SHOP}, "reason": "two is rude"},
    });
    // In the name of another it is not let, although it may do everything with requests.
    let mut for_jane = manifest.clone();
    for_jane["spec"]["requestedBy"] = "jane".into();
    let refused = synced(&world, tool, &for_jane).await.unwrap_err();
    assert!(refused.contains(tool), "{refused}");
    // Its manifest names nobody, so it is the tool that asks; and the tool cannot approve.
    synced(&world, tool, &manifest).await.unwrap();
    let waits = in_phase(&world, "back", RequestPhase::AwaitingApproval).await;
    assert_eq!(waits.spec.requested_by, tool);
    let annotated = json!({names::APPROVED_BY: tool});
    let mut approving = manifest.clone();
    approving["metadata"]["annotations"] = annotated;
    let refused = synced(&world, tool, &approving).await.unwrap_err();
    assert!(refused.contains("cannot approve"), "{refused}");
    // Syncs before and after the approval change nothing of it.
    synced(&world, tool, &manifest).await.unwrap();
    bob.does(&["approve", "back"]).await;
    let done = ended(&world, "back").await;
    assert_eq!(phase(&done), RequestPhase::Complete, "{:?}", verdict(&done));
    synced(&world, tool, &manifest).await.unwrap();
    let kept = world.api::<RollbackRequest>().get("back").await.unwrap();
    let by = kept.annotations().get(names::APPROVED_BY);
    assert_eq!(by.map(String::as_str), Some(bob.identity.user()));
    assert_eq!(world.greeting(SHOP).await, "one");
    // Pruned and synced anew it is a new object without an approval, and was carried out before.
    world.delete::<RollbackRequest>("back").await;
    manifest["spec"]["requestedBy"] = tool.into();
    synced(&world, tool, &manifest).await.unwrap();
    let (phase, reason, message) = verdict(&ended(&world, "back").await);
    assert_eq!(phase, RequestPhase::Refused, "{message}");
    assert_eq!(reason, Some(Reason::AlreadyExecuted));
    world.end().await;
}

#[tokio::test]
async fn a_trusted_tool_names_who_asks_and_can_approve_nothing() {
    let world = guarded_world("trusted").await;
    careful(&world).await;
    lets(&world, TRUSTED).await;
    let jane = User::with(&world, "jane", [edits(), approves()]).await;
    let manifest = json!({
        "apiVersion": "belay.dev/v1alpha1", "kind": "RollbackRequest",
        "metadata": {"name": "back"},
        "spec": {"releaseRef": {"name": SHOP}, "requestedBy": jane.identity.user()},
    });
    synced(&world, TRUSTED, &manifest).await.unwrap();
    let waits = in_phase(&world, "back", RequestPhase::AwaitingApproval).await;
    assert_eq!(waits.spec.requested_by, jane.identity.user());
    // Neither the person that it names nor the tool itself can approve.
    let refused = says(&jane, "back", Some(jane.identity.user())).await;
    assert!(refused.unwrap_err().contains("cannot approve"));
    let mut approving = manifest.clone();
    approving["metadata"]["annotations"] = json!({names::APPROVED_BY: TRUSTED});
    let refused = synced(&world, TRUSTED, &approving).await.unwrap_err();
    assert!(refused.contains("cannot approve"), "{refused}");
    let bob = User::with(&world, "bob", [approves()]).await;
    bob.does(&["approve", "back"]).await;
    assert_eq!(phase(&ended(&world, "back").await), RequestPhase::Complete);
    world.end().await;
}
