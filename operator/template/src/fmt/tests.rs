//! What Go printed for the same calls.

use super::*;

fn f(format: &str, args: &[Value]) -> String {
    String::from_utf8_lossy(&printf(format.as_bytes(), args)).into_owned()
}

fn int(number: i64) -> Value {
    Value::int(number)
}

#[test]
fn floats_print_as_short_as_they_read_back() {
    let shown = |value: f64| String::from_utf8_lossy(&display(&Value::Float(value))).into_owned();
    for (value, text) in [
        (1_000_000.0, "1e+06"),
        (123_456_789.0, "1.23456789e+08"),
        (100_000.0, "100000"),
        (1e20, "1e+20"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (0.0, "0"),
        (-1.5, "-1.5"),
        (f64::INFINITY, "+Inf"),
    ] {
        assert_eq!(shown(value), text);
    }
}

#[test]
fn numbers_obey_flags_width_and_precision() {
    for (format, arg, text) in [
        ("%8.2f|", 3.24159.into(), "    3.24|"),
        ("%-8.2f|", 3.24159.into(), "3.24    |"),
        ("%08.3f", 3.24159.into(), "0003.242"),
        ("%010.3f", (-2.5).into(), "-00002.500"),
        ("%x", 3.5.into(), "0x1.cp+01"),
        ("%.3g", 1234.5678.into(), "1.23e+03"),
        ("%e", 1234.5.into(), "1.234500e+03"),
        ("%#g", 1.0.into(), "1.00000"),
        ("%b", 1.5.into(), "6755399441055744p-52"),
        ("% d", int(5), " 5"),
        ("%+010d", int(5), "+000000005"),
        ("%-010d|", int(5), "5         |"),
        ("%8.3d", int(5), "     005"),
        ("%x", int(-255), "-ff"),
        ("%#o", int(8), "010"),
        ("%O", int(8), "0o10"),
        ("%#U", int(0x1F600), "U+1F600 '😀'"),
        ("%q", int(65), "'A'"),
        ("%.0d|", int(0), "|"),
    ] {
        assert_eq!(f(format, &[arg]), text, "{format}");
    }
}

#[test]
fn strings_are_cut_and_filled_by_characters() {
    for (format, arg, text) in [
        ("%.2s", "héllo", "hé"),
        ("%10s", "x", "         x"),
        ("%010s", "a", "000000000a"),
        ("%+q", "é", "\"\\u00e9\""),
        ("%#q", "a b", "`a b`"),
        ("%.1q", "é€", "\"é\""),
        ("% x", "abc", "61 62 63"),
        ("%# x", "abc", "0x61 0x62 0x63"),
        ("%q", "a\"b\n\u{200b}", "\"a\\\"b\\n\\u200b\""),
    ] {
        assert_eq!(f(format, &[arg.into()]), text, "{format}");
    }
}

#[test]
fn what_does_not_fit_is_reported_in_the_output() {
    for (format, args, text) in [
        ("%s", vec![int(1)], "%!s(int=1)"),
        ("%d", vec![1.0.into()], "%!d(float64=1)"),
        ("%d", vec!["a".into()], "%!d(string=a)"),
        ("%.2f|", vec![int(1)], "%!f(int=01)|"),
        ("%s", vec![Value::Nil], "%!s(<nil>)"),
        ("%d %d", vec![int(1)], "1 %!d(MISSING)"),
        (
            "%d",
            vec![int(1), "x".into(), Value::Nil],
            "1%!(EXTRA string=x, <nil>)",
        ),
        ("%", vec![int(1)], "%!(NOVERB)%!(EXTRA int=1)"),
        (
            "%[x]d|%[0]d|%[1]d|%[2]d|%[1\n",
            vec![int(1)],
            "%!d(BADINDEX)|%!d(BADINDEX)|1|%!d(BADINDEX)|%!\n(BADINDEX)",
        ),
        ("%!", vec![int(1)], "%!!(int=1)"),
        (
            "%d|%s",
            vec![
                Value::list(vec![int(1), "a".into()]),
                Value::list(vec![int(1), "a".into()]),
            ],
            "[1 %!d(string=a)]|[%!s(int=1) a]",
        ),
    ] {
        assert_eq!(f(format, &args), text, "{format}");
    }
}

#[test]
fn stars_and_indexes_choose_operands() {
    assert_eq!(
        f(
            "%*d|%-*d|%.*f|%[5]d",
            &[int(5), int(42), int(5), int(42), int(2), 3.24159.into()]
        ),
        "   42|42   |3.24|2"
    );
    assert_eq!(f("%[2]d %[1]d", &[int(1), int(2)]), "2 1");
}

#[test]
fn composite_values_print_their_elements() {
    let map = Value::map([("b", int(1)), ("a", "x".into())]);
    assert_eq!(
        f("%v|%s", &[map.clone(), map]),
        "map[a:x b:1]|map[a:x b:%!s(int=1)]"
    );
    let map = Value::map([("b", 1.0.into()), ("c", "s".into())]);
    assert_eq!(
        f("%#v", &[map]),
        "map[string]interface {}{\"b\":1, \"c\":\"s\"}"
    );
    assert_eq!(
        f("%#v", &[Value::list(vec![int(1), Value::Nil])]),
        "[]interface {}{1, interface {}(nil)}"
    );
    assert_eq!(
        f(
            "%v %s",
            &[Value::Bytes("ab".into()), Value::Bytes("ab".into())]
        ),
        "[97 98] ab"
    );
    assert_eq!(
        f(
            "%q %x",
            &[Value::strings(["a", "b"]), Value::strings(["a", "b"])]
        ),
        "[\"a\" \"b\"] [61 62]"
    );
}

#[test]
fn print_puts_spaces_between_operands_that_are_no_strings() {
    let args: Vec<Value> = vec![
        "a".into(),
        "b".into(),
        int(1),
        int(2),
        "c".into(),
        3.5.into(),
        Value::Nil,
        Value::Nil,
        true.into(),
    ];
    assert_eq!(
        String::from_utf8_lossy(&print(&args)),
        "ab1 2c3.5 <nil> <nil> true"
    );
    assert_eq!(println(&[int(1), "a".into(), Value::Nil]), b"1 a <nil>\n");
}

#[test]
fn durations_print_in_units() {
    let shown = |n: i64| {
        String::from_utf8_lossy(&display(&Value::Int(crate::IntKind::Duration, n))).into_owned()
    };
    assert_eq!(shown(3_723_500_000_000), "1h2m3.5s");
    assert_eq!(shown(1_500_000), "1.5ms");
    assert_eq!(shown(-2_000), "-2µs");
    assert_eq!(shown(60_000_000_000), "1m0s");
    assert_eq!(shown(0), "0s");
}

#[test]
fn a_map_that_holds_itself_ends() {
    let map = crate::Map::new(crate::MapType::Any);
    map.insert("self".into(), Value::Map(map.clone()));
    map.insert("again".into(), Value::Map(map.clone()));
    assert!(!display(&Value::Map(map)).is_empty());
}
