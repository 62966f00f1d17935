//! Real helm and Belay hand one release to and fro.

use belay_api::Reason;
use belay_harness::until;
use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;
use serde_json::json;
use tempfile::TempDir;

use crate::endure_charts::{Files, tiny, web, write};
use crate::endure_world::{LIMIT, RELEASE, World, current, rests, spec, world};

async fn helm_installs(world: &World, chart: &Files, sets: &[&str]) {
    let folder = TempDir::new().unwrap();
    let path = write(chart, folder.path()).display().to_string();
    let mut args = vec!["install", RELEASE, &path, "--wait"];
    for set in sets {
        args.extend(["--set", set]);
    }
    world.helm(&args).await;
}

/// The Deployment's controller writes its status for a moment longer than helm waits.
pub async fn settled(world: &World) {
    let deployments: Api<Deployment> = world.api();
    until(&deployments, "shop-web", "all pods", LIMIT, |deployment| {
        let status = deployment.status.as_ref();
        let progressing = status
            .and_then(|status| status.conditions.as_ref())
            .is_some_and(|all| {
                all.iter()
                    .any(|one| one.reason.as_deref() == Some("NewReplicaSetAvailable"))
            });
        progressing && status.and_then(|status| status.available_replicas) == Some(1)
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_release_of_helm_is_taken_over_without_a_write_to_what_is_equal() {
    // Given a release that helm installed.
    let world = world("adopt").await;
    helm_installs(&world, &web(), &["greeting=one"]).await;
    settled(&world).await;
    let before = world.states(RELEASE).await;
    let record = world
        .kubectl(&["get", "secret", "sh.helm.release.v1.shop.v1", "-o", "yaml"])
        .await;

    // When a HelmRelease asks for the same chart with the same values.
    let operator = world.start();
    world
        .declare(RELEASE, &spec(&web(), &json!({"greeting": "one"})))
        .await;
    let release = world.rests(RELEASE, Reason::Deployed).await;

    // Then it is the HelmRelease's, and nothing was written: no object, no revision, no record.
    assert_eq!(current(&release), Some(1));
    assert_eq!(world.states(RELEASE).await, before);
    assert_eq!(world.history(RELEASE).await, ["deployed"]);
    let after = world
        .kubectl(&["get", "secret", "sh.helm.release.v1.shop.v1", "-o", "yaml"])
        .await;
    assert_eq!(after, record);
    operator.stop(LIMIT).await.unwrap();
}

#[tokio::test]
async fn what_helm_rolls_back_by_hand_is_kept_and_told_until_the_spec_changes() {
    // Given a release that helm installed and Belay upgraded.
    let world = world("tofro").await;
    helm_installs(&world, &tiny(), &["greeting=one"]).await;
    let operator = world.start();
    world
        .declare(RELEASE, &spec(&tiny(), &json!({"greeting": "two"})))
        .await;
    let release = world.rests(RELEASE, Reason::Deployed).await;
    assert_eq!(current(&release), Some(2));
    assert_eq!(world.history(RELEASE).await, ["superseded", "deployed"]);

    // When somebody rolls it back by hand.
    world.helm(&["rollback", RELEASE, "1", "--wait"]).await;
    let release = world.rests(RELEASE, Reason::OutsideChange).await;

    // Then Belay says so, names what runs, and holds it there.
    let status = release.status.as_ref().unwrap();
    assert_eq!(current(&release), Some(3));
    assert!(
        status.pin.as_ref().is_some_and(|pin| pin.request.is_none()),
        "{status:?}"
    );
    let history = ["superseded", "superseded", "deployed"];
    assert_eq!(world.history(RELEASE).await, history);
    assert_eq!(
        world.setting("shop-settings", "greeting").await.as_deref(),
        Some("one")
    );

    // And a restart does not fight it either, nor a look that somebody asks for.
    operator.stop(LIMIT).await.unwrap();
    let operator = world.start();
    world
        .kubectl(&[
            "annotate",
            "helmrelease",
            RELEASE,
            "belay.dev/reconcile=now",
        ])
        .await;
    let looked = until(
        &world.api(),
        RELEASE,
        "another look",
        LIMIT,
        |release: &belay_api::HelmRelease| {
            let status = release.status.as_ref();
            status.is_some_and(|status| status.last_handled_reconcile.as_deref() == Some("now"))
        },
    )
    .await
    .unwrap();
    assert_eq!(rests(&looked), Some(Reason::OutsideChange));
    assert_eq!(world.history(RELEASE).await, history);

    // When the spec changes, then Belay goes on.
    world
        .declare(RELEASE, &spec(&tiny(), &json!({"greeting": "three"})))
        .await;
    let release = world.rests(RELEASE, Reason::Deployed).await;
    assert_eq!(current(&release), Some(4));
    assert_eq!(release.status.as_ref().unwrap().pin, None);
    assert_eq!(
        world.setting("shop-settings", "greeting").await.as_deref(),
        Some("three")
    );
    assert_eq!(
        world.history(RELEASE).await,
        ["superseded", "superseded", "superseded", "deployed"]
    );
    operator.stop(LIMIT).await.unwrap();
}

#[tokio::test]
async fn what_helm_uninstalls_by_hand_is_told_and_not_installed_again() {
    // Given a release of Belay's.
    let world = world("removed").await;
    let operator = world.start();
    world
        .declare(RELEASE, &spec(&tiny(), &json!({"greeting": "one"})))
        .await;
    world.rests(RELEASE, Reason::Deployed).await;

    // When somebody uninstalls it by hand.
    world.helm(&["uninstall", RELEASE, "--wait"]).await;

    // Then that is told.
    let release = world.rests(RELEASE, Reason::ReleaseRemoved).await;

    // And it stays away, after a restart and a look that somebody asks for.
    assert_eq!(rests(&release), Some(Reason::ReleaseRemoved));
    operator.stop(LIMIT).await.unwrap();
    let operator = world.start();
    world
        .kubectl(&[
            "annotate",
            "helmrelease",
            RELEASE,
            "belay.dev/reconcile=now",
        ])
        .await;
    let looked = until(
        &world.api(),
        RELEASE,
        "another look",
        LIMIT,
        |release: &belay_api::HelmRelease| {
            let status = release.status.as_ref();
            status.is_some_and(|status| status.last_handled_reconcile.as_deref() == Some("now"))
        },
    )
    .await
    .unwrap();
    assert_eq!(rests(&looked), Some(Reason::ReleaseRemoved));
    assert!(world.objects(RELEASE).await.is_empty());
    assert!(world.history(RELEASE).await.is_empty());
    operator.stop(LIMIT).await.unwrap();
}

#[tokio::test]
async fn a_failed_upgrade_of_an_adopted_release_brings_back_what_helm_installed() {
    // Given a release that helm installed.
    let world = world("restore").await;
    helm_installs(&world, &web(), &["greeting=one"]).await;
    let before = world.objects(RELEASE).await;
    let operator = world.start();

    // When the first thing that Belay is asked for cannot run.
    let broken = json!({"greeting": "two", "extra": "two", "image": "web.test/no-such-image:1"});
    world.declare(RELEASE, &spec(&web(), &broken)).await;
    let release = world.rests(RELEASE, Reason::RevisionBlocked).await;

    // Then helm's revision is back, and only that.
    assert_eq!(current(&release), Some(3));
    assert_eq!(
        world.history(RELEASE).await,
        ["superseded", "failed", "deployed"]
    );
    assert_eq!(world.objects(RELEASE).await, before);
    assert_eq!(
        world.setting("shop-settings", "greeting").await.as_deref(),
        Some("one")
    );
    let manifests = [
        world
            .helm(&["get", "manifest", RELEASE, "--revision", "1"])
            .await,
        world
            .helm(&["get", "manifest", RELEASE, "--revision", "3"])
            .await,
    ];
    assert_eq!(manifests[0], manifests[1]);
    operator.stop(LIMIT).await.unwrap();
}

#[tokio::test]
async fn of_two_claims_to_one_release_the_older_serves_and_the_other_says_so() {
    // Given a HelmRelease with a release.
    let world = world("claims").await;
    let operator = world.start();
    let with_name = |greeting: &str| {
        let mut spec = spec(&tiny(), &json!({"greeting": greeting}));
        spec["releaseName"] = json!("shared");
        spec
    };
    world.declare("first", &with_name("first")).await;
    world.rests("first", Reason::Deployed).await;

    // When another one names the same release.
    world.declare("second", &with_name("second")).await;
    let second = world.rests("second", Reason::ReleaseClaimed).await;

    // Then it says whose it is, and nothing was changed.
    let conditions = &second.status.as_ref().unwrap().conditions;
    assert!(
        conditions.iter().any(|one| one.message.contains("first")),
        "{conditions:?}"
    );
    assert_eq!(
        world
            .setting("shared-settings", "greeting")
            .await
            .as_deref(),
        Some("first")
    );
    assert_eq!(world.history("shared").await, ["deployed"]);

    // And its end takes nothing away.
    let ledger = || {
        world.kubectl(&[
            "get",
            "secret",
            "belay.v1.shared",
            "-o",
            "jsonpath={.metadata.uid}",
        ])
    };
    let before = ledger().await;
    world.delete_release("second").await;
    belay_harness::gone(&world.api::<belay_api::HelmRelease>(), "second", LIMIT)
        .await
        .unwrap();
    assert_eq!(
        world
            .setting("shared-settings", "greeting")
            .await
            .as_deref(),
        Some("first")
    );
    assert_eq!(world.history("shared").await, ["deployed"]);
    assert_eq!(ledger().await, before);

    // When the first one goes instead, the release is free.
    world.delete_release("first").await;
    belay_harness::gone(&world.api::<belay_api::HelmRelease>(), "first", LIMIT)
        .await
        .unwrap();
    world.declare("third", &with_name("third")).await;
    world.rests("third", Reason::Deployed).await;
    assert_eq!(
        world
            .setting("shared-settings", "greeting")
            .await
            .as_deref(),
        Some("third")
    );
    operator.stop(LIMIT).await.unwrap();
}
