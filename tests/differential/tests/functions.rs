//! Which functions there are.

use std::collections::BTreeSet;

use belay_differential::{Answer, Error, Oracle, Question};
use belay_template::function_names;

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
