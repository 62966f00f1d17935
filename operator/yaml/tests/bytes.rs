//! Go strings are bytes, values that structs take, and encodings other than UTF-8.

use belay_yaml::{
    Map, Numbers, ParseOptions, Value, float_g, from_serde, parse, parse_with, to_json, to_serde,
    to_yaml, to_yaml_pretty,
};

#[test]
fn bytes_that_are_not_text_become_replacement_characters_in_json_and_yaml() {
    let half = Value::from_bytes(vec![b'a', 0xc3]);

    assert_eq!(to_json(&half).unwrap(), "\"a\\ufffd\"");
    assert_eq!(to_yaml(&half).unwrap(), "a\u{fffd}\n");
}

#[test]
fn bytes_that_are_not_text_are_tagged_in_pretty_yaml() {
    let short = Value::Map(Map::from([(
        "k".to_owned(),
        Value::from_bytes(vec![0xff, 0xfe]),
    )]));
    let long = Value::Seq(vec![Value::from_bytes(vec![0xff; 60])]);

    assert_eq!(to_yaml_pretty(&short).unwrap(), "k: !!binary //4=\n");
    let line = "/".repeat(70);
    assert_eq!(
        to_yaml_pretty(&long).unwrap(),
        format!("- !!binary |\n  {line}\n  //////////\n")
    );
}

#[test]
fn utf16_behind_its_mark_is_read() {
    let text = "a: é😀";
    let little = text.encode_utf16().flat_map(u16::to_le_bytes);
    let big = text.encode_utf16().flat_map(u16::to_be_bytes);
    let expected = parse(text.as_bytes()).unwrap();

    assert_eq!(
        parse(&[0xff, 0xfe].into_iter().chain(little).collect::<Vec<_>>()),
        Ok(expected.clone())
    );
    assert_eq!(
        parse(&[0xfe, 0xff].into_iter().chain(big).collect::<Vec<_>>()),
        Ok(expected)
    );
}

#[test]
fn what_is_not_text_is_named_as_libyaml_names_it() {
    for (source, problem) in [
        (&b"a: \xff"[..], "invalid leading UTF-8 octet"),
        (b"a: \xc3", "incomplete UTF-8 octet sequence"),
        (b"a: \xc3a", "invalid trailing UTF-8 octet"),
        (b"a: \xc0\xaf", "invalid length of a UTF-8 sequence"),
        (b"a: \xed\xa0\x80", "invalid Unicode character"),
        (b"a: \x01", "control characters are not allowed"),
    ] {
        let error = parse(source).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("error converting YAML to JSON: yaml: {problem}")
        );
    }
}

#[test]
fn a_string_field_takes_numbers_as_go_does() {
    let options = ParseOptions {
        numbers: Numbers::Exact,
        ..ParseOptions::default()
    };
    let field = |text: &str| {
        parse_with(text.as_bytes(), &options)
            .unwrap()
            .to_string_field()
    };

    assert_eq!(field("1.10").as_deref(), Some("1.1"));
    assert_eq!(field("10").as_deref(), Some("10"));
    assert_eq!(field("1e6").as_deref(), Some("1e+06"));
    assert_eq!(field("yes").as_deref(), Some("true"));
    assert_eq!(field("v1").as_deref(), Some("v1"));
    assert_eq!(field("[v1]"), None);
    assert_eq!(field("~"), None);
}

#[test]
fn floats_are_written_as_go_writes_them() {
    for (number, text) in [
        (1e6, "1e+06"),
        (123_456.0, "123456"),
        (1_234_567.5, "1.2345675e+06"),
        (0.0001, "0.0001"),
        (0.000_01, "1e-05"),
        (-0.0, "-0"),
        (f64::INFINITY, "+Inf"),
        (f64::NAN, "NaN"),
    ] {
        assert_eq!(float_g(number), text);
    }
}

#[test]
fn whole_floats_become_integers_for_serde() {
    let value = parse(b"a: [1, 1.5, x, ~, true]").unwrap();

    let json = to_serde(&value);

    assert_eq!(json, serde_json::json!({"a": [1, 1.5, "x", null, true]}));
    assert_eq!(
        from_serde(&json)
            .at(&["a"])
            .and_then(Value::as_seq)
            .unwrap()[0],
        Value::Int(1)
    );
}

#[test]
fn a_path_leads_through_mappings_only() {
    let value = parse(b"a: {b: {c: d}, e: [f]}").unwrap();

    assert_eq!(
        value.at(&["a", "b", "c"]).and_then(Value::as_str),
        Some("d")
    );
    assert_eq!(value.at(&["a", "e", "0"]), None);
    assert_eq!(value.at(&["x"]), None);
}
