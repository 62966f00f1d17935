//! What a large index costs in memory, measured by the kernel in a process of its own.

use std::fmt::Write as _;
use std::process::Command;

use belay_source::HttpRepository;

use super::asking::{NOW, fetch, fetcher};
use super::package;
use super::server::{Page, Server};

const MIB: usize = 1 << 20;

/// An index of about 20 MiB, as large repositories have them: 100 charts, their versions with descriptions and
/// keywords.
fn index() -> String {
    let mut text = "apiVersion: v1\nentries:\n".to_owned();
    let description = "what it is and does, in many words; ".repeat(20);
    for chart in 0..100 {
        let _ = writeln!(text, "  chart{chart:03}:");
        for version in 0..200 {
            let _ = writeln!(
                text,
                "  - apiVersion: v2\n    description: '{description}'\n    digest: {:064x}\n    keywords:\n    - one\n    - two\n    - three\n    maintainers:\n    - email: somebody@example.org\n      name: Somebody\n    name: chart{chart:03}\n    urls:\n    - https://files.example.org/chart{chart:03}-1.{version}.0.tgz\n    version: 1.{version}.0",
                chart * 1000 + version
            );
        }
    }
    text + "  web:\n  - urls: [web-1.0.0.tgz]\n    version: 1.0.0\n"
}

/// Where the repository is, for the process that is measured.
const REPOSITORY: &str = "BELAY_TEST_REPOSITORY";

#[cfg(target_os = "linux")]
#[test]
fn an_index_of_20_mib_takes_little_more_than_its_own_size() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(Server::start());
    server.serve("/web-1.0.0.tgz", Page::ok(package::package("1.0.0")));
    let text = index();
    let size = text.len();
    server.serve("/index.yaml", Page::ok(text));

    let measured = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "memory::fetching", "--ignored", "--nocapture"])
        .env(REPOSITORY, server.url(""))
        .output()
        .unwrap();

    let told = String::from_utf8_lossy(&measured.stdout);
    let number = |name: &str| -> usize {
        let line = told.lines().find_map(|line| line.strip_prefix(name));
        let line = line.unwrap_or_else(|| panic!("{told}"));
        line.trim().parse().unwrap()
    };
    let (before, peak, after) = (number("before"), number("peak"), number("after"));
    println!("an index of {size} bytes: before {before}, peak {peak}, after {after}");
    assert!(size > 20 * MIB, "{size}");
    // Its text, once, and what one chart of it reads to: not the ten times that a tree of it takes.
    assert!(peak - before < 2 * size, "{told}");
    // What is kept: names, versions, digests and addresses.
    assert!(after.saturating_sub(before) < size, "{told}");
}

#[tokio::test]
#[ignore = "runs in a process of its own, started by the test above"]
async fn fetching() {
    let wanted = HttpRepository {
        url: std::env::var(REPOSITORY).unwrap(),
        name: "web".into(),
        ..HttpRepository::default()
    };
    let fetcher = fetcher();
    let before = resident("VmRSS:");

    let chart = fetch(&fetcher, &wanted, NOW).await.unwrap();

    println!("\nbefore {before}");
    println!("peak {}\nafter {}", resident("VmHWM:"), resident("VmRSS:"));
    assert_eq!(chart.version, "1.0.0");
}

/// A figure of the kernel's about this process, in bytes.
fn resident(name: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib: usize = line
        .unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap();
    kib * 1024
}
