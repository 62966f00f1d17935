//! What the operator does when there is nothing to do: nothing; and who of several does it.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use belay_api::{HelmRelease, Reason};
use belay_harness::{Identity, Operator, Request, Rights, belay_binary, until};
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{DeleteParams, ListParams};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::endure_charts::{tiny, web};
use crate::endure_world::{LIMIT, RELEASE, World, forgotten, spec, world};

/// How many releases are at rest.
const RELEASES: usize = 20;
/// How long the API server is listened to: longer than any pause between a loop's turns.
const WINDOW: Duration = Duration::from_secs(20);

/// What this user asked of the API server, leases left out.
fn requests(world: &World, identity: &Identity) -> Vec<Request> {
    let mut all = world.cluster.requests_of(identity).unwrap();
    all.retain(|request| request.resource != "leases");
    all
}

fn leases(world: &World, identity: &Identity) -> u64 {
    let all = world.cluster.requests_of(identity).unwrap();
    let leases = all.iter().filter(|request| request.resource == "leases");
    leases.count() as u64
}

fn operator(world: &World, identity: &Identity, holder: &str) -> Operator {
    let mut flags = world.flags();
    for (flag, value) in [("--holder", holder), ("--metrics-bind", "127.0.0.1:0")] {
        if let Some(at) = flags.iter().position(|found| found == flag) {
            value.clone_into(&mut flags[at + 1]);
        } else {
            flags.extend([flag.to_owned(), value.to_owned()]);
        }
    }
    Operator::start(&belay_binary().unwrap(), identity.kubeconfig(), &flags).unwrap()
}

#[tokio::test]
async fn releases_at_rest_ask_nothing_of_the_api_server() {
    // Given an operator with releases that are deployed.
    let world = world("quiet").await;
    let identity = world
        .cluster
        .identity("quiet", Rights::administrator())
        .await
        .unwrap();
    let operator = operator(&world, &identity, "quiet-0");
    let names: Vec<_> = (0..RELEASES).map(|n| format!("shop-{n}")).collect();
    for name in &names {
        world
            .declare(name, &spec(&tiny(), &json!({"greeting": name})))
            .await;
    }
    for name in &names {
        world.rests(name, Reason::Deployed).await;
    }
    // The events of the last one are on their way while its status says Deployed.
    let mut known = requests(&world, &identity).len();
    let deadline = tokio::time::Instant::now() + LIMIT;
    loop {
        assert!(tokio::time::Instant::now() < deadline, "it does not rest");
        tokio::time::sleep(Duration::from_secs(2)).await;
        let now = requests(&world, &identity).len();
        if now == std::mem::replace(&mut known, now) {
            break;
        }
    }

    // When nothing happens for a while.
    let renewed = leases(&world, &identity);
    let served = world.cluster.requests_by(&identity).await.unwrap();
    tokio::time::sleep(WINDOW).await;
    let served = world.cluster.requests_by(&identity).await.unwrap() - served;
    // The counter sees a request when it begins, the log when it ends.
    until_more_leases(&world, &identity).await;
    let renewed = leases(&world, &identity) - renewed;

    // Then the API server served it nothing but its lease. A watch that ends in the window is one that nobody
    // needs any more; one that began would be in the counter.
    let mut asked = requests(&world, &identity).split_off(known);
    asked.retain(|request| request.verb != "watch");
    assert_eq!(asked, [], "of {RELEASES} releases at rest");
    assert!(
        served <= renewed,
        "{served} requests in {WINDOW:?}, {renewed} of them for the lease"
    );
    operator.stop(LIMIT).await.unwrap();
}

/// What removes a team's releases removes all of them in one moment.
#[tokio::test]
async fn fifty_releases_that_are_removed_at_once_all_go() {
    // Given fifty releases that are deployed, each with a workload.
    let world = world("exodus").await;
    let operator = world.start();
    let names: Vec<_> = (0..50).map(|n| format!("shop-{n}")).collect();
    for name in &names {
        world
            .declare(name, &spec(&web(), &json!({"greeting": name})))
            .await;
    }
    for name in &names {
        world.rests(name, Reason::Deployed).await;
    }

    // When they are deleted with one request.
    world
        .api::<HelmRelease>()
        .delete_collection(&DeleteParams::default(), &ListParams::default())
        .await
        .unwrap();

    // Then none is left waiting, and nothing of any of them stays.
    for name in &names {
        forgotten(&world, name).await;
        assert_eq!(world.objects(name).await, BTreeSet::new(), "of {name}");
    }
    operator.stop(LIMIT).await.unwrap();
}

/// Where the operator serves its pages, out of its log.
async fn address(operator: &Operator) -> SocketAddr {
    let deadline = tokio::time::Instant::now() + LIMIT;
    loop {
        let log = operator.log();
        let found = log.lines().find_map(|line| {
            let (_, rest) = line.split_once("address=")?;
            rest.split_whitespace().next()?.parse().ok()
        });
        if let Some(address) = found {
            return address;
        }
        assert!(tokio::time::Instant::now() < deadline, "{log}");
        // A file tells nobody that it grew.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The status line and the body of a page.
async fn page(address: SocketAddr, path: &str) -> (String, String) {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: belay\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

async fn held_by(world: &World, holder: &str) {
    until(
        &world.api::<Lease>(),
        "belay",
        &format!("claim of {holder}"),
        LIMIT,
        |lease| {
            let spec = lease.spec.as_ref();
            spec.and_then(|spec| spec.holder_identity.as_deref()) == Some(holder)
        },
    )
    .await
    .unwrap();
}

/// A request costs the API server the same whoever waits for it: what an install needs is known, and stays so.
#[tokio::test]
async fn an_install_asks_four_times_for_each_object_and_an_upgrade_two_or_three_times() {
    // Given an operator that knows the kinds of the cluster.
    let world = world("counted").await;
    let identity = world
        .cluster
        .identity("counted", Rights::administrator())
        .await
        .unwrap();
    let operator = operator(&world, &identity, "counted-0");
    world
        .declare("first", &spec(&web(), &json!({"greeting": "hello"})))
        .await;
    world.rests("first", Reason::Deployed).await;

    // When a chart of three objects is installed.
    let values = json!({"greeting": "one"});
    let installed = costs(&world, &identity, &values).await;
    // Then each is tried, looked for, applied and proven; ledger, record, status and events take the rest.
    let install = (3 * 4, 32);
    assert!(
        installed.objects <= install.0 && installed.others <= install.1,
        "{installed:?}"
    );
    // And when one of them changes, all are applied and proven, it is tried before and its way back after, and only the
    // Deployment is looked at: an autoscaler may have its replicas.
    let upgraded = costs(&world, &identity, &json!({"greeting": "two"})).await;
    let upgrade = (3 * 2 + 1 + 1 + 1, 25);
    assert!(
        upgraded.objects <= upgrade.0 && upgraded.others <= upgrade.1,
        "{upgraded:?}"
    );
    operator.stop(LIMIT).await.unwrap();
}

/// How often something was asked for a rollout.
#[derive(Debug)]
struct Cost {
    /// The chart's objects.
    objects: usize,
    /// Everything else but Leases, watches and the lists that they begin with.
    others: usize,
    /// For people.
    #[allow(dead_code, reason = "shown when a bound is broken")]
    all: Vec<String>,
}

async fn costs(world: &World, identity: &Identity, values: &serde_json::Value) -> Cost {
    let known = requests(world, identity).len();
    world.declare(RELEASE, &spec(&web(), values)).await;
    world.rests(RELEASE, Reason::Deployed).await;
    let mut asked = requests(world, identity).split_off(known);
    asked.retain(|request| {
        let begins_a_watch = request.verb == "list"
            && !["secrets", "rollbackrequests"].contains(&request.resource.as_str());
        request.verb != "watch" && !begins_a_watch
    });
    let of_the_chart = |request: &&Request| {
        ["configmaps", "deployments", "services"].contains(&request.resource.as_str())
    };
    let objects = asked.iter().filter(of_the_chart).count();
    Cost {
        objects,
        others: asked.len() - objects,
        all: asked
            .iter()
            .map(|request| format!("{} {} {}", request.verb, request.resource, request.name))
            .collect(),
    }
}

#[tokio::test]
async fn of_two_operators_one_works_and_the_other_goes_on_when_it_stops() {
    // Given an operator that holds the claim, and a second one beside it.
    let world = world("leader").await;
    let mut identities = Vec::new();
    for label in ["first", "second"] {
        let rights = Rights::administrator();
        identities.push(world.cluster.identity(label, rights).await.unwrap());
    }
    let first = operator(&world, &identities[0], "first");
    held_by(&world, "first").await;
    let second = operator(&world, &identities[1], "second");
    let pages = [address(&first).await, address(&second).await];

    // When a release is declared, then the first one deploys it; the second one only looks at the claim.
    world
        .declare(RELEASE, &spec(&tiny(), &json!({"greeting": "one"})))
        .await;
    world.rests(RELEASE, Reason::Deployed).await;
    until_more_leases(&world, &identities[1]).await;
    assert_eq!(requests(&world, &identities[1]), []);

    // And both answer probes, and tell who works.
    for (address, leads) in pages.into_iter().zip(["1", "0"]) {
        assert_eq!(
            page(address, "/healthz").await,
            ("HTTP/1.1 200 OK".into(), "ok".into())
        );
        assert_eq!(page(address, "/readyz").await.0, "HTTP/1.1 200 OK");
        let (status, metrics) = page(address, "/metrics").await;
        assert_eq!(status, "HTTP/1.1 200 OK");
        let leader = metrics
            .lines()
            .find(|line| line.starts_with("belay_leader "));
        assert_eq!(leader, Some(format!("belay_leader {leads}").as_str()));
    }
    let (_, metrics) = page(pages[0], "/metrics").await;
    let ready = format!(
        "belay_release_condition{{name=\"{RELEASE}\",namespace=\"{}\",type=\"Ready\"}} 1",
        world.name()
    );
    assert!(metrics.contains(&ready), "{ready} is not in {metrics}");

    // When the first one is asked to stop, then it ends well, and the second one goes on.
    let ended = first.stop(LIMIT).await.unwrap();
    assert!(ended.success(), "{ended}");
    world
        .declare(RELEASE, &spec(&tiny(), &json!({"greeting": "two"})))
        .await;
    held_by(&world, "second").await;
    until(
        &world.api::<HelmRelease>(),
        RELEASE,
        "the second operator's upgrade",
        LIMIT,
        |release| crate::endure_world::current(release) == Some(2),
    )
    .await
    .unwrap();
    world.rests(RELEASE, Reason::Deployed).await;
    assert_eq!(world.history(RELEASE).await, ["superseded", "deployed"]);
    assert!(second.stop(LIMIT).await.unwrap().success());
}

#[tokio::test]
async fn without_the_api_server_an_operator_lives_but_is_not_ready() {
    // Given a kubeconfig whose server does not answer.
    let world = world("deaf").await;
    let kubeconfig = std::fs::read_to_string(world.cluster.kubeconfig()).unwrap();
    let (before, server) = kubeconfig.split_once("https://").unwrap();
    let end = server.find(['"', '\n', ' ']).unwrap();
    let deaf = format!("{before}https://127.0.0.1:1{}", &server[end..]);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), deaf).unwrap();

    // When an operator is started with it.
    let mut flags = world.flags();
    flags.extend(["--metrics-bind", "127.0.0.1:0"].map(str::to_owned));
    let operator = Operator::start(&belay_binary().unwrap(), file.path(), &flags).unwrap();
    let pages = address(&operator).await;

    // Then it is not killed for that, and not sent any work either.
    assert_eq!(page(pages, "/healthz").await.0, "HTTP/1.1 200 OK");
    let (status, told) = page(pages, "/readyz").await;
    assert_eq!(status, "HTTP/1.1 503 Service Unavailable");
    assert_eq!(told, "the API server has not answered yet");
    assert!(operator.stop(LIMIT).await.unwrap().success());
}

/// Waits until an operator has looked at the claim once more: what it did before is in the log then.
async fn until_more_leases(world: &World, identity: &Identity) {
    let seen = leases(world, identity);
    let deadline = tokio::time::Instant::now() + LIMIT;
    while leases(world, identity) == seen {
        assert!(tokio::time::Instant::now() < deadline, "it does not look");
        // The audit log tells nobody that it grew.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
