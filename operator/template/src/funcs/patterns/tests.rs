use crate::funcs::check::{fails, gives};

#[test]
fn both_twins_find_the_same() {
    gives(&[
        (
            r#"{{ regexMatch "^a+$" "aaa" }}{{ regexMatch "[" "x" }}"#,
            "truefalse",
        ),
        (
            r#"{{ regexFind "b+" "abbc" }}{{ regexFind "z" "a" | printf "%q" }}{{ mustRegexFind "b" "abc" }}"#,
            r#"bb""b"#,
        ),
        (
            r#"{{ regexFindAll "a" "banana" 2 | toJson }}{{ regexFindAll "z" "a" -1 | toJson }}{{ regexFindAll "a" "a" 0 | toJson }}"#,
            r#"["a","a"]nullnull"#,
        ),
        (
            r#"{{ regexSplit "a" "banana" -1 | toJson }}{{ regexSplit "a" "banana" 2 | toJson }}{{ regexSplit "" "ab" -1 | toJson }}{{ regexSplit "a" "" -1 | toJson }}{{ regexSplit "a" "x" 0 | toJson }}"#,
            r#"["b","n","n",""]["b","nana"]["a","b"][""]null"#,
        ),
        (
            r#"{{ regexReplaceAll "a(x*)b" "-ab-axxb-" "${1}W" }} {{ regexReplaceAll "a(x*)b" "-ab-axxb-" "$1W" }} {{ regexReplaceAll "(?P<n>x)" "x" "$n$$" }} {{ regexReplaceAll "a*" "baaac" "-" }}"#,
            "-W-xxW- --- x$ -b-c-",
        ),
        (
            r#"{{ regexReplaceAllLiteral "a(x*)b" "-ab-axxb-" "${1}" }}"#,
            "-${1}-${1}-",
        ),
        (r#"{{ regexQuoteMeta "1.2.3 [a]" }}"#, r"1\.2\.3 \[a\]"),
    ]);
}

#[test]
fn a_broken_pattern_is_named() {
    fails(&[
        (
            r#"{{ regexFind "[" "x" }}"#,
            "regexFind: regexp: Compile(`[`): error parsing regexp: missing closing ]: `[`",
        ),
        (
            r#"{{ mustRegexFind "[" "x" }}"#,
            "mustRegexFind: error parsing regexp: missing closing ]: `[`",
        ),
        (
            r#"{{ mustRegexMatch "a**" "x" }}"#,
            "mustRegexMatch: error parsing regexp: invalid nested repetition operator: `**`",
        ),
        (
            r#"{{ regexReplaceAll "(?=a)" "x" "" }}"#,
            "regexReplaceAll: regexp: Compile(`(?=a)`): error parsing regexp: invalid or unsupported Perl syntax: `(?=`",
        ),
        (
            r#"{{ regexSplit "\\1" "x" 1 }}"#,
            r"regexSplit: regexp: Compile(`\1`): error parsing regexp: invalid escape sequence: `\1`",
        ),
        (
            r#"{{ regexFindAll "a{1001}" "x" 1 }}"#,
            "regexFindAll: regexp: Compile(`a{1001}`): error parsing regexp: invalid repeat count: `{1001}`",
        ),
    ]);
}
