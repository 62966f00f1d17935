//! Every case gives what Go's libraries gave, which `oracle/` asked.

use belay_yaml::{
    Error, Numbers, ParseOptions, Value, parse, parse_json, parse_json_map, parse_json_seq,
    parse_json_with, parse_map, parse_seq, parse_with, to_json, to_json_pretty, to_json_raw,
    to_yaml, to_yaml_pretty,
};

fn run(op: &str, input: &str) -> Result<String, Error> {
    let source = input.as_bytes();
    // What is printed is read with its integers kept, as templates hold both kinds of numbers.
    let value = || parse_json_with(source, Numbers::Exact);
    match op {
        "parse" => to_json(&parse(source)?),
        "parse_strict" => to_json(&parse_with(
            source,
            &ParseOptions {
                strict: true,
                ..ParseOptions::default()
            },
        )?),
        "parse_exact" => {
            let options = ParseOptions {
                numbers: Numbers::Exact,
                ..ParseOptions::default()
            };
            to_json(&parse_with(source, &options)?)
        }
        "parse_map" => to_json(&Value::Map(parse_map(source)?)),
        "parse_seq" => to_json(&Value::Seq(parse_seq(source)?)),
        "parse_json" => to_json(&parse_json(source)?),
        "parse_json_map" => to_json(&parse_json_map(source)?.map_or(Value::Null, Value::Map)),
        "parse_json_seq" => to_json(&parse_json_seq(source)?.map_or(Value::Null, Value::Seq)),
        "to_yaml" => to_yaml(&value()?),
        "to_yaml_pretty" => to_yaml_pretty(&value()?),
        "to_json" => to_json(&value()?),
        "to_json_raw" => to_json_raw(&value()?),
        "to_json_pretty" => to_json_pretty(&value()?, "  "),
        other => panic!("no operation {other}"),
    }
}

fn text<'c>(case: &'c serde_json::Value, key: &str) -> Option<&'c str> {
    case.get(key).and_then(serde_json::Value::as_str)
}

fn agree(cases: &str) -> Result<(), serde_json::Error> {
    let mut differ = Vec::new();
    let mut checked = 0;
    for line in cases.lines() {
        let case: serde_json::Value = serde_json::from_str(line)?;
        let (Some(op), Some(input)) = (text(&case, "op"), text(&case, "in")) else {
            panic!("a case needs op and in: {line}")
        };
        let expected = match (text(&case, "out"), text(&case, "err")) {
            // YAMLToJSON spells a byte that is not UTF-8 as an escape, we as the character.
            (Some(out), _) => Ok(out.replace("\\ufffd", "\u{fffd}")),
            (None, err) => Err(err.unwrap_or_default().to_owned()),
        };
        let actual = run(op, input).map_err(|error| error.to_string());
        checked += 1;
        if actual != expected {
            differ.push(format!(
                "{op} {input:?}\n  Go:   {expected:?}\n  here: {actual:?}"
            ));
        }
    }
    assert!(checked > 100, "the cases are missing");
    assert!(
        differ.is_empty(),
        "{} of {checked} differ:\n{}",
        differ.len(),
        differ.join("\n")
    );
    Ok(())
}

#[test]
fn reading_yaml_agrees_with_go() {
    agree(include_str!("cases/read.jsonl")).unwrap();
}

#[test]
fn printing_agrees_with_go() {
    agree(include_str!("cases/print.jsonl")).unwrap();
}

#[test]
fn reading_json_agrees_with_go() {
    agree(include_str!("cases/json.jsonl")).unwrap();
}
