use crate::funcs::check::{fails, gives};

#[test]
fn what_is_no_number_is_zero() {
    gives(&[
        (
            r#"{{ int "12.0" }} {{ int "12.5" }} {{ int "0x1F" }} {{ int "010" }} {{ int "08" }} {{ int "1_000" }} {{ int nil }} {{ int true }} {{ int (list) }} {{ int 3.9 }} {{ int 1e19 }}"#,
            "12 0 31 8 0 1000 0 1 0 3 -9223372036854775808",
        ),
        (
            r#"{{ float64 "1.5" }} {{ float64 "1e400" }} {{ float64 "0x1p4" }} {{ float64 "Inf" }}"#,
            "1.5 0 16 +Inf",
        ),
        (
            r#"{{ atoi "12x" }} {{ atoi "99999999999999999999" }}"#,
            "0 9223372036854775807",
        ),
        (r#"{{ toDecimal 777 }} {{ toDecimal "888" }}"#, "511 0"),
    ]);
}

#[test]
fn whole_numbers_are_int64() {
    gives(&[
        (
            r#"{{ add 1 "2" 3.7 | typeOf }} {{ add 1 "2" 3.7 true nil }}"#,
            "int64 7",
        ),
        (
            r#"{{ sub 1 2 }} {{ mul 2 "3" 4 }} {{ div 7.9 2.1 }} {{ mod -7 2 }} {{ add1 9223372036854775807 }}"#,
            "-1 24 3 -1 -9223372036854775808",
        ),
        (
            r#"{{ max 1 5 "9" }} {{ min 3 "1" }} {{ biggest 1 2 }}"#,
            "9 1 2",
        ),
        (
            "{{ typeOf (int 1) }} {{ typeOf (int64 1) }} {{ typeOf (float64 1) }}",
            "int int64 float64",
        ),
    ]);
}

#[test]
fn decimals_are_exact() {
    gives(&[
        (
            "{{ addf 0.1 0.2 }} {{ subf 1 0.9 }} {{ mulf 1.1 1.1 }} {{ divf 1 3 }} {{ divf -2 3 }} {{ add1f 0.1 }}",
            "0.3 0.1 1.21 0.3333333333333333 -0.6666666666666667 1.1",
        ),
        ("{{ addf 1e308 1e308 }} {{ mulf 1e-200 1e-200 }}", "+Inf 0"),
        (
            r#"{{ maxf 1 2.5 }} {{ minf "0.5" 1 }} {{ maxf "nan" "Inf" }} {{ minf "nan" 1 }}"#,
            "2.5 0.5 +Inf NaN",
        ),
        (
            "{{ round 2.5 0 }} {{ round -2.5 0 }} {{ round 3.14159 2 }} {{ round 123 -1 }} {{ round 3.1 0 0.1 }}",
            "3 -3 3.14 120 4",
        ),
        ("{{ ceil 1.1 }} {{ floor -1.1 }}", "2 -2"),
    ]);
}

#[test]
fn sequences_run_either_way() {
    gives(&[
        (
            "{{ seq 3 }}|{{ seq -1 }}|{{ seq 0 2 10 }}|{{ seq 5 -2 0 }}|{{ seq 5 2 0 }}|{{ seq }}",
            "1 2 3|1 0 -1|0 2 4 6 8 10|5 3 1||",
        ),
        (
            "{{ until 3 }} {{ until -2 }} {{ untilStep 3 9 3 }} {{ untilStep 9 3 -4 }} {{ untilStep 1 5 0 }} {{ typeOf (until 1) }}",
            "[0 1 2] [0 -1] [3 6] [9 5] [] []int",
        ),
    ]);
}

#[test]
fn what_go_panics_at_is_an_error() {
    fails(&[
        (
            "{{ div 1 0 }}",
            "div: runtime error: integer divide by zero",
        ),
        (
            r#"{{ mod 1 "x" }}"#,
            "mod: runtime error: integer divide by zero",
        ),
        ("{{ divf 1 0 }}", "divf: decimal division by 0"),
        (
            r#"{{ addf "nan" 1 }}"#,
            "addf: Cannot create a Decimal from NaN",
        ),
        (
            r#"{{ addf "Inf" 1 }}"#,
            "addf: Cannot create a Decimal from +Inf",
        ),
        ("{{ randInt 5 5 }}", "randInt: invalid argument to Intn"),
    ]);
}
