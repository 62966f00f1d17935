//! What is printed reads back as what it was.

use belay_yaml::{
    Map, Numbers, ParseOptions, Value, parse, parse_json, parse_json_with, parse_with, to_json,
    to_json_pretty, to_yaml, to_yaml_pretty,
};
use proptest::prelude::*;

/// Texts that YAML has trouble with, and any others. Without the few characters that even Go cannot carry through
/// its JSON, and without those that a reader takes for line breaks of its own.
fn text() -> impl Strategy<Value = String> {
    let tricky = prop::sample::select(vec![
        "",
        " ",
        "~",
        "null",
        "yes",
        "0x1f",
        "1e3",
        "1:30",
        "2001-01-01",
        "- a",
        "a: b",
        "#",
        "a #b",
        "'",
        "\"",
        "\\",
        "|",
        ">",
        "%",
        "@",
        "{",
        "[",
        "&a",
        "*a",
        "!a",
        "? ",
        "---",
        "...",
        "<<",
        "=",
        "\n",
        "a\n",
        "\na",
        " a\n b",
        "a\n\n",
        "\t",
        "a\tb",
        "{{ x }}",
        ".inf",
        "é",
        "😀",
        "\u{feff}x",
    ])
    .prop_map(str::to_owned);
    let any = "[ -~\n\t\u{e9}\u{65e5}\u{1f600}]{0,24}".prop_map(|text: String| text);
    let long = "([a-z:#'\\\\-]{1,9} {1,2}){5,30}".prop_map(|text: String| text);
    prop_oneof![tricky, any, long]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        (i64::MAX as u64 + 1..).prop_map(Value::Uint),
        text().prop_map(Value::Str),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Seq),
            prop::collection::btree_map(text(), inner, 0..5).prop_map(|map: Map| Value::Map(map)),
        ]
    })
}

const EXACT: ParseOptions = ParseOptions {
    numbers: Numbers::Exact,
    strict: true,
    limits: belay_yaml::Limits::DEFAULT,
};

/// Whether a text of the value, key or not, is such.
fn any_text(value: &Value, is_such: fn(&str) -> bool) -> bool {
    match value {
        Value::Map(entries) => entries
            .iter()
            .any(|(key, item)| is_such(key) || any_text(item, is_such)),
        Value::Seq(items) => items.iter().any(|item| any_text(item, is_such)),
        Value::Str(text) => is_such(text),
        _ => false,
    }
}

/// go-yaml prints `<<` plain, which as a key is a merge.
fn is_merge(text: &str) -> bool {
    text == "<<"
}

/// What neither go-yaml v3 nor we read back.
fn is_unreadable(text: &str) -> bool {
    is_merge(text) || is_tabbed_block(text)
}

/// go-yaml v3 prints these as blocks that begin with a tab, which no reader takes.
fn is_tabbed_block(text: &str) -> bool {
    text.contains('\t') && text.contains('\n')
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn yaml_reads_back(value in value().prop_filter("unreadable", |value| !any_text(value, is_merge))) {
        let text = to_yaml(&value).unwrap();
        prop_assert_eq!(parse_with(text.as_bytes(), &EXACT).unwrap(), value, "{}", text);
    }

    #[test]
    fn pretty_yaml_reads_back(value in value().prop_filter("unreadable", |value| !any_text(value, is_unreadable))) {
        let text = to_yaml_pretty(&value).unwrap();
        prop_assert_eq!(parse_with(text.as_bytes(), &EXACT).unwrap(), value, "{}", text);
    }

    #[test]
    fn json_reads_back(value in value()) {
        let text = to_json(&value).unwrap();
        prop_assert_eq!(&parse_json_with(text.as_bytes(), Numbers::Exact).unwrap(), &value);
        let pretty = to_json_pretty(&value, "  ").unwrap();
        prop_assert_eq!(parse_json_with(pretty.as_bytes(), Numbers::Exact).unwrap(), value);
    }

    #[test]
    fn floats_read_back(number in any::<f64>().prop_filter("finite", |number| number.is_finite())) {
        let value = Value::Float(number);
        prop_assert_eq!(parse(to_yaml(&value).unwrap().as_bytes()).unwrap().as_f64(), Some(number));
        prop_assert_eq!(parse_json(to_json(&value).unwrap().as_bytes()).unwrap(), value);
    }

    #[test]
    fn no_text_makes_reading_panic(text in "[ \n\t:#\\-\\[\\]{}&*!|>'\"%,?ab\\\\0<=.\u{feff}\u{85}\u{e9}\\x00]{0,40}") {
        let _ = parse_with(text.as_bytes(), &EXACT);
        let _ = parse_json(text.as_bytes());
    }

    #[test]
    fn no_bytes_make_reading_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        let _ = parse(&bytes);
        let _ = parse_json(&bytes);
        let _ = belay_yaml::documents(&bytes);
    }
}
