//! Somebody runs the real helm on a release of Belay's: what helm brings, and what it takes away, before Belay looks.

use belay_api::rollback_request::RequestPhase;
use belay_api::{HelmRelease, Reason, RollbackRequest};
use belay_harness::until;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::endure_charts::{Files, web, write};
use crate::endure_world::{LIMIT, RELEASE, World, current, forgotten, spec, world};

/// An image that no node can pull.
const BROKEN: &str = "image=web.test/no-such-image:1";

/// A chart with two `ConfigMaps` that only some values bring.
fn chart() -> Files {
    let mut files = web();
    let more = files["templates/extra.yaml"].replace("extra", "more");
    files.insert("templates/more.yaml".to_owned(), more);
    files
}

/// Runs `helm upgrade` by hand; whether helm calls that a success.
async fn upgrade(world: &World, sets: &[&str]) -> bool {
    let folder = TempDir::new().unwrap();
    let path = write(&chart(), folder.path()).display().to_string();
    let mut args = vec!["upgrade", RELEASE, &path, "-n", world.name()];
    args.extend(["--wait", "--timeout", "10s"]);
    for set in sets {
        args.extend(["--set", set]);
    }
    world.cluster.helm(&args).await.unwrap().status == 0
}

async fn declare(world: &World, greeting: &str, more: &Value) -> HelmRelease {
    let mut asked = spec(&chart(), &json!({"greeting": greeting}));
    for (key, value) in more.as_object().unwrap() {
        asked[key] = value.clone();
    }
    world.declare(RELEASE, &asked).await;
    world.rests(RELEASE, Reason::Deployed).await
}

async fn greeting(world: &World) -> Option<String> {
    world.setting("shop-settings", "greeting").await
}

async fn ended(world: &World, name: &str) -> (RequestPhase, String) {
    let over = |request: &RollbackRequest| {
        let phase = request.status.as_ref().map(|status| status.phase);
        phase.is_some_and(RequestPhase::is_final)
    };
    let request = until(&world.api(), name, "its end", LIMIT, over).await;
    let status = request.unwrap().status.unwrap();
    (status.phase, status.message)
}

#[tokio::test]
async fn what_helm_upgrades_and_uninstalls_unseen_is_installed_again_when_it_is_asked_for() {
    for (label, image, succeeds) in [
        ("handwell", "image=web.test/one:1", true),
        ("handbadly", BROKEN, false),
    ] {
        // Given a release that nobody looks after for a while.
        let world = world(label).await;
        let operator = world.start();
        declare(&world, "one", &json!({})).await;
        let before = world.objects(RELEASE).await;
        operator.stop(LIMIT).await.unwrap();

        // When somebody's helm upgrades it, well or badly, and uninstalls it with its history kept.
        let sets = ["greeting=two", "extra=two", image];
        assert_eq!(upgrade(&world, &sets).await, succeeds);
        let uninstall = ["uninstall", RELEASE, "--keep-history", "--wait"];
        world.helm(&uninstall).await;
        let operator = world.start();

        // Then that is told, and it stays away.
        let release = world.rests(RELEASE, Reason::ReleaseRemoved).await;
        assert_eq!(current(&release), None);
        assert!(world.objects(RELEASE).await.is_empty());

        // When somebody asks for what the spec says by its name, then that is there again, and nothing else.
        let digest = release.status.unwrap().desired.unwrap().digest;
        let retry = format!("belay.dev/retry={digest}");
        world
            .kubectl(&["annotate", "helmrelease", RELEASE, &retry])
            .await;
        let release = world.rests(RELEASE, Reason::Deployed).await;
        assert_eq!(current(&release), Some(3));
        assert_eq!(world.objects(RELEASE).await, before);
        assert_eq!(greeting(&world).await.as_deref(), Some("one"));
        let history = world.history(RELEASE).await;
        assert_eq!(history, ["superseded", "uninstalled", "deployed"]);
        operator.stop(LIMIT).await.unwrap();
    }
}

#[tokio::test]
async fn what_only_a_failed_upgrade_by_hand_brought_goes_with_the_next_revision() {
    // Given a release that stays as it is when something fails.
    let world = world("handleft").await;
    let operator = world.start();
    let lenient = json!({"atomic": false});
    declare(&world, "one", &lenient).await;
    let before = world.objects(RELEASE).await;

    // When somebody's helm upgrade fails, and Belay has taken note of that.
    assert!(!upgrade(&world, &["more=two", BROKEN]).await);
    let told = |release: &HelmRelease| {
        let history = release.status.iter().flat_map(|status| &status.history);
        history
            .into_iter()
            .any(|entry| entry.revision == 2 && entry.status == "failed")
    };
    until(&world.api(), RELEASE, "the failure told", LIMIT, told)
        .await
        .unwrap();
    let brought = world.setting("shop-more", "more").await;
    assert_eq!(brought.as_deref(), Some("two"), "nobody takes that back");

    // Then what it brought does not outlive the next revision.
    let release = declare(&world, "three", &lenient).await;
    assert_eq!(current(&release), Some(3));
    assert_eq!(world.objects(RELEASE).await, before);
    assert_eq!(greeting(&world).await.as_deref(), Some("three"));
    let history = world.history(RELEASE).await;
    assert_eq!(history, ["superseded", "failed", "deployed"]);
    operator.stop(LIMIT).await.unwrap();
}

#[tokio::test]
async fn a_deletion_takes_along_what_helm_deployed_and_failed_with_unseen() {
    // Given a release that nobody looks after for a while.
    let world = world("handgone").await;
    let operator = world.start();
    declare(&world, "one", &json!({})).await;
    operator.stop(LIMIT).await.unwrap();

    // When somebody's helm deploys one revision and fails with the next, each with an object of its own.
    assert!(upgrade(&world, &["extra=two"]).await);
    assert!(!upgrade(&world, &["extra=two", "more=three", BROKEN]).await);
    for (name, brought) in [("extra", "two"), ("more", "three")] {
        let found = world.setting(&format!("shop-{name}"), name).await;
        assert_eq!(found.as_deref(), Some(brought));
    }

    // Then the end of the HelmRelease is the end of all of it.
    world.delete_release(RELEASE).await;
    let operator = world.start();
    forgotten(&world, RELEASE).await;
    let left = world.objects(RELEASE).await;
    assert!(left.is_empty(), "{left:?}");
    operator.stop(LIMIT).await.unwrap();
}

#[tokio::test]
async fn what_helm_uninstalls_by_hand_comes_back_by_a_request() {
    for (label, uninstall, history) in [
        (
            "handkept",
            &["uninstall", RELEASE, "--wait", "--keep-history"][..],
            &["superseded", "uninstalled", "deployed"][..],
        ),
        (
            "handpurged",
            &["uninstall", RELEASE, "--wait"],
            &["deployed"],
        ),
    ] {
        // Given a release with two proven revisions that somebody's helm removes.
        let world = world(label).await;
        let operator = world.start();
        for words in ["one", "two"] {
            declare(&world, words, &json!({})).await;
        }
        world.helm(uninstall).await;
        world.rests(RELEASE, Reason::ReleaseRemoved).await;

        // When a rollback is ordered to what there never was, then the order is told so.
        let order = json!({"revision": 9});
        world.request_rollback("never", &order).await;
        let (phase, told) = ended(&world, "never").await;
        assert_eq!(phase, RequestPhase::Refused, "{told}");
        assert!(told.contains("revision 9 does not exist"), "{told}");

        // When one is ordered to what was, then that is there again and stays.
        world
            .request_rollback("back", &json!({"revision": 1}))
            .await;
        let (phase, told) = ended(&world, "back").await;
        assert_eq!(phase, RequestPhase::Complete, "{told}");
        let release = world.rests(RELEASE, Reason::Pinned).await;
        assert_eq!(current(&release), Some(3));
        assert_eq!(greeting(&world).await.as_deref(), Some("one"));
        assert_eq!(world.history(RELEASE).await, history);
        operator.stop(LIMIT).await.unwrap();
    }
}

#[tokio::test]
async fn what_was_uninstalled_and_is_installed_again_by_hand_is_kept() {
    // Given a release whose removal Belay has told.
    let world = world("handagain").await;
    let operator = world.start();
    declare(&world, "one", &json!({})).await;
    world.helm(&["uninstall", RELEASE, "--wait"]).await;
    world.rests(RELEASE, Reason::ReleaseRemoved).await;

    // When somebody's helm installs it anew, from revision 1 on.
    let folder = TempDir::new().unwrap();
    let path = write(&chart(), folder.path()).display().to_string();
    let install = ["install", RELEASE, &path, "--wait", "--set", "more=two"];
    world.helm(&install).await;

    // Then that is kept until the spec changes, as any change by hand.
    let release = world.rests(RELEASE, Reason::OutsideChange).await;
    assert_eq!(current(&release), Some(1));
    let release = declare(&world, "three", &json!({})).await;
    assert_eq!(current(&release), Some(2));
    assert_eq!(world.setting("shop-more", "more").await, None);
    operator.stop(LIMIT).await.unwrap();
}
