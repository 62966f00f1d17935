use super::{Constraints, SemverError, Version};

fn version(text: &str) -> Version {
    Version::parse(text).expect(text)
}

#[test]
fn constraints_accept_and_refuse() {
    let table: &[(&str, &[&str], &[&str])] = &[
        (
            ">=6 <7",
            &["6.5.1"],
            &[
                "0.0.3",
                "0.0.4",
                "0.2.3",
                "0.3.0",
                "1",
                "1.2.3",
                "1.2.4",
                "1.3.0",
                "2.0.0",
                "7.0.0",
                "1.2.3-beta.1",
                "1.2.3-beta.11",
                "1.2.4-rc.1",
                "2.0.0-0",
            ],
        ),
        (
            "^1.2",
            &["1.2.3", "1.2.4", "1.3.0"],
            &[
                "0.0.3",
                "0.0.4",
                "0.2.3",
                "0.3.0",
                "1",
                "2.0.0",
                "6.5.1",
                "7.0.0",
                "1.2.3-beta.1",
                "1.2.3-beta.11",
                "1.2.4-rc.1",
                "2.0.0-0",
            ],
        ),
        (
            "^0.2.3",
            &["0.2.3"],
            &[
                "0.0.3",
                "0.0.4",
                "0.3.0",
                "1",
                "1.2.3",
                "1.2.4",
                "1.3.0",
                "2.0.0",
                "6.5.1",
                "7.0.0",
                "1.2.3-beta.1",
                "1.2.3-beta.11",
                "1.2.4-rc.1",
                "2.0.0-0",
            ],
        ),
        (
            "^0.0.3",
            &["0.0.3"],
            &[
                "0.0.4",
                "0.2.3",
                "0.3.0",
                "1",
                "1.2.3",
                "1.2.4",
                "1.3.0",
                "2.0.0",
                "6.5.1",
                "7.0.0",
                "1.2.3-beta.1",
                "1.2.3-beta.11",
                "1.2.4-rc.1",
                "2.0.0-0",
            ],
        ),
        (
            "~1.2",
            &["1.2.3", "1.2.4"],
            &[
                "0.0.3",
                "0.0.4",
                "0.2.3",
                "0.3.0",
                "1",
                "1.3.0",
                "2.0.0",
                "6.5.1",
                "7.0.0",
                "1.2.3-beta.1",
                "1.2.3-beta.11",
                "1.2.4-rc.1",
                "2.0.0-0",
            ],
        ),
        (
            "~1.2.3",
            &["1.2.3", "1.2.4"],
            &[
                "0.0.3",
                "0.0.4",
                "0.2.3",
                "0.3.0",
                "1",
                "1.3.0",
                "2.0.0",
                "6.5.1",
                "7.0.0",
                "1.2.3-beta.1",
                "1.2.3-beta.11",
                "1.2.4-rc.1",
                "2.0.0-0",
            ],
        ),
        (
            "1.x",
            &["1", "1.2.3", "1.2.4", "1.3.0"],
            &[
                "0.0.3",
                "0.0.4",
                "0.2.3",
                "0.3.0",
                "2.0.0",
                "6.5.1",
                "7.0.0",
                "1.2.3-beta.1",
                "1.2.3-beta.11",
                "1.2.4-rc.1",
                "2.0.0-0",
            ],
        ),
        (
            "*",
            &[
                "0.0.3", "0.0.4", "0.2.3", "0.3.0", "1", "1.2.3", "1.2.4", "1.3.0", "2.0.0",
                "6.5.1", "7.0.0",
            ],
            &["1.2.3-beta.1", "1.2.3-beta.11", "1.2.4-rc.1", "2.0.0-0"],
        ),
        (
            ">1",
            &["2.0.0", "6.5.1", "7.0.0"],
            &[
                "0.0.3",
                "0.0.4",
                "0.2.3",
                "0.3.0",
                "1",
                "1.2.3",
                "1.2.4",
                "1.3.0",
                "1.2.3-beta.1",
                "1.2.3-beta.11",
                "1.2.4-rc.1",
                "2.0.0-0",
            ],
        ),
        (
            ">1.2",
            &["1.3.0", "2.0.0", "6.5.1", "7.0.0"],
            &[
                "0.0.3",
                "0.0.4",
                "0.2.3",
                "0.3.0",
                "1",
                "1.2.3",
                "1.2.4",
                "1.2.3-beta.1",
                "1.2.3-beta.11",
                "1.2.4-rc.1",
                "2.0.0-0",
            ],
        ),
        (
            "<=1.2",
            &["0.0.3", "0.0.4", "0.2.3", "0.3.0", "1", "1.2.3", "1.2.4"],
            &[
                "1.3.0",
                "2.0.0",
                "6.5.1",
                "7.0.0",
                "1.2.3-beta.1",
                "1.2.3-beta.11",
                "1.2.4-rc.1",
                "2.0.0-0",
            ],
        ),
        (
            "!=1.2",
            &[
                "0.0.3", "0.0.4", "0.2.3", "0.3.0", "1", "1.3.0", "2.0.0", "6.5.1", "7.0.0",
            ],
            &[
                "1.2.3",
                "1.2.4",
                "1.2.3-beta.1",
                "1.2.3-beta.11",
                "1.2.4-rc.1",
                "2.0.0-0",
            ],
        ),
        (
            "1.2 - 2",
            &["1.2.3", "1.2.4", "1.3.0", "2.0.0"],
            &[
                "0.0.3",
                "0.0.4",
                "0.2.3",
                "0.3.0",
                "1",
                "6.5.1",
                "7.0.0",
                "1.2.3-beta.1",
                "1.2.3-beta.11",
                "1.2.4-rc.1",
                "2.0.0-0",
            ],
        ),
        (
            ">=1.2.3-beta.2 <2",
            &[
                "1.2.3",
                "1.2.4",
                "1.3.0",
                "1.2.3-beta.11",
                "1.2.4-rc.1",
                "2.0.0-0",
            ],
            &[
                "0.0.3",
                "0.0.4",
                "0.2.3",
                "0.3.0",
                "1",
                "2.0.0",
                "6.5.1",
                "7.0.0",
                "1.2.3-beta.1",
            ],
        ),
        (
            ">=0-0",
            &[
                "0.0.3",
                "0.0.4",
                "0.2.3",
                "0.3.0",
                "1",
                "1.2.3",
                "1.2.4",
                "1.3.0",
                "2.0.0",
                "6.5.1",
                "7.0.0",
                "1.2.3-beta.1",
                "1.2.3-beta.11",
                "1.2.4-rc.1",
                "2.0.0-0",
            ],
            &[],
        ),
        (
            "=1.2.3 || ^6",
            &["1.2.3", "6.5.1"],
            &[
                "0.0.3",
                "0.0.4",
                "0.2.3",
                "0.3.0",
                "1",
                "1.2.4",
                "1.3.0",
                "2.0.0",
                "7.0.0",
                "1.2.3-beta.1",
                "1.2.3-beta.11",
                "1.2.4-rc.1",
                "2.0.0-0",
            ],
        ),
        (
            ">*",
            &[
                "0.0.3", "0.0.4", "0.2.3", "0.3.0", "1", "1.2.3", "1.2.4", "1.3.0", "2.0.0",
                "6.5.1", "7.0.0",
            ],
            &["1.2.3-beta.1", "1.2.3-beta.11", "1.2.4-rc.1", "2.0.0-0"],
        ),
        (
            "^*",
            &[],
            &[
                "0.0.3",
                "0.0.4",
                "0.2.3",
                "0.3.0",
                "1",
                "1.2.3",
                "1.2.4",
                "1.3.0",
                "2.0.0",
                "6.5.1",
                "7.0.0",
                "1.2.3-beta.1",
                "1.2.3-beta.11",
                "1.2.4-rc.1",
                "2.0.0-0",
            ],
        ),
    ];
    for (constraint, accepted, refused) in table {
        let constraints = Constraints::parse(constraint).expect(constraint);
        for text in *accepted {
            assert!(
                constraints.check(&version(text)),
                "{constraint} accepts {text}"
            );
        }
        for text in *refused {
            assert!(
                !constraints.check(&version(text)),
                "{constraint} refuses {text}"
            );
        }
    }
}

#[test]
fn devel_lets_prereleases_in() {
    let mut constraints = Constraints::parse(">=1").expect("constraint");
    assert!(!constraints.check(&version("1.2.3-rc.1")));
    constraints.include_prerelease = true;
    assert!(constraints.check(&version("1.2.3-rc.1")));
}

#[test]
fn versions_are_ordered_by_precedence() {
    let sorted = [
        "1.0.0-1",
        "1.0.0-2",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1",
        "1.0.1",
        "1.2",
        "2",
    ];
    for (i, low) in sorted.iter().enumerate() {
        for high in &sorted[i + 1..] {
            assert!(
                version(low).precedence(&version(high)).is_lt(),
                "{low} < {high}"
            );
            assert!(
                version(high).precedence(&version(low)).is_gt(),
                "{high} > {low}"
            );
        }
    }
    assert!(version("1.2.3+a").precedence(&version("v1.2.3+b")).is_eq());
}

#[test]
fn strict_versions_are_whole() {
    assert_eq!(
        Version::parse_strict("1.2.3-a+b")
            .expect("strict")
            .to_string(),
        "1.2.3-a+b"
    );
    let cases = [
        ("", SemverError::Empty),
        ("1.2", SemverError::Invalid),
        ("v1.2.3", SemverError::Characters),
        ("01.2.3", SemverError::LeadingZero),
        ("1.2.3-", SemverError::Prerelease),
        ("1.2.3+a..b", SemverError::Metadata),
    ];
    for (text, expected) in cases {
        assert_eq!(Version::parse_strict(text), Err(expected), "{text}");
    }
}

#[test]
fn broken_constraints_are_named() {
    for text in ["", "1.2.3.4", ">=1 ||", "!1", "1,,2", ">= 1 y"] {
        let error = Constraints::parse(text).expect_err(text);
        assert!(
            error.to_string().starts_with("improper constraint: "),
            "{error}"
        );
    }
    assert_eq!(
        Constraints::parse(">=6 <7").expect("range").to_string(),
        ">=6 <7"
    );
}
