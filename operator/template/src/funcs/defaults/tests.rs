use crate::funcs::check::{fails, gives};

#[test]
fn empty_is_the_zero_of_the_type() {
    gives(&[
        (
            r#"{{ default "d" 0 }}{{ default "d" "" }}{{ default "d" false }}{{ default "d" (list) }}{{ default "d" nil }}{{ default "d" }}{{ default "d" "x" }}"#,
            "ddddddx",
        ),
        (
            r#"{{ empty 0.0 }}{{ empty (dict) }}{{ empty "0" }}{{ empty (semver "1.2.3") }}"#,
            "truetruefalsefalse",
        ),
        (
            r#"{{ coalesce 0 "" (list) "x" 1 }}{{ coalesce 0 | toJson }}"#,
            "xnull",
        ),
        (
            r#"{{ all }}{{ all 1 "" }}{{ any }}{{ any 0 "a" }}"#,
            "truefalsefalsetrue",
        ),
        ("{{ true | ternary 1 2 }}{{ ternary 1 2 false }}", "12"),
        (
            r#"{{ compact (list 0 1 "" "a" nil false (list)) | toJson }}"#,
            r#"[1,"a"]"#,
        ),
    ]);
}

#[test]
fn compact_wants_a_list() {
    fails(&[
        ("{{ compact 5 }}", "compact: Cannot compact on type int"),
        (
            r#"{{ mustCompact "a" }}"#,
            "mustCompact: Cannot compact on type string",
        ),
        (
            "{{ compact nil }}",
            "compact: runtime error: invalid memory address or nil pointer dereference",
        ),
    ]);
}
