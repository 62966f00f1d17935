//! Hooks of charts: once for an attempt, in their place, and gone as their policies say.

use belay_api::{ConditionType, HelmRelease, Reason};
use belay_harness::{GENEROUS, gone};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, Pod, ServiceAccount};
use kube::ResourceExt;
use kube::api::ListParams;
use serde_json::{Value, json};

use crate::operator_charts::{BETTER, BROKEN, Files, GOOD, note, shop};
use crate::operator_world::{SHOP, World, current, holds, message, operated_world};

const IMAGE: &str = "registry.example/migrate:1";
const FAILING: &str = "belay.test/fail:1";

#[tokio::test]
async fn a_hook_runs_once_and_before_what_it_prepares() {
    let world = operated_world("hooks").await;
    let chart = note().with_hook("prepare", IMAGE, "pre-install", "");
    world.deploy(SHOP, &chart, &json!({})).await;

    let prepare = job(&world, "prepare").await.unwrap();
    assert_eq!(prepare.status.as_ref().unwrap().succeeded, Some(1));
    assert_eq!(pods_of(&world, "prepare").await, 1, "it ran once");
    let config = world.config_map("shop-config").await.unwrap();
    assert!(prepare.creation_timestamp() <= config.creation_timestamp());

    // No hook of an upgrade, and not run again by a look either.
    world.looked_at(SHOP, "one").await;
    world
        .deploy(SHOP, &chart, &json!({"greeting": "two"}))
        .await;
    let after = job(&world, "prepare").await.unwrap();
    assert_eq!(after.uid(), prepare.uid());
    assert_eq!(pods_of(&world, "prepare").await, 1);
    world.end().await;
}

#[tokio::test]
async fn hooks_go_as_their_delete_policies_say() {
    let world = operated_world("policies").await;
    let chart = note()
        .with_hook(
            "fleeting",
            IMAGE,
            "pre-install,pre-upgrade",
            "hook-succeeded",
        )
        .with_hook(
            "lasting",
            IMAGE,
            "post-install,post-upgrade",
            "before-hook-creation",
        );
    world.deploy(SHOP, &chart, &json!({})).await;
    gone(&world.api::<Job>(), "fleeting", GENEROUS)
        .await
        .unwrap();
    let first = job(&world, "lasting").await.unwrap();
    assert_eq!(first.status.as_ref().unwrap().succeeded, Some(1));

    world
        .deploy(SHOP, &chart, &json!({"greeting": "two"}))
        .await;
    let second = job(&world, "lasting").await.unwrap();
    assert_ne!(second.uid(), first.uid(), "made anew for the new attempt");
    assert_eq!(second.status.unwrap().succeeded, Some(1));
    world.end().await;
}

/// Helm deletes what succeeded only when all hooks of the event have run.
#[tokio::test]
async fn an_account_among_the_hooks_is_there_for_the_hooks_after_it() {
    let world = operated_world("account").await;
    let chart = note()
        .with_hook(
            "migrate",
            IMAGE,
            "pre-install,pre-upgrade",
            "hook-succeeded",
        )
        .with_hooks_account("migrate");
    world.deploy(SHOP, &chart, &json!({})).await;
    gone(&world.api::<Job>(), "migrate", GENEROUS)
        .await
        .unwrap();
    gone(&world.api::<ServiceAccount>(), "shop-hooks", GENEROUS)
        .await
        .unwrap();

    // When a hook fails, those that succeeded before it go as well, and what it said is kept.
    let failing = note()
        .with_hook("migrate", FAILING, "pre-upgrade", "hook-failed")
        .with_hooks_account("migrate");
    let asked = world
        .roll_out(SHOP, &failing, &json!({"greeting": "two"}))
        .await;
    world.stopped(&asked, Reason::RevisionBlocked).await;
    gone(&world.api::<Job>(), "migrate", GENEROUS)
        .await
        .unwrap();
    gone(&world.api::<ServiceAccount>(), "shop-hooks", GENEROUS)
        .await
        .unwrap();
    world.end().await;
}

#[tokio::test]
async fn a_failing_hook_before_an_upgrade_ends_it_before_anything_changes() {
    let world = operated_world("prehook").await;
    world.deploy(SHOP, &shop(), &json!({})).await;
    let before = generation(&world).await;
    let chart = shop().with_hook("migrate", FAILING, "pre-upgrade", "hook-failed");
    let asked = world
        .roll_out(SHOP, &chart, &json!({"image": BETTER}))
        .await;
    let release = world.stopped(&asked, Reason::RevisionBlocked).await;

    assert!(holds(&release, ConditionType::Available));
    assert!(
        message(&release).contains("Job migrate failed"),
        "{}",
        message(&release)
    );
    let failure = release.status.unwrap().last_failure.unwrap();
    assert_eq!(failure.reason, Reason::HookFailed);
    // Its pod is gone with it, what it said is not.
    let pod = &failure.pods[0];
    assert!(pod.pod.starts_with("migrate-"), "{pod:?}");
    assert_eq!(pod.exit_code, Some(1), "{pod:?}");
    assert!(!pod.log_tail.is_empty(), "{pod:?}");
    assert_eq!(world.image(SHOP).await, GOOD);
    assert_eq!(
        generation(&world).await,
        before,
        "the Deployment was not touched"
    );
    gone(&world.api::<Job>(), "migrate", GENEROUS)
        .await
        .unwrap();
    world.end().await;
}

#[tokio::test]
async fn a_hook_that_hangs_ends_with_the_attempts_time_and_is_taken_back() {
    let world = operated_world("hanging").await;
    world.deploy(SHOP, &shop(), &json!({})).await;
    let chart = shop()
        .with_hook("migrate", "registry.example/m:1", "pre-upgrade", "")
        .that_runs_for("migrate", "1h");
    let spec = json!({
        "chart": chart.inline(), "values": {"image": BETTER}, "timeout": "3s",
    });
    let asked = world.apply(SHOP, &spec).await;
    let release = world.stopped(&asked, Reason::RevisionBlocked).await;
    assert!(
        message(&release).contains("migrate did not end in time"),
        "{}",
        message(&release)
    );
    assert!(holds(&release, ConditionType::Available));
    assert_eq!(world.image(SHOP).await, GOOD);
    world.end().await;
}

#[tokio::test]
async fn hooks_that_are_switched_off_do_not_run() {
    let world = operated_world("hookless").await;
    let chart = note().with_hook("check", FAILING, "pre-install,post-upgrade,pre-delete", "");
    for greeting in ["one", "two"] {
        let off = json!({"disableHooks": true});
        let spec = json!({
            "chart": chart.inline(), "values": {"greeting": greeting},
            "install": off, "upgrade": off, "uninstall": off,
        });
        world.deployed(&world.apply(SHOP, &spec).await).await;
    }
    world.delete::<HelmRelease>(SHOP).await;
    assert!(job(&world, "check").await.is_none());
    world.end().await;
}

#[tokio::test]
async fn a_failing_hook_after_an_upgrade_takes_it_back() {
    let world = operated_world("posthook").await;
    world.deploy(SHOP, &note(), &json!({})).await;
    let chart = note().with_hook("check", FAILING, "post-upgrade", "");
    let asked = world
        .roll_out(SHOP, &chart, &json!({"greeting": "two"}))
        .await;
    let release = world.stopped(&asked, Reason::RevisionBlocked).await;
    assert_eq!(world.greeting(SHOP).await, "hello");
    assert_eq!(current(&release), Some(3));
    assert!(
        job(&world, "check").await.is_some(),
        "its policy keeps it for who wants to look"
    );
    world.end().await;
}

#[tokio::test]
async fn what_a_hook_prints_is_told_where_its_annotation_asks_for_it() {
    let world = operated_world("printed").await;
    let annotated = |name: &str, policy: Option<&str>| {
        let mut job = json!({
            "apiVersion": "batch/v1", "kind": "Job",
            "metadata": {"name": name, "annotations": {
                "helm.sh/hook": "pre-install", "helm.sh/hook-delete-policy": "hook-succeeded",
            }},
            "spec": {"backoffLimit": 0, "template": {"spec": {
                "restartPolicy": "Never", "containers": [{"name": "hook", "image": IMAGE}],
            }}},
        });
        if let Some(policy) = policy {
            job["metadata"]["annotations"]["helm.sh/hook-output-log-policy"] = json!(policy);
        }
        job.to_string()
    };
    let chart = note()
        .with(
            "templates/tells.yaml",
            &annotated("tells", Some("hook-succeeded, hook-failed")),
        )
        .with("templates/silent.yaml", &annotated("silent", None));
    world.deploy(SHOP, &chart, &json!({})).await;
    // It is told before the hook's object goes, so before anything is ready.
    let events = world.api::<Event>().list(&ListParams::default()).await;
    let told: Vec<_> = events
        .unwrap()
        .into_iter()
        .filter(|event| event.reason.as_deref() == Some("HookOutput"))
        .filter_map(|event| event.message)
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("Job tells succeeded"), "{told:?}");
    assert!(told[0].contains("listening on :8080"), "{told:?}");
    world.end().await;
}

#[tokio::test]
async fn after_a_hook_that_cannot_be_undone_nothing_goes_back_by_itself() {
    let world = operated_world("irreversible").await;
    world.deploy(SHOP, &shop(), &json!({})).await;
    let broken = json!({"chart": migrating(&json!({"belay.dev/irreversible": "true"})).inline(),
        "values": {"image": BROKEN}});
    stays_broken(&world, &broken).await;
    world.end().await;
}

#[tokio::test]
async fn the_spec_can_say_of_all_hooks_that_they_cannot_be_undone() {
    let world = operated_world("halt").await;
    world.deploy(SHOP, &shop(), &json!({})).await;
    let chart = migrating(&json!({}));
    let broken = json!({"chart": chart.inline(), "values": {"image": BROKEN}, "upgrade": {"afterHooks": "Halt"}});
    stays_broken(&world, &broken).await;

    let good = json!({"chart": chart.inline(), "upgrade": {"afterHooks": "Halt"}});
    let asked = world.apply(SHOP, &good).await;
    world.deployed(&asked).await;
    let other = json!({"chart": chart.inline(), "values": {"image": BROKEN}, "upgrade": {"afterHooks": "Revert"},
        "set": ["again=true"]});
    let asked = world.apply(SHOP, &other).await;
    world.stopped(&asked, Reason::RevisionBlocked).await;
    assert_eq!(world.image(SHOP).await, GOOD);
    world.end().await;
}

/// The shop with a hook before upgrades, with these annotations besides.
fn migrating(annotations: &Value) -> Files {
    let mut job = json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "migrate", "annotations": {"helm.sh/hook": "pre-upgrade"}},
        "spec": {"backoffLimit": 0, "template": {"spec": {
            "restartPolicy": "Never", "containers": [{"name": "hook", "image": IMAGE}],
        }}},
    });
    for (name, value) in annotations.as_object().unwrap() {
        job["metadata"]["annotations"][name] = value.clone();
    }
    shop().with("templates/migrate.yaml", &job.to_string())
}

async fn stays_broken(world: &World, spec: &Value) {
    let asked = world.apply(SHOP, spec).await;
    let release = world.stopped(&asked, Reason::PastPointOfNoReturn).await;
    assert!(holds(&release, ConditionType::Stalled));
    assert_eq!(world.image(SHOP).await, BROKEN);
    assert!(release.status.unwrap().last_failure.is_some());
}

async fn job(world: &World, name: &str) -> Option<Job> {
    world.api::<Job>().get_opt(name).await.unwrap()
}

async fn pods_of(world: &World, job: &str) -> usize {
    let of_job = ListParams::default().labels(&format!("job-name={job}"));
    world.api::<Pod>().list(&of_job).await.unwrap().items.len()
}

async fn generation(world: &World) -> Option<i64> {
    let deployment = world.api::<Deployment>().get("shop-web").await.unwrap();
    deployment.metadata.generation
}
