//! Addresses in `Chart.yaml`: what Helm takes for one, and what for none.

/// Longer addresses are none.
const MAX_URL_CHARACTERS: usize = 2083;

/// An address with a scheme, such as `https://example.org/a` or `mailto:a`; by the rules of Go's `ParseRequestURI`.
pub(super) fn is_request_url(text: &str) -> bool {
    if text.chars().any(|c| c.is_ascii_control()) {
        return false;
    }
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let mut letters = scheme.chars();
    let named = letters.next().is_some_and(|c| c.is_ascii_alphabetic())
        && letters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    if !named {
        return false;
    }
    let rest = rest.split('?').next().unwrap_or_default();
    if !rest.starts_with('/') {
        return true;
    }
    let (authority, path) = match rest
        .strip_prefix("//")
        .filter(|rest| !rest.starts_with('/'))
    {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None => ("", rest),
    };
    authority_ok(authority) && escapes_ok(path)
}

fn authority_ok(authority: &str) -> bool {
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let user_ok = user
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c));
    let (name, port) = match host.strip_prefix('[') {
        Some(inner) => match inner.split_once(']') {
            Some((name, port)) => (
                name,
                port.strip_prefix(':')
                    .or(Some(port).filter(|p| p.is_empty())),
            ),
            None => return false,
        },
        None => match host.rsplit_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, Some("")),
        },
    };
    let name_ok = name.chars().all(|c| {
        !c.is_ascii() || c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:[]<>\"%".contains(c)
    });
    user_ok && name_ok && port.is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()))
}

/// Each per cent sign begins an escape.
fn escapes_ok(path: &str) -> bool {
    path.split('%')
        .skip(1)
        .all(|after| after.len() >= 2 && after.bytes().take(2).all(|byte| byte.is_ascii_hexdigit()))
}

/// An address with or without a scheme, such as `example.org` or `https://user@[::1]:80/a`.
pub(super) fn is_url(text: &str) -> bool {
    if text.len() <= 3 || text.chars().count() >= MAX_URL_CHARACTERS || text.starts_with('.') {
        return false;
    }
    if text.chars().any(char::is_whitespace) {
        return false;
    }
    let rest = ["ftp", "tcp", "udp", "ws", "wss", "http", "https"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme)?.strip_prefix("://"));
    let schemed = rest.is_some();
    let rest = rest.unwrap_or(text);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = &rest[..end];
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let (name, port) = match host
        .strip_prefix('[')
        .and_then(|inner| inner.split_once(']'))
    {
        Some((address, port)) => {
            let known = address.parse::<std::net::Ipv6Addr>().is_ok();
            return known && port_ok(port);
        }
        None => host.find(':').map_or((host, ""), |at| host.split_at(at)),
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    let labels_ok = !name.is_empty()
        && name.split('.').all(|label| {
            let inner =
                |c: char| c.is_ascii_alphanumeric() || c >= '\u{a1}' || c == '-' || c == '_';
            !label.is_empty()
                && !label.ends_with('-')
                && !label.starts_with(['-', '_'])
                && label.chars().all(inner)
        });
    // Without a scheme a single word is a path, and none that leads anywhere.
    labels_ok && port_ok(port) && (schemed || port.len() > 1 || text.contains('.'))
}

fn port_ok(port: &str) -> bool {
    match port.strip_prefix(':') {
        None => port.is_empty(),
        Some(digits) => {
            (1..=5).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
        }
    }
}

/// `local@domain`, the domain with a dot and a last label that begins and ends with a letter.
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let atom =
        |c: char| c.is_ascii_alphanumeric() || c >= '\u{a0}' || "!#$%&'*+-/=?^_`{|}~".contains(c);
    let quoted = local.len() > 2 && local.starts_with('"') && local.ends_with('"');
    let local_ok = quoted
        || local
            .split('.')
            .all(|part| !part.is_empty() && part.chars().all(atom));
    let word = |c: char| c.is_ascii_alphanumeric() || c >= '\u{a0}';
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let Some((labels, top)) = domain.rsplit_once('.') else {
        return false;
    };
    let label_ok = |label: &str| {
        label.starts_with(word)
            && label.ends_with(word)
            && label
                .chars()
                .all(|c| word(c) || matches!(c, '-' | '_' | '~'))
    };
    let letter = |c: char| c.is_ascii_alphabetic() || c >= '\u{a0}';
    local_ok
        && labels.split('.').all(label_ok)
        && label_ok(top)
        && top.starts_with(letter)
        && top.ends_with(letter)
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
        ] {
            assert!(!is_url(bad), "{bad}");
        }
    }

    #[test]
    fn addresses_of_people() {
        for good in ["a@b.de", "a.b+c@d-e.example", "\"a b\"@c.de"] {
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
            "a@-b.de",
        ] {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
