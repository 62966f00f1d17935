use crate::funcs::check::gives;

#[test]
fn types_and_kinds_are_gos() {
    gives(&[
        (
            r#"{{ typeOf nil }} {{ typeOf 1 }} {{ typeOf 1.5 }} {{ typeOf "" }} {{ typeOf true }} {{ typeOf (list) }} {{ typeOf (dict) }} {{ typeOf (split "," "a") }} {{ typeOf (semver "1.2.3") }}"#,
            "<nil> int float64 string bool []interface {} map[string]interface {} map[string]string *semver.Version",
        ),
        (
            r#"{{ kindOf nil }} {{ kindOf 1 }} {{ kindOf (list) }} {{ kindOf (dict) }} {{ kindOf (semver "1.2.3") }} {{ kindOf now }}"#,
            "invalid int slice map ptr struct",
        ),
        (
            r#"{{ typeIs "int" 1 }}{{ typeIs "int" 1.0 }}{{ typeIsLike "semver.Version" (semver "1.2.3") }}{{ kindIs "ptr" (semver "1.2.3") }}"#,
            "truefalsetruetrue",
        ),
        (
            r#"{{ deepEqual (list 1 2) (list 1 2) }}{{ deepEqual 1 1.0 }}{{ deepEqual (list) (rest (list)) }}{{ deepEqual (dict "a" (list 1)) (dict "a" (list 1)) }}"#,
            "truefalsefalsetrue",
        ),
    ]);
}
