//! Templates: statements within each other, expressions by the types of functions.

use std::sync::LazyLock;

use belay_template::{Function, Param, function, function_names};

use super::chance::Chance;
use super::words::{
    FIELDS, HINTS, MULTIPLYING, NUMBERS, OBJECTS, SMALL, STRINGS, UNREPEATABLE, VERBS,
};

static FUNCTIONS: LazyLock<Vec<&'static Function>> = LazyLock::new(|| {
    let names = function_names().into_iter();
    names
        .filter(|name| !UNREPEATABLE.contains(name))
        .filter_map(function)
        .collect()
});

/// A template of one to four statements.
pub(super) fn template(chance: &mut Chance) -> String {
    let mut out = String::from("{{- $x := 1 }}{{ $y := .Values.map -}}\n");
    let (statements, depth) = if chance.likely(50) {
        (1, 0)
    } else {
        (1 + chance.below(4), 2)
    };
    for _ in 0..statements {
        statement(chance, &mut out, depth);
    }
    out
}

fn statement(chance: &mut Chance, out: &mut String, depth: usize) {
    match chance.below(if depth == 0 { 60 } else { 100 }) {
        0..50 => {
            out.push_str(chance.one(&["a: ", "\n", " ", "- ", ""]));
            let depth = 1 + chance.below(3);
            let inner = expression(chance, depth);
            action(chance, out, &inner);
        }
        50..55 => {
            let inner = expression(chance, 2);
            let sign = chance.one(&[":=", ":=", "="]);
            let name = chance.one(&["$x", "$y", "$z"]);
            action(chance, out, &format!("{name} {sign} {inner}"));
        }
        55..58 => out.push_str("text\n  more\n"),
        58 => out.push_str(chance.one(&["{{/* c */}}", "{{- /* c */ -}}", "{{ /* c */ }}"])),
        59 => {
            let name = chance.one(&["h", "dict", "root", "lines", "empty", "own", "fails"]);
            let dot = chance.one(&["", " .", " .Values", " 1", " nil"]);
            action(chance, out, &format!("template \"{name}\"{dot}"));
        }
        60..72 => {
            let condition = expression(chance, 2);
            action(chance, out, &format!("if {condition}"));
            body(chance, out, depth);
            if chance.likely(30) {
                let condition = expression(chance, 1);
                action(chance, out, &format!("else if {condition}"));
                body(chance, out, depth);
            }
            otherwise(chance, out, depth);
            action(chance, out, "end");
        }
        72..80 => {
            let declared = chance.one(&["", "", "$x := ", "$w := "]);
            let value = expression(chance, 2);
            action(chance, out, &format!("with {declared}{value}"));
            body(chance, out, depth);
            if chance.likely(20) {
                let value = expression(chance, 1);
                action(chance, out, &format!("else with {value}"));
                body(chance, out, depth);
            }
            otherwise(chance, out, depth);
            action(chance, out, "end");
        }
        80..95 => {
            let declared = chance.one(&["", "", "$x := ", "$k, $v := ", "$y, $x = "]);
            let over = if chance.likely(75) {
                chance
                    .one(&[
                        ".Values.list",
                        ".Values.map",
                        ".Values.maps",
                        ".Values.mixed",
                        ".Values.none",
                        ".Values.nothing",
                        "3",
                        "until 3",
                        ".Values.int",
                        "(list 1 2 3)",
                        "(dict \"a\" 1 \"b\" 2)",
                        ".Files",
                        "tuple \"a\" \"b\"",
                        "$y",
                    ])
                    .to_owned()
            } else {
                value(chance, Param::List, 1)
            };
            action(chance, out, &format!("range {declared}{over}"));
            if chance.likely(15) {
                let flow = chance.one(&["break", "continue"]);
                action(chance, out, "if eq . \"b\"");
                action(chance, out, flow);
                action(chance, out, "end");
            }
            body(chance, out, depth);
            otherwise(chance, out, depth);
            action(chance, out, "end");
        }
        _ => {
            let word = chance.one(&["define \"own\"", "block \"own\" .", "define \"other\""]);
            if word.starts_with("block") || depth == 2 {
                action(chance, out, word);
                body(chance, out, depth);
                action(chance, out, "end");
            }
        }
    }
}

fn body(chance: &mut Chance, out: &mut String, depth: usize) {
    if chance.likely(40) {
        action(chance, out, ".");
    }
    for _ in 0..=chance.below(2) {
        statement(chance, out, depth - 1);
    }
}

fn otherwise(chance: &mut Chance, out: &mut String, depth: usize) {
    if chance.likely(30) {
        action(chance, out, "else");
        body(chance, out, depth);
    }
}

fn action(chance: &mut Chance, out: &mut String, inner: &str) {
    out.push_str(chance.one(&["{{ ", "{{ ", "{{", "{{- ", "\n{{- "]));
    out.push_str(inner);
    out.push_str(chance.one(&[" }}", " }}", "}}", " -}}", " }}\n"]));
}

/// A pipeline.
fn expression(chance: &mut Chance, depth: usize) -> String {
    let mut out = if depth == 0 || chance.likely(15) {
        value(chance, Param::Any, depth)
    } else {
        let any = FUNCTIONS.get(chance.below(FUNCTIONS.len())).copied();
        call(chance, any, depth, false)
    };
    while chance.likely(18) {
        let piped: Vec<_> = FUNCTIONS
            .iter()
            .copied()
            .filter(|function| !MULTIPLYING.contains(&function.name))
            .collect();
        let next = piped.get(chance.below(piped.len())).copied();
        out.push_str(chance.one(&[" | ", "|", " |\n "]));
        out.push_str(&call(chance, next, depth.saturating_sub(1), true));
    }
    out
}

/// A call; the last argument is left out when it comes from a pipe.
fn call(chance: &mut Chance, function: Option<&Function>, depth: usize, piped: bool) -> String {
    let Some(function) = function else {
        return "1".to_owned();
    };
    if function.name == "printf" {
        return printf(chance, depth, piped);
    }
    let mut out = function.name.to_owned();
    let mut params = function.params.to_vec();
    if let Some(rest) = function.variadic {
        params.extend((0..chance.below(4)).map(|_| rest));
    }
    if chance.likely(3) {
        params.push(Param::Any);
    }
    if piped || chance.likely(2) {
        params.pop();
    }
    let hints = HINTS
        .iter()
        .find(|(part, _)| function.name.contains(part))
        .map(|(_, hints)| *hints);
    for param in params {
        out.push(' ');
        let literal = MULTIPLYING.contains(&function.name);
        match hints {
            Some(hints) if chance.likely(65) => out.push_str(chance.one(hints)),
            _ if literal && param != Param::String => out.push_str(chance.one(SMALL)),
            _ if literal => out.push_str(chance.one(STRINGS)),
            _ => out.push_str(&value(chance, param, depth - usize::from(depth > 0))),
        }
    }
    out
}

fn printf(chance: &mut Chance, depth: usize, piped: bool) -> String {
    let verbs: Vec<_> = (0..=chance.below(3)).map(|_| chance.one(VERBS)).collect();
    let mut out = format!("printf \"{}\"", verbs.join(" "));
    for _ in usize::from(piped)..verbs.len() + usize::from(chance.likely(10)) {
        out.push(' ');
        let param = if chance.likely(40) {
            Param::Int
        } else {
            Param::Any
        };
        out.push_str(&value(chance, param, depth.min(1)));
    }
    out
}

/// One word, or an expression in parentheses.
fn value(chance: &mut Chance, param: Param, depth: usize) -> String {
    const STRING: &[&str] = &[
        "upper",
        "lower",
        "title",
        "trim",
        "quote",
        "squote",
        "toString",
        "toJson",
        "toYaml",
        "b64enc",
        "join",
        "replace",
        "printf",
        "snakecase",
        "camelcase",
        "nospace",
        "trimSuffix",
        "typeOf",
        "kindOf",
        "html",
        "js",
        "urlquery",
        "toRawJson",
        "cat",
        "regexReplaceAll",
        "toPrettyJson",
        "toYamlPretty",
        "toToml",
        "sha256sum",
        "print",
        "println",
        "default",
        "coalesce",
        "ternary",
        "include",
        "tpl",
        "initials",
        "swapcase",
        "untitle",
        "kebabcase",
        "base",
        "dir",
        "clean",
    ];
    const LIST: &[&str] = &[
        "list",
        "splitList",
        "sortAlpha",
        "reverse",
        "concat",
        "append",
        "prepend",
        "uniq",
        "compact",
        "rest",
        "initial",
        "without",
        "chunk",
        "slice",
        "until",
        "regexFindAll",
        "regexSplit",
        "pluck",
        "tuple",
        "fromYamlArray",
        "fromJsonArray",
        "mustUniq",
    ];
    const MAP: &[&str] = &[
        "dict",
        "merge",
        "mergeOverwrite",
        "pick",
        "omit",
        "deepCopy",
        "fromYaml",
        "fromJson",
        "urlParse",
        "split",
        "set",
        "unset",
        "fromToml",
        "mustMerge",
    ];
    const NUMBER: &[&str] = &[
        "add",
        "sub",
        "mul",
        "div",
        "mod",
        "max",
        "min",
        "len",
        "int",
        "int64",
        "float64",
        "floor",
        "ceil",
        "round",
        "addf",
        "mulf",
        "subf",
        "divf",
        "maxf",
        "add1",
        "atoi",
        "toDecimal",
        "biggest",
        "minf",
    ];
    const BOOL: &[&str] = &[
        "eq",
        "ne",
        "lt",
        "le",
        "gt",
        "ge",
        "not",
        "and",
        "or",
        "contains",
        "has",
        "hasKey",
        "hasPrefix",
        "empty",
        "semverCompare",
        "regexMatch",
        "typeIs",
        "kindIs",
        "deepEqual",
        "any",
        "all",
        "isAbs",
    ];
    let param = if chance.likely(10) { Param::Any } else { param };
    let (words, made): (&[&str], &[&str]) = match param {
        Param::String => (STRINGS, STRING),
        Param::Bool => (&["true", "false", ".Values.yes"], BOOL),
        Param::Int | Param::Int64 | Param::Uint32 | Param::Float64 => (NUMBERS, NUMBER),
        Param::List | Param::Strings => (
            &[
                ".Values.list",
                ".Values.mixed",
                ".Values.none",
                ".Values.odd",
                "(list 3 1 2)",
            ],
            LIST,
        ),
        Param::Map => (
            &[
                ".Values.map",
                ".Values.nested",
                ".Values.emptymap",
                "(dict \"a\" 1)",
                ".Values",
            ],
            MAP,
        ),
        Param::Object("time.Time") => (&["(toDate \"2006-01-02\" \"2020-02-29\")"], &["toDate"]),
        Param::Any | Param::Reflect | Param::Object(_) => {
            return match chance.below(if depth == 0 { 7 } else { 10 }) {
                0 => chance.one(STRINGS).to_owned(),
                1 => chance.one(NUMBERS).to_owned(),
                2..5 => chance.one(FIELDS).to_owned(),
                5 | 6 => chance.one(OBJECTS).to_owned(),
                7 => {
                    let kinds = [
                        Param::String,
                        Param::List,
                        Param::Map,
                        Param::Int,
                        Param::Bool,
                    ];
                    let kind = kinds[chance.below(kinds.len())];
                    value(chance, kind, depth)
                }
                8 => format!(
                    "({}).{}",
                    expression(chance, depth - 1),
                    chance.one(&["a", "b.c", "x", "Major"])
                ),
                _ => format!("({})", expression(chance, depth - 1)),
            };
        }
    };
    if depth > 0 && chance.likely(30) {
        let name = chance.one(made);
        return format!("({})", call(chance, function(name), depth - 1, false));
    }
    chance.one(words).to_owned()
}
