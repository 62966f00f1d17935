use crate::funcs::check::gives;

#[test]
fn encodings_go_there_and_back() {
    gives(&[
        (
            r#"{{ b64enc "aé" }} {{ b64dec "YcOp" }} {{ b64dec "YQ\n==" }} {{ b64dec "YR==" }}"#,
            "YcOp aé a a",
        ),
        (
            r#"{{ b32enc "foobar" }} {{ b32dec "MZXW6YTBOI======" }} {{ b32enc "" }}|"#,
            "MZXW6YTBOI====== foobar |",
        ),
    ]);
}

#[test]
fn errors_are_the_result() {
    gives(&[
        (
            r#"{{ b64dec "YQ=" }}"#,
            "illegal base64 data at input byte 3",
        ),
        (
            r#"{{ b64dec "YQ" }}"#,
            "illegal base64 data at input byte 0",
        ),
        (
            r#"{{ b64dec "Y*Q=" }}"#,
            "illegal base64 data at input byte 1",
        ),
        (
            r#"{{ b64dec "YQ=x" }}"#,
            "illegal base64 data at input byte 2",
        ),
        (
            r#"{{ b64dec "YQ==x" }}"#,
            "illegal base64 data at input byte 4",
        ),
        (
            r#"{{ b64dec "YWJj*" }}"#,
            "illegal base64 data at input byte 4",
        ),
        (
            r#"{{ b32dec "ME" }}"#,
            "illegal base32 data at input byte 0",
        ),
        (
            r#"{{ b32dec "me======" }}"#,
            "illegal base32 data at input byte 0",
        ),
        (
            r#"{{ b32dec "M=======" }}"#,
            "illegal base32 data at input byte 1",
        ),
        (
            r#"{{ b32dec "ME=x====" }}"#,
            "illegal base32 data at input byte 2",
        ),
        (
            r#"{{ b32dec "ME=====" }}"#,
            "illegal base32 data at input byte 7",
        ),
    ]);
}

#[test]
fn sums() {
    gives(&[
        (
            r#"{{ sha1sum "a" }}"#,
            "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8",
        ),
        (
            r#"{{ sha256sum "a" }}"#,
            "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
        ),
        (
            r#"{{ sha512sum "a" }}"#,
            "1f40fc92da241694750979ee6cf582f2d5d7d28e18335de05abc54d0560e0f5302860c652bf08d560252aa5e74210546f369fbbbce8c12cfc7957b2652fe9a75",
        ),
        (r#"{{ adler32sum "hello" }}"#, "103547413"),
    ]);
}
