use similar::TextDiff;

use crate::{Answer, Case, Error, Oracle, ours};

/// Where the two sides differ, as a text to read; nothing when they are the same.
///
/// # Errors
/// When either side cannot be asked.
pub fn compare(case: &Case) -> Result<Option<String>, Error> {
    let theirs = Oracle::get()?.template(case)?;
    let ours = ours::template(case)?;
    if theirs.stdout == ours.stdout && theirs.error == ours.error {
        return Ok(None);
    }
    let diff = TextDiff::from_lines(&shown(&theirs), &shown(&ours))
        .unified_diff()
        .header("helm", "belay")
        .to_string();
    Ok(Some(format!(
        "{} {}\n{diff}",
        case.chart().display(),
        case.arguments().join(" ")
    )))
}

/// Fails the test when output, success or error of the two sides differ.
///
/// # Panics
/// With the difference.
pub fn assert_same(case: &Case) {
    match compare(case) {
        Ok(None) => {}
        Ok(Some(difference)) => panic!("{difference}"),
        Err(error) => panic!("{error}"),
    }
}

/// As [`assert_same`] for many cases; all differences are shown.
///
/// # Panics
/// With the differences.
pub fn assert_all(cases: impl IntoIterator<Item = Case>) {
    let mut differences = Vec::new();
    for case in cases {
        match compare(&case) {
            Ok(None) => {}
            Ok(Some(difference)) => differences.push(difference),
            Err(error) => differences.push(error.to_string()),
        }
    }
    assert!(
        differences.is_empty(),
        "{} cases differ\n{}",
        differences.len(),
        differences.join("\n")
    );
}

fn shown(answer: &Answer) -> String {
    let error = answer
        .error
        .as_ref()
        .map(|error| format!("Error: {error}\n"));
    format!("{}{}", answer.stdout, error.unwrap_or_default())
}
