//! Every function that templates can call, each with the same odd arguments.

use belay_template::{Function, function};

use super::chance::Chance;
use super::render;
use super::words::{GREEDY, HUGE, ODD, SLOW, UNREPEATABLE};
use crate::Question;

/// Pairs of arguments are made of every so many of the odd ones.
const PAIRED: usize = 3;

/// Calls of the function: without an argument, with each odd one and each huge number, with pairs of them, and, where it
/// takes more, with `more` rows of as many as it takes. Of a function whose result is chance only the type is asked for.
/// The same calls in every run.
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
        let huge = if GREEDY.contains(&name) { &[] } else { HUGE };
        let odd: Vec<&str> = ODD.iter().chain(huge).copied().collect();
        rows.extend(odd.iter().map(|only| vec![*only]));
        rows.extend(pairs(&odd));
        rows.extend(long(function, &odd, more));
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

fn pairs<'o>(odd: &[&'o str]) -> impl Iterator<Item = Vec<&'o str>> {
    let some = || odd.iter().copied().skip(1).step_by(PAIRED);
    some().flat_map(move |first| some().map(move |second| vec![first, second]))
}

fn long<'o>(function: &Function, odd: &[&'o str], more: usize) -> Vec<Vec<&'o str>> {
    let most = function.params.len() + if function.variadic.is_some() { 2 } else { 0 };
    if most < 3 {
        return Vec::new();
    }
    // The same rows in every run.
    let mut chance = Chance::new(most as u64);
    (0..more)
        .map(|_| (0..most).map(|_| chance.one(odd)).collect())
        .collect()
}
