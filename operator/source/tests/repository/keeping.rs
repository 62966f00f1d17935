//! What is asked once and kept, and what is asked again.

use belay_source::{Kind, Settings};

use super::asking::{ANY_AGE, NOW, fetch, fetcher, fetcher_with, publish, repository, settings};
use super::package;
use super::server::{Page, Server};

#[tokio::test]
async fn a_hundred_releases_of_one_repository_cost_one_index_and_one_package() {
    let server = Server::start().await;
    publish(&server, &["1.0.0"]);
    let (fetcher, wanted) = (fetcher(), repository(&server));

    let all = futures::future::join_all((0..100).map(|_| fetch(&fetcher, &wanted, ANY_AGE))).await;

    assert!(all.iter().all(Result::is_ok));
    assert_eq!(server.seen("/index.yaml").len(), 1);
    assert_eq!(server.seen("/web-1.0.0.tgz").len(), 1);
}

#[tokio::test]
async fn a_hundred_releases_of_a_broken_repository_cost_one_request() {
    let server = Server::start().await;
    server.serve("/index.yaml", Page::status(500));
    let (fetcher, wanted) = (fetcher(), repository(&server));

    let all = futures::future::join_all((0..100).map(|_| fetch(&fetcher, &wanted, ANY_AGE))).await;

    assert!(all.iter().all(|one| {
        one.as_ref()
            .is_err_and(|error| error.kind() == Kind::Unreachable)
    }));
    assert_eq!(server.seen("/index.yaml").len(), 1);
}

#[tokio::test]
async fn a_chart_is_loaded_once_for_all_who_hold_it() {
    let server = Server::start().await;
    publish(&server, &["1.0.0"]);
    let (fetcher, wanted) = (fetcher(), repository(&server));

    let one = fetch(&fetcher, &wanted, ANY_AGE).await.unwrap();
    let other = fetch(&fetcher, &wanted, ANY_AGE).await.unwrap();

    assert!(std::sync::Arc::ptr_eq(&one.chart, &other.chart));
}

#[tokio::test]
async fn an_unchanged_index_is_not_sent_again() {
    for (name, value) in [
        ("ETag", "\"one\""),
        ("Last-Modified", "Fri, 02 Jan 2026 03:04:05 GMT"),
    ] {
        let server = Server::start().await;
        let entry = package::publish(&server, "1.0.0");
        server.serve(
            "/index.yaml",
            Page::ok(package::index(&[entry])).header(name, value),
        );
        let (fetcher, wanted) = (fetcher(), repository(&server));

        fetch(&fetcher, &wanted, NOW).await.unwrap();
        fetch(&fetcher, &wanted, NOW).await.unwrap();

        let statuses: Vec<_> = server
            .seen("/index.yaml")
            .iter()
            .map(|request| request.status)
            .collect();
        assert_eq!(statuses, [200, 304]);
        assert_eq!(server.seen("/web-1.0.0.tgz").len(), 1);
    }
}

#[tokio::test]
async fn a_new_version_is_found_when_the_server_is_asked() {
    let server = Server::start().await;
    publish(&server, &["1.0.0"]);
    let (fetcher, wanted) = (fetcher(), repository(&server));
    fetch(&fetcher, &wanted, NOW).await.unwrap();

    publish(&server, &["1.0.0", "1.1.0"]);

    assert_eq!(
        fetch(&fetcher, &wanted, ANY_AGE).await.unwrap().version,
        "1.0.0"
    );
    assert_eq!(
        fetch(&fetcher, &wanted, NOW).await.unwrap().version,
        "1.1.0"
    );
}

#[tokio::test]
async fn a_version_that_a_kept_index_lacks_is_looked_for_in_a_new_one() {
    let server = Server::start().await;
    publish(&server, &["1.0.0"]);
    let (fetcher, mut wanted) = (fetcher(), repository(&server));
    fetch(&fetcher, &wanted, NOW).await.unwrap();

    publish(&server, &["1.0.0", "1.1.0"]);
    wanted.version = Some("1.1.0".into());

    assert_eq!(
        fetch(&fetcher, &wanted, ANY_AGE).await.unwrap().version,
        "1.1.0"
    );
}

/// Given a version published twice with other content, and an index kept from the first time.
#[tokio::test]
async fn a_package_that_a_kept_index_does_not_describe_is_compared_with_a_new_one() {
    let server = Server::start().await;
    let changed = package::package("1.0.0+again");
    publish(&server, &["1.0.0"]);
    let fetcher = fetcher_with(&Settings {
        memory_bytes: 0,
        ..settings()
    });
    let wanted = repository(&server);
    fetch(&fetcher, &wanted, NOW).await.unwrap();

    let mut entry = package::publish(&server, "1.0.0");
    entry.digest = Some(package::digest(&changed));
    server.serve("/index.yaml", Page::ok(package::index(&[entry])));
    server.serve("/web-1.0.0.tgz", Page::ok(changed));

    assert_eq!(
        fetch(&fetcher, &wanted, ANY_AGE).await.unwrap().version,
        "1.0.0+again"
    );
}

#[tokio::test]
async fn a_package_without_digest_is_asked_for_again_and_its_change_is_seen() {
    let server = Server::start().await;
    let entry = package::publish(&server, "1.0.0").unproven();
    server.serve("/index.yaml", Page::ok(package::index(&[entry])));
    let serve = |etag: &str, content: &str| {
        server.serve(
            "/web-1.0.0.tgz",
            Page::ok(package::package(content)).header("ETag", etag),
        );
    };
    serve("one", "1.0.0");
    let (fetcher, wanted) = (fetcher(), repository(&server));

    let first = fetch(&fetcher, &wanted, NOW).await.unwrap();
    let same = fetch(&fetcher, &wanted, NOW).await.unwrap();
    let kept = fetch(&fetcher, &wanted, ANY_AGE).await.unwrap();
    serve("two", "1.0.0+again");
    let changed = fetch(&fetcher, &wanted, NOW).await.unwrap();

    assert_eq!((first.package, first.package), (same.package, kept.package));
    assert_ne!(first.package, changed.package);
    let statuses: Vec<_> = server
        .seen("/web-1.0.0.tgz")
        .iter()
        .map(|request| request.status)
        .collect();
    assert_eq!(statuses, [200, 304, 200]);
}

#[tokio::test]
async fn a_repository_that_fails_serves_again_when_it_is_back() {
    let server = Server::start().await;
    publish(&server, &["1.0.0"]);
    let (fetcher, wanted) = (fetcher(), repository(&server));
    fetch(&fetcher, &wanted, NOW).await.unwrap();

    server.serve("/index.yaml", Page::status(503));
    assert!(fetch(&fetcher, &wanted, NOW).await.is_err());
    assert!(
        fetch(&fetcher, &wanted, ANY_AGE).await.is_ok(),
        "what is known still serves who allows it"
    );
    publish(&server, &["1.1.0"]);

    assert_eq!(
        fetch(&fetcher, &wanted, NOW).await.unwrap().version,
        "1.1.0"
    );
}

#[tokio::test]
async fn a_folder_keeps_packages_over_a_restart() {
    let server = Server::start().await;
    publish(&server, &["1.0.0"]);
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        cache_dir: Some(folder.path().to_owned()),
        ..settings()
    };
    fetch(&fetcher_with(&settings), &repository(&server), NOW)
        .await
        .unwrap();

    fetch(&fetcher_with(&settings), &repository(&server), NOW)
        .await
        .unwrap();

    assert_eq!(server.seen("/web-1.0.0.tgz").len(), 1);
}

#[tokio::test]
async fn a_damaged_folder_costs_a_transfer_and_no_more() {
    let server = Server::start().await;
    publish(&server, &["1.0.0"]);
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        cache_dir: Some(folder.path().to_owned()),
        ..settings()
    };
    fetch(&fetcher_with(&settings), &repository(&server), NOW)
        .await
        .unwrap();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        std::fs::write(file.unwrap().path(), "damaged").unwrap();
    }

    fetch(&fetcher_with(&settings), &repository(&server), NOW)
        .await
        .unwrap();

    assert_eq!(server.seen("/web-1.0.0.tgz").len(), 2);
}
