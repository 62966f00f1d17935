//! The chart repository is one that the real helm accepts, and can misbehave.

use belay_harness::{Fault, HttpRepo, Tools};

#[tokio::test]
async fn helm_reads_the_repository_and_sees_its_faults() {
    let tools = Tools::ensure().await.unwrap();
    let charts = tempfile::tempdir().unwrap();
    let chart = charts.path().join("web").display().to_string();
    tools.helm(&["create", &chart]).await.unwrap().ok().unwrap();
    let repo = HttpRepo::start(&tools).await.unwrap();
    repo.publish(chart.as_ref(), "1.0.0").await.unwrap();
    repo.publish(chart.as_ref(), "1.1.0").await.unwrap();
    let show = ["show", "chart", "web", "--repo", repo.url()];

    let newest = tools.helm(&show).await.unwrap().ok().unwrap();
    assert!(newest.contains("version: 1.1.0"), "{newest}");
    assert_eq!(repo.requests("/index.yaml"), 1);

    repo.fail(Fault::Status(500));
    assert_ne!(tools.helm(&show).await.unwrap().status, 0);
    repo.heal();
    repo.require("jane", "secret");
    assert_ne!(tools.helm(&show).await.unwrap().status, 0);
    let known = [&show[..], &["--username", "jane", "--password", "secret"]].concat();
    tools.helm(&known).await.unwrap().ok().unwrap();
}
