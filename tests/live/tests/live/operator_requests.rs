//! Requests beyond the plain one: dry runs, holds that somebody ends, and releases that are not there.

use belay_api::rollback_request::RequestPhase;
use belay_api::{ConditionType, Reason, RollbackRequest};
use belay_harness::{GENEROUS, until};
use kube::ResourceExt;
use kube::api::PostParams;
use serde_json::{Value, json};

use crate::operator_charts::{note, shop};
use crate::operator_world::{SHOP, World, current, desired, operated_world, phase, verdict};

/// A request as its author writes it.
fn request(name: &str, spec: &Value) -> RollbackRequest {
    let request = json!({
        "apiVersion": "belay.dev/v1alpha1", "kind": "RollbackRequest",
        "metadata": {"name": name}, "spec": spec,
    });
    serde_json::from_value(request).unwrap()
}

async fn made(world: &World, name: &str, spec: &Value) -> kube::Result<RollbackRequest> {
    let requests = world.api::<RollbackRequest>();
    let parameters = PostParams::default();
    requests.create(&parameters, &request(name, spec)).await
}

#[tokio::test]
async fn a_dry_run_writes_a_plan_object_by_object_and_nothing_else() {
    let world = operated_world("dryrun").await;
    let old = shop().with_config_map("only-old", &json!({}));
    let new = shop().with_config_map("only-new", &json!({}));
    world.deploy(SHOP, &old, &json!({})).await;
    let values = json!({"greeting": "two"});
    world.deploy(SHOP, &new, &values).await;
    let before = world.states().await;

    let looked = world.order("look", &json!({"dryRun": true})).await;
    let (phase, reason, message) = verdict(&looked);
    assert_eq!(phase, RequestPhase::Complete, "{message}");
    assert_eq!(reason, Some(Reason::Planned));
    let status = looked.status.unwrap();
    assert_eq!(status.from.unwrap().revision, 2);
    assert_eq!(status.to.unwrap().revision, 1);
    assert_eq!(status.new_revision, None);
    let plan = status.plan.unwrap();
    let place = world.namespace();
    assert_eq!(plan.added, [format!("ConfigMap {place}/only-old")]);
    assert_eq!(plan.removed, [format!("ConfigMap {place}/only-new")]);
    assert_eq!(plan.changed, [format!("ConfigMap {place}/shop-config")]);
    assert_eq!((plan.unchanged, plan.refused.len()), (2, 0));
    assert_eq!(world.states().await, before, "the ledger included");

    // What was foretold is what happens.
    let back = world.order("back", &json!({})).await;
    assert_eq!(self::phase(&back), RequestPhase::Complete);
    assert!(world.config_map("only-old").await.is_some());
    assert_eq!(world.greeting(SHOP).await, "hello");
    world.end().await;
}

#[tokio::test]
async fn a_dry_run_tells_what_the_api_server_would_refuse_today() {
    let world = operated_world("dryrefused").await;
    let immutable = |data: &str| {
        let object = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "immutable": true,
            "metadata": {"name": "fixed"}, "data": {"is": data},
        });
        note().with("templates/fixed.yaml", &object.to_string())
    };
    world.deploy(SHOP, &immutable("one"), &json!({})).await;
    // An upgrade in between lets another object of that name come to be.
    world
        .deploy(SHOP, &note(), &json!({"greeting": "two"}))
        .await;
    world.deploy(SHOP, &immutable("three"), &json!({})).await;

    let spec = json!({"dryRun": true, "target": {"revision": 1}});
    let looked = world.order("look", &spec).await;
    let status = looked.status.unwrap();
    let plan = status.plan.unwrap();
    assert_eq!(plan.refused.len(), 1, "{plan:?}");
    assert!(plan.refused[0].object.contains("fixed"), "{plan:?}");
    assert!(plan.refused[0].message.contains("immutable"), "{plan:?}");
    assert!(status.message.contains("would fail"), "{}", status.message);
    world.end().await;
}

#[tokio::test]
async fn a_manual_hold_ends_when_the_spec_is_asked_for_by_its_name_and_the_record_stays() {
    let world = operated_world("release").await;
    world.deploy(SHOP, &note(), &json!({})).await;
    world
        .deploy(SHOP, &note(), &json!({"greeting": "two"}))
        .await;
    world.order("hold", &json!({"until": "Manual"})).await;
    // No edit lifts it.
    let values = json!({"greeting": "three"});
    let asked = world.roll_out(SHOP, &note(), &values).await;
    let held = world.stopped(&asked, Reason::Pinned).await;
    assert_eq!(world.greeting(SHOP).await, "hello");

    let name = format!("{}#1", desired(&held));
    world
        .annotate(SHOP, &json!({"belay.dev/retry": name}))
        .await;
    let release = world.deployed(&asked).await;
    assert_eq!(world.greeting(SHOP).await, "three");
    assert_eq!(current(&release), Some(4));
    assert!(release.status.unwrap().pin.is_none());
    let record = world.api::<RollbackRequest>().get("hold").await.unwrap();
    assert_eq!(phase(&record), RequestPhase::Complete);
    world.end().await;
}

#[tokio::test]
async fn a_chart_version_brings_back_what_only_helms_history_knows() {
    let world = operated_world("versions").await;
    for (version, greeting) in [("1.0.0", "one"), ("1.1.0", "two"), ("1.2.0", "three")] {
        let chart = note().with(
            "Chart.yaml",
            &format!("apiVersion: v2\nname: shop\nversion: {version}\n"),
        );
        world
            .deploy(SHOP, &chart, &json!({"greeting": greeting}))
            .await;
    }
    let spec = json!({"target": {"chartVersion": "1.0.0"}});
    let request = world.order("back", &spec).await;
    assert_eq!(phase(&request), RequestPhase::Complete, "{request:?}");
    assert_eq!(request.status.unwrap().to.unwrap().revision, 1);
    assert_eq!(world.greeting(SHOP).await, "one");
    world.end().await;
}

#[tokio::test]
async fn a_request_for_a_release_that_is_not_there_says_so_and_is_carried_out_once_it_is() {
    let world = operated_world("absent").await;
    let spec = json!({"releaseRef": {"name": SHOP}, "target": {"revision": 1}});
    made(&world, "early", &spec).await.unwrap();
    let requests = world.api::<RollbackRequest>();
    let told = until(&requests, "early", "an answer", GENEROUS, |request| {
        let status = request.status.as_ref();
        status.is_some_and(|status| !status.conditions.is_empty())
    })
    .await
    .unwrap();
    let (phase, reason, message) = verdict(&told);
    assert_eq!(phase, RequestPhase::Pending);
    assert_eq!(reason, Some(Reason::ReleaseNotFound));
    assert!(message.contains(SHOP), "{message}");
    let ready = &told.status.as_ref().unwrap().conditions;
    assert!(ready.iter().any(|one| one.type_ == ConditionType::Ready));

    // GitOps tools apply in any order: now the release comes, and the request is looked at.
    world.deploy(SHOP, &note(), &json!({})).await;
    let ended = until(&requests, "early", "its end", GENEROUS, |request| {
        self::phase(request).is_final()
    })
    .await
    .unwrap();
    assert_ne!(verdict(&ended).1, Some(Reason::ReleaseNotFound));
    world.end().await;
}

#[tokio::test]
async fn a_request_that_contradicts_itself_is_refused_by_the_api_server() {
    let world = operated_world("contradiction").await;
    let cases = [
        (json!({"until": "Time"}), "holdUntil"),
        (
            json!({"holdUntil": "2036-01-01T00:00:00Z"}),
            "until: Time only",
        ),
        (
            json!({"target": {"revision": 1, "chartVersion": "1.0.0"}}),
            "at most one",
        ),
        (json!({"expectedCurrent": {}}), "revision or digest"),
    ];
    for (mut spec, expected) in cases {
        spec["releaseRef"] = json!({"name": SHOP});
        let error = made(&world, "wrong", &spec).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let spec = json!({"releaseRef": {"name": SHOP}});
    let request = made(&world, "right", &spec).await.unwrap();
    let edit = json!({"spec": {"dryRun": true}});
    let edited = world
        .api::<RollbackRequest>()
        .patch(
            &request.name_any(),
            &kube::api::PatchParams::default(),
            &kube::api::Patch::Merge(&edit),
        )
        .await;
    let error = edited.unwrap_err().to_string();
    assert!(error.contains("immutable"), "{error}");
    world.end().await;
}
