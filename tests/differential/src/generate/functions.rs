//! Every function that templates can call, each with the same odd arguments.

use belay_template::{Function, function};

use super::chance::Chance;
use super::render;
use super::words::{ODD, SLOW, UNREPEATABLE};
use crate::Question;

/// Pairs of arguments are made of every so many of the odd ones.
const PAIRED: usize = 3;

/// Calls of the function: without an argument, with each odd one, with pairs of them, and, where it takes more, with
/// `more` rows of as many as it takes. Of a function whose result is chance only the type is asked for.
pub fn calls(name: &str, more: usize) -> Vec<Question> {
    let Some(function) = function(name) else {
        return Vec::new();
    };
    let mut rows: Vec<Vec<&str>> = vec![Vec::new()];
    if SLOW.contains(&name) {
        // What they want are texts.
        let refused = ODD.iter().filter(|only| !only.starts_with('"'));
        rows.extend(refused.map(|only| vec![*only]));
    } else {
        rows.extend(ODD.iter().map(|only| vec![*only]));
        rows.extend(pairs());
        rows.extend(long(function, more));
    }
    let result = if UNREPEATABLE.contains(&name) {
        "{{ printf \"%T\" $r }}"
    } else {
        "{{ printf \"%T\" $r }} {{ $r }} {{ toJson $r }}"
    };
    let call = |row: Vec<&str>| format!("{{{{ $r := {name} {} }}}}{result}", row.join(" "));
    rows.into_iter()
        .map(|row| render(call(row).into()))
        .collect()
}

fn pairs() -> impl Iterator<Item = Vec<&'static str>> {
    let some = || ODD.iter().copied().skip(1).step_by(PAIRED);
    some().flat_map(move |first| some().map(move |second| vec![first, second]))
}

fn long(function: &Function, more: usize) -> Vec<Vec<&'static str>> {
    let most = function.params.len() + if function.variadic.is_some() { 2 } else { 0 };
    if most < 3 {
        return Vec::new();
    }
    // The same rows in every run.
    let mut chance = Chance::new(most as u64);
    (0..more)
        .map(|_| (0..most).map(|_| chance.one(ODD)).collect())
        .collect()
}
