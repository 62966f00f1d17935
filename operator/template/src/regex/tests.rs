use super::{Regex, quote_meta};

fn first(pattern: &str, text: &[u8]) -> Option<Vec<u8>> {
    let regex = Regex::compile(pattern.as_bytes()).expect(pattern);
    regex.find(text).map(|found| text[found].to_vec())
}

#[test]
fn patterns_mean_what_go_means() {
    let cases: &[(&str, &str, Option<&str>)] = &[
        ("[a&&b]+", "x&ab", Some("&ab")),
        ("[[]", "a[", Some("[")),
        ("[+--]+", "a,b", Some(",")),
        (r"\Qa.b\E+", "axb a.bb", Some("a.bb")),
        (r"\w+", "é1", Some("1")),
        (r"\d+", "٣4", Some("4")),
        (r"\bx", "éx", Some("x")),
        (r"[^\s]", "\u{b}", Some("\u{b}")),
        ("a{,2}", "aa a{,2}", Some("a{,2}")),
        (r"(?i)k", "\u{212a}", Some("\u{212a}")),
        (r"\p{Greek}+", "abγδ", Some("γδ")),
        (r"\pL+", "1é", Some("é")),
        (r"\x{e9}\x41\07?", "éA", Some("éA")),
        ("(?s).+", "a\nb", Some("a\nb")),
        ("a|ab", "ab", Some("a")),
        ("$", "a\n", Some("")),
        (r"\<", "a<", Some("<")),
        ("[[:alpha:]_-]+", "1a_-", Some("a_-")),
    ];
    for (pattern, text, expected) in cases {
        let found = first(pattern, text.as_bytes());
        assert_eq!(
            found.as_deref(),
            expected.map(str::as_bytes),
            "{pattern} in {text}"
        );
    }
}

#[test]
fn errors_name_the_part_in_gos_words() {
    let cases = [
        ("a**", "invalid nested repetition operator: `**`"),
        ("*a", "missing argument to repetition operator: `*`"),
        ("(a", "missing closing ): `(a`"),
        ("a)", "unexpected ): `a)`"),
        ("[a", "missing closing ]: `[a`"),
        ("[z-a]", "invalid character class range: `z-a`"),
        ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
        ("(?x)a", "invalid or unsupported Perl syntax: `(?x`"),
        (r"\1", r"invalid escape sequence: `\1`"),
        (r"\Z", r"invalid escape sequence: `\Z`"),
        (r"a\", "trailing backslash at end of expression: ``"),
        ("a{1001}", "invalid repeat count: `{1001}`"),
        ("(a{100}){100}", "invalid repeat count: `{100}`"),
        ("(?P<a b>x)", "invalid named capture: `(?P<a b>`"),
        (r"\p{Nope}", r"invalid character class range: `\p{Nope}`"),
    ];
    for (pattern, expected) in cases {
        let error = Regex::compile(pattern.as_bytes()).expect_err(pattern);
        assert_eq!(
            error.to_string(),
            format!("error parsing regexp: {expected}")
        );
    }
}

#[test]
fn bytes_that_are_no_text_match_as_one_character_each() {
    let text = b"\xffa\xfe\xc3\xa9";
    let regex = Regex::compile(b"[^a-z]").expect("pattern");
    let found: Vec<_> = regex
        .find_all(text, -1)
        .into_iter()
        .map(|at| &text[at])
        .collect();
    assert_eq!(found, [&b"\xff"[..], b"\xfe", b"\xc3\xa9"]);
    assert_eq!(regex.replace_all(text, b"<$0>"), b"<\xff>a<\xfe><\xc3\xa9>");
}

#[test]
fn templates_of_replacements_name_groups() {
    let regex = Regex::compile(b"(?P<n>a)(b)?").expect("pattern");
    let cases = [
        ("$1x", ""),
        ("${1}x", "ax"),
        ("$n-$2", "a-b"),
        ("$$", "$"),
        ("${", "${"),
        ("$01", ""),
        ("$9", ""),
        ("a$", "a$"),
    ];
    for (template, expected) in cases {
        assert_eq!(
            regex.replace_all(b"ab", template.as_bytes()),
            expected.as_bytes(),
            "{template}"
        );
    }
}

#[test]
fn quoting_makes_any_text_match_itself() {
    let text = br"a.b*c\d[e]{f}^$|(g)+?";
    let quoted = quote_meta(text);
    let regex = Regex::compile(&quoted).expect("pattern");
    assert_eq!(regex.find(text), Some(0..text.len()));
}
