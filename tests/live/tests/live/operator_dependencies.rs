//! Releases that wait for others: in order, by name, and woken by the others' change.

use belay_api::{ConditionType, HelmRelease, Reason};
use belay_harness::{Cluster, GENEROUS, gone};
use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use crate::operator_charts::{BETTER, BROKEN, note, shop};
use crate::operator_world::{
    SHOP, World, current, holds, message, operated_world, operated_world_with, ready,
};

const DB: &str = "db";

/// The shop, which needs others. Nothing but a change of theirs wakes it before the test is over.
fn needing(names: &[&str], values: &Value) -> Value {
    let needed: Vec<_> = names.iter().map(|name| json!({"name": name})).collect();
    json!({
        "chart": note().inline(), "values": values,
        "interval": "24h", "dependsOn": needed,
    })
}

/// Waits until a release, as it was applied, is held up; its message.
async fn held_up(world: &World, asked: &HelmRelease, reason: Reason, told: &str) -> String {
    let what = format!("{reason}: {told}");
    let release = world
        .until_release(&asked.name_any(), &what, |release| {
            let observed = release
                .status
                .as_ref()
                .map(|status| status.observed_generation);
            observed >= asked.metadata.generation
                && ready(release).is_some_and(|ready| ready.reason == reason)
                && message(release).contains(told)
        })
        .await;
    let goes_on = reason == Reason::DependencyNotReady;
    assert_eq!(holds(&release, ConditionType::Reconciling), goes_on);
    assert_eq!(holds(&release, ConditionType::Stalled), !goes_on);
    message(&release)
}

#[tokio::test]
async fn releases_come_up_in_their_order_whatever_order_they_are_applied_in() {
    // Given three releases of which each needs the next, applied the wrong way round.
    let world = operated_world("order").await;
    let web = world.apply(SHOP, &needing(&["api"], &json!({}))).await;
    held_up(&world, &web, Reason::DependencyNotReady, "does not exist").await;
    let api = world.apply("api", &needing(&[DB], &json!({}))).await;
    held_up(&world, &api, Reason::DependencyNotReady, DB).await;
    held_up(
        &world,
        &web,
        Reason::DependencyNotReady,
        "api, which is not Ready",
    )
    .await;
    assert!(world.config_map("shop-config").await.is_none());
    // When the last one comes, whose pods take their time.
    let slow = json!({"chart": shop().inline(), "values": {"image": "belay.test/never-ready:1"}});
    world.apply(DB, &slow).await;
    world
        .until_release(DB, "an attempt", |release| {
            release
                .status
                .as_ref()
                .is_some_and(|status| status.attempt.is_some())
        })
        .await;
    assert!(world.config_map("api-config").await.is_none(), "too early");
    let mended = world
        .edit(DB, &json!({"spec": {"values": {"image": BETTER}}}))
        .await;
    // Then they come up one after the other.
    let db = world.deployed(&mended).await;
    let api = world.deployed(&api).await;
    let web = world.deployed(&web).await;
    let since = |release: &HelmRelease| {
        let status = release.status.clone().unwrap();
        (
            status.current.unwrap().since,
            status.last_good.unwrap().since,
        )
    };
    assert!(
        since(&db).1 <= since(&api).0,
        "{:?} {:?}",
        since(&db),
        since(&api)
    );
    assert!(
        since(&api).1 <= since(&web).0,
        "{:?} {:?}",
        since(&api),
        since(&web)
    );
    world.end().await;
}

#[tokio::test]
async fn an_upgrade_waits_for_the_others_spec_as_it_is_now_and_what_runs_goes_on() {
    let world = operated_world("upgrade").await;
    let chart = json!({"chart": shop().inline()});
    let db = world.apply(DB, &chart).await;
    world.deployed(&db).await;
    let web = world.apply(SHOP, &needing(&[DB], &json!({}))).await;
    world.deployed(&web).await;
    // When both are changed, one right after the other, and the first cannot come up.
    let broken = json!({"chart": shop().inline(), "values": {"image": BROKEN}});
    let db = world.apply(DB, &broken).await;
    let values = json!({"greeting": "two"});
    let web = world.apply(SHOP, &needing(&[DB], &values)).await;
    // Then the second waits, also while the status of the first still speaks of its older spec.
    world.stopped(&db, Reason::RevisionBlocked).await;
    let told = held_up(&world, &web, Reason::DependencyNotReady, "RevisionBlocked").await;
    assert!(told.contains("revision 1"), "what runs is told: {told}");
    assert_eq!(world.greeting(SHOP).await, "hello");
    assert_eq!(world.history(SHOP).await.len(), 1);
    // When the first is mended, then the second follows at once.
    world
        .edit(DB, &json!({"spec": {"values": {"image": BETTER}}}))
        .await;
    world.deployed(&web).await;
    assert_eq!(world.greeting(SHOP).await, "two");
    world.end().await;
}

#[tokio::test]
async fn a_circle_is_named_by_each_of_its_releases_and_opens_with_an_edit() {
    let world = operated_world("circle").await;
    let mut asked = Vec::new();
    for (name, needs) in [("a", "b"), ("b", "c"), ("c", "a")] {
        asked.push(world.apply(name, &needing(&[needs], &json!({}))).await);
    }
    // Who only needs one of them waits, and is in no circle.
    let outside = world.apply(SHOP, &needing(&["a"], &json!({}))).await;
    let ways = ["a -> b -> c -> a", "b -> c -> a -> b", "c -> a -> b -> c"];
    for (asked, way) in asked.iter().zip(ways) {
        held_up(&world, asked, Reason::DependencyCycle, way).await;
    }
    held_up(
        &world,
        &outside,
        Reason::DependencyNotReady,
        "DependencyCycle",
    )
    .await;
    // When one of them needs nobody any more, then all come up.
    let opened = world.apply("b", &needing(&[], &json!({}))).await;
    for asked in [&opened, &asked[0], &asked[2], &outside] {
        world.deployed(asked).await;
    }
    // Who needs itself is told as well.
    let own = world.apply("own", &needing(&["own"], &json!({}))).await;
    held_up(&world, &own, Reason::DependencyCycle, "own -> own").await;
    world.end().await;
}

#[tokio::test]
async fn ways_back_and_removals_wait_for_nobody_and_a_suspended_release_is_waited_for() {
    let world = operated_world("nobody").await;
    let db = world.deploy(DB, &note(), &json!({})).await;
    for greeting in ["one", "two"] {
        let values = json!({"greeting": greeting});
        let web = world.apply(SHOP, &needing(&[DB], &values)).await;
        world.deployed(&web).await;
    }
    // When what it needs is suspended, then an upgrade waits.
    world.edit(DB, &json!({"spec": {"suspend": true}})).await;
    world.stopped(&db, Reason::Suspended).await;
    let web = world
        .apply(SHOP, &needing(&[DB], &json!({"greeting": "three"})))
        .await;
    held_up(&world, &web, Reason::DependencyNotReady, "Suspended").await;
    // And a rollback does not.
    world.order("back", &json!({})).await;
    assert_eq!(world.greeting(SHOP).await, "one");
    // When what it needs is removed, nobody is asked; and neither is it when it goes itself.
    world.edit(DB, &json!({"spec": {"suspend": false}})).await;
    world.delete::<HelmRelease>(DB).await;
    world.delete::<HelmRelease>(SHOP).await;
    assert!(world.config_map("shop-config").await.is_none());
    world.end().await;
}

#[tokio::test]
async fn a_release_of_another_namespace_is_waited_for_where_that_is_allowed() {
    // Not allowed, then said so and nothing begun.
    let fenced = operated_world("fenced").await;
    let mut spec = needing(&[], &json!({}));
    spec["dependsOn"] = json!([{"name": DB, "namespace": "elsewhere"}]);
    let asked = fenced.apply(SHOP, &spec).await;
    let told = message(&fenced.stopped(&asked, Reason::SpecInvalid).await);
    assert!(told.contains("spec.dependsOn.namespace"), "{told}");
    assert!(told.contains("--allow-cross-namespace"), "{told}");
    fenced.end().await;

    // Allowed, then woken across namespaces too.
    let cluster = Cluster::shared().await.unwrap();
    let other = cluster.namespace("other").await.unwrap();
    let world = operated_world_with("reaching", |settings| {
        settings.allow_cross_namespace = true;
        settings.namespaces.push(other.name().to_owned());
    })
    .await;
    spec["dependsOn"] = json!([{"name": DB, "namespace": other.name()}]);
    let asked = world.apply(SHOP, &spec).await;
    let named = format!("{}/{DB}", other.name());
    held_up(&world, &asked, Reason::DependencyNotReady, &named).await;
    let releases: Api<HelmRelease> = Api::namespaced(world.client.clone(), other.name());
    let object = json!({
        "apiVersion": "belay.dev/v1alpha1", "kind": "HelmRelease",
        "metadata": {"name": DB}, "spec": {"chart": note().inline()},
    });
    let params = PatchParams::apply("gitops").force();
    releases
        .patch(DB, &params, &Patch::Apply(&object))
        .await
        .unwrap();
    let release = world.deployed(&asked).await;
    assert_eq!(current(&release), Some(1));
    let delete = kube::api::DeleteParams::default();
    releases.delete(DB, &delete).await.unwrap();
    gone(&releases, DB, GENEROUS).await.unwrap();
    world.end().await;
}
