//! Differences that stay, each with its reason.

use crate::{Answer, Question};

/// What a rule looks at.
struct Case<'a> {
    asked: &'a str,
    theirs: &'a str,
    ours: &'a str,
}

impl Case<'_> {
    fn asks(&self, word: &str) -> bool {
        self.asked.contains(word)
    }

    fn both(&self, holds: impl Fn(&str) -> bool) -> bool {
        holds(self.theirs) && holds(self.ours)
    }
}

type Rule = (&'static str, fn(&Case<'_>) -> bool);

/// Why the two answers may differ, if that is known.
pub fn reason(question: &Question, theirs: &Answer, ours: &Answer) -> Option<&'static str> {
    let asked = question.to_string();
    if asked.starts_with("\"\\u{feff}\\u{feff}") {
        return Some("after two byte order marks go-yaml loses the beginning of every line");
    }
    let (rules, theirs, ours): (&[Rule], String, String) = match (theirs, ours) {
        (Answer::Ended, _) => return Some("Helm's process dies, ours must not"),
        (Answer::Files(theirs), Answer::Files(ours)) => {
            let text = |files: &std::collections::BTreeMap<String, String>| {
                files.values().map(String::as_str).collect::<String>()
            };
            (OUTPUTS, text(theirs), text(ours))
        }
        (theirs, ours) => {
            let text = |answer: &Answer| answer.error().unwrap_or_default().to_owned();
            (ERRORS, text(theirs), text(ours))
        }
    };
    let case = Case {
        asked: &asked,
        theirs: &theirs,
        ours: &ours,
    };
    let found = rules.iter().find(|(_, holds)| holds(&case));
    found.map(|(reason, _)| *reason)
}

/// Where both sides give an output.
const OUTPUTS: &[Rule] = &[
    ("addresses of Go's objects are chance", |case| {
        without_addresses(case.theirs) == without_addresses(case.ours)
    }),
    (
        "fields of Helm's structs are printed in the order of their names",
        |case| {
            case.theirs.to_lowercase().contains("minor")
                && characters(case.theirs) == characters(case.ours)
        },
    ),
    (
        "why a text is no TOML is said in the words of another library",
        |case| {
            case.asks("romToml")
                && case.both(|text| text.contains("toml: "))
                && before_problem(case.theirs) == before_problem(case.ours)
        },
    ),
    (
        "a key of JSON that is no UTF-8 holds U+FFFD itself, not its escape",
        |case| {
            let plain = |text: &str| text.replace("\\ufffd", "\u{fffd}");
            plain(case.theirs) == plain(case.ours)
        },
    ),
    ("numbers that a time is made of are not shown", |case| {
        case.asks("printf") && case.asks("toDate") && case.ours.contains("{}")
    }),
    ("pretty YAML quotes times", |case| {
        case.asks("toYamlPretty")
            && case.asks("toDate")
            && case.theirs.replace(['"', '\\'], "") == case.ours.replace(['"', '\\'], "")
    }),
];

/// Where one side or both give an error; "" where there is none.
const ERRORS: &[Rule] = &[
    (
        "what no memory holds is refused by a limit of the render before it is asked for",
        |case| {
            case.theirs
                .ends_with("runtime error: makeslice: len out of range")
                && case.ours.ends_with(" bytes of output")
        },
    ),
    ("addresses of Go's objects are chance", |case| {
        without_addresses(case.theirs) == without_addresses(case.ours)
    }),
    (
        "fields of Helm's structs are printed in the order of their names",
        |case| case.theirs.contains("Minor") && characters(case.theirs) == characters(case.ours),
    ),
    (
        "complex numbers are not read; no function of Helm takes one",
        |case| {
            let literal = case.ours.rsplit(": ").next().unwrap_or_default();
            let digits = literal
                .trim_matches('"')
                .strip_suffix('i')
                .unwrap_or_default();
            case.ours.starts_with("parse error")
                && digits.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'))
                && case.asked.contains(digits)
        },
    ),
    (
        "the nil that is written out has another text in len than one that was found",
        |case| {
            let (zero, nil) = (
                "reflect: call of reflect.Value.Type on zero Value",
                "len of nil pointer",
            );
            case.theirs.replace(zero, nil) == case.ours.replace(zero, nil)
        },
    ),
    (
        "control structures count as depth, too, so an endless recursion is stopped at another node",
        |case| case.both(|text| text.ends_with("exceeded maximum template depth (100000)")),
    ),
    (
        "bytes that are no UTF-8 are shown as U+FFFD in errors",
        |case| {
            case.ours.contains('\u{fffd}') && without_bytes(case.theirs) == without_bytes(case.ours)
        },
    ),
    (
        "keys of a key that are no strings are shown as strings",
        |case| {
            case.both(|text| text.contains("yaml: invalid map key: "))
                && case.theirs.replace('"', "") == case.ours.replace('"', "")
        },
    ),
    (
        "go-yaml shows the value of an impossible key before numbers become floats",
        |case| case.both(|text| text.contains("unsupported map key of type: ")),
    ),
    (
        "of several numbers that JSON cannot hold Go names any, and none that a later key of the same name hides",
        |case| {
            case.ours.contains("json: unsupported value: ")
                && (case.theirs.contains("json: unsupported value: ")
                    || !case.theirs.contains("yaml: "))
        },
    ),
    (
        "a number that runs into the next key of --set-json is no number",
        |case| case.asks(" Json ") && case.ours.starts_with("failed parsing --set-json"),
    ),
];

/// Every hexadecimal number of nine digits and more replaced.
fn without_addresses(text: &str) -> String {
    let mut parts = text.split("0x");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_hexdigit());
        let address = part.len() - rest.len() >= 9;
        out.push_str("0x");
        out.push_str(if address { rest } else { part });
    }
    out
}

/// The text up to where TOML's library says what is wrong.
fn before_problem(text: &str) -> &str {
    text.split("toml: ").next().unwrap_or_default()
}

/// Every `\xHH` as U+FFFD.
fn without_bytes(text: &str) -> String {
    let mut parts = text.split("\\x");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push('\u{fffd}');
        out.push_str(part.get(2..).unwrap_or_default());
    }
    out
}

/// Letters and digits, sorted and without case.
fn characters(text: &str) -> Vec<char> {
    let mut all: Vec<char> = text
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    all.sort_unstable();
    all
}
