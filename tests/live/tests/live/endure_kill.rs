//! The operator is killed, again and again, and the story still ends right.

use std::collections::{BTreeMap, BTreeSet};

use belay_api::rollback_request::RequestPhase;
use belay_api::{Reason, RollbackRequest};
use belay_cluster::{ConnectOptions, Ledger, connect};
use belay_harness::{Operator, belay_binary, until};
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Secret;
use kube::runtime::{WatchStreamExt, watcher};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use crate::endure_charts::web_with_hooks;
use crate::endure_world::{Jobs, LIMIT, RELEASE, World, current, forgotten, spec, world};

/// Kills the real operator at each write of the ledger, the moment it is seen, and starts it again.
struct Killer {
    task: tokio::task::JoinHandle<Vec<String>>,
    stop: oneshot::Sender<()>,
}

impl Killer {
    async fn start(world: &World) -> Self {
        let (written, mut writes) = mpsc::unbounded_channel();
        let name = format!("metadata.name=belay.v1.{RELEASE}");
        let secrets = world.api::<Secret>();
        let watching = tokio::spawn(async move {
            let mut states = watcher(secrets, watcher::Config::default().fields(&name))
                .default_backoff()
                .touched_objects()
                .boxed();
            while let Ok(Some(_)) = states.try_next().await {
                if written.send(()).is_err() {
                    return;
                }
            }
        });
        let options = ConnectOptions {
            kubeconfig: Some(world.cluster.kubeconfig()),
            ..ConnectOptions::default()
        };
        let connection = connect(options).await.unwrap();
        let ledger = Ledger::<Value>::new(connection, world.name(), RELEASE);
        let (stop, mut stopped) = oneshot::channel();
        let flags = world.flags();
        let kubeconfig = world.cluster.kubeconfig();
        let task = tokio::spawn(async move {
            let binary = belay_binary().unwrap();
            let start = || Operator::start(&binary, &kubeconfig, &flags).unwrap();
            let mut operator = start();
            let mut stages = Vec::new();
            loop {
                tokio::select! {
                    _ = &mut stopped => break,
                    Some(()) = writes.recv() => {
                        operator.kill().unwrap();
                        stages.extend(stage(&ledger).await);
                        // What was written before it died is past: the next kill is for the next one's writes.
                        while writes.try_recv().is_ok() {}
                        operator = start();
                    }
                }
            }
            watching.abort();
            operator.stop(LIMIT).await.unwrap();
            stages
        });
        Self { task, stop }
    }

    /// In which stages of what it was killed.
    async fn end(self) -> Vec<String> {
        let _ = self.stop.send(());
        self.task.await.unwrap()
    }
}

/// What a dead operator was at, by its ledger.
async fn stage(ledger: &Ledger<Value>) -> Option<String> {
    let ledger = ledger.read().await.unwrap()?.value;
    let attempt = ledger.get("attempt").filter(|attempt| !attempt.is_null())?;
    let at = match &attempt["at"] {
        Value::Object(at) => at.keys().next().cloned().unwrap_or_default(),
        at => at.as_str().unwrap_or_default().to_owned(),
    };
    Some(format!(
        "{} {at}",
        attempt["kind"].as_str().unwrap_or_default()
    ))
}

async fn image(world: &World) -> String {
    let deployment = world
        .api::<Deployment>()
        .get(&format!("{RELEASE}-web"))
        .await
        .unwrap();
    let pod = deployment.spec.unwrap().template.spec.unwrap();
    pod.containers[0].image.clone().unwrap()
}

#[tokio::test]
async fn killed_at_every_write_of_its_ledger_the_operator_ends_the_story_right() {
    // Given an operator that is killed whenever it records an intent or a stage.
    let world = world("kill").await;
    let jobs = Jobs::watch(world.api());
    let killer = Killer::start(&world).await;
    let chart = web_with_hooks();
    let everything = BTreeSet::from(
        [
            "ConfigMap/shop-settings",
            "Deployment/shop-web",
            "Service/shop-web",
        ]
        .map(String::from),
    );
    let with_extra = || {
        let mut all = everything.clone();
        all.insert("ConfigMap/shop-extra".into());
        all
    };

    // When a chart is installed, then it runs.
    world
        .declare(RELEASE, &spec(&chart, &json!({"greeting": "one"})))
        .await;
    world.rests(RELEASE, Reason::Deployed).await;
    assert_eq!(world.history(RELEASE).await, ["deployed"]);
    assert_eq!(world.objects(RELEASE).await, everything);

    // When it is upgraded, then the new revision runs, and brings what it brings.
    let second = json!({"greeting": "two", "extra": "two", "image": "web.test/two:1"});
    world.declare(RELEASE, &spec(&chart, &second)).await;
    world.rests(RELEASE, Reason::Deployed).await;
    assert_eq!(world.history(RELEASE).await, ["superseded", "deployed"]);
    assert_eq!(world.objects(RELEASE).await, with_extra());

    // When an upgrade cannot be pulled, then revision 2 is back, and nothing of revision 3 is left.
    let broken = json!({"greeting": "three", "image": "web.test/no-such-image:1"});
    world.declare(RELEASE, &spec(&chart, &broken)).await;
    let release = world.rests(RELEASE, Reason::RevisionBlocked).await;
    assert_eq!(current(&release), Some(4));
    assert_eq!(
        world.history(RELEASE).await,
        ["superseded", "superseded", "failed", "deployed"]
    );
    assert_eq!(world.objects(RELEASE).await, with_extra());
    assert_eq!(image(&world).await, "web.test/two:1");
    assert_eq!(
        world.setting("shop-settings", "greeting").await.as_deref(),
        Some("two")
    );

    // When revision 1 is asked for, then it is what runs, to the object, and the request is done once.
    world
        .request_rollback("back", &json!({"revision": 1}))
        .await;
    let request = until(
        &world.api::<RollbackRequest>(),
        "back",
        "a request's end",
        LIMIT,
        |r| {
            r.status
                .as_ref()
                .is_some_and(|status| status.phase.is_final())
        },
    )
    .await
    .unwrap();
    assert_eq!(request.status.unwrap().phase, RequestPhase::Complete);
    let release = world.rests(RELEASE, Reason::Pinned).await;
    assert_eq!(current(&release), Some(5));
    assert_eq!(
        world.history(RELEASE).await,
        [
            "superseded",
            "superseded",
            "failed",
            "superseded",
            "deployed"
        ]
    );
    assert_eq!(world.objects(RELEASE).await, everything);
    assert_eq!(image(&world).await, "web.test/one:1");

    // When the release is deleted, then everything goes.
    world.delete_release(RELEASE).await;
    forgotten(&world, RELEASE).await;
    assert_eq!(world.objects(RELEASE).await, BTreeSet::new());
    assert_eq!(world.history(RELEASE).await, Vec::<String>::new());

    // Then no hook ran twice for one attempt, and the kills were where the danger is.
    let expected: BTreeMap<_, _> = [
        "shop-before-1",
        "shop-after-1",
        "shop-before-2",
        "shop-after-2",
        "shop-before-3",
        "shop-leaving-1",
        "shop-left-1",
    ]
    .map(|name| (name.to_owned(), 1))
    .into();
    assert_eq!(jobs.counts(), expected);
    let deaths = killer.end().await;
    let stages: BTreeSet<_> = deaths.iter().map(String::as_str).collect();
    for kind in ["Install", "Upgrade", "Revert", "Rollback", "Uninstall"] {
        assert!(
            stages.iter().any(|stage| stage.starts_with(kind)),
            "no kill in an attempt of kind {kind}: {deaths:?}"
        );
    }
    assert!(stages.len() >= 12, "kills in few stages: {deaths:?}");
}
