//! Releases that are too large for one Secret, as a whole or in part.

use belay_api::Reason;
use belay_harness::HttpRepo;
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::operator_charts::{Files, note};
use crate::operator_input::{good_release, is_told};
use crate::operator_world::{SHOP, World, current, operated_world};

/// Text that gzip makes a quarter smaller and no more.
fn noise(seed: u64, letters: usize) -> String {
    let mut state = seed;
    std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        char::from(b'0' + u8::try_from(state >> 58).unwrap())
    })
    .take(letters)
    .collect()
}

/// A chart with a `ConfigMap` for each of these texts.
fn large(texts: &[String]) -> Files {
    let mut chart = note();
    for (index, text) in texts.iter().enumerate() {
        let file = format!("files/noise-{index}.txt");
        let template = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: noise-{index}\ndata:\n  noise: {{{{ .Files.Get {file:?} | quote }}}}\n"
        );
        chart = chart
            .with(&file, text)
            .with(&format!("templates/noise-{index}.yaml"), &template);
    }
    chart
}

async fn publish(repository: &HttpRepo, chart: &Files, version: &str) {
    let folder = tempdir().unwrap();
    chart.write(folder.path());
    repository.publish(folder.path(), version).await.unwrap();
}

fn from(repository: &HttpRepo, version: &str) -> Value {
    json!({"chart": {"repository": {"url": repository.url(), "name": SHOP, "version": version}}})
}

async fn helm_upgrades_with_the_same_values(world: &World) {
    let folder = tempdir().unwrap();
    note().write(folder.path());
    let path = folder.path().display().to_string();
    world
        .helm(&["upgrade", SHOP, &path, "--reuse-values", "--wait"])
        .await;
}

#[tokio::test]
async fn a_chart_too_large_for_its_record_is_recorded_without_its_sources_and_helm_goes_on() {
    // Given a chart whose files do not fit into a Secret.
    let world = operated_world("largechart").await;
    let repository = HttpRepo::start(world.cluster.tools()).await.unwrap();
    let chart = note().with("files/logo.txt", &noise(1, 2_000_000));
    publish(&repository, &chart, "1.0.0").await;
    let mut spec = from(&repository, "1.0.0");
    spec["values"] = json!({"greeting": "one"});

    // When it is rolled out, twice, then that works, and the status says what was left out.
    world.deployed(&world.apply(SHOP, &spec).await).await;
    spec["values"] = json!({"greeting": "two"});
    let release = world.deployed(&world.apply(SHOP, &spec).await).await;
    assert_eq!(current(&release), Some(2));
    let history = release.status.unwrap().history;
    assert_eq!(history.len(), 2);
    for entry in &history {
        assert!(
            entry
                .description
                .contains("without the chart's templates, files, schema"),
            "{entry:?}"
        );
    }

    // And the real helm reads it all, and goes on with it: values, history, rollback, upgrade.
    let values = world.helm_json(&["get", "values", SHOP]).await;
    assert_eq!(values, json!({"greeting": "two"}));
    let told = world.helm_json(&["history", SHOP]).await;
    assert_eq!(told[0]["description"], history[1].description);
    assert_eq!(told[1]["chart"], "shop-1.0.0");
    world.helm(&["rollback", SHOP, "1", "--wait"]).await;
    assert_eq!(world.greeting(SHOP).await, "one");
    helm_upgrades_with_the_same_values(&world).await;
    assert_eq!(world.greeting(SHOP).await, "one");
    let statuses: Vec<_> = world.history(SHOP).await;
    assert_eq!(statuses.len(), 4);
    world.end().await;
}

#[tokio::test]
async fn a_manifest_that_does_not_fit_its_record_is_told_before_the_first_write() {
    let world = operated_world("toolarge").await;
    let good = good_release(&world).await;
    let repository = HttpRepo::start(world.cluster.tools()).await.unwrap();
    let texts = [noise(1, 700_000), noise(2, 700_000)];
    publish(&repository, &large(&texts), "1.2.0").await;
    is_told(
        &world,
        &good,
        &from(&repository, "1.2.0"),
        Reason::ReleaseTooLarge,
        &["manifest, hooks or values are too large"],
    )
    .await;
    world.end().await;
}

#[tokio::test]
async fn a_ledger_that_could_not_hold_both_revisions_is_told_before_the_first_write() {
    // Given a release that fits its record and the ledger.
    let world = operated_world("largeledger").await;
    let repository = HttpRepo::start(world.cluster.tools()).await.unwrap();
    publish(&repository, &large(&[noise(1, 700_000)]), "1.0.0").await;
    publish(&repository, &large(&[noise(2, 700_000)]), "2.0.0").await;
    let first = from(&repository, "1.0.0");
    world.deployed(&world.apply(SHOP, &first).await).await;
    let before = world.states().await;

    // When the next revision fits its record, and the ledger could not hold both.
    let asked = world.apply(SHOP, &from(&repository, "2.0.0")).await;
    let release = world.stopped(&asked, Reason::ReleaseTooLarge).await;

    // Then that is told, and nothing was written.
    let told = crate::operator_world::message(&release);
    assert!(told.contains("ledger"), "{told}");
    assert_eq!(current(&release), Some(1));
    assert_eq!(world.states().await, before);
    world.end().await;
}
