//! Addresses in `Chart.yaml`: what Helm takes for one, and what for none.

use std::sync::LazyLock;

use regex::Regex;

use super::url::Url;

/// Longer addresses are none, in characters; shorter ones neither, in bytes.
const MAX_URL_CHARACTERS: usize = 2083;
const MIN_URL_BYTES: usize = 4;

static PAGE: LazyLock<Result<Regex, regex::Error>> = LazyLock::new(|| Regex::new(&page()));

/// An address with a scheme, such as `https://example.org/a` or `mailto:a`; by the rules of Go's `ParseRequestURI`.
pub(super) fn is_request_url(text: &str) -> bool {
    Url::request(text).is_some_and(|url| !url.scheme.is_empty())
}

/// An address with or without a scheme, such as `example.org` or `https://user@[::1]:80/a`; by the rules of Helm's
/// validator, which wants more of a host than that it can be read.
pub(super) fn is_url(text: &str) -> bool {
    if text.len() < MIN_URL_BYTES
        || text.chars().count() >= MAX_URL_CHARACTERS
        || text.starts_with('.')
    {
        return false;
    }
    // What has a colon and no scheme may have a port.
    let url = if text.contains(':') && !text.contains("://") {
        Url::reference(&format!("http://{text}"))
    } else {
        Url::reference(text)
    };
    let leads_somewhere = url.is_some_and(|url| {
        let is_word = !url.path.is_empty() && !url.path.contains(&b'.');
        !(url.host.starts_with('.') || url.host.is_empty() && is_word)
    });
    leads_somewhere && PAGE.as_ref().is_ok_and(|page| page.is_match(text))
}

/// The form of a page's address. A name ends in words with hyphens and perhaps a last label of letters; what may stand
/// right before that needs two characters in its first label.
fn page() -> String {
    const SPACE: &str = r"\t\n\x0C\r ";
    const PLAIN: &str = "[a-zA-Z0-9]";
    const LETTER: &str = r"a-zA-Z\u{A1}-\u{FFFF}";
    let word = format!("[{LETTER}0-9]+");
    let octet = "(?:[0-9]{1,2}|1[0-9]{2}|2[0-4][0-9]|25[0-5])";
    let first_octet = "(?:[1-9][0-9]?|1[0-9]{2}|2[01][0-9]|22[0-3]|24[0-9]|25[0-5])";
    let v4 = format!(r"{first_octet}(?:\.{octet}){{3}}");
    let v6 = r"\[[0-9a-fA-F:.]+(?:%[0-9a-zA-Z]+)?\]";
    let labels = format!(r"{PLAIN}[a-zA-Z0-9_-]*{PLAIN}(?:[-.]{PLAIN}+)*");
    let subdomain = format!(r"{PLAIN}(?:[-_.]?{PLAIN})*{PLAIN}\.{PLAIN}+");
    let name =
        format!(r"(?:www\.|{labels}|{subdomain})?{word}(?:-{{1,2}}{word})*(?:\.[{LETTER}]+)?");
    format!(
        r"^(?:(?:ftp|tcp|udp|wss?|https?)://)?(?:[^{SPACE}]+@)?(?:{v4}|{v6}|{name})\.?(?::[0-9]{{1,5}})?(?:[/?#][^{SPACE}]*)?$"
    )
}

/// `local@domain`, the domain with a dot and a last label that begins and ends with a letter.
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let word = |c: char| c.is_ascii_alphanumeric() || is_beyond_ascii(c);
    let atom = |c: char| word(c) || "!#$%&'*+-/=?^_`{|}~".contains(c);
    let mut atoms = local.split('.');
    if !is_quoted(local) && !atoms.all(|part| !part.is_empty() && part.chars().all(atom)) {
        return false;
    }
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let Some((labels, top)) = domain.rsplit_once('.') else {
        return false;
    };
    let inner = |c: char| word(c) || matches!(c, '-' | '_' | '~');
    let letter = |c: char| c.is_ascii_alphabetic() || is_beyond_ascii(c);
    labels.starts_with(word)
        && labels.ends_with(word)
        && labels.chars().all(|c| inner(c) || c == '.')
        && top.starts_with(letter)
        && top.ends_with(letter)
        && top.chars().all(inner)
}

/// In quotes nearly anything may stand, but Helm's validator wants a quote before each character of it.
fn is_quoted(local: &str) -> bool {
    let Some(inner) = local.strip_suffix('"') else {
        return false;
    };
    let mut quotes = inner.split('"');
    let margin = quotes.next().unwrap_or_default();
    margin.is_empty()
        && quotes.all(|part| {
            let mut rest = part.trim_start_matches([' ', '\t']).chars();
            let first = rest.next();
            first.is_some_and(|c| c != '\\' && (c.is_ascii() || is_beyond_ascii(c)))
                && rest.all(|c| matches!(c, ' ' | '\t'))
        })
}

/// The characters beyond ASCII that the old rules for addresses of the web allow.
fn is_beyond_ascii(c: char) -> bool {
    matches!(c, '\u{a0}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{ffef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_pages() {
        for good in [
            "https://example.org",
            "http://a.b/c?d#e",
            "mailto:x",
            "git+ssh://git@h:22/x",
            "file:///a",
        ] {
            assert!(is_request_url(good), "{good}");
        }
        for bad in [
            "",
            "example.org",
            "/a",
            "ht tp://x",
            "http://a b",
            "http://h:x/",
            "http://h/%zz",
            "http://a%20b/",
            "http://a:b:80/",
            "http://[x]/",
            "://a",
        ] {
            assert!(!is_request_url(bad), "{bad}");
        }
        for good in [
            "https://example.org",
            "example.org",
            "http://localhost:80/a",
            "https://[::1]:1/",
            "a.b/c",
            "https://u@h.de",
            "http://[fe80::1%25eth0]",
            "http://999.999.999.999",
        ] {
            assert!(is_url(good), "{good}");
        }
        for bad in [
            "",
            "a",
            "word",
            "http://",
            ".a.b",
            "http://a b",
            "http://h:123456/",
            "gopher://x.y",
            "http://1.2.3",
            "http://a.b.c.d",
            "http://x.y/%zz",
        ] {
            assert!(!is_url(bad), "{bad}");
        }
    }

    #[test]
    fn addresses_of_people() {
        for good in ["a@b.de", "a.b+c@d-e.example", "\"a\"b\"@c.de", "a@b..c.de."] {
            assert!(is_email(good), "{good}");
        }
        for bad in [
            "",
            "a",
            "a@b",
            "a@b.1",
            "a..b@c.de",
            "a b@c.de",
            "@c.de",
            "\"a b\"@c.de",
            "a@-b.de",
        ] {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
