//! YAML: scalars, structures in all styles, and known documents changed a little.

use std::sync::LazyLock;

use super::chance::Chance;
use super::mutate::mutate;
use super::words::{SCALARS, YAML_PIECES};

/// Documents whose reading is tested one by one; here they are changed.
static KNOWN: LazyLock<Vec<String>> = LazyLock::new(|| {
    include_str!("../../../../operator/yaml/tests/cases/read.jsonl")
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|case| {
            let op = case["op"].as_str().unwrap_or_default();
            !op.contains("json")
        })
        .filter_map(|case| case["in"].as_str().map(str::to_owned))
        .filter(|text| text.len() < 2000)
        .collect()
});

/// Any document.
pub(super) fn document(chance: &mut Chance) -> String {
    match chance.below(10) {
        0 | 1 => scalar(chance),
        2 | 3 => text_as_json(chance),
        4..7 => {
            let known = KNOWN.get(chance.below(KNOWN.len()));
            mutate(chance, known.map_or("a: 1", |text| text), YAML_PIECES)
        }
        7 => (0..chance.below(12))
            .map(|_| chance.one(YAML_PIECES))
            .collect(),
        8 => {
            let text = values(chance);
            mutate(chance, &text, YAML_PIECES)
        }
        _ => block(chance, 0, 3),
    }
}

/// A document that mostly is a map.
pub(super) fn values(chance: &mut Chance) -> String {
    let mut out = String::new();
    for key in ["a", "b", "map", "list"] {
        if chance.likely(40) {
            out.push_str(key);
            out.push(':');
            node(chance, &mut out, 1, 3);
        }
    }
    out
}

fn scalar(chance: &mut Chance) -> String {
    match chance.below(4) {
        0 => number(chance),
        1 => format!("- {}\n- {}\n", chance.one(SCALARS), number(chance)),
        2 => format!("{}: {}", number(chance), chance.one(SCALARS)),
        _ => chance.one(SCALARS).to_owned(),
    }
}

/// Made of what numbers, dates and sexagesimals are made of.
fn number(chance: &mut Chance) -> String {
    const PIECES: &[&str] = &[
        "0",
        "1",
        "7",
        "8",
        "9",
        "12",
        "190",
        "_",
        ".",
        "-",
        "+",
        "e",
        "E",
        "x",
        "o",
        "b",
        "0x",
        "0o",
        "0b",
        ":",
        "60",
        ":59",
        "inf",
        ".nan",
        "2001-12-14",
        "t",
        "T",
        " ",
        "Z",
        ":30:15",
        "a",
        "f",
        "9223372036854775807",
        "18446744073709551615",
    ];
    (0..=chance.below(6)).map(|_| chance.one(PIECES)).collect()
}

/// A text of odd characters as JSON, which reads back exactly: what is tested is how it is printed.
fn text_as_json(chance: &mut Chance) -> String {
    let mut text = || -> String {
        (0..chance.below(12))
            .map(|_| {
                if chance.likely(20) {
                    chance.one(&[
                        "word ",
                        "a longer piece of text ",
                        "\n",
                        "\n\n",
                        " \n",
                        "\n ",
                    ])
                } else {
                    chance.one(YAML_PIECES)
                }
            })
            .collect()
    };
    let (first, second, key) = (text(), text(), text());
    serde_json::json!({"a": first, "list": [second], key: 1}).to_string()
}

fn block(chance: &mut Chance, indent: usize, depth: usize) -> String {
    let mut out = String::new();
    let space = "  ".repeat(indent);
    let list = chance.likely(40);
    for number in 0..=chance.below(3) {
        out.push_str(&space);
        if list {
            out.push('-');
        } else if chance.likely(15) {
            out.push_str(chance.one(SCALARS));
            out.push(':');
        } else {
            out.push_str(chance.one(&["a", "b", "key", "\"q\"", "'s'", "? c\n", "<<", "*x"]));
            out.push_str(&number.to_string());
            out.push(':');
        }
        node(chance, &mut out, indent + 1, depth);
    }
    out
}

fn node(chance: &mut Chance, out: &mut String, indent: usize, depth: usize) {
    out.push(' ');
    if chance.likely(8) {
        out.push_str(chance.one(&[
            "&x ",
            "!!str ",
            "!!int ",
            "!!binary ",
            "! ",
            "!a ",
            "!!null ",
            "!!float ",
            "!!map ",
        ]));
    }
    match chance.below(10) {
        0..3 if depth > 0 => {
            out.push('\n');
            out.push_str(&block(chance, indent, depth - 1));
            return;
        }
        3 => out.push_str(&flow(chance, 2)),
        4 => {
            out.push_str(chance.one(&["|", ">", "|-", ">-", "|+", ">+", "|2", ">1-", "| # c"]));
            out.push('\n');
            for _ in 0..chance.below(4) {
                if chance.likely(85) {
                    out.push_str(&"  ".repeat(indent));
                }
                out.push_str(chance.one(&["", " more", "line", "# no comment", "\t", "a: b"]));
                out.push('\n');
            }
            return;
        }
        5 => out.push_str(&number(chance)),
        6 => {
            let quote = chance.one(&["'", "\""]);
            out.push_str(quote);
            for _ in 0..chance.below(5) {
                out.push_str(chance.one(&[
                    "a", " ", "\\n", "\n   ", "''", "\\\"", "\\x41", "\\u00e9", "#", ": ", "\\",
                ]));
            }
            out.push_str(quote);
        }
        7 if chance.likely(20) => out.push_str("*x"),
        _ => out.push_str(chance.one(SCALARS)),
    }
    if chance.likely(5) {
        out.push_str(" # comment");
    }
    out.push('\n');
}

fn flow(chance: &mut Chance, depth: usize) -> String {
    let map = chance.likely(50);
    let mut items = Vec::new();
    for _ in 0..chance.below(4) {
        let item = if depth > 0 && chance.likely(25) {
            flow(chance, depth - 1)
        } else {
            chance.one(SCALARS).to_owned()
        };
        items.push(if map || chance.likely(10) {
            let key = chance.one(&["a", "b", "'c'", "\"d\"", "1", "yes", "? e", ""]);
            format!("{key}{} {item}", chance.one(&[":", ":", ":", " :", ""]))
        } else {
            item
        });
    }
    let inner = items.join(chance.one(&[", ", ",", ",\n  ", " ,"]));
    if map {
        format!("{{{inner}}}")
    } else {
        format!("[{inner}]")
    }
}
