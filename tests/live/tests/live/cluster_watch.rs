//! Waiting for real workloads: woken by watches, holding nothing.

use std::collections::BTreeSet;
use std::pin::pin;

use belay_cluster::{
    Applied, Follow, HookObject, Item, PodScope, Progress, ReleaseKey, ResourceVersion, Tracked,
    Tracking, WatchScope, Watches,
};
use belay_health::Verdict;
use futures::StreamExt;
use jiff::Timestamp;
use serde_json::json;

use crate::cluster_world::{World, config_map, deployment, world};

impl World {
    fn release(&self) -> ReleaseKey {
        ReleaseKey {
            namespace: self.namespace.name().into(),
            name: "shop".into(),
        }
    }

    async fn apply(&self, object: serde_json::Value) -> Applied {
        self.connection
            .apply(&Item::new(object), &self.apply_options())
            .await
            .unwrap()
    }

    /// A moment of the API server's, for both its clock and its history.
    async fn now(&self) -> (Timestamp, ResourceVersion) {
        let mark = self.apply(config_map("mark", &json!({}))).await;
        let created = mark.live["metadata"]["creationTimestamp"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        (created, mark.resource_version)
    }

    fn pods_since(&self, since: Timestamp) -> PodScope {
        PodScope {
            namespaces: BTreeSet::from([self.namespace.name().to_owned()]),
            since,
        }
    }
}

/// Waits for news until they are what is wanted.
async fn until(
    watches: &Watches,
    release: &ReleaseKey,
    mut wanted: impl FnMut(&Progress) -> bool,
) -> Progress {
    let mut changes = pin!(watches.changes());
    let waiting = async {
        loop {
            let progress = watches.progress(release).unwrap();
            if wanted(&progress) {
                return progress;
            }
            changes.next().await;
        }
    };
    let end = tokio::time::timeout(belay_harness::GENEROUS, waiting).await;
    end.unwrap_or_else(|_| {
        let mut stuck = watches.progress(release).unwrap();
        stuck
            .objects
            .retain(|(_, observed)| !observed.verdict.is_current());
        panic!("stuck at {stuck:?}")
    })
}

fn all_current(progress: &Progress) -> bool {
    progress.unseen.is_empty()
        && progress
            .objects
            .iter()
            .all(|(_, observed)| observed.verdict.is_current())
}

#[tokio::test]
async fn a_release_is_woken_when_its_workload_becomes_ready_and_nothing_is_asked_meanwhile() {
    for scope in [WatchScope::Cluster, WatchScope::Namespaces] {
        let world = world("ready").await;
        let watches = Watches::new(&world.connection, scope);
        let (_, from) = world.now().await;
        let mut slow = deployment("web", "registry.example/web:1", 1);
        slow["spec"]["template"]["metadata"]["annotations"] =
            json!({"belay.test/ready-after": "1s"});
        let applied = world.apply(slow).await;
        let tracked = Tracked::applied(&applied, None);
        assert!(
            matches!(tracked.first, Some(Verdict::Progressing { .. })),
            "the answer itself says that it is not ready: {tracked:?}"
        );
        let tracking = Tracking {
            objects: vec![tracked],
            pods: None,
            from: Some(from),
        };
        watches.track(&world.release(), &tracking);
        until(&watches, &world.release(), |progress| {
            matches!(progress.objects[0].1.verdict, Verdict::Progressing { .. })
        })
        .await;
        let before = world.requests.count();
        until(&watches, &world.release(), all_current).await;
        // One watch may still have been on its way to the API server when the count was taken.
        assert!(
            world.requests.count() <= before + 1,
            "{} requests",
            world.requests.count() - before
        );
        assert_eq!(watches.running(), 1);
    }
}

#[tokio::test]
async fn an_image_that_does_not_exist_is_told_with_its_workload() {
    let world = world("image").await;
    let watches = Watches::new(&world.connection, WatchScope::Cluster);
    let good = world
        .apply(deployment("web", "registry.example/web:1", 1))
        .await;
    let tracking = Tracking {
        objects: vec![Tracked::applied(&good, None)],
        ..Tracking::default()
    };
    watches.track(&world.release(), &tracking);
    until(&watches, &world.release(), all_current).await;

    let (since, from) = world.now().await;
    let bad = world
        .apply(deployment("web", "registry.example/web:does-not-exist", 1))
        .await;
    let tracking = Tracking {
        objects: vec![Tracked::applied(&bad, None)],
        pods: Some(world.pods_since(since)),
        from: Some(from),
    };
    watches.track(&world.release(), &tracking);
    let progress = until(&watches, &world.release(), |progress| {
        !progress.pods.is_empty()
    })
    .await;
    assert_eq!(progress.pods[0].owner, bad.key);
    assert_eq!(progress.pods[0].container.as_deref(), Some("app"));

    let evidence = world.connection.pods_of(&bad.key).await.unwrap();
    assert!(
        evidence
            .iter()
            .any(|pod| pod["metadata"]["name"] == progress.pods[0].pod.as_str())
    );
}

#[tokio::test]
async fn an_object_that_is_deleted_is_missing_and_one_that_lost_only_its_label_is_not() {
    let world = world("deleted").await;
    let watches = Watches::new(&world.connection, WatchScope::Cluster);
    let applied = [
        world.apply(config_map("a", &json!({}))).await,
        world.apply(config_map("b", &json!({}))).await,
    ];
    let objects = applied
        .iter()
        .map(|applied| Tracked::applied(applied, None))
        .collect();
    watches.track(
        &world.release(),
        &Tracking {
            objects,
            ..Tracking::default()
        },
    );
    until(&watches, &world.release(), all_current).await;

    world
        .kubectl(&["label", "configmap", "a", "app.kubernetes.io/managed-by-"])
        .await;
    world.kubectl(&["delete", "configmap", "b"]).await;
    let progress = until(&watches, &world.release(), |progress| {
        !all_current(progress)
    })
    .await;
    let missing: Vec<&str> = progress
        .objects
        .iter()
        .filter(|(_, observed)| observed.verdict == Verdict::Missing)
        .map(|(key, _)| key.name.as_str())
        .collect();
    assert_eq!(missing, ["b"]);
    let fresh = watches.refresh(&world.release()).await.unwrap().unwrap();
    // The look at the object without its label may come after that at the deleted one.
    let verdicts = |progress: &Progress| -> Vec<_> {
        let seen = progress.objects.iter();
        seen.map(|(key, seen)| (key.clone(), seen.verdict.clone()))
            .collect()
    };
    assert_eq!(verdicts(&fresh), verdicts(&progress));

    // What somebody else makes under that name is not ours, however ready it is.
    world.kubectl(&["create", "configmap", "b"]).await;
    let ours: Vec<_> = applied
        .iter()
        .map(|applied| Tracked::applied(applied, None))
        .collect();
    let verdicts = world.connection.verdicts(&ours).await.unwrap();
    let verdicts: Vec<_> = verdicts.into_iter().map(|(_, verdict)| verdict).collect();
    assert_eq!(verdicts, [Verdict::Current, Verdict::Missing]);
}

#[tokio::test]
async fn what_happened_while_nobody_listened_is_caught_up_with() {
    let world = world("late").await;
    let watches = Watches::new(&world.connection, WatchScope::Cluster);
    // A watch of the kind runs for another release.
    let other = world
        .apply(deployment("other", "registry.example/web:1", 1))
        .await;
    let tracking = Tracking {
        objects: vec![Tracked::applied(&other, None)],
        ..Tracking::default()
    };
    let neighbour = ReleaseKey {
        name: "other".into(),
        ..world.release()
    };
    watches.track(&neighbour, &tracking);
    until(&watches, &neighbour, all_current).await;

    let applied = world
        .apply(deployment("web", "registry.example/web:1", 1))
        .await;
    world
        .kubectl(&[
            "wait",
            "--for=condition=Available",
            "deployment/web",
            "--timeout=120s",
        ])
        .await;
    watches.track(
        &world.release(),
        &Tracking {
            objects: vec![Tracked::applied(&applied, None)],
            ..Tracking::default()
        },
    );
    until(&watches, &world.release(), all_current).await;
    assert_eq!(watches.running(), 1, "one watch a kind, whoever looks");
}

#[tokio::test]
async fn a_hook_is_waited_for_like_everything_else() {
    let world = world("hookwatch").await;
    let watches = Watches::new(&world.connection, WatchScope::Cluster);
    let object = json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "migrate"},
        "spec": {"template": {"spec": {"restartPolicy": "Never",
            "containers": [{"name": "app", "image": "registry.example/migrate:1"}]}}},
    });
    let run = world
        .connection
        .ensure_hook(HookObject {
            object: &object,
            attempt: "one",
            namespace: world.namespace.name(),
            replace: true,
            gone_within: belay_harness::GENEROUS,
        })
        .await
        .unwrap();
    let tracked = Tracked::hook(&run);
    assert_eq!(tracked.follow, Follow::Hook);
    watches.track(
        &world.release(),
        &Tracking {
            objects: vec![tracked],
            ..Tracking::default()
        },
    );
    until(&watches, &world.release(), all_current).await;
}

#[tokio::test]
async fn pods_that_broke_before_anybody_listened_are_found() {
    let world = world("latepods").await;
    let watches = Watches::new(&world.connection, WatchScope::Cluster);
    // Another release of the namespace has its pods watched, from now on.
    let (since, from) = world.now().await;
    let bad = world
        .apply(deployment("web", "registry.example/web:does-not-exist", 1))
        .await;
    let tracking = |pods, from| Tracking {
        objects: vec![Tracked::applied(&bad, None)],
        pods,
        from,
    };
    watches.track(
        &world.release(),
        &tracking(Some(world.pods_since(since)), Some(from)),
    );
    let has_faults = |progress: &Progress| !progress.pods.is_empty();
    until(&watches, &world.release(), has_faults).await;
    watches.untrack(&world.release());

    // The watch is still open when the release comes back, and tells nothing twice.
    watches.track(
        &world.release(),
        &tracking(Some(world.pods_since(since)), None),
    );
    until(&watches, &world.release(), has_faults).await;
}

#[tokio::test]
async fn more_watches_than_one_connection_takes_leave_room_for_calls() {
    const MANY: usize = 130;
    let world = world("many").await;
    let watches = Watches::new(&world.connection, WatchScope::Cluster);
    let mut objects = Vec::new();
    for number in 0..MANY {
        let applied = world
            .apply(config_map(&format!("c{number}"), &json!({})))
            .await;
        objects.push(Tracked {
            follow: Follow::Named,
            ..Tracked::applied(&applied, None)
        });
    }
    let (_, from) = world.now().await;
    let tracking = Tracking {
        objects,
        pods: None,
        from: Some(from),
    };
    watches.track(&world.release(), &tracking);
    assert_eq!(watches.running(), MANY);
    world
        .kubectl(&["delete", "configmap", &format!("c{}", MANY - 1)])
        .await;
    until(&watches, &world.release(), |progress| {
        !all_current(progress)
    })
    .await;
    world.apply(config_map("still-served", &json!({}))).await;
}

/// A watch is read by whoever has time to; all requests of the operator share few connections with it.
#[tokio::test]
async fn a_watch_that_nobody_reads_holds_up_no_other_request() {
    // Given a watch that is open and not read.
    let world = world("unread").await;
    let api: kube::Api<k8s_openapi::api::core::v1::ConfigMap> =
        kube::Api::namespaced(world.connection.client(), world.namespace.name());
    let params = kube::api::WatchParams::default();
    let mut watch = pin!(api.watch(&params, "0").await.unwrap());
    world.apply(config_map("first", &json!({}))).await;
    watch.next().await.unwrap().unwrap();

    // When much happens that it tells of.
    let much = "x".repeat(200 * 1024);
    for n in 0..20 {
        let map = config_map(&format!("much-{n}"), &json!({"text": much}));
        world.apply(map).await;
    }

    // Then others are answered all the same, and the watch has missed nothing.
    let first = world.apply(config_map("first", &json!({"a": "b"}))).await;
    assert!(!first.created);
    let mut told = 0;
    while told < 20 {
        let event = watch.next().await.unwrap().unwrap();
        if let kube::core::WatchEvent::Added(map) = event {
            told += usize::from(map.metadata.name.unwrap().starts_with("much-"));
        }
    }
}

/// More than are read one by one are listed; what the list lacks is looked at, and not listed again for that.
#[tokio::test]
async fn many_objects_that_go_at_once_are_all_found_missing_and_the_watch_rests() {
    // Given more objects than are worth a read each, of which none exists any more.
    let world = world("emptied").await;
    let watches = Watches::new(&world.connection, WatchScope::Namespaces);
    let release = world.release();
    let gone = |n: u32| Tracked {
        uid: Some(format!("gone-{n}")),
        ..Tracked::expected(belay_health::ObjectKey {
            group: String::new(),
            kind: "ConfigMap".into(),
            namespace: Some(world.namespace.name().into()),
            name: format!("gone-{n}"),
        })
    };

    // When they are looked at.
    let objects = (0..120).map(gone).collect();
    watches.track(
        &release,
        &Tracking {
            objects,
            ..Tracking::default()
        },
    );
    let seen = until(&watches, &release, |progress| progress.unseen.is_empty()).await;
    assert!(
        seen.objects
            .iter()
            .all(|(_, observed)| observed.verdict == Verdict::Missing)
    );

    // Then that took one read each, and a few to find the kind and to open the watch.
    let mark = world.apply(config_map("mark", &json!({}))).await;
    let more = Tracked::applied(&mark, None);
    let mut objects: Vec<_> = (0..120).map(gone).collect();
    objects.push(more);
    watches.track(
        &release,
        &Tracking {
            objects,
            ..Tracking::default()
        },
    );
    until(&watches, &release, |progress| progress.unseen.is_empty()).await;
    assert!(world.requests.count() < 150, "{}", world.requests.count());
}
