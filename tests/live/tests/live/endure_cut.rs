//! The operator dies after its n-th write, for every n: the next one finds out where things stand.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use belay_api::{HelmRelease, Reason};
use belay_cluster::{ConnectOptions, FaultPlan, Injection, RequestInfo, connect};
use belay_controller::{Metrics, Operator, Settings, run};
use belay_harness::until;
use futures::StreamExt;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::endure_charts::web_with_hooks;
use crate::endure_world::{Jobs, LIMIT, RELEASE, World, current, forgotten, rests, spec, world};

/// How many stories are told at once.
const AT_ONCE: usize = 4;
/// More writes than any story has.
const ENDLESS: i64 = 1_000_000;

/// Lets so many writes through and loses the last one's answer. From then on nothing passes: for the cluster the
/// process is dead.
struct Death {
    writes_left: AtomicI64,
    came: Notify,
}

impl FaultPlan for Death {
    fn before(&self, request: &RequestInfo) -> Injection {
        let counts = counts(request);
        let left = if counts {
            self.writes_left.fetch_sub(1, Ordering::SeqCst)
        } else {
            self.writes_left.load(Ordering::SeqCst)
        };
        if left <= 0 {
            return Injection::Unreachable;
        }
        if counts && left == 1 {
            return Injection::Lose;
        }
        Injection::Pass
    }

    /// Only a write that the API server has answered is one that happened: told any sooner, the end of the process
    /// could overtake it.
    fn after(&self, request: &RequestInfo, _: u16) {
        if counts(request) && self.writes_left.load(Ordering::SeqCst) <= 0 {
            self.came.notify_one();
        }
    }
}

fn counts(request: &RequestInfo) -> bool {
    request.is_write() && !["leases", "events"].contains(&request.resource.as_str())
}

/// An operator in this process, on a runtime of its own that can be thrown away with all that runs on it.
struct Mortal {
    death: Arc<Death>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Mortal {
    fn start(world: &World, writes: i64) -> Self {
        let death = Arc::new(Death {
            writes_left: AtomicI64::new(writes),
            came: Notify::new(),
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let metrics = Metrics::new().unwrap();
        let options = ConnectOptions {
            kubeconfig: Some(world.cluster.kubeconfig()),
            faults: Some(death.clone()),
            observer: Some(Arc::new(metrics.clone())),
            ..ConnectOptions::default()
        };
        let settings = Settings {
            namespaces: vec![world.name().to_owned()],
            own_namespace: world.name().to_owned(),
            ..Settings::default()
        };
        runtime.spawn(async move {
            let connection = connect(options).await.unwrap();
            let operator = Operator {
                connection,
                settings,
                metrics,
            };
            run(operator, std::future::pending()).await.unwrap();
        });
        Self {
            death,
            runtime: Some(runtime),
        }
    }

    /// From now on it has so many writes left.
    fn allow(&self, writes: i64) {
        self.death.writes_left.store(writes, Ordering::SeqCst);
    }

    async fn died(&self) {
        self.death.came.notified().await;
    }
}

impl Drop for Mortal {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// What is told about one number of writes.
struct Told {
    writes: i64,
    /// Whether the operator died before the story's end; if not, there is nothing to be learnt from more writes.
    died: bool,
}

/// Waits for the operator's death or the release's rest, whichever comes first; then the next operator goes on to
/// the rest.
async fn cut(world: &World, operator: Mortal, writes: i64, rest: Reason, generation: i64) -> Told {
    let releases = world.api::<HelmRelease>();
    let at_rest = until(&releases, RELEASE, "rest", LIMIT, |release| {
        release.metadata.generation == Some(generation) && rests(release) == Some(rest)
    });
    let died = tokio::select! {
        () = operator.died() => true,
        done = at_rest => {
            done.unwrap_or_else(|error| panic!("with {writes} writes: {error}"));
            false
        }
    };
    drop(operator);
    Told { writes, died }
}

/// Tells the story with 1, 2, 3 … writes, some at once, until it has fewer writes than that.
async fn for_every_write<F>(story: impl Fn(i64) -> F)
where
    F: Future<Output = Told>,
{
    let told: Vec<_> = futures::stream::iter(1..200)
        .map(story)
        .buffered(AT_ONCE)
        .take_while(|told| std::future::ready(told.died))
        .collect()
        .await;
    let last = told.last().map_or(0, |told| told.writes);
    assert!(last > 10, "after {last} writes the story was over");
    println!("died after each of {last} writes");
}

async fn once_each(jobs: &Jobs, expected: &[&str], writes: i64) {
    // The watch that counts may be behind the one that told of the release.
    let deadline = tokio::time::Instant::now() + LIMIT;
    loop {
        let counts = jobs.counts();
        if expected.iter().all(|name| counts.contains_key(*name)) {
            let all: Vec<_> = expected
                .iter()
                .map(|name| ((*name).to_owned(), 1))
                .collect();
            assert_eq!(counts, all.into_iter().collect(), "with {writes} writes");
            return;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "with {writes} writes: {counts:?}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn first() -> Value {
    spec(&web_with_hooks(), &json!({"greeting": "one"}))
}

fn broken() -> Value {
    let values = json!({"greeting": "two", "extra": "two", "image": "web.test/no-such-image:1"});
    spec(&web_with_hooks(), &values)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_every_write_of_an_install_the_next_operator_finishes_it() {
    for_every_write(|writes| async move {
        // Given an operator that will die, and a release that it is to install.
        let world = world("cut-in").await;
        let jobs = Jobs::watch(world.api());
        let operator = Mortal::start(&world, writes);
        world.declare(RELEASE, &first()).await;
        let told = cut(&world, operator, writes, Reason::Deployed, 1).await;

        // When another one comes, then the release is installed, once.
        let _next = Mortal::start(&world, ENDLESS);
        let release = world.rests(RELEASE, Reason::Deployed).await;
        assert_eq!(current(&release), Some(1), "with {writes} writes");
        assert_eq!(
            world.history(RELEASE).await,
            ["deployed"],
            "with {writes} writes"
        );
        assert_eq!(
            world.objects(RELEASE).await.len(),
            3,
            "with {writes} writes"
        );
        once_each(&jobs, &["shop-before-1", "shop-after-1"], writes).await;
        told
    })
    .await;
}

/// Whose objects they are must not be forgotten with the answers that said so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_every_write_of_a_failing_install_the_next_operator_leaves_nothing() {
    for_every_write(|writes| async move {
        // Given an operator that will die, and a release that cannot be installed.
        let world = world("cut-fi").await;
        let jobs = Jobs::watch(world.api());
        let operator = Mortal::start(&world, writes);
        world.declare(RELEASE, &broken()).await;
        let told = cut(&world, operator, writes, Reason::RevisionBlocked, 1).await;

        // When another one comes, then it was tried once, and nothing of it is left.
        let _next = Mortal::start(&world, ENDLESS);
        let release = world.rests(RELEASE, Reason::RevisionBlocked).await;
        assert_eq!(current(&release), None, "with {writes} writes");
        let left = world.objects(RELEASE).await;
        assert!(left.is_empty(), "with {writes} writes: {left:?}");
        let history = world.history(RELEASE).await;
        assert!(history.is_empty(), "with {writes} writes: {history:?}");
        once_each(&jobs, &["shop-before-1"], writes).await;
        told
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_every_write_of_a_failing_upgrade_the_next_operator_takes_it_back() {
    for_every_write(|writes| async move {
        // Given a release that is installed, and an operator that will die while an upgrade fails.
        let world = world("cut-up").await;
        let jobs = Jobs::watch(world.api());
        let operator = Mortal::start(&world, ENDLESS);
        world.declare(RELEASE, &first()).await;
        world.rests(RELEASE, Reason::Deployed).await;
        let before = world.objects(RELEASE).await;
        operator.allow(writes);
        world.declare(RELEASE, &broken()).await;
        let told = cut(&world, operator, writes, Reason::RevisionBlocked, 2).await;

        // When another one comes, then revision 1 is back, and the upgrade was tried once.
        let _next = Mortal::start(&world, ENDLESS);
        let release = world.rests(RELEASE, Reason::RevisionBlocked).await;
        assert_eq!(current(&release), Some(3), "with {writes} writes");
        assert_eq!(
            world.history(RELEASE).await,
            ["superseded", "failed", "deployed"],
            "with {writes} writes"
        );
        assert_eq!(world.objects(RELEASE).await, before, "with {writes} writes");
        assert_eq!(
            world.setting("shop-settings", "greeting").await.as_deref(),
            Some("one"),
            "with {writes} writes"
        );
        once_each(
            &jobs,
            &["shop-before-1", "shop-after-1", "shop-before-2"],
            writes,
        )
        .await;
        told
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_every_write_of_a_removal_the_next_operator_finishes_it() {
    for_every_write(|writes| async move {
        // Given a release that is installed, and an operator that will die while it is removed.
        let world = world("cut-out").await;
        let jobs = Jobs::watch(world.api());
        let operator = Mortal::start(&world, ENDLESS);
        world.declare(RELEASE, &first()).await;
        world.rests(RELEASE, Reason::Deployed).await;
        operator.allow(writes);
        world.delete_release(RELEASE).await;
        let releases = world.api::<HelmRelease>();
        let died = tokio::select! {
            () = operator.died() => true,
            gone = belay_harness::gone(&releases, RELEASE, LIMIT) => {
                gone.unwrap_or_else(|error| panic!("with {writes} writes: {error}"));
                false
            }
        };
        drop(operator);

        // When another one comes, then nothing is left, and each hook ran once.
        let _next = Mortal::start(&world, ENDLESS);
        forgotten(&world, RELEASE).await;
        assert!(
            world.objects(RELEASE).await.is_empty(),
            "with {writes} writes"
        );
        let jobs_of_all = [
            "shop-before-1",
            "shop-after-1",
            "shop-leaving-1",
            "shop-left-1",
        ];
        once_each(&jobs, &jobs_of_all, writes).await;
        Told { writes, died }
    })
    .await;
}
