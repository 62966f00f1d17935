use crate::funcs::check::{fails, gives};

#[test]
fn versions_print_and_compare() {
    gives(&[
        (
            r#"{{ $v := semver "v1.2.3-rc.1+b" }}{{ $v }} {{ $v.Major }} {{ $v.Minor }} {{ $v.Patch }} {{ $v.Prerelease }} {{ $v.Metadata }} {{ $v.Original }} {{ typeOf $v.Major }}"#,
            "1.2.3-rc.1+b 1 2 3 rc.1 b v1.2.3-rc.1+b uint64",
        ),
        (
            r#"{{ $v := semver "1.2" }}{{ $v.IncMajor }} {{ $v.IncMinor }} {{ $v.IncPatch }} {{ typeOf $v.IncPatch }} {{ $v.SetPrerelease "x.1" }}"#,
            "2.0.0 1.3.0 1.2.1 semver.Version 1.2.0-x.1",
        ),
        (
            r#"{{ (semver "1.2.3").Compare (semver "1.2.4") }}{{ (semver "1.2.3").LessThan (semver "1.2.4") }}{{ (semver "1.2.3").Equal (semver "1.2.3+x") }}"#,
            "-1truetrue",
        ),
        (
            r#"{{ semverCompare ">=1.20-0" "1.24.0-gke.100" }}{{ semverCompare ">=1.20" "1.24.0-gke.100" }}{{ semverCompare "^1.2" "1.9" }}"#,
            "truefalsetrue",
        ),
        (r#"{{ toJson (semver "v1.2") }}"#, r#""1.2.0""#),
    ]);
}

#[test]
fn errors_are_the_librarys() {
    fails(&[
        (r#"{{ semver "x" }}"#, "semver: invalid semantic version"),
        (
            r#"{{ semver "1.2.3-01" }}"#,
            "semver: version segment starts with 0",
        ),
        (
            r#"{{ semverCompare "" "1" }}"#,
            r#"semverCompare: improper constraint: """#,
        ),
        (
            r#"{{ semverCompare ">=1 y" "1" }}"#,
            r#"semverCompare: improper constraint: ">=1 y""#,
        ),
        (
            r#"{{ semverCompare "1x.2" "1" }}"#,
            "semverCompare: constraint parser error",
        ),
        (
            r#"{{ semver "99999999999999999999" }}"#,
            r#"semver: error parsing version segment: strconv.ParseUint: parsing "99999999999999999999": value out of range"#,
        ),
        (
            r#"{{ semverCompare "1" "a" }}"#,
            "semverCompare: invalid semantic version",
        ),
    ]);
}
