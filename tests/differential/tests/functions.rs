//! Which functions there are, and what each makes of arguments that it was not made for.

use std::collections::BTreeSet;

use belay_differential::generate::calls;
use belay_differential::{Answer, Error, Oracle, Question, search};
use belay_template::function_names;

/// Rows of odd arguments for each function that takes three and more.
const ROWS: usize = 30;

#[test]
fn all_of_sprigs_functions_are_there() -> Result<(), Error> {
    let answer = Oracle::start()?.ask(&Question::Names)?;
    let Answer::Value(named) = answer else {
        panic!("{answer}");
    };
    let sprigs: BTreeSet<String> = serde_json::from_value(named)?;

    let own: BTreeSet<String> = function_names().into_iter().map(str::to_owned).collect();

    assert_eq!(sprigs.len(), 209, "without env and expandenv");
    let missing: Vec<_> = sprigs.difference(&own).collect();
    assert!(missing.is_empty(), "{missing:?}");
    Ok(())
}

#[test]
fn every_function_takes_odd_arguments_as_in_helm() -> Result<(), Error> {
    let mut oracle = Oracle::start()?;
    let questions = function_names()
        .into_iter()
        .flat_map(|name| calls(name, ROWS));

    let found = search(&mut oracle, questions, 40)?;

    assert!(found.differences.is_empty(), "{found}");
    // Calls that all end in an error would prove nothing.
    assert!(found.good > 5000, "{found}");
    Ok(())
}
