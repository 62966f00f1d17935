use crate::funcs::check::{fails, gives};

#[test]
fn urls_come_apart_and_together() {
    gives(&[
        (
            r#"{{ urlParse "https://user:pa%20ss@host.com:8080/p/a%2Fth?q=1#frag" | toJson }}"#,
            r#"{"fragment":"frag","host":"host.com:8080","hostname":"host.com","opaque":"","path":"/p/a/th","query":"q=1","scheme":"https","userinfo":"user:pa%20ss"}"#,
        ),
        (
            r#"{{ urlParse "http://[::1]:80/x" | toJson }}"#,
            r#"{"fragment":"","host":"[::1]:80","hostname":"::1","opaque":"","path":"/x","query":"","scheme":"http","userinfo":""}"#,
        ),
        (
            r#"{{ urlParse "mailto:x@y.z" | toJson }}"#,
            r#"{"fragment":"","host":"","hostname":"","opaque":"x@y.z","path":"","query":"","scheme":"mailto","userinfo":""}"#,
        ),
        (
            r#"{{ urlParse "proto://auth@host:80/path?query#fragment" | urlJoin }}"#,
            "proto://auth@host:80/path?query#fragment",
        ),
        (
            r#"{{ urlJoin (dict "scheme" "http" "host" "h" "path" "p q" "query" "a=b" "userinfo" "u:p" "fragment" "f g") }}"#,
            "http://u:p@h/p%20q?a=b#f%20g",
        ),
        (
            r#"{{ urlJoin (dict "path" "a:b") }} {{ urlJoin (dict "scheme" "s" "opaque" "o") }}"#,
            "./a:b s:o",
        ),
    ]);
}

#[test]
fn what_is_no_url_is_an_error() {
    fails(&[
        (
            r#"{{ urlParse "http://a b/" }}"#,
            r#"urlParse: unable to parse url: parse "http://a b/": invalid character " " in host name"#,
        ),
        (
            r#"{{ urlParse "http://h/%zz" }}"#,
            r#"urlParse: unable to parse url: parse "http://h/%zz": invalid URL escape "%zz""#,
        ),
        (
            r#"{{ urlParse ":x" }}"#,
            r#"urlParse: unable to parse url: parse ":x": missing protocol scheme"#,
        ),
        (
            r#"{{ urlParse "path:with" | toJson }}{{ urlParse "1:b" }}"#,
            r#"urlParse: unable to parse url: parse "1:b": first path segment in URL cannot contain colon"#,
        ),
        (
            r#"{{ urlParse "http://a:b/" }}"#,
            r#"urlParse: unable to parse url: parse "http://a:b/": invalid port ":b" after host"#,
        ),
        (
            r#"{{ urlParse "http://[::1" }}"#,
            r#"urlParse: unable to parse url: parse "http://[::1": missing ']' in host"#,
        ),
        (
            r#"{{ urlJoin (dict "host" 1) }}"#,
            "urlJoin: unable to parse host key, must be of type string, but int found",
        ),
        (
            r#"{{ urlJoin (dict "scheme" "s" "userinfo" "a b") }}"#,
            r#"urlJoin: unable to parse userinfo in dict: parse "proto://a b@host": net/url: invalid userinfo"#,
        ),
    ]);
}
