//! What a registry meant when an image could not be pulled.

use serde::{Deserialize, Serialize};

/// What a pull error says about the chances of the next try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PullFailure {
    /// There is no such image, tag or platform.
    NotFound,
    /// We may not have it.
    Denied,
    /// The registry or the way to it is in trouble.
    Unavailable,
    /// The message does not say.
    Unclear,
}

/// Asked first: a mirror that is down often stands beside the origin's refusal, and a registry that
/// counts pulls says `denied` too.
const UNAVAILABLE: [&str; 24] = [
    "toomanyrequests",
    "too many requests",
    "rate limit",
    "i/o timeout",
    "timeout",
    "timed out",
    "deadline exceeded",
    "deadlineexceeded",
    "code = unavailable",
    "connection refused",
    "connection reset",
    "no route to host",
    "network is unreachable",
    "no such host",
    "server misbehaving",
    "temporary failure in name resolution",
    "broken pipe",
    "unexpected eof",
    "internal server error",
    "bad gateway",
    "service unavailable",
    "gateway time-out",
    "no space left on device",
    "request canceled",
];

const NOT_FOUND: [&str; 9] = [
    "manifest unknown",
    "manifest_unknown",
    "name unknown",
    "not found",
    "code = notfound",
    "no matching manifest",
    "no match for platform",
    "does not exist",
    "no image found",
];

const DENIED: [&str; 6] = [
    "unauthorized",
    "authentication required",
    "authorization failed",
    "denied",
    "forbidden",
    "no basic auth credentials",
];

/// Classifies the kubelet's message of an image that could not be pulled.
///
/// Names of images and hosts are left out of account, so that an image called `denied` does not
/// look like a refusal.
pub fn classify_pull_message(message: &str) -> PullFailure {
    let words = spoken_words(message);
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| words.contains(phrase));
    let status = |codes: &[&str]| words.split(' ').any(|word| codes.contains(&word));
    if says(&UNAVAILABLE) || status(&["429", "500", "502", "503", "504", "eof"]) {
        PullFailure::Unavailable
    } else if says(&NOT_FOUND) || status(&["404"]) {
        // A private registry says both in one sentence: "repository does not exist or may require
        // authorization". Neither cures itself.
        PullFailure::NotFound
    } else if says(&DENIED) || status(&["401", "403"]) {
        PullFailure::Denied
    } else {
        PullFailure::Unclear
    }
}

/// The message in lower case without quoted parts, paths, addresses and punctuation at the ends of
/// words.
fn spoken_words(message: &str) -> String {
    let unquoted: String = message
        .split('"')
        .enumerate()
        .filter(|(part, _)| part % 2 == 0)
        .map(|(_, text)| text)
        .collect::<Vec<_>>()
        .join(" ");
    unquoted
        .to_lowercase()
        .split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '='))
        .filter(|word| *word == "i/o" || !word.contains(['/', '.', ':']))
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_that_does_not_exist_is_told_from_one_that_may_come_yet() {
        let not_found = [
            r#"rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nope:1": failed to resolve reference "docker.io/library/nope:1": docker.io/library/nope:1: not found"#,
            "reading manifest v9 in registry.example/shop/web: manifest unknown: manifest tagged by \"v9\" is not found",
            "no matching manifest for linux/arm64/v8 in the manifest list entries",
            "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
            "unexpected status from HEAD request to https://registry.example/v2/web/manifests/1: 404 Not Found",
        ];
        for message in not_found {
            assert_eq!(
                classify_pull_message(message),
                PullFailure::NotFound,
                "{message}"
            );
        }
    }

    #[test]
    fn a_refusal_is_told_by_its_words_or_its_status() {
        let denied = [
            "Error response from daemon: unauthorized: authentication required",
            "requested access to the resource is denied",
            "unexpected status from HEAD request to https://registry.example/v2/web/manifests/1: 403 Forbidden",
            "no basic auth credentials",
        ];
        for message in denied {
            assert_eq!(
                classify_pull_message(message),
                PullFailure::Denied,
                "{message}"
            );
        }
    }

    #[test]
    fn trouble_on_the_way_is_never_the_revisions_fault() {
        let unavailable = [
            "dial tcp 10.0.0.1:443: i/o timeout",
            "dial tcp: lookup registry.example on 10.96.0.10:53: no such host",
            "toomanyrequests: You have reached your pull rate limit",
            "denied: too many requests",
            "unexpected status from HEAD request to https://registry.example/v2/web: 503 Service Unavailable",
            "failed to do request: Head \"https://registry.example/v2/web\": EOF",
            "rpc error: code = Unavailable desc = the runtime is going away",
            "net/http: TLS handshake timeout",
        ];
        for message in unavailable {
            assert_eq!(
                classify_pull_message(message),
                PullFailure::Unavailable,
                "{message}"
            );
        }
    }

    #[test]
    fn the_name_of_an_image_proves_nothing() {
        for message in [
            "Back-off pulling image \"registry.example/denied:503\"",
            "failed to pull registry.example/not-found/timeout:429",
            "",
        ] {
            assert_eq!(
                classify_pull_message(message),
                PullFailure::Unclear,
                "{message}"
            );
        }
    }
}
