//! A cache folder that cannot be used as it should: on a real file system that is full or read-only.

use std::path::Path;
use std::process::Command;

use belay_source::Settings;

use super::asking::{NOW, fetch, fetcher_with, publish, repository, settings};
use super::package;
use super::server::{Page, Server};

/// Where the file system is mounted, for the tests that run on it.
const PLACE: &str = "BELAY_TEST_CACHE_FOLDER";

/// Runs the test that is named so on a file system of its own, mounted by `mount` on `$PLACE`. It is a process in a
/// namespace of its own, so that the file system goes when the process does.
fn on_a_file_system(mount: &str, test: &str) {
    let place = tempfile::tempdir().unwrap();
    let itself = std::env::current_exe().unwrap();
    let script = format!("set -e; {mount}; exec \"$0\" --exact {test} --ignored --nocapture");
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", &script])
        .arg(itself)
        .env(PLACE, place.path())
        .output()
        .unwrap();

    let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("1 passed"), "{told}");
}

fn there() -> Settings {
    let place = std::env::var_os(PLACE).unwrap();
    Settings {
        cache_dir: Some(place.into()),
        memory_bytes: 0,
        ..settings()
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_folder_costs_transfers_and_nothing_else() {
    on_a_file_system(
        "mount -t tmpfs -o size=16k tmpfs \"$BELAY_TEST_CACHE_FOLDER\"",
        "folder::full",
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_read_only_folder_costs_transfers_and_nothing_else() {
    on_a_file_system(
        "mount -t tmpfs -o ro tmpfs \"$BELAY_TEST_CACHE_FOLDER\"",
        "folder::read_only",
    );
}

#[tokio::test]
#[ignore = "runs on a file system of its own, mounted by the test above"]
async fn full() {
    let (server, settings) = (Server::start().await, there());
    let folder = settings.cache_dir.clone().unwrap();
    let fetcher = fetcher_with(&settings);
    publish(&server, &["1.0.0"]);
    let wanted = repository(&server);
    fetch(&fetcher, &wanted, NOW).await.unwrap();
    assert_eq!(entries(&folder), 1, "there was room for the first one");
    let rest = vec![0; 64 << 10];
    let full = std::fs::write(folder.join("filler"), rest).unwrap_err();
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);

    // Larger than what is left.
    let large = package::large("2.0.0", 32 << 10);
    let mut entry = package::publish(&server, "2.0.0");
    entry.digest = Some(package::digest(&large));
    server.serve("/web-2.0.0.tgz", Page::ok(large));
    server.serve("/index.yaml", Page::ok(package::index(&[entry])));

    for transfers in 1..=2 {
        let chart = fetch(&fetcher, &wanted, NOW).await.unwrap();

        assert_eq!(chart.version, "2.0.0");
        assert_eq!(server.seen("/web-2.0.0.tgz").len(), transfers);
    }
    // The one that is whole and the filler: nothing half is left.
    assert_eq!(entries(&folder), 2);
    let mut kept = wanted.clone();
    kept.version = Some("1.0.0".into());
    publish(&server, &["1.0.0"]);
    fetch(&fetcher, &kept, NOW).await.unwrap();
    assert_eq!(
        server.seen("/web-1.0.0.tgz").len(),
        1,
        "what was kept serves"
    );
}

#[tokio::test]
#[ignore = "runs on a file system of its own, mounted by the test above"]
async fn read_only() {
    let (server, settings) = (Server::start().await, there());
    let folder = settings.cache_dir.clone().unwrap();
    let refused = std::fs::write(folder.join("a file"), "").unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ReadOnlyFilesystem);
    publish(&server, &["1.0.0"]);
    let fetcher = fetcher_with(&settings);

    for transfers in 1..=2 {
        fetch(&fetcher, &repository(&server), NOW).await.unwrap();

        assert_eq!(server.seen("/web-1.0.0.tgz").len(), transfers);
    }
    assert_eq!(entries(&folder), 0);
}

fn entries(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}
