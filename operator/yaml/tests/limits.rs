//! Documents that ask for too much are refused, on a stack as small as a test thread's.

use belay_yaml::{
    Error, Limits, ParseOptions, Value, parse, parse_json, parse_with, to_json, to_yaml,
};

fn nested(levels: usize) -> Vec<u8> {
    let mut text = vec![b'['; levels];
    text.extend(vec![b']'; levels]);
    text
}

#[test]
fn nesting_up_to_the_limit_is_read_and_printed() {
    let text = nested(Limits::DEFAULT.depth);

    let value = parse(&text).unwrap();

    assert_eq!(to_json(&value).unwrap().as_bytes(), text);
    assert_eq!(parse_json(&text).unwrap(), value);
    assert!(to_yaml(&value).is_ok());
}

#[test]
fn nesting_beyond_the_limit_is_refused_in_every_form() {
    for levels in [Limits::DEFAULT.depth + 1, 200_000] {
        let blocks = "- ".repeat(levels);
        let maps = "{a: ".repeat(levels);
        for text in [nested(levels), blocks.into_bytes(), maps.into_bytes()] {
            assert!(matches!(parse(&text), Err(Error::Limit { .. })));
        }
        assert!(matches!(
            parse_json(&nested(levels)),
            Err(Error::Limit { .. })
        ));
    }
}

#[test]
fn printing_a_value_that_is_too_deep_is_refused() {
    let deep = (0..=Limits::DEFAULT.depth).fold(Value::Null, |inner, _| Value::Seq(vec![inner]));

    assert!(matches!(to_json(&deep), Err(Error::Limit { .. })));
    assert!(matches!(to_yaml(&deep), Err(Error::Limit { .. })));
}

#[test]
fn aliases_of_aliases_are_refused_as_go_refuses_them() {
    let mut text = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for pair in ["ab", "bc", "cd", "de", "ef", "fg"] {
        let (from, to) = pair.split_at(1);
        let items = format!("*{from}, ").repeat(9);
        text += &["", to, ": &", to, " [", &items, "]\n"].concat();
    }

    let error = parse(text.as_bytes()).unwrap_err();

    assert_eq!(
        error.to_string(),
        "error converting YAML to JSON: yaml: document contains excessive aliasing"
    );
}

#[test]
fn aliases_of_long_text_are_bounded_in_bytes() {
    let limits = Limits {
        alias_bytes: 1_000,
        ..Limits::DEFAULT
    };
    let options = ParseOptions {
        limits,
        ..ParseOptions::default()
    };
    let text = format!("a: &a {}\nb: [{}]\n", "x".repeat(100), "*a, ".repeat(11));

    let error = parse_with(text.as_bytes(), &options).unwrap_err();

    assert_eq!(
        error,
        Error::Limit {
            what: "bytes reached by aliases",
            limit: 1_000
        }
    );
}

#[test]
fn a_text_that_is_too_long_is_not_looked_at() {
    let limits = Limits {
        source_bytes: 3,
        ..Limits::DEFAULT
    };
    let options = ParseOptions {
        limits,
        ..ParseOptions::default()
    };

    assert_eq!(parse_with(b"abc", &options), Ok(Value::from("abc")));
    assert!(matches!(
        parse_with(b"abcd", &options),
        Err(Error::Limit { limit: 3, .. })
    ));
}

#[test]
fn many_keys_on_one_line_take_no_more_than_a_pass() {
    // Each bracket could begin a key, which keeps tokens waiting.
    let text = format!("{}{}", "[".repeat(900), "a, ".repeat(200_000));

    assert!(matches!(parse(text.as_bytes()), Err(Error::Syntax { .. })));
}
