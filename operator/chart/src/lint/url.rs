//! Addresses as Go's `net/url` takes them apart: stricter than most about hosts, more lenient about paths.

use std::net::Ipv6Addr;

/// The parts of an address that Helm's rules look at.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Url {
    /// In lower case; empty when there is none.
    pub(super) scheme: String,
    /// With its port, without a user.
    pub(super) host: String,
    /// Without its escapes.
    pub(super) path: Vec<u8>,
}

/// Where a text stands in an address: what may be escaped there differs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Host,
    Zone,
    Other,
}

impl Url {
    /// What a request may name: with a scheme, or a path from the root on.
    pub(super) fn request(text: &str) -> Option<Self> {
        Self::read(text, true)
    }

    /// What a page may refer to: also relative paths, and fragments.
    pub(super) fn reference(text: &str) -> Option<Self> {
        let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
        let url = Self::read(text, false)?;
        unescape(fragment, Part::Other)?;
        Some(url)
    }

    fn read(text: &str, for_request: bool) -> Option<Self> {
        if text.chars().any(|c| c.is_ascii_control()) || (text.is_empty() && for_request) {
            return None;
        }
        let mut url = Self {
            scheme: String::new(),
            host: String::new(),
            path: Vec::new(),
        };
        if text == "*" {
            url.path.push(b'*');
            return Some(url);
        }
        let (scheme, rest) = scheme(text)?;
        url.scheme = scheme.to_ascii_lowercase();
        let mut rest = rest.split('?').next().unwrap_or_default();
        if !rest.starts_with('/') {
            if !url.scheme.is_empty() {
                return Some(url);
            }
            let first = rest.split('/').next().unwrap_or_default();
            if for_request || first.contains(':') {
                return None;
            }
        }
        let may_have_host = !url.scheme.is_empty() || (!for_request && !rest.starts_with("///"));
        if let Some(after) = rest.strip_prefix("//").filter(|_| may_have_host) {
            let (authority, path) = after.split_at(after.find('/').unwrap_or(after.len()));
            url.host = host_of(authority, &url.scheme)?;
            rest = path;
        }
        url.path = unescape(rest, Part::Other)?;
        Some(url)
    }
}

/// What stands before the first colon, if it can be a scheme, and the rest.
fn scheme(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '-' | '.'));
    match end.filter(|end| text[*end..].starts_with(':')) {
        Some(0) => None,
        Some(end) if text.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            Some((&text[..end], &text[end + 1..]))
        }
        _ => Some(("", text)),
    }
}

fn host_of(authority: &str, scheme: &str) -> Option<String> {
    let Some((user, name)) = authority.rsplit_once('@') else {
        return host(authority, scheme);
    };
    let known = |c: char| c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c);
    let host = host(name, scheme)?;
    unescape(user, Part::Other).filter(|_| user.chars().all(known))?;
    Some(host)
}

fn host(text: &str, scheme: &str) -> Option<String> {
    match text.rfind('[') {
        Some(0) => return literal(text),
        Some(_) => return None,
        None => {}
    }
    // A second colon is an error to the schemes of the web alone: others list several hosts.
    let port = match scheme {
        "http" | "https" => text.find(':'),
        _ => text.rfind(':'),
    };
    if !is_port(port.map_or("", |at| &text[at..])) {
        return None;
    }
    let host = unescape(text, Part::Host)?;
    Some(String::from_utf8_lossy(&host).into_owned())
}

/// An address of version 6 in brackets, perhaps with a zone and a port.
fn literal(text: &str) -> Option<String> {
    let end = text.rfind(']')?;
    let (inner, port) = (&text[1..end], &text[end + 1..]);
    if !is_port(port) {
        return None;
    }
    let (address, zone) = match inner.find("%25") {
        Some(at) => {
            let zone = unescape(&inner[at..], Part::Zone).filter(|zone| zone.len() > 1)?;
            (&inner[..at], zone)
        }
        None => (inner, Vec::new()),
    };
    address.parse::<Ipv6Addr>().ok()?;
    let zone = String::from_utf8_lossy(&zone);
    Some(format!("[{address}{zone}]{port}"))
}

fn is_port(text: &str) -> bool {
    let digits = text.strip_prefix(':');
    digits.map_or(text.is_empty(), |digits| {
        digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// The text without its escapes; nothing when one is broken, or the part may not hold what is there.
fn unescape(text: &str, part: Part) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            if part != Part::Other && byte.is_ascii() && !is_host_byte(byte) {
                return None;
            }
            out.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let escaped = u8::try_from(digit()? * 16 + digit()?).ok()?;
        let allowed = match part {
            _ if escaped == b'%' => true,
            Part::Host => !escaped.is_ascii(),
            Part::Zone => escaped == b' ' || is_host_byte(escaped),
            Part::Other => true,
        };
        if !allowed {
            return None;
        }
        out.push(escaped);
    }
    Some(out)
}

fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:[]<>\"".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Option<(String, String, String)> {
        let url = Url::reference(text)?;
        let path = String::from_utf8_lossy(&url.path).into_owned();
        Some((url.scheme, url.host, path))
    }

    #[test]
    fn an_address_is_taken_apart() {
        for (text, scheme, host, path) in [
            ("HTTPS://u:p@h:80/a%20b?c#d", "https", "h:80", "/a b"),
            ("//h/x", "", "h", "/x"),
            ("a/b:c", "", "", "a/b:c"),
            ("1a/b", "", "", "1a/b"),
            ("mailto:a@b", "mailto", "", ""),
            ("http://[fe80::1%25en0]:1/", "http", "[fe80::1%en0]:1", "/"),
            ("mongodb://a:1,b:2/x", "mongodb", "a:1,b:2", "/x"),
        ] {
            let expected = (scheme.to_owned(), host.to_owned(), path.to_owned());
            assert_eq!(parts(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_address() {
        for text in [
            ":a",
            "a:b/c d\u{7}",
            "http://h%20x/",
            "http://a:1:2/",
            "http://[x]/",
            "http://[::1%25]/",
            "http://u%zz@h/",
            "http://h/%z",
            "http://h/#%z",
            "http://h:x",
            "1a:b",
        ] {
            assert_eq!(parts(text), None, "{text}");
        }
        assert_eq!(Url::request("a/b"), None);
    }
}
