//! The life of a release that goes well: install, upgrade, rest, suspension, removal.

use belay_api::{ConditionType, HelmRelease, Phase, Reason};
use belay_harness::{GENEROUS, gone};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt;
use serde_json::json;
use tempfile::tempdir;

use crate::operator_charts::{BETTER, GOOD, note, shop};
use crate::operator_serving::settled;
use crate::operator_world::{SHOP, World, current, holds, operated_world, ready};

#[tokio::test]
async fn an_installed_release_is_ready_and_helm_reads_all_of_it() {
    let world = operated_world("install").await;
    let release = world
        .deploy(SHOP, &shop(), &json!({"greeting": "ahoy"}))
        .await;

    assert_eq!(ready(&release).unwrap().reason, Reason::Deployed);
    assert!(holds(&release, ConditionType::Available));
    assert!(holds(&release, ConditionType::Consistent));
    assert!(holds(&release, ConditionType::Released));
    let status = release.status.clone().unwrap();
    assert_eq!(status.phase, Phase::Deployed);
    assert_eq!(status.current.as_ref().unwrap().chart, "shop-1.0.0");
    assert_eq!(status.last_good.unwrap().revision, 1);

    let listed = world.helm_json(&["list"]).await;
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["name"], SHOP);
    assert_eq!(listed[0]["status"], "deployed");
    assert_eq!(listed[0]["chart"], "shop-1.0.0");
    assert_eq!(listed[0]["app_version"], "9");
    assert_eq!(world.history(SHOP).await, [(1, "deployed".to_owned())]);
    let told = world.helm_json(&["status", SHOP]).await;
    assert_eq!(told["info"]["status"], "deployed");
    assert_eq!(
        world.helm_json(&["get", "values", SHOP]).await,
        json!({"greeting": "ahoy"})
    );
    let notes = world.helm(&["get", "notes", SHOP]).await;
    assert!(notes.contains("shop says ahoy."), "{notes}");

    let folder = tempdir().unwrap();
    shop().write(folder.path());
    let chart = folder.path().display().to_string();
    let expected = world
        .helm(&["template", SHOP, &chart, "--set", "greeting=ahoy"])
        .await;
    let manifest = world.helm(&["get", "manifest", SHOP]).await;
    assert_eq!(manifest.trim(), expected.trim(), "as helm renders it");
    world.end().await;
}

#[tokio::test]
async fn a_good_upgrade_is_ready_as_the_next_revision() {
    let world = operated_world("upgrade").await;
    world.deploy(SHOP, &shop(), &json!({})).await;
    let release = world.deploy(SHOP, &shop(), &json!({"image": BETTER})).await;

    assert_eq!(current(&release), Some(2));
    let status = release.status.unwrap();
    assert_eq!(status.last_good.unwrap().revision, 2);
    assert_eq!(status.previous_good.unwrap().revision, 1);
    assert_eq!(world.image(SHOP).await, BETTER);
    let history = [(1, "superseded".to_owned()), (2, "deployed".to_owned())];
    assert_eq!(world.history(SHOP).await, history);
    let history = world.helm_json(&["history", SHOP]).await;
    assert_eq!(history[0]["description"], "Install complete");
    assert_eq!(history[1]["description"], "Upgrade complete");
    world.end().await;
}

#[tokio::test]
async fn nothing_is_written_while_nothing_changes() {
    let world = operated_world("still").await;
    let before = world.deploy(SHOP, &shop(), &json!({})).await;
    settled(&world, "shop-web").await;
    let states = world.states().await;
    world.writes();

    // The same spec again is no change at all.
    let again = world.roll_out(SHOP, &shop(), &json!({})).await;
    assert_eq!(again.resource_version(), before.resource_version());
    // Whoever asks for a look gets one, and the answer in the status, but no write to anything else.
    let looked = world.looked_at(SHOP, "one").await;
    assert_eq!(ready(&looked), ready(&before));
    // Neither is a field that changes nothing in the cluster.
    let spec = json!({"chart": shop().inline(), "values": {}, "interval": "1h"});
    world.deployed(&world.apply(SHOP, &spec).await).await;

    assert_eq!(world.states().await, states);
    // The answer to the look, and the generation that was seen.
    let writes = world.writes();
    let told = "patch helmreleases/status shop";
    assert!(writes.iter().all(|write| write == told), "{writes:?}");
    assert!(writes.len() <= 2, "{writes:?}");
    world.end().await;
}

#[tokio::test]
async fn a_suspended_release_starts_nothing_new_until_it_goes_on() {
    let world = operated_world("suspend").await;
    world.deploy(SHOP, &shop(), &json!({})).await;

    let changed = json!({"chart": shop().inline(), "values": {"image": BETTER}, "suspend": true});
    let asked = world.apply(SHOP, &changed).await;
    let release = world.stopped(&asked, Reason::Suspended).await;
    assert_eq!(release.status.as_ref().unwrap().phase, Phase::Suspended);
    assert!(holds(&release, ConditionType::Available));
    world.looked_at(SHOP, "still suspended").await;
    assert_eq!(world.image(SHOP).await, GOOD);
    assert_eq!(world.history(SHOP).await.len(), 1);

    let release = world.deploy(SHOP, &shop(), &json!({"image": BETTER})).await;
    assert_eq!(current(&release), Some(2));
    world.end().await;
}

#[tokio::test]
async fn a_deleted_release_takes_all_with_it_but_what_the_chart_keeps() {
    let world = operated_world("uninstall").await;
    let chart = shop().with_config_map("kept", &json!({"helm.sh/resource-policy": "keep"}));
    let release = world.deploy(SHOP, &chart, &json!({})).await;
    assert_eq!(release.finalizers(), ["belay.dev/uninstall"]);
    assert_eq!(world.secrets().await.len(), 2, "one record and the ledger");

    world.delete::<HelmRelease>(SHOP).await;

    gone(&world.api::<Deployment>(), "shop-web", GENEROUS)
        .await
        .unwrap();
    assert!(world.config_map("shop-config").await.is_none());
    assert!(world.config_map("kept").await.is_some());
    assert_eq!(world.secrets().await, Vec::<String>::new());
    assert_eq!(world.helm_json(&["list"]).await, json!([]));
    world.end().await;
}

#[tokio::test]
async fn an_orphaned_release_stays_and_helm_goes_on_with_it() {
    let world = operated_world("orphan").await;
    let spec = json!({"chart": shop().inline(), "deletionPolicy": "Orphan"});
    world.deployed(&world.apply(SHOP, &spec).await).await;
    let uid = uid_of_config(&world).await;

    world.delete::<HelmRelease>(SHOP).await;

    assert_eq!(world.secrets().await, ["sh.helm.release.v1.shop.v1"]);
    assert_eq!(uid_of_config(&world).await, uid);
    let folder = tempdir().unwrap();
    shop().write(folder.path());
    let chart = folder.path().display().to_string();
    world
        .helm(&["upgrade", SHOP, &chart, "--set", "greeting=bye", "--wait"])
        .await;
    assert_eq!(world.greeting(SHOP).await, "bye");
    assert_eq!(
        uid_of_config(&world).await,
        uid,
        "the same object, taken over"
    );
    world.helm(&["uninstall", SHOP, "--wait"]).await;
    gone(&world.api::<ConfigMap>(), "shop-config", GENEROUS)
        .await
        .unwrap();
    world.end().await;
}

#[tokio::test]
async fn two_releases_share_a_namespace_but_never_a_name() {
    let world = operated_world("claimed").await;
    world.deploy(SHOP, &note(), &json!({})).await;
    let spec =
        json!({"chart": note().inline(), "releaseName": SHOP, "values": {"greeting": "mine"}});
    let second = world.apply("second", &spec).await;
    let second = world.stopped(&second, Reason::ReleaseClaimed).await;
    let told = ready(&second).unwrap().message.clone();
    assert!(
        told.contains(&format!("{}/{SHOP}", world.namespace())),
        "{told}"
    );
    assert_eq!(world.greeting(SHOP).await, "hello");
    assert_eq!(world.history(SHOP).await.len(), 1);

    world
        .deploy("third", &note(), &json!({"greeting": "own"}))
        .await;
    assert_eq!(world.greeting("third").await, "own");
    world.end().await;
}

async fn uid_of_config(world: &World) -> Option<String> {
    world.config_map("shop-config").await.unwrap().uid()
}
