//! Generated questions, the same in every run: Helm's engine and ours must answer alike. `make fuzz` asks more.

use belay_differential::generate::{Subject, questions};
use belay_differential::{Error, Oracle, search};

/// One seed for each subject; which one is of no importance.
const SEED: u64 = 4;

fn agree(subject: Subject, count: usize, good: usize) -> Result<(), Error> {
    let mut oracle = Oracle::start()?;
    let found = search(&mut oracle, questions(subject, SEED).take(count), 10)?;
    assert!(found.differences.is_empty(), "{subject:?}: {found}");
    // Questions that all end in the same error would prove nothing.
    assert!(found.good > good, "{subject:?}: {found}");
    Ok(())
}

#[test]
fn generated_templates_render_as_in_helm() -> Result<(), Error> {
    agree(Subject::Template, 3000, 900)
}

#[test]
fn broken_templates_fail_as_in_helm() -> Result<(), Error> {
    agree(Subject::BrokenTemplate, 3000, 100)
}

#[test]
fn generated_documents_are_read_and_printed_as_in_helm() -> Result<(), Error> {
    agree(Subject::Yaml, 6000, 2500)
}

#[test]
fn generated_values_merge_as_in_helm() -> Result<(), Error> {
    agree(Subject::Values, 6000, 300)
}
