use crate::funcs::check::gives;

#[test]
fn paths_are_cleaned_as_go_cleans_them() {
    gives(&[
        (
            r#"{{ clean "a//b/../c/." }} {{ clean "" }} {{ clean "/../a" }} {{ clean "../../a" }} {{ clean "a/.." }}"#,
            "a/c . /a ../../a .",
        ),
        (
            r#"{{ base "/a/b/" }} {{ base "" }} {{ base "//" }}"#,
            "b . /",
        ),
        (
            r#"{{ dir "/a/b" }} {{ dir "a" }} {{ dir "/a/b/" }} {{ dir "" }}"#,
            "/a . /a/b .",
        ),
        (
            r#"{{ ext "a/b.tar.gz" }} {{ ext "a.b/c" }}|{{ ext ".x" }}"#,
            ".gz |.x",
        ),
        (r#"{{ isAbs "/a" }}{{ isAbs "a" }}"#, "truefalse"),
        (
            r#"{{ osBase "/a/b" }}{{ osDir "/a/b" }}{{ osClean "a//b" }}{{ osExt "a.b" }}{{ osIsAbs "/" }}"#,
            "b/aa/b.btrue",
        ),
    ]);
}
