use crate::funcs::check::{fails, gives};

#[test]
fn lists_are_not_changed() {
    gives(&[
        (
            "{{ $l := list 1 2 3 }}{{ $m := append (slice $l 0 2) 9 }}{{ $l }}{{ $m }}{{ prepend $l 0 }}{{ reverse $l }}{{ $l }}",
            "[1 2 3][1 2 9][0 1 2 3][3 2 1][1 2 3]",
        ),
        (
            "{{ first (list 1 2) }}{{ last (list 1 2) }}{{ rest (list 1 2) }}{{ initial (list 1 2) }}",
            "12[2][1]",
        ),
        (
            r#"{{ without (list 1 2 3 2) 2 "3" | toJson }}{{ uniq (list 1 1.0 "1" 1 (list 1) (list 1)) | toJson }}"#,
            r#"[1,3][1,1,"1",[1]]"#,
        ),
        (
            r#"{{ has 4 (list 1 4) }}{{ has "4" (list 1 4) }}{{ has 1 nil }}{{ has nil (list nil) }}"#,
            "truefalsefalsetrue",
        ),
        (
            "{{ chunk 2 (list 1 2 3) | toJson }}{{ chunk 2 (list 1) | typeOf }}{{ chunk 2 (list) | toJson }}",
            "[[1,2],[3]][][]interface {}[]",
        ),
        (
            r#"{{ concat (list 1) (until 2) (splitList "," "a") | toJson }}"#,
            r#"[1,0,1,"a"]"#,
        ),
    ]);
}

#[test]
fn nil_lists_and_empty_lists_differ() {
    gives(&[(
        "{{ list | toJson }}{{ rest (list) | toJson }}{{ initial (list) | toJson }}{{ concat | toJson }}{{ without (list 1) 1 | toJson }}{{ compact (list) | toJson }}{{ first (list) | toJson }}{{ slice (list) 0 1 | toJson }}",
        "[]nullnullnull[][]nullnull",
    )]);
}

#[test]
fn slices_keep_their_type() {
    gives(&[(
        r#"{{ slice (until 5) 1 3 | typeOf }}{{ slice (until 5) "1" 3.9 }}{{ slice (splitList "," "a,b") 1 | typeOf }}{{ append (until 1) "x" | typeOf }}"#,
        "[]int[1 2][]string[]interface {}",
    )]);
}

#[test]
fn only_slices_are_lists() {
    fails(&[
        (
            r#"{{ first "abc" }}"#,
            "first: Cannot find first on type string",
        ),
        (
            "{{ last nil }}",
            "last: runtime error: invalid memory address or nil pointer dereference",
        ),
        ("{{ push 1 2 }}", "push: Cannot push on type int"),
        (
            "{{ mustPrepend (dict) 2 }}",
            "mustPrepend: Cannot prepend on type map",
        ),
        (
            "{{ slice (list 1 2) 0 3 }}",
            "slice: reflect.Value.Slice: slice index out of bounds",
        ),
        (
            "{{ slice (list 1 2) 2 1 }}",
            "slice: reflect.Value.Slice: slice index out of bounds",
        ),
        (
            r#"{{ slice "abc" 1 }}"#,
            "slice: list should be type of slice or array but string",
        ),
        (
            "{{ chunk 0 (list 1) }}",
            "chunk: runtime error: makeslice: len out of range",
        ),
        (
            r#"{{ concat (list 1) "a" }}"#,
            "concat: Cannot concat type string as list",
        ),
        (
            "{{ concat nil }}",
            "concat: runtime error: invalid memory address or nil pointer dereference",
        ),
        (r#"{{ has 1 "a" }}"#, "has: Cannot find has on type string"),
    ]);
}
