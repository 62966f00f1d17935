//! Random stories: long lists of deeds, in worlds that are too large to be explored, told through the same decisions and
//! held to the same promises.
//!
//! The first seed is fixed, so that every run of the tests tells the same stories. `make fuzz` tells others. A story
//! that breaks a promise is cut down and printed as a call of [`tell`]: with a name, it stays as a case of its own.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::test_runner::{Config, RngSeed, TestError, TestRunner};

use crate::coverage::{Coverage, STEPS};
use crate::generator::stories;
use crate::quiet::quietly;
use crate::teller::Teller;

/// How many stories every run of the tests tells.
const STORIES: u32 = 400;

/// Which ones, unless somebody asks for others.
const SEED: u64 = 10;

/// What no story leads to, and why.
const NOT_TOLD: &[(&str, &str)] = &[
    (
        "Reason::Pending",
        "a ledger is made in the reconcile that finds none, so that nobody waits without one unless he says why",
    ),
    (
        "Step::Sweep",
        "who loses a ledger in a story dies with it; that it goes with its namespace has cases of its own",
    ),
];

/// Tells stories and holds them to all promises; answers with what was seen.
fn tell_all(config: Config) -> Coverage {
    let coverage = RefCell::new(Coverage::default());
    let mut runner = TestRunner::new(config);
    let outcome = runner.run(&stories(), |story| {
        let told = quietly(|| catch_unwind(AssertUnwindSafe(|| Teller::tells(&story))));
        match told {
            Ok(seen) => coverage.borrow_mut().add(seen),
            Err(why) => return Err(proptest::test_runner::TestCaseError::fail(words(&*why))),
        }
        Ok(())
    });
    match outcome {
        Ok(()) => coverage.into_inner(),
        Err(TestError::Fail(why, story)) => panic!("{why}\n\nThe story:\n\n{story}"),
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}

/// What a panic said.
fn words(why: &(dyn std::any::Any + Send)) -> String {
    let text = why.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| why.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without words").to_owned()
}

/// The same stories each time, unless the environment asks for others or for more (`PROPTEST_RNG_SEED`,
/// `PROPTEST_CASES`).
fn config() -> Config {
    let asked = Config::default();
    Config {
        cases: if is_given("PROPTEST_CASES") {
            asked.cases
        } else {
            STORIES
        },
        rng_seed: match asked.rng_seed {
            RngSeed::Random => RngSeed::Fixed(SEED),
            fixed @ RngSeed::Fixed(_) => fixed,
        },
        // What is found becomes a named case.
        failure_persistence: None,
        source_file: None,
        ..asked
    }
}

fn is_given(name: &str) -> bool {
    std::env::var_os(name).is_some()
}

#[test]
fn random_stories_keep_the_promises_and_come_to_rest() {
    // Given many worlds, when anything happens in them at any moments, then no promise is broken on the way, and each
    // comes to rest once nothing is in its way.
    let seen = tell_all(config());
    println!("{} stories, {} turns\n{seen}", seen.stories, seen.turns);
    // And everything that can be decided and told was: the stories have not gone stale. Few others may miss something.
    let all = !is_given("PROPTEST_RNG_SEED") || seen.stories >= 10 * STORIES as usize;
    let mut missing = missing(&seen);
    missing.retain(|name| NOT_TOLD.iter().all(|(known, _)| known != name));
    assert!(!all || missing.is_empty(), "no story leads to {missing:?}");
}

/// What the crate can decide and say, and no story has led to.
fn missing(seen: &Coverage) -> BTreeSet<String> {
    let mut missing = BTreeSet::new();
    let steps = STEPS.iter().filter(|step| !seen.steps.contains_key(*step));
    missing.extend(steps.map(|step| format!("Step::{step}")));
    let sources = sources();
    for kind in ["Reason", "Phase", "RequestPhase"] {
        for name in named_in(&sources, kind) {
            let told = match kind {
                "Reason" => seen.reasons.iter().any(|reason| reason.to_string() == name),
                _ => seen.phases.contains(&format!("{kind}::{name}")),
            };
            if !told {
                missing.insert(format!("{kind}::{name}"));
            }
        }
    }
    missing
}

/// The crate's sources without their tests.
fn sources() -> String {
    let mut text = String::new();
    let mut folders = vec![std::path::PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src"
    ))];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|name| name != "tests.rs") {
                let source = std::fs::read_to_string(&path).unwrap();
                let code = source.split("#[cfg(test)]").next().unwrap_or_default();
                let _ = writeln!(text, "{code}");
            }
        }
    }
    text
}

/// The variants of an enum that the sources name.
fn named_in(sources: &str, kind: &str) -> BTreeSet<String> {
    let path = format!("{kind}::");
    let mut names = BTreeSet::new();
    for (at, _) in sources.match_indices(&path) {
        let before = sources[..at].chars().next_back();
        let name: String = sources[at + path.len()..]
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        let whole = before.is_none_or(|before| !before.is_ascii_alphanumeric());
        if whole && name.starts_with(|first: char| first.is_ascii_uppercase()) {
            names.insert(name);
        }
    }
    names
}
