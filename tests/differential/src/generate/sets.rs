//! Texts of the `--set` family.

use super::chance::Chance;
use super::words::{SCALARS, SET_PIECES};
use crate::{Set, SetKind};

pub(super) fn sets(chance: &mut Chance) -> Vec<Set> {
    (0..=chance.below(3)).map(|_| set(chance)).collect()
}

fn set(chance: &mut Chance) -> Set {
    let kind = match chance.below(8) {
        0..4 => SetKind::Set,
        4 => SetKind::String,
        5 => SetKind::Json,
        6 => SetKind::Literal,
        _ => SetKind::File,
    };
    let text = if chance.likely(15) {
        (0..=chance.below(10))
            .map(|_| chance.one(SET_PIECES))
            .collect()
    } else {
        let pairs: Vec<String> = (0..=chance.below(3)).map(|_| pair(chance, kind)).collect();
        pairs.join(",")
    };
    Set { kind, text }
}

fn pair(chance: &mut Chance, kind: SetKind) -> String {
    let mut path = chance
        .one(&["a", "b", "c", "map", "list", "x\\.y", "é"])
        .to_owned();
    for _ in 0..chance.below(3) {
        if chance.likely(30) {
            path.push_str(
                chance.one(&["[0]", "[1]", "[2]", "[3]", "[-1]", "[x]", "[]", "[99999]"]),
            );
        } else {
            path.push('.');
            path.push_str(chance.one(&["a", "b", "c", "a", "b", "0", "k\\,l", ""]));
        }
    }
    let value = match (kind, chance.below(5)) {
        (SetKind::Json, _) => chance
            .one(&[
                "1",
                "1.5",
                "\"a,b\"",
                "[1,{\"a\":2}]",
                "{\"x\":{\"y\":null}}",
                "null",
                "true",
                "x",
                "",
                " 1 ",
                "1 2",
                "1e400",
                "[1",
                "\"\\u00e9\"",
            ])
            .to_owned(),
        (_, 0) => {
            let items: Vec<&str> = (0..chance.below(4)).map(|_| chance.one(SCALARS)).collect();
            format!("{{{}}}", items.join(","))
        }
        (_, 1) => String::new(),
        _ => chance.one(SCALARS).to_owned(),
    };
    let sign = if chance.likely(98) { "=" } else { "" };
    format!("{path}{sign}{value}")
}
