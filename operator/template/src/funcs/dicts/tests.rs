use crate::funcs::check::{fails, gives};

#[test]
fn dictionaries_are_shared() {
    gives(&[
        (
            r#"{{ $d := dict "a" 1 }}{{ $e := $d }}{{ $_ := set $d "b" 2 }}{{ $e }}{{ $_ := unset $e "a" }}{{ $d }}"#,
            "map[a:1 b:2]map[b:2]",
        ),
        (
            r#"{{ $d := dict "k" (dict "x" 1) }}{{ $c := deepCopy $d }}{{ $_ := set $c.k "x" 2 }}{{ $d }}{{ $c }}"#,
            "map[k:map[x:1]]map[k:map[x:2]]",
        ),
    ]);
}

#[test]
fn reading() {
    gives(&[
        (
            r#"{{ get (dict "a" 1) "a" }}{{ get (dict "a" 1) "b" | printf "%q" }}{{ hasKey (dict "a" nil) "a" }}{{ get nil "a" | printf "%q" }}"#,
            r#"1""true"""#,
        ),
        (r#"{{ dict 1 2 nil 3 "odd" }}"#, "map[1:2 <nil>:3 odd:]"),
        (
            r#"{{ keys (dict "a" 1) | typeOf }}{{ values (dict "a" 1) | toJson }}{{ keys | toJson }}"#,
            "[]string[1][]",
        ),
        (
            r#"{{ pick (dict "a" 1 "b" 2) "a" "z" }}{{ omit (dict "a" 1 "b" 2) "a" }}{{ pluck "a" (dict "a" nil) (dict) (dict "a" 1) | toJson }}"#,
            "map[a:1]map[b:2][null,1]",
        ),
        (
            r#"{{ dig "a" "b" "D" (dict "a" (dict "b" 5)) }}{{ dig "a" "z" "D" (dict "a" (dict "b" 5)) }}{{ dig "q" "b" "D" (dict) }}"#,
            "5DD",
        ),
    ]);
}

#[test]
fn merge_keeps_what_is_not_empty() {
    gives(&[
        (
            r#"{{ $d := dict "a" (dict "x" 1 "y" 0) "b" (list) "c" "" "n" nil "s" "keep" }}{{ $s := dict "a" (dict "y" 2 "z" 3 "x" 9) "b" (list 1) "c" "v" "n" (dict "q" 1) "new" (dict "m" 1) "s" "lost" }}{{ merge $d $s | toJson }}{{ $_ := set $s.new "leak" 1 }}{{ $d.new | toJson }}"#,
            r#"{"a":{"x":1,"y":2,"z":3},"b":[1],"c":"v","n":{"q":1},"new":{"m":1},"s":"keep"}{"leak":1,"m":1}"#,
        ),
        (
            r#"{{ merge (dict) (dict "a" 1) (dict "a" 2 "b" 3) | toJson }}{{ merge nil (dict "a" 1) | toJson }}"#,
            r#"{"a":1,"b":3}{"a":1}"#,
        ),
        (
            r#"{{ merge (dict "x" "s") (dict "x" (dict "k" 1)) | toJson }}{{ merge (dict "x" (list 1)) (dict "x" (list 2)) | toJson }}"#,
            r#"{"x":"s"}{"x":[1]}"#,
        ),
    ]);
}

#[test]
fn merge_overwrite_takes_what_is_empty_too() {
    gives(&[
        (
            r#"{{ $d := dict "a" (dict "x" 1 "y" 5) "b" (list 5) "c" "v" "n" 1 "f" true }}{{ $s := dict "a" (dict "y" 2 "x" 0) "b" (list) "c" "" "n" nil "f" false }}{{ mergeOverwrite $d $s | toJson }}"#,
            r#"{"a":{"x":0,"y":2},"b":[],"c":"","f":false,"n":null}"#,
        ),
        (
            r#"{{ mergeOverwrite (dict "x" (dict "k" 1)) (dict "x" (dict)) | toJson }}{{ mergeOverwrite (dict "x" (dict "k" 1)) (dict "x" 5) | toJson }}"#,
            r#"{"x":{"k":1}}{"x":5}"#,
        ),
    ]);
}

#[test]
fn misuse_is_an_error() {
    fails(&[
        (
            r#"{{ merge (dict "x" (split "," "a")) (dict "x" (dict "k" 1)) }}"#,
            "merge: reflect.Value.SetMapIndex: value of type interface {} is not assignable to type string",
        ),
        (
            r#"{{ set nil "a" 1 }}"#,
            "set: assignment to entry in nil map",
        ),
        (
            r#"{{ dig "a" 1 }}"#,
            "dig: dig needs at least three arguments",
        ),
        (
            r#"{{ dig "a" "D" 5 }}"#,
            "dig: interface conversion: interface {} is int, not map[string]interface {}",
        ),
        (
            r#"{{ dig "a" "b" "D" (dict "a" 1) }}"#,
            "dig: interface conversion: interface {} is int, not map[string]interface {}",
        ),
        (
            r#"{{ dig 1 "b" "D" (dict "a" 1) }}"#,
            "dig: interface conversion: interface {} is int, not string",
        ),
        (
            r#"{{ dig "a" "b" "D" (dict "a" nil) }}"#,
            "dig: interface conversion: interface {} is nil, not map[string]interface {}",
        ),
        (
            "{{ deepCopy nil }}",
            "deepCopy: reflect: call of reflect.Value.Type on zero Value",
        ),
    ]);
}
