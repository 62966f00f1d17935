//! Docker's `config.json`, as `docker login` and `helm registry login` write it and pull secrets hold it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::request::{Credentials, Secret};

/// The configuration cannot be used. No text of it is repeated, as it holds passwords.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadDockerConfig {
    /// It is no JSON, or not of this shape.
    #[error(
        "it is no Docker configuration; `kubectl create secret docker-registry` makes one with the key .dockerconfigjson"
    )]
    Unreadable,
    /// An entry has neither user and password nor a registry token.
    #[error(
        "its entry for {registry} has neither auth, nor username and password, nor registrytoken; identity tokens and credential helpers cannot be used here"
    )]
    NoCredentials {
        /// The entry.
        registry: String,
    },
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
}

#[derive(Default, Deserialize)]
struct Entry {
    #[serde(default)]
    auth: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    registrytoken: String,
}

/// Docker Hub under all the names that configurations have for it.
const DOCKER_HUB: [&str; 3] = ["docker.io", "index.docker.io", "registry-1.docker.io"];

/// The credentials of a Docker configuration for a chart at `oci://HOST/PATH`; `None` when none of its entries is
/// about that registry.
///
/// Entries are matched as the kubelet matches pull secrets: by host and port, by the beginning of the path where the
/// entry has one, with `*` for one label of the host; the longest entry wins.
///
/// # Errors
/// When the configuration cannot be read, or the entry that fits holds nothing of use.
pub fn docker_credentials(
    config: &[u8],
    url: &str,
) -> Result<Option<Credentials>, BadDockerConfig> {
    let config: Config = serde_json::from_slice(config).map_err(|_| BadDockerConfig::Unreadable)?;
    let place = url.strip_prefix("oci://").unwrap_or(url);
    let fitting = config
        .auths
        .iter()
        .filter(|(registry, _)| fits(registry, place))
        .max_by_key(|(registry, _)| bare(registry).len());
    let Some((registry, entry)) = fitting else {
        return Ok(None);
    };
    entry
        .credentials()
        .map(Some)
        .ok_or_else(|| BadDockerConfig::NoCredentials {
            registry: bare(registry).to_owned(),
        })
}

impl Entry {
    fn credentials(&self) -> Option<Credentials> {
        if !self.registrytoken.is_empty() {
            return Some(Credentials::Bearer(Secret::new(&self.registrytoken)));
        }
        if !self.username.is_empty() {
            return Some(Credentials::Basic {
                username: self.username.clone(),
                password: Secret::new(&self.password),
            });
        }
        let pair = STANDARD.decode(self.auth.trim()).ok()?;
        let pair = String::from_utf8(pair).ok()?;
        let (username, password) = pair.split_once(':')?;
        Some(Credentials::Basic {
            username: username.to_owned(),
            password: Secret::new(password),
        })
    }
}

/// An entry's name without scheme and without the API version that Docker Hub's has.
fn bare(registry: &str) -> &str {
    let registry = registry
        .strip_prefix("https://")
        .or_else(|| registry.strip_prefix("http://"))
        .unwrap_or(registry);
    let registry = registry.trim_end_matches('/');
    ["/v1", "/v2"]
        .iter()
        .find_map(|version| registry.strip_suffix(version))
        .unwrap_or(registry)
}

fn fits(registry: &str, place: &str) -> bool {
    let (wanted_host, wanted_path) = place.split_once('/').unwrap_or((place, ""));
    let registry = bare(registry);
    let (host, path) = registry.split_once('/').unwrap_or((registry, ""));
    let same_path = wanted_path == path
        || path.is_empty()
        || wanted_path
            .strip_prefix(path)
            .is_some_and(|rest| rest.starts_with('/'));
    let hub = DOCKER_HUB.contains(&host) && DOCKER_HUB.contains(&wanted_host);
    same_path && (hub || same_host(host, wanted_host))
}

fn same_host(pattern: &str, host: &str) -> bool {
    let (mut pattern, mut host) = (pattern.split('.'), host.split('.'));
    loop {
        match (pattern.next(), host.next()) {
            (None, None) => return true,
            (Some("*"), Some(_)) => {}
            (Some(a), Some(b)) if a.eq_ignore_ascii_case(b) => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const CONFIG: &[u8] = br#"{"auths": {
        "a.example": {"auth": "amFuZTpodW50ZXIy"},
        "a.example/team": {"username": "team", "password": "secret"},
        "a.example:5000": {"username": "port", "password": "secret"},
        "*.b.example": {"registrytoken": "t0ken"},
        "https://index.docker.io/v1/": {"username": "hub", "password": "secret"},
        "helper.example": {}
    }}"#;

    #[rstest]
    #[case("oci://a.example/charts/web", Some("jane"))]
    #[case("oci://a.example/team/web", Some("team"))]
    #[case("oci://a.example/teams/web", Some("jane"))]
    #[case("oci://a.example:5000/web", Some("port"))]
    #[case("oci://docker.io/jane/web", Some("hub"))]
    #[case("oci://evil.example/a.example/web", None)]
    #[case("oci://b.example/web", None)]
    fn the_longest_entry_for_the_registry_is_taken(#[case] url: &str, #[case] user: Option<&str>) {
        let found = docker_credentials(CONFIG, url).unwrap();

        let found = found.map(|credentials| match credentials {
            Credentials::Basic { username, .. } => username,
            Credentials::Bearer(_) => "a token".to_owned(),
        });
        assert_eq!(found.as_deref(), user);
    }

    #[test]
    fn auth_is_user_and_password_and_a_registry_token_a_token() {
        assert_eq!(
            docker_credentials(CONFIG, "oci://a.example/web").unwrap(),
            Some(Credentials::Basic {
                username: "jane".into(),
                password: Secret::new("hunter2")
            })
        );
        assert_eq!(
            docker_credentials(CONFIG, "oci://x.b.example/web").unwrap(),
            Some(Credentials::Bearer(Secret::new("t0ken")))
        );
    }

    #[test]
    fn what_cannot_be_used_is_told_without_its_content() {
        let empty = docker_credentials(CONFIG, "oci://helper.example/web").unwrap_err();
        assert!(empty.to_string().contains("helper.example"), "{empty}");

        let broken = docker_credentials(b"hunter2", "oci://a.example/web").unwrap_err();
        assert!(!broken.to_string().contains("hunter2"), "{broken}");
    }
}
