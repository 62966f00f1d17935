//! Somebody edits or deletes what a release holds, while nothing is under way.

use belay_api::helm_release::DriftedObject;
use belay_api::{ConditionStatus, ConditionType, HelmRelease, Reason};
use belay_harness::{GENEROUS, until};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Event, Secret, Service};
use kube::ResourceExt;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::operator_charts::{BROKEN, Files, note, shop};
use crate::operator_world::{SHOP, World, condition, current, operated_world, ready};

const WEB: &str = "shop-web";
const CONFIG: &str = "shop-config";

async fn deploy(world: &World, chart: &Files, drift: &Value) -> HelmRelease {
    let spec = json!({"chart": chart.inline(), "driftDetection": drift});
    world.deployed(&world.apply(SHOP, &spec).await).await
}

/// A release that is deployed and at rest, whose drift is dealt with like this.
async fn at_rest(label: &str, chart: &Files, drift: &Value) -> World {
    let world = operated_world(label).await;
    let release = deploy(&world, chart, drift).await;
    assert_eq!(
        drifted(&release),
        Some((ConditionStatus::False, Reason::NoDrift))
    );
    world
}

fn drifted(release: &HelmRelease) -> Option<(ConditionStatus, Reason)> {
    condition(release, ConditionType::Drifted).map(|found| (found.status, found.reason))
}

fn objects(release: &HelmRelease) -> Vec<DriftedObject> {
    let status = release.status.as_ref().unwrap();
    let drift = status.drift.clone().unwrap_or_default();
    drift.objects
}

/// How often a place of an object was put right.
fn times(release: &HelmRelease, object: &str, path: &str) -> u32 {
    let drift = release
        .status
        .as_ref()
        .and_then(|status| status.drift.as_ref());
    drift
        .into_iter()
        .flat_map(|drift| &drift.corrected)
        .find(|known| known.object.ends_with(object) && known.path == path)
        .map_or(0, |known| known.times)
}

async fn told(world: &World, reason: Reason) -> HelmRelease {
    world
        .until_release(SHOP, &format!("Drifted for {reason}"), |release| {
            drifted(release).is_some_and(|(_, found)| found == reason)
        })
        .await
}

async fn merge<K>(world: &World, name: &str, patch: &Value)
where
    K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + serde::de::DeserializeOwned,
{
    let params = PatchParams {
        field_manager: Some("somebody".into()),
        ..PatchParams::default()
    };
    let api = world.api::<K>();
    api.patch(name, &params, &Patch::Merge(patch))
        .await
        .unwrap();
}

async fn scale(world: &World, replicas: i32) {
    merge::<Deployment>(world, WEB, &json!({"spec": {"replicas": replicas}})).await;
}

async fn replicas(world: &World) -> Option<i32> {
    let deployment = world.api::<Deployment>().get(WEB).await.unwrap();
    deployment.spec.unwrap().replicas
}

/// Events about the release with this reason, when there is one.
async fn event(world: &World, reason: &str) -> Event {
    let deadline = tokio::time::Instant::now() + GENEROUS;
    loop {
        let events = world.api::<Event>().list(&ListParams::default()).await;
        let found = events.unwrap().into_iter().find(|event| {
            event.reason.as_deref() == Some(reason)
                && event.involved_object.name.as_deref() == Some(SHOP)
        });
        if let Some(event) = found {
            return event;
        }
        assert!(tokio::time::Instant::now() < deadline, "no event {reason}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn an_edit_is_put_right_without_a_new_revision() {
    let world = at_rest("edited", &shop(), &json!({"mode": "enabled"})).await;

    // When somebody scales the Deployment.
    scale(&world, 5).await;

    // Then it is put right, told, and no revision is made.
    let release = world
        .until_release(SHOP, "the correction", |release| {
            times(release, WEB, "/spec/replicas") == 1
        })
        .await;
    assert_eq!(replicas(&world).await, Some(2));
    assert_eq!(
        drifted(&release),
        Some((ConditionStatus::False, Reason::NoDrift))
    );
    assert_eq!(ready(&release).unwrap().reason, Reason::Deployed);
    assert_eq!(world.history(SHOP).await, [(1, "deployed".to_owned())]);
    let corrected = &release
        .status
        .as_ref()
        .unwrap()
        .drift
        .as_ref()
        .unwrap()
        .corrected[0];
    assert_eq!(corrected.found, "5");
    let event = event(&world, "DriftCorrected").await;
    let note = event.message.unwrap_or_default();
    assert!(note.contains("/spec/replicas was 5"), "{note}");
    world.end().await;
}

#[tokio::test]
async fn an_edit_is_only_told_by_default_and_ready_stays() {
    let world = at_rest("warned", &shop(), &json!({})).await;
    let writes = world.writes();
    assert!(!writes.is_empty());

    scale(&world, 5).await;

    let release = told(&world, Reason::DriftDetected).await;
    assert_eq!(replicas(&world).await, Some(5));
    assert_eq!(ready(&release).unwrap().status, ConditionStatus::True);
    let consistent = condition(&release, ConditionType::Consistent).unwrap();
    assert_eq!(
        (consistent.status, consistent.reason),
        (ConditionStatus::False, Reason::DriftDetected)
    );
    let drifted_condition = condition(&release, ConditionType::Drifted).unwrap();
    assert_eq!(
        drifted_condition.message,
        format!(
            "Deployment {}/{WEB}: /spec/replicas is 5, should be 2",
            world.namespace()
        )
    );
    assert_eq!(
        Some(drifted_condition.observed_generation),
        release.metadata.generation
    );
    let found = objects(&release);
    let path = &found[0].paths[0];
    assert_eq!(
        (path.path.as_str(), path.live.as_str(), path.wanted.as_str()),
        ("/spec/replicas", "5", "2")
    );
    let event = event(&world, "DriftDetected").await;
    assert_eq!(event.type_.as_deref(), Some("Warning"));
    // Only the status and events were written.
    let written = world.writes();
    assert!(
        written
            .iter()
            .all(|write| write.contains("helmreleases") || write.contains("events")),
        "{written:?}"
    );

    // When it is edited back, then it is no drift any more, at once.
    scale(&world, 2).await;
    let release = told(&world, Reason::NoDrift).await;
    assert_eq!(objects(&release), []);
    // And what belongs to nobody by then is seen all the same when it is edited once more.
    scale(&world, 3).await;
    told(&world, Reason::DriftDetected).await;
    world.end().await;
}

#[tokio::test]
async fn a_deleted_object_is_made_anew() {
    let world = at_rest("deleted", &shop(), &json!({"mode": "enabled"})).await;
    let before = world.api::<Service>().get(WEB).await.unwrap();

    world
        .api::<Service>()
        .delete(WEB, &DeleteParams::default())
        .await
        .unwrap();

    let services = world.api::<Service>();
    let anew = until(&services, WEB, "another Service", GENEROUS, |service| {
        service.uid() != before.uid()
    });
    anew.await.unwrap();
    let release = world
        .until_release(SHOP, "the correction", |release| {
            times(release, WEB, "") == 1
        })
        .await;
    assert_eq!(current(&release), Some(1));
    // What is made anew is as much the release's as what was there before: it goes with it.
    world.delete::<HelmRelease>(SHOP).await;
    assert_eq!(world.api::<Service>().get_opt(WEB).await.unwrap(), None);
    world.end().await;
}

#[tokio::test]
async fn what_others_add_is_no_drift_and_stays_when_something_else_is_put_right() {
    let world = at_rest("added", &shop(), &json!({"mode": "enabled"})).await;

    // When somebody adds a label, a port and a container, and edits the greeting as well.
    let label = json!({"metadata": {"labels": {"team": "a"}, "annotations": {"note": "n"}}});
    merge::<ConfigMap>(&world, CONFIG, &label).await;
    merge::<ConfigMap>(&world, CONFIG, &json!({"data": {"extra": "x"}})).await;
    merge::<ConfigMap>(&world, CONFIG, &json!({"data": {"greeting": "theirs"}})).await;

    // Then only the greeting is put right.
    world
        .until_release(SHOP, "the correction", |release| {
            times(release, CONFIG, "/data/greeting") == 1
        })
        .await;
    let config = world.config_map(CONFIG).await.unwrap();
    assert_eq!(config.labels()["team"], "a");
    assert_eq!(config.annotations()["note"], "n");
    let data = config.data.unwrap();
    assert_eq!(
        (data["greeting"].as_str(), data["extra"].as_str()),
        ("hello", "x")
    );
    let release = told(&world, Reason::NoDrift).await;
    let all = &release.status.unwrap().drift.unwrap().corrected;
    assert_eq!(all.len(), 1, "{all:?}");
    world.end().await;
}

#[tokio::test]
async fn what_is_ignored_may_differ_and_stays_when_something_else_is_put_right() {
    let drift = json!({"mode": "enabled", "ignore": [
        {"paths": ["/spec/replicas"], "target": {"kind": "Deployment", "name": "shop-.*"}},
    ]});
    let world = at_rest("ignored", &shop(), &drift).await;

    // When what is ignored is edited, and then a label of ours.
    scale(&world, 5).await;
    let labels = json!({"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 7}}}});
    merge::<Deployment>(&world, WEB, &labels).await;

    // Then only the second is put right.
    let place = "/spec/template/spec/terminationGracePeriodSeconds";
    let release = world
        .until_release(SHOP, "the correction", |release| {
            times(release, WEB, place) == 1
        })
        .await;
    assert_eq!(replicas(&world).await, Some(5));
    assert_eq!(times(&release, WEB, "/spec/replicas"), 0);

    // When the rule goes, then all is looked at anew.
    deploy(&world, &shop(), &json!({"mode": "enabled"})).await;
    world
        .until_release(SHOP, "the replicas", |release| {
            times(release, WEB, "/spec/replicas") == 1
        })
        .await;
    assert_eq!(replicas(&world).await, Some(2));
    world.end().await;
}

#[tokio::test]
async fn a_rule_that_cannot_be_read_is_refused_with_its_place() {
    let world = at_rest("badrule", &note(), &json!({})).await;
    let drift = json!({"ignore": [{"paths": ["/data"], "target": {"name": "("}}]});
    let spec = json!({"chart": note().inline(), "driftDetection": drift});
    let release = world
        .stopped(&world.apply(SHOP, &spec).await, Reason::SpecInvalid)
        .await;
    let said = &ready(&release).unwrap().message;
    assert!(
        said.contains("spec.driftDetection.ignore[0]: target.name"),
        "{said}"
    );
    world.end().await;
}

#[tokio::test]
async fn replicas_that_an_autoscaler_owns_are_no_drift() {
    let world = at_rest("scaled", &shop(), &json!({"mode": "enabled"})).await;
    let body = r#"{"spec":{"replicas":4}}"#;
    let autoscale = [
        "patch",
        "deployment/shop-web",
        "--subresource=scale",
        "--type=merge",
        "--field-manager=kube-controller-manager",
        "-p",
        body,
    ];
    world.kubectl(&autoscale).await;
    // What comes after it, and is drift, shows that it was seen.
    merge::<ConfigMap>(&world, CONFIG, &json!({"data": {"greeting": "theirs"}})).await;
    world
        .until_release(SHOP, "the correction", |release| {
            times(release, CONFIG, "/data/greeting") == 1
        })
        .await;
    // A full look finds nothing of it either, and leaves it when it puts something else right.
    let grace = json!({"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 7}}}});
    merge::<Deployment>(&world, WEB, &grace).await;
    let place = "/spec/template/spec/terminationGracePeriodSeconds";
    let release = world
        .until_release(SHOP, "the correction", |release| {
            times(release, WEB, place) == 1
        })
        .await;
    assert_eq!(replicas(&world).await, Some(4));
    assert_eq!(times(&release, WEB, "/spec/replicas"), 0);
    world.end().await;
}

#[tokio::test]
async fn nothing_of_a_secret_is_told() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: shop-key}\nstringData: {password: hunter2hunter2}\n";
    let echo = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop-echo}\ndata: {line: a}\n";
    let chart = note()
        .with("templates/secret.yaml", secret)
        .with("templates/echo.yaml", echo);
    let world = at_rest("secret", &chart, &json!({})).await;

    // When a Secret is edited, and somebody copies what it holds elsewhere.
    let patch = json!({"stringData": {"password": "swordfish1234"}});
    merge::<Secret>(&world, "shop-key", &patch).await;
    merge::<ConfigMap>(
        &world,
        "shop-echo",
        &json!({"data": {"line": "say hunter2hunter2"}}),
    )
    .await;

    // Then both are told, and no value of either.
    let release = world
        .until_release(SHOP, "both", |release| objects(release).len() == 2)
        .await;
    event(&world, "DriftDetected").await;
    let status = serde_json::to_string(&release.status).unwrap();
    let events = world
        .api::<Event>()
        .list(&ListParams::default())
        .await
        .unwrap();
    let notes: Vec<_> = events
        .into_iter()
        .filter_map(|event| event.message)
        .collect();
    for hidden in [
        "hunter2hunter2",
        "swordfish1234",
        "aHVudGVyMmh1bnRlcjI=",
        "c3dvcmRmaXNoMTIzNA==",
    ] {
        assert!(!status.contains(hidden), "{status}");
        assert!(notes.iter().all(|note| !note.contains(hidden)), "{notes:?}");
    }
    assert!(status.contains("/data/password"), "{status}");
    assert!(status.contains("say ***"), "{status}");
    world.end().await;
}

#[tokio::test]
async fn rules_that_the_controller_aggregates_are_no_drift() {
    let name = belay_harness::unique("drift-aggregate");
    let part = format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: {name}-part, labels: {{aggregate: {name}}}}}\nrules: [{{apiGroups: [\"\"], resources: [pods], verbs: [get]}}]\n"
    );
    let whole = format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: {name}}}\naggregationRule: {{clusterRoleSelectors: [{{matchLabels: {{aggregate: {name}}}}}]}}\nrules: []\n"
    );
    let chart = note()
        .with("templates/part.yaml", &part)
        .with("templates/whole.yaml", &whole);
    let world = at_rest("aggregated", &chart, &json!({"mode": "enabled"})).await;
    let rules = || async {
        let role = ["get", "clusterrole", &name, "-o", "jsonpath={.rules}"];
        world.kubectl(&role).await
    };
    let deadline = tokio::time::Instant::now() + GENEROUS;
    while !rules().await.contains("pods") {
        assert!(
            tokio::time::Instant::now() < deadline,
            "nothing is aggregated"
        );
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }

    // When something else of the role is drift.
    let remove = [
        "label",
        "clusterrole",
        &name,
        "app.kubernetes.io/managed-by=theirs",
        "--overwrite",
    ];
    world.kubectl(&remove).await;

    // Then that is put right, and the aggregated rules are neither told nor touched.
    let place = "/metadata/labels/app.kubernetes.io~1managed-by";
    let release = world
        .until_release(SHOP, "the correction", |release| {
            times(release, &name, place) == 1
        })
        .await;
    assert_eq!(times(&release, &name, "/rules"), 0);
    assert_eq!(objects(&release), []);
    assert!(rules().await.contains("pods"));
    world.delete::<HelmRelease>(SHOP).await;
    world.end().await;
}

#[tokio::test]
async fn what_was_edited_while_no_operator_ran_is_found_by_the_next() {
    let mut world = at_rest("down", &shop(), &json!({"mode": "enabled"})).await;
    world.pause().await;
    scale(&world, 5).await;
    world
        .api::<ConfigMap>()
        .delete(CONFIG, &DeleteParams::default())
        .await
        .unwrap();
    world.requests();

    world.start_again().await;

    world
        .until_release(SHOP, "both corrections", |release| {
            times(release, WEB, "/spec/replicas") == 1 && times(release, CONFIG, "") == 1
        })
        .await;
    assert_eq!(replicas(&world).await, Some(2));
    assert_eq!(world.greeting(SHOP).await, "hello");
    // What nobody touched is not asked for: the watch has told that it is as it was left.
    let asked = world.requests();
    let service = asked
        .iter()
        .filter(|line| line.contains(" services ") && line.ends_with(WEB));
    assert_eq!(service.count(), 0, "{asked:?}");
    world.end().await;
}

#[tokio::test]
async fn a_fight_is_ended_and_told_and_the_next_operator_counts_on() {
    let mut world = at_rest("fought", &note(), &json!({"mode": "enabled"})).await;
    let fight = json!({"data": {"greeting": "theirs"}});
    for round in 1..=3 {
        merge::<ConfigMap>(&world, CONFIG, &fight).await;
        let place = "/data/greeting";
        world
            .until_release(SHOP, "a correction", |release| {
                times(release, CONFIG, place) == round
            })
            .await;
        assert_eq!(world.greeting(SHOP).await, "hello");
    }

    merge::<ConfigMap>(&world, CONFIG, &fight).await;

    let release = told(&world, Reason::DriftContested).await;
    assert_eq!(world.greeting(SHOP).await, "theirs");
    let said = &objects(&release)[0].message;
    assert!(said.contains("driftDetection.ignore"), "{said}");
    event(&world, "DriftContested").await;
    // Another process does not begin anew.
    world.pause().await;
    merge::<ConfigMap>(
        &world,
        CONFIG,
        &json!({"data": {"greeting": "theirs again"}}),
    )
    .await;
    world.start_again().await;
    world
        .until_release(SHOP, "the next look", |release| {
            objects(release)
                .first()
                .and_then(|object| object.paths.first().cloned())
                .is_some_and(|path| path.live.contains("theirs again"))
        })
        .await;
    assert_eq!(world.greeting(SHOP).await, "theirs again");
    world.end().await;
}

#[tokio::test]
async fn after_a_way_back_drift_is_put_right_against_what_runs() {
    let world = at_rest("blocked", &shop(), &json!({"mode": "enabled"})).await;
    let spec = json!({
        "chart": shop().inline(), "values": {"image": BROKEN, "greeting": "bad"},
        "driftDetection": {"mode": "enabled"},
    });
    world
        .stopped(&world.apply(SHOP, &spec).await, Reason::RevisionBlocked)
        .await;

    merge::<ConfigMap>(&world, CONFIG, &json!({"data": {"greeting": "theirs"}})).await;

    let release = world
        .until_release(SHOP, "the correction", |release| {
            times(release, CONFIG, "/data/greeting") == 1
        })
        .await;
    assert_eq!(world.greeting(SHOP).await, "hello");
    assert_eq!(ready(&release).unwrap().reason, Reason::RevisionBlocked);
    assert_eq!(current(&release), Some(3));
    world.end().await;
}

#[tokio::test]
async fn a_suspended_release_is_told_of_and_left_alone() {
    let world = at_rest("suspended", &note(), &json!({"mode": "enabled"})).await;
    let spec = |suspend| {
        json!({
            "chart": note().inline(), "driftDetection": {"mode": "enabled"}, "suspend": suspend,
        })
    };
    world
        .stopped(&world.apply(SHOP, &spec(true)).await, Reason::Suspended)
        .await;

    merge::<ConfigMap>(&world, CONFIG, &json!({"data": {"greeting": "theirs"}})).await;

    told(&world, Reason::DriftDetected).await;
    assert_eq!(world.greeting(SHOP).await, "theirs");
    world.deployed(&world.apply(SHOP, &spec(false)).await).await;
    told(&world, Reason::NoDrift).await;
    assert_eq!(world.greeting(SHOP).await, "hello");
    world.end().await;
}

#[tokio::test]
async fn what_belongs_to_another_release_by_now_is_told_and_not_touched() {
    let world = at_rest("stolen", &note(), &json!({"mode": "enabled"})).await;
    let marks = json!({"metadata": {"annotations": {"meta.helm.sh/release-name": "other"}},
                       "data": {"greeting": "theirs"}});
    merge::<ConfigMap>(&world, CONFIG, &marks).await;

    let release = told(&world, Reason::DriftNotOurs).await;
    assert_eq!(world.greeting(SHOP).await, "theirs");
    let said = &objects(&release)[0].message;
    assert!(said.contains("/other"), "{said}");
    world.end().await;
}

#[tokio::test]
async fn statuses_and_what_others_add_cost_no_request() {
    // Given a release at rest.
    let world = at_rest("statuses", &shop(), &json!({"mode": "enabled"})).await;
    world.looked_at(SHOP, "settled").await;
    settles(&world).await;

    // When its pods are made anew, and others label its objects.
    world
        .kubectl(&["delete", "pods", "--all", "--wait=false"])
        .await;
    let label = json!({"metadata": {"labels": {"team": "a"}}});
    merge::<Deployment>(&world, WEB, &label).await;
    merge::<ConfigMap>(&world, CONFIG, &label).await;
    let watched = world.api::<Deployment>();
    let available = until(&watched, WEB, "pods again", GENEROUS, |deployment| {
        let status = deployment.status.as_ref();
        status.is_some_and(|status| status.available_replicas == Some(2))
    });
    available.await.unwrap();

    // Then the operator has asked for nothing by the time that it has seen what came after it.
    let asked = world.requests();
    scale(&world, 5).await;
    world
        .until_release(SHOP, "the correction", |release| {
            times(release, WEB, "/spec/replicas") == 1
        })
        .await;
    assert_eq!(asked, [""; 0]);
    let compared = world.requests();
    let compared = compared.iter().filter(|line| line.contains("configmaps"));
    assert_eq!(compared.count(), 0, "only what was edited is compared");
    world.end().await;
}

/// Waits until the operator has asked for nothing for a while: events are on their way when a status says Deployed.
async fn settles(world: &World) {
    let deadline = tokio::time::Instant::now() + GENEROUS;
    loop {
        world.requests();
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        if world.requests().is_empty() {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "it does not rest");
    }
}

#[tokio::test]
async fn the_interval_compares_everything() {
    // Given a release at rest whose objects nobody touches.
    let world = operated_world("interval").await;
    let spec = json!({
        "chart": note().inline(), "driftDetection": {"mode": "enabled"}, "interval": "2s",
    });
    world.deployed(&world.apply(SHOP, &spec).await).await;
    world.requests();

    // When an interval passes, then each object is dry-run once more, and nothing is written.
    let deadline = tokio::time::Instant::now() + GENEROUS;
    let mut asked = Vec::new();
    while !asked
        .iter()
        .any(|line: &String| line.contains("configmaps shop-config"))
    {
        assert!(tokio::time::Instant::now() < deadline, "{asked:?}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        asked.extend(world.requests());
    }
    assert_eq!(
        current(&world.api::<HelmRelease>().get(SHOP).await.unwrap()),
        Some(1)
    );
    world.end().await;
}
