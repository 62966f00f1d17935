//! `belay adopt`: from a release that helm made to the HelmRelease that fits it.

use belay_api::{HelmRelease, Reason};
use belay_harness::HttpRepo;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command_line::{User, folder};
use crate::operator_charts::{Files, note, shop};
use crate::operator_serving::settled;
use crate::operator_world::{SHOP, World, current, operated_world, ready};

/// A release of helm's, with values of every kind and one default taken away.
async fn helm_installs(world: &World, chart: &Files) -> (TempDir, String) {
    let (kept, path) = folder(chart);
    let values = kept.path().join("given.yaml");
    std::fs::write(&values, "greeting: ahoy\nnested: {gone: null, kept: 1}\n").unwrap();
    let values = values.display().to_string();
    world
        .helm(&["install", SHOP, &path, "-f", &values, "--wait"])
        .await;
    (kept, path)
}

/// A chart that tells what its values come to.
fn telling() -> Files {
    let told = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-told\ndata:\n  values: {{ toJson .Values.nested | quote }}\n";
    shop()
        .with("templates/told.yaml", told)
        .with(
            "values.yaml",
            "image: registry.example/shop:1\nreplicas: 2\ngreeting: hello\nnested: {gone: 1, kept: 2}\n",
        )
}

async fn record(world: &World) -> String {
    let get = ["get", "secret", "sh.helm.release.v1.shop.v1", "-o", "yaml"];
    world.kubectl(&get).await
}

async fn objects(world: &World) -> Vec<String> {
    let mut states = world.states().await;
    states.retain(|line| !line.starts_with("Secret/"));
    states
}

async fn declared(world: &World) -> Option<HelmRelease> {
    world.api::<HelmRelease>().get_opt(SHOP).await.unwrap()
}

#[tokio::test]
async fn a_release_of_helm_is_adopted_from_its_repository_and_nothing_changes() {
    // Given a release of helm's, its chart in a repository.
    let world = operated_world("adoptcli").await;
    let (chart, _path) = helm_installs(&world, &telling()).await;
    std::fs::remove_file(chart.path().join("given.yaml")).unwrap();
    let repository = HttpRepo::start(world.cluster.tools()).await.unwrap();
    for version in ["1.0.0", "2.0.0"] {
        repository.publish(chart.path(), version).await.unwrap();
    }
    settled(&world, "shop-web").await;
    let (before, recorded) = (objects(&world).await, record(&world).await);
    let user = User::who_reads(&world, &["secrets"]).await;
    let adopt = ["adopt", SHOP, SHOP, "--repo", repository.url()];

    // When the HelmRelease is printed, then it names the version that runs, and nothing is asked of the cluster.
    let said = user.belay(&adopt).await;
    assert_eq!(said.status, Some(0), "{said:?}");
    assert!(said.err.contains("changes nothing"), "{said:?}");
    assert!(said.out.contains("version: 1.0.0"), "{said:?}");
    assert!(declared(&world).await.is_none());

    // When it is applied, then the release is Belay's, values included, and nothing was touched.
    let said = user.belay(&[&adopt[..], &["--apply"]].concat()).await;
    assert_eq!(said.status, Some(0), "{said:?}");
    let release = declared(&world).await.unwrap();
    assert_eq!(ready(&release).unwrap().reason, Reason::Deployed);
    assert_eq!(current(&release), Some(1));
    let values = Value::Object(release.spec.values.clone().unwrap());
    assert_eq!(values, json!({"greeting": "ahoy", "nested": {"kept": 1}}));
    assert_eq!(release.spec.set, ["nested.gone=null"]);
    assert_eq!(objects(&world).await, before);
    assert_eq!(record(&world).await, recorded);

    // And a second time is told that it was done.
    let told = user.fails(&adopt).await;
    assert!(told.contains("already"), "{told}");
    world.end().await;
}

#[tokio::test]
async fn a_chart_comes_out_of_helms_record_itself_when_that_is_asked_for() {
    let world = operated_world("adoptinline").await;
    helm_installs(&world, &telling()).await;
    settled(&world, "shop-web").await;
    let before = objects(&world).await;
    let user = User::who_reads(&world, &["secrets"]).await;

    // Without a source it says what is missing.
    let told = user.fails(&["adopt", SHOP]).await;
    assert!(
        told.contains("--repo") && told.contains("--inline"),
        "{told}"
    );
    assert!(told.contains("shop-1.0.0"), "{told}");

    user.does(&["adopt", SHOP, "--inline", "--apply"]).await;

    let release = declared(&world).await.unwrap();
    assert_eq!(ready(&release).unwrap().reason, Reason::Deployed);
    assert_eq!(current(&release), Some(1));
    assert_eq!(objects(&world).await, before);
    world.end().await;
}

#[tokio::test]
async fn what_adopting_would_change_is_told_before_anything_is_changed() {
    let world = operated_world("adoptdiff").await;
    helm_installs(&world, &telling()).await;
    let before = objects(&world).await;
    let user = User::who_reads(&world, &["secrets"]).await;
    // Another chart than the one that runs: an image, an object more, one less.
    let (_other, path) = folder(
        &telling()
            .without("templates/service.yaml")
            .with_config_map("more", &json!({}))
            .with(
                "values.yaml",
                "image: registry.example/shop:3\nreplicas: 2\n",
            ),
    );

    let said = user.belay(&["adopt", SHOP, &path]).await;
    assert_eq!(said.status, Some(1), "{said:?}");
    for part in [
        "+ ConfigMap more",
        "- Service shop-web",
        "~ Deployment shop-web",
        "image: \"registry.example/shop:1\" -> \"registry.example/shop:3\"",
    ] {
        assert!(said.err.contains(part), "{part}: {said:?}");
    }

    let told = user.fails(&["adopt", SHOP, &path, "--apply"]).await;
    assert!(told.contains("--accept-changes"), "{told}");
    assert!(declared(&world).await.is_none());
    assert_eq!(objects(&world).await, before);
    world.end().await;
}

#[tokio::test]
async fn helms_records_are_read_with_the_rights_of_whoever_adopts() {
    let world = operated_world("adoptrights").await;
    helm_installs(&world, &note()).await;
    let user = User::of(&world).await;

    let told = user.fails(&["adopt", SHOP, "--inline"]).await;
    assert!(told.contains("get and list Secrets"), "{told}");

    let reader = User::who_reads(&world, &["secrets"]).await;
    let told = reader.fails(&["adopt", "absent", "--inline"]).await;
    assert!(told.contains("helm knows no release absent"), "{told}");
    world.end().await;
}
