//! What kstatus (and so Flux), Argo CD's check and `kubectl wait` make of Belay's kinds, at every stage and in every
//! state that a watch shows on the way.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use belay_harness::{GENEROUS, Judges, until};
use futures::StreamExt;
use kube::Api;
use kube::api::{ApiResource, DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use kube::runtime::watcher::watch_object;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::command_line::User;
use crate::operator_approval::{approves, careful, edits, guarded_world};
use crate::operator_charts::{BETTER, BROKEN, GOOD, note, shop};
use crate::operator_world::{SHOP, World, quiet_world};

const SLOW: &str = "belay.test/never-ready:1";
const RELEASE_HEALTH: &str = include_str!("../../../../deploy/argo-cd/helm-release.lua");
const REQUEST_HEALTH: &str = include_str!("../../../../deploy/argo-cd/rollback-request.lua");

/// What others say: kstatus' word, then Argo CD's.
type Words = (&'static str, &'static str);
const READY: Words = ("Current", "Healthy");
const WORKING: Words = ("InProgress", "Progressing");
const STOPPED: Words = ("Failed", "Degraded");
/// A person's decision: kstatus has no word for that.
const HELD: Words = ("Failed", "Suspended");
const GOING: Words = ("Terminating", "Progressing");

/// Objects as the API server gives them, with all that it fills in.
fn raw(world: &World, kind: &str) -> Api<DynamicObject> {
    let resource = ApiResource {
        group: "belay.dev".into(),
        version: "v1alpha1".into(),
        api_version: "belay.dev/v1alpha1".into(),
        kind: kind.into(),
        plural: format!("{}s", kind.to_lowercase()),
    };
    Api::namespaced_with(world.client.clone(), world.namespace(), &resource)
}

fn value(object: &DynamicObject) -> Value {
    serde_json::to_value(object).unwrap()
}

fn status<'v>(object: &'v Value, path: &str) -> &'v str {
    let found = object.pointer(&format!("/status/{path}"));
    found.and_then(Value::as_str).unwrap_or_default()
}

fn condition<'v>(object: &'v Value, kind: &str, field: &str) -> &'v str {
    let conditions = object.pointer("/status/conditions");
    let mut conditions = conditions.and_then(Value::as_array).into_iter().flatten();
    let found = conditions.find(|condition| condition["type"] == kind);
    found
        .and_then(|found| found[field].as_str())
        .unwrap_or_default()
}

/// Whether the status is about the spec as it is now.
fn is_observed(object: &Value) -> bool {
    object.pointer("/status/observedGeneration") == object.pointer("/metadata/generation")
}

struct Others<'w> {
    world: &'w World,
    judges: Judges,
}

impl<'w> Others<'w> {
    async fn of(world: &'w World) -> Self {
        Self {
            world,
            judges: Judges::start().await.unwrap(),
        }
    }

    async fn words(&self, object: &Value) -> (String, String) {
        let script = match object["kind"].as_str().unwrap() {
            "HelmRelease" => RELEASE_HEALTH,
            _ => REQUEST_HEALTH,
        };
        let kstatus = self.judges.kstatus(object).await.unwrap();
        let argo = self.judges.argo(script, object).await.unwrap();
        (kstatus.word().to_owned(), argo.word().to_owned())
    }

    /// Waits until an object is in this state, and asks all of them what they make of it.
    async fn say(
        &self,
        kind: &str,
        name: &str,
        what: &str,
        words: Words,
        holds: impl Fn(&Value) -> bool,
    ) -> Value {
        let api = raw(self.world, kind);
        let reached = until(&api, name, what, GENEROUS, |object| holds(&value(object)));
        let object = value(&reached.await.unwrap());
        let said = self.words(&object).await;
        assert_eq!(
            (said.0.as_str(), said.1.as_str()),
            words,
            "{what}: {object:#}"
        );
        object
    }

    async fn release(&self, what: &str, words: Words, holds: impl Fn(&Value) -> bool) -> Value {
        self.say("HelmRelease", SHOP, what, words, holds).await
    }

    /// The release at a stage of its attempt.
    async fn stage(&self, stage: &str) -> Value {
        let at = |object: &Value| is_observed(object) && status(object, "attempt/stage") == stage;
        self.release(stage, WORKING, at).await
    }

    /// The release at rest, for this reason.
    async fn rest(&self, reason: &str, words: Words) -> Value {
        let at = |object: &Value| {
            is_observed(object)
                && object.pointer("/status/attempt").is_none()
                && condition(object, "Ready", "reason") == reason
        };
        self.release(reason, words, at).await
    }

    async fn request(&self, name: &str, phase: &str, words: Words) -> Value {
        let at = |object: &Value| status(object, "phase") == phase && is_observed(object);
        self.say("RollbackRequest", name, phase, words, at).await
    }

    /// Whether `kubectl wait` is content with the object as it is.
    async fn kubectl_waits(&self, object: &str, condition: &str) -> bool {
        let wanted = format!("--for=condition={condition}");
        let namespace = self.world.namespace();
        let args = ["wait", object, &wanted, "--timeout=0s", "-n", namespace];
        self.world.cluster.kubectl(&args).await.unwrap().status == 0
    }
}

/// Every state of an object that a watch shows.
struct Recording {
    seen: Arc<Mutex<Vec<Value>>>,
    task: JoinHandle<()>,
}

impl Recording {
    fn of(api: Api<DynamicObject>, name: &'static str) -> Self {
        let seen = Arc::<Mutex<Vec<Value>>>::default();
        let into = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            let mut states = std::pin::pin!(watch_object(api, name));
            while let Some(state) = states.next().await {
                if let Ok(Some(object)) = state {
                    let mut seen = into.lock().unwrap_or_else(PoisonError::into_inner);
                    seen.push(value(&object));
                }
            }
        });
        Self { seen, task }
    }

    fn end(self) -> Vec<Value> {
        self.task.abort();
        std::mem::take(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What a state has to be called, told from the facts in it and not from its conditions.
fn due(object: &Value) -> &'static [Words] {
    if !object["metadata"]["deletionTimestamp"].is_null() {
        return &[GOING];
    }
    if !is_observed(object) || object.pointer("/status/attempt").is_some() {
        return &[WORKING];
    }
    let desired = status(object, "desired/digest");
    let runs = status(object, "current/digest");
    let good = status(object, "lastGood/digest");
    if desired.is_empty() || desired != runs || runs != good {
        return &[WORKING, STOPPED, HELD];
    }
    &[READY, WORKING, STOPPED, HELD]
}

fn prepares() -> String {
    json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "prepare", "annotations": {"helm.sh/hook": "pre-install"}},
        "spec": {"backoffLimit": 0, "template": {
            "metadata": {"annotations": {"belay.test/runs-for": "3s"}},
            "spec": {
                "restartPolicy": "Never", "terminationGracePeriodSeconds": 0,
                "containers": [{"name": "hook", "image": "registry.example/migrate:1"}],
            },
        }},
    })
    .to_string()
}

#[tokio::test]
async fn right_after_a_change_nobody_calls_the_older_spec_healthy() {
    // Given a cluster in which nobody looks at anything.
    let mut world = quiet_world("unseen").await;
    world.apply(SHOP, &json!({"chart": note().inline()})).await;
    let order = json!({
        "apiVersion": "belay.dev/v1alpha1", "kind": "RollbackRequest",
        "metadata": {"name": "back"}, "spec": {"releaseRef": {"name": SHOP}},
    });
    let requests = raw(&world, "RollbackRequest");
    let order: DynamicObject = serde_json::from_value(order).unwrap();
    requests
        .create(&PostParams::default(), &order)
        .await
        .unwrap();
    {
        // Then what is new is on its way for all of them.
        let others = Others::of(&world).await;
        others
            .release("made, and not looked at", WORKING, |_| true)
            .await;
        others
            .say("RollbackRequest", "back", "made", WORKING, |_| true)
            .await;
        assert!(!others.kubectl_waits("helmrelease/shop", "Ready").await);
        assert!(
            !others
                .kubectl_waits("rollbackrequest/back", "Complete")
                .await
        );
    }
    // Given that it runs.
    world.start(|_| {}).await;
    {
        let others = Others::of(&world).await;
        others.rest("Deployed", READY).await;
        assert!(others.kubectl_waits("helmrelease/shop", "Ready").await);
        // There was nothing to go back to.
        others.request("back", "Refused", STOPPED).await;
    }
    // When the spec is changed, and nobody has looked yet.
    world.pause().await;
    let edit = json!({"spec": {"values": {"greeting": "two"}}});
    world.edit(SHOP, &edit).await;
    let others = Others::of(&world).await;
    let object = others
        .release("changed, and not looked at", WORKING, |_| true)
        .await;
    assert_eq!(
        condition(&object, "Ready", "status"),
        "True",
        "of the older spec"
    );
    assert!(!others.kubectl_waits("helmrelease/shop", "Ready").await);
    // Nor when what nobody looks at is deleted.
    let releases = raw(&world, "HelmRelease");
    releases
        .delete(SHOP, &DeleteParams::default())
        .await
        .unwrap();
    others
        .release("deleted, and not looked at", GOING, |_| true)
        .await;
}

#[tokio::test]
async fn at_every_stage_others_read_a_release_as_it_is_meant() {
    let mut world = quiet_world("stages").await;
    let recording = Recording::of(raw(&world, "HelmRelease"), SHOP);
    world.start(|_| {}).await;
    let others = Others::of(&world).await;
    let spec = |image: &str, more: Value| {
        let chart = shop().with("templates/prepare.yaml", &prepares());
        let mut spec = json!({"chart": chart.inline(), "values": {"image": image}});
        for (key, value) in more.as_object().unwrap() {
            spec[key] = value.clone();
        }
        spec
    };
    // On its way: hooks, objects that start, a soak.
    world.apply(SHOP, &spec(SLOW, json!({}))).await;
    others.stage("PreHooks").await;
    others.stage("Waiting").await;
    assert!(!others.kubectl_waits("helmrelease/shop", "Ready").await);
    world.apply(SHOP, &spec(GOOD, json!({}))).await;
    others.rest("Deployed", READY).await;
    assert!(others.kubectl_waits("helmrelease/shop", "Ready").await);
    let soak = json!({"soak": {"duration": "10m"}});
    world.apply(SHOP, &spec(BETTER, soak)).await;
    let soaking = others.stage("Soaking").await;
    assert_eq!(condition(&soaking, "Available", "status"), "True");
    assert!(!others.kubectl_waits("helmrelease/shop", "Ready").await);
    // Lost and taken back: what runs is fine, what is asked for is not.
    world.apply(SHOP, &spec(BROKEN, json!({}))).await;
    let blocked = others.rest("RevisionBlocked", STOPPED).await;
    assert_eq!(condition(&blocked, "Available", "status"), "True");
    assert!(!others.kubectl_waits("helmrelease/shop", "Ready").await);
    assert!(others.kubectl_waits("helmrelease/shop", "Available").await);
    // Good again, then held by somebody's order, then suspended.
    world
        .apply(SHOP, &spec("registry.example/shop:3", json!({})))
        .await;
    others.rest("Deployed", READY).await;
    world.order("back", &json!({})).await;
    others.rest("Pinned", HELD).await;
    others.request("back", "Complete", READY).await;
    assert!(
        others
            .kubectl_waits("rollbackrequest/back", "Complete")
            .await
    );
    assert!(others.kubectl_waits("rollbackrequest/back", "Ready").await);
    world
        .order("again", &json!({"target": {"revision": 99}}))
        .await;
    others.request("again", "Refused", STOPPED).await;
    let suspended = json!({"suspend": true});
    world
        .apply(SHOP, &spec("registry.example/shop:4", suspended))
        .await;
    others.rest("Suspended", HELD).await;
    // A spec that comes to nothing; one that may come to something; one that waits for another.
    let mut wrong = spec(GOOD, json!({}));
    wrong["chart"] = note()
        .with("templates/bad.yaml", "{{ fail \"no\" }}")
        .inline();
    world.apply(SHOP, &wrong).await;
    others.rest("RenderFailed", STOPPED).await;
    let missing = json!({"valuesFrom": [{"kind": "ConfigMap", "name": "absent"}]});
    world
        .apply(SHOP, &spec("registry.example/shop:5", missing))
        .await;
    others.rest("ReferenceNotFound", WORKING).await;
    let depends = json!({"dependsOn": [{"name": "absent"}]});
    world
        .apply(SHOP, &spec("registry.example/shop:6", depends))
        .await;
    others.rest("DependencyNotReady", WORKING).await;
    let circle = json!({"dependsOn": [{"name": SHOP}]});
    world
        .apply(SHOP, &spec("registry.example/shop:6", circle))
        .await;
    others.rest("DependencyCycle", STOPPED).await;
    world
        .apply(SHOP, &spec("registry.example/shop:6", json!({})))
        .await;
    others.rest("Deployed", READY).await;
    // And going.
    let held = json!({"metadata": {"finalizers": ["belay.test/held"]}});
    let maps = world.api::<k8s_openapi::api::core::v1::ConfigMap>();
    let params = PatchParams::default();
    let patch = Patch::Merge(&held);
    maps.patch("shop-config", &params, &patch).await.unwrap();
    let releases = raw(&world, "HelmRelease");
    releases
        .delete(SHOP, &DeleteParams::default())
        .await
        .unwrap();
    others
        .release("Removing", GOING, |object| {
            status(object, "attempt/stage") == "Removing"
        })
        .await;
    let free = json!({"metadata": {"finalizers": null}});
    let patch = Patch::Merge(&free);
    maps.patch("shop-config", &params, &patch).await.unwrap();
    belay_harness::gone(&releases, SHOP, GENEROUS)
        .await
        .unwrap();

    // And in no state in between did anybody say what its facts forbid.
    let seen = recording.end();
    assert!(seen.len() > 30, "{} states", seen.len());
    for state in &seen {
        let (kstatus, argo) = others.words(state).await;
        let said = (kstatus.as_str(), argo.as_str());
        assert!(due(state).contains(&said), "{said:?}: {state:#}");
        let healthy = kstatus == "Current";
        assert_eq!(healthy, argo == "Healthy", "{state:#}");
    }
    drop(others);
    world.end().await;
}

#[tokio::test]
async fn others_read_a_way_back_and_its_request_as_they_are_meant() {
    let mut world = quiet_world("wayback").await;
    world.start(|_| {}).await;
    let others = Others::of(&world).await;
    // A chart whose pods take three seconds, so that the way back does, too.
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "slow"},
        "spec": {
            "selector": {"matchLabels": {"app": "slow"}},
            "template": {
                "metadata": {
                    "labels": {"app": "slow", "greeting": "{{ .Values.greeting }}"},
                    "annotations": {"belay.test/ready-after": "3s"},
                },
                "spec": {
                    "terminationGracePeriodSeconds": 0,
                    "containers": [{"name": "web", "image": "{{ .Values.image }}"}],
                },
            },
        },
    });
    let chart = note().with("templates/slow.yaml", &deployment.to_string());
    for greeting in ["one", "two"] {
        world
            .deploy(SHOP, &chart, &json!({"greeting": greeting}))
            .await;
    }
    let recording = Recording::of(raw(&world, "RollbackRequest"), "back");
    // A request that waits for its turn, is carried out, and is over.
    world.edit(SHOP, &json!({"spec": {"suspend": true}})).await;
    others.rest("Suspended", HELD).await;
    let order = json!({
        "apiVersion": "belay.dev/v1alpha1", "kind": "RollbackRequest",
        "metadata": {"name": "back"}, "spec": {"releaseRef": {"name": SHOP}},
    });
    let order: DynamicObject = serde_json::from_value(order).unwrap();
    let requests = raw(&world, "RollbackRequest");
    requests
        .create(&PostParams::default(), &order)
        .await
        .unwrap();
    others.request("back", "Pending", WORKING).await;
    world.edit(SHOP, &json!({"spec": {"suspend": false}})).await;
    let at = |object: &Value| status(object, "phase") == "RollingBack";
    others.release("RollingBack", WORKING, at).await;
    others.request("back", "Running", WORKING).await;
    others.request("back", "Complete", READY).await;
    others.rest("Pinned", HELD).await;
    // A failed upgrade on its way back.
    let values = json!({"greeting": "three", "image": BROKEN});
    world.roll_out(SHOP, &chart, &values).await;
    let at = |object: &Value| status(object, "phase") == "Reverting";
    others.release("Reverting", WORKING, at).await;
    others.rest("RevisionBlocked", STOPPED).await;
    // The same request made anew by a GitOps tool is an old record, and healthy for Argo CD.
    requests
        .delete("back", &DeleteParams::default())
        .await
        .unwrap();
    belay_harness::gone(&requests, "back", GENEROUS)
        .await
        .unwrap();
    requests
        .create(&PostParams::default(), &order)
        .await
        .unwrap();
    others
        .request("back", "Refused", ("Failed", "Healthy"))
        .await;
    for state in recording.end() {
        let (kstatus, _) = others.words(&state).await;
        let complete = status(&state, "phase") == "Complete" && is_observed(&state);
        let going = !state["metadata"]["deletionTimestamp"].is_null();
        assert_eq!(kstatus == "Current", complete && !going, "{state:#}");
    }
    drop(others);
    world.end().await;
}

#[tokio::test]
async fn a_request_that_awaits_approval_is_on_its_way_and_suspended_for_argo() {
    let world = guarded_world("awaits").await;
    careful(&world).await;
    let others = Others::of(&world).await;
    let jane = User::with(&world, "jane", [edits()]).await;
    let bob = User::with(&world, "bob", [approves()]).await;
    let said = jane.does(&["rollback", SHOP, "--wait=false"]).await;
    let name = said.split_whitespace().nth(1).unwrap();
    let awaits = ("InProgress", "Suspended");
    others.request(name, "AwaitingApproval", awaits).await;
    let object = format!("rollbackrequest/{name}");
    assert!(!others.kubectl_waits(&object, "Complete").await);
    bob.does(&["approve", name]).await;
    others.request(name, "Complete", READY).await;
    assert!(others.kubectl_waits(&object, "Approved").await);
    drop(others);
    world.end().await;
}

/// A judge that does not answer is a broken test, not a slow one.
#[tokio::test]
async fn the_judges_answer_and_say_why_when_they_cannot() {
    let judges = Judges::start().await.unwrap();
    let answered = tokio::time::timeout(Duration::from_mins(1), async {
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}});
        let healthy = "return {status = \"Healthy\", message = obj.metadata.name}";
        let said = judges.argo(healthy, &object).await.unwrap();
        assert_eq!(said.word(), "Healthy");
        let said = judges.argo("return 7", &object).await.unwrap();
        assert!(said.word().contains("not a table"), "{said:?}");
        let said = judges.argo("while true do end", &object).await.unwrap();
        assert!(said.word().contains("deadline"), "{said:?}");
        let said = judges
            .argo("return {status = \"Fine\"}", &object)
            .await
            .unwrap();
        assert!(said.word().contains("no status"), "{said:?}");
        let said = judges.kstatus(&json!({"no": "object"})).await.unwrap();
        assert!(said.word().contains("Kind"), "{said:?}");
    });
    answered.await.unwrap();
}
