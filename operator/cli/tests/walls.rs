//! The walls between the crates, as `ARCHITECTURE.md` draws them.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::process::Command;

use serde_json::Value;

/// Which of our crates each crate may use, tests left out.
const WALLS: [(&str, &[&str]); 12] = [
    ("belay-yaml", &[]),
    ("belay-template", &["belay-yaml"]),
    ("belay-chart", &["belay-yaml", "belay-template"]),
    ("belay-source", &["belay-yaml", "belay-chart"]),
    ("belay-patch", &[]),
    ("belay-release", &["belay-yaml", "belay-patch"]),
    ("belay-health", &[]),
    ("belay-api", &[]),
    (
        "belay-rollout",
        &["belay-api", "belay-release", "belay-health"],
    ),
    ("belay-cluster", &["belay-release", "belay-health"]),
    (
        "belay-controller",
        &[
            "belay-yaml",
            "belay-template",
            "belay-chart",
            "belay-source",
            "belay-patch",
            "belay-release",
            "belay-health",
            "belay-api",
            "belay-rollout",
            "belay-cluster",
        ],
    ),
    (
        "belay",
        &[
            "belay-yaml",
            "belay-template",
            "belay-chart",
            "belay-source",
            "belay-release",
            "belay-api",
            "belay-cluster",
            "belay-controller",
        ],
    ),
];

/// Crates that know no network, and what would give them one.
const OFFLINE: [&str; 8] = [
    "belay-yaml",
    "belay-template",
    "belay-chart",
    "belay-patch",
    "belay-release",
    "belay-health",
    "belay-api",
    "belay-rollout",
];
const NETWORK: [&str; 8] = [
    "axum",
    "hyper",
    "hyper-util",
    "reqwest",
    "rustls",
    "tokio",
    "tokio-rustls",
    "tower",
];

/// Crates that give the same answer to the same question, and what would give them a clock or chance.
const PURE: [&str; 2] = ["belay-health", "belay-rollout"];
const CLOCK_AND_CHANCE: [&str; 4] = ["jiff", "kube", "rand", "tempfile"];

type Graph = BTreeMap<String, BTreeSet<String>>;

/// Each package of the workspace with the packages that it is built from, those of its tests left out.
fn dependencies() -> Result<Graph, Box<dyn Error>> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()?;
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    Ok(packages
        .map(|package| {
            let built_from = package["dependencies"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|dependency| dependency["kind"] != "dev")
                .filter_map(|dependency| dependency["name"].as_str())
                .map(str::to_owned)
                .collect();
            let name = package["name"].as_str().unwrap_or_default();
            (name.to_owned(), built_from)
        })
        .collect())
}

fn is_walled(name: &str) -> bool {
    WALLS.iter().any(|(walled, _)| *walled == name)
}

#[test]
fn no_crate_reaches_through_a_wall() {
    let dependencies = dependencies().expect("cargo metadata");
    let ours: BTreeSet<_> = dependencies.keys().cloned().collect();

    for (name, allowed) in WALLS {
        let used: BTreeSet<_> = dependencies[name].intersection(&ours).cloned().collect();
        let allowed: BTreeSet<_> = allowed.iter().map(|&name| name.to_owned()).collect();
        let beyond: Vec<_> = used.difference(&allowed).collect();
        assert!(beyond.is_empty(), "{name} uses {beyond:?}");
    }
}

#[test]
fn every_crate_of_the_operator_has_its_walls() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = std::fs::read_dir(folder)
        .expect("operator/")
        .filter(|entry| {
            entry
                .as_ref()
                .is_ok_and(|entry| entry.path().join("Cargo.toml").exists())
        })
        .count();

    assert_eq!(folders, WALLS.len());
}

#[test]
fn serde_yaml_prints_definitions_and_commands_and_never_reads_a_chart() {
    let users: Vec<_> = dependencies()
        .expect("cargo metadata")
        .into_iter()
        .filter(|(name, used)| is_walled(name) && used.contains("serde_yaml"))
        .map(|(name, _)| name)
        .collect();

    assert_eq!(users, ["belay", "belay-api"]);
}

#[test]
fn what_needs_no_network_has_none() {
    let dependencies = dependencies().expect("cargo metadata");

    for name in OFFLINE {
        for network in NETWORK {
            assert!(
                !dependencies[name].contains(network),
                "{name} uses {network}"
            );
        }
    }
}

#[test]
fn decisions_and_verdicts_read_no_clock_and_no_chance() {
    let dependencies = dependencies().expect("cargo metadata");

    for name in PURE {
        for source in CLOCK_AND_CHANCE {
            assert!(!dependencies[name].contains(source), "{name} uses {source}");
        }
    }
}

#[test]
fn only_tests_use_what_is_made_for_tests() {
    let dependencies = dependencies().expect("cargo metadata");

    for (name, _) in WALLS {
        for test in ["belay-harness", "rcgen", "rstest", "insta", "proptest"] {
            assert!(!dependencies[name].contains(test), "{name} uses {test}");
        }
    }
}
