use crate::funcs::check::{fails, gives};

#[test]
fn trimming_and_cutting_count_bytes() {
    gives(&[
        (r#"{{ trunc 1 "é" | printf "%q" }}"#, r#""\xc3""#),
        (r#"{{ trunc -3 "hello" }}"#, "llo"),
        (r#"{{ trunc 9 "abc" }}"#, "abc"),
        (r#"{{ substr 1 3 "hello" }}"#, "el"),
        (r#"{{ substr -1 3 "hello" }}"#, "hel"),
        (r#"{{ substr 2 -1 "hello" }}"#, "llo"),
        (r#"{{ trimAll "$" "$5.00$" }}"#, "5.00"),
        (
            r#"{{ trimPrefix "-" "-a-" }}{{ trimSuffix "-" "-a-" }}"#,
            "a--a",
        ),
        (r#"{{ trim "\t a \u00a0" }}"#, "a"),
        (r#"{{ abbrev 5 "hello world" }}"#, "he..."),
        (r#"{{ abbrev 3 "hello" }}"#, "hello"),
        (r#"{{ abbrevboth 5 10 "1234 5678 9123" }}"#, "...5678..."),
        (r#"{{ abbrevboth 6 9 "abcdefghijklmnop" }}"#, "...ghi..."),
    ]);
}

#[test]
fn words_are_found_by_sprigs_rules() {
    gives(&[
        (
            r#"{{ snakecase "HTTPServer" }} {{ snakecase "http2xx" }} {{ snakecase "HTTP20xOK" }} {{ snakecase "Bld4Floor3rd" }} {{ snakecase "GO PATH" }}"#,
            "http_server http_2xx http_20x_ok bld4_floor_3rd go_path",
        ),
        (
            r#"{{ kebabcase "FirstName" }} {{ kebabcase "Duration2m3s" }} {{ kebabcase "a1B2c3D4" }}"#,
            "first-name duration-2m3s a1-b-2c3-d4",
        ),
        (
            r#"{{ camelcase "http_server" }} {{ camelcase "_complex__case_" }} {{ camelcase "GOLANG_IS_GREAT" }} {{ camelcase "--" }}|"#,
            "HttpServer _Complex_Case_ GolangIsGreat ---|",
        ),
        (
            r#"{{ title "hello wörld foo_bar a-b" }}"#,
            "Hello Wörld Foo_bar A-B",
        ),
        (r#"{{ untitle "Hello World" }}"#, "hello world"),
        (r#"{{ swapcase "This Is A.Test" }}"#, "tHIS iS a.tEST"),
        (
            r#"{{ initials "First Try" }}{{ initials "été x" }}"#,
            "FTÃx",
        ),
        (r#"{{ nospace "é x" }}{{ nospace "hé" }}"#, "Ã©xhé"),
        (
            r#"{{ upper "ßtraße ǆ" }} {{ lower "ΔΕ İ" }}"#,
            "ßTRAßE Ǆ δε i",
        ),
        (r#"{{ snakecase "日本Foo" }}"#, "日本_foo"),
    ]);
}

#[test]
fn wrapping_breaks_at_blanks() {
    gives(&[
        (
            r#"{{ wrap 5 "aaa bbb cccccccc dd" | printf "%q" }}"#,
            r#""aaa\nbbb\ncccccccc\ndd""#,
        ),
        (
            r#"{{ wrapWith 5 "|" "aaa bbb cccccccc dd" }}"#,
            "aaa|bbb|ccccc|ccc|dd",
        ),
        (r#"{{ wrap 0 "a b" | printf "%q" }}"#, r#""a\nb""#),
    ]);
}

#[test]
fn nil_is_left_out_where_strings_are_joined() {
    gives(&[
        (
            r#"{{ quote nil }}|{{ quote "a\"b" nil 1 }}"#,
            r#"|"a\"b" "1""#,
        ),
        (r#"{{ squote "it's" nil true }}"#, "'it's' 'true'"),
        (r#"{{ cat "a" nil 1 (list 1) }}"#, "a 1 [1]"),
        (r#"{{ join "-" (list 1 nil "a") }}"#, "1-a"),
        (
            r#"{{ toStrings (list 1 nil "x") | toJson }}"#,
            r#"["1","x"]"#,
        ),
        (r#"{{ sortAlpha (list "b" 1 "a" nil) }}"#, "[1 a b]"),
        (r#"{{ toString (list 1 "a") }}"#, "[1 a]"),
    ]);
}

#[test]
fn indenting_touches_every_line() {
    gives(&[
        (
            r#"{{ indent 2 "a\nb\n" | printf "%q" }}"#,
            r#""  a\n  b\n  ""#,
        ),
        (r#"{{ nindent 1 "" | printf "%q" }}"#, r#""\n ""#),
        (r#"{{ indent 0 "a" }}"#, "a"),
    ]);
}

#[test]
fn splitting_and_replacing() {
    gives(&[
        (
            r#"{{ split "/" "a/b" }} {{ (split "/" "a/b")._1 }}"#,
            "map[_0:a _1:b] b",
        ),
        (r#"{{ (split "/" "a")._9 | printf "%q" }}"#, r#""""#),
        (r#"{{ splitList "" "aé" | toJson }}"#, r#"["a","é"]"#),
        (
            r#"{{ splitn "." 2 "a.b.c" | toJson }}{{ splitn "." 0 "a" | toJson }}"#,
            r#"{"_0":"a","_1":"b.c"}{}"#,
        ),
        (
            r#"{{ replace "" "-" "ab" }}{{ replace "a" "b" "aca" }}"#,
            "-a-b-bcb",
        ),
        (r#"{{ repeat 3 "ab" }}"#, "ababab"),
        (
            r#"{{ contains "b" "abc" }}{{ hasPrefix "a" "ab" }}{{ hasSuffix "a" "ab" }}"#,
            "truetruefalse",
        ),
        (
            r#"{{ plural "one" "many" 1 }}{{ plural "one" "many" 2 }}"#,
            "onemany",
        ),
    ]);
}

#[test]
fn what_go_panics_at_is_an_error() {
    fails(&[
        (
            r#"{{ substr 3 2 "hello" }}"#,
            "substr: runtime error: slice bounds out of range [3:2]",
        ),
        (
            r#"{{ substr 9 10 "hello" }}"#,
            "substr: runtime error: slice bounds out of range [9:5]",
        ),
        (
            r#"{{ substr -1 9 "hello" }}"#,
            "substr: runtime error: slice bounds out of range [:9] with length 5",
        ),
        (
            r#"{{ repeat -1 "a" }}"#,
            "repeat: strings: negative Repeat count",
        ),
        (
            r#"{{ indent -1 "a" }}"#,
            "indent: strings: negative Repeat count",
        ),
    ]);
}
