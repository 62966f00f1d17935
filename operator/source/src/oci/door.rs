//! Entering a registry: nothing is shown before it is asked for, and the password only where it belongs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;
use url::Url;

use super::address::Address;
use super::challenge::Challenge;
use crate::error::Error;
use crate::http::{Answer, Document, Http, Validators};
use crate::location::{Access, Scope, shown};
use crate::packages::unasked;
use crate::recent::Recent;
use crate::request::{Credentials, Secret};

/// What is known of how registries are entered.
#[derive(Debug)]
pub(super) struct Doors {
    known: Mutex<Recent<Scope, Door>>,
}

#[derive(Clone, Debug)]
enum Door {
    Basic,
    Token(Arc<TokenDoor>),
}

#[derive(Debug)]
struct TokenDoor {
    service: Url,
    /// One fetch of a token for all who wait at the door.
    token: tokio::sync::Mutex<Option<Token>>,
}

#[derive(Debug)]
struct Token {
    text: Secret,
    until: Instant,
}

/// A token service's answer, by the Docker registry's token specification.
#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

/// How long a token serves whose service does not say: the least that the specification asks for.
const UNSAID: u64 = 60;
/// A token is not used in its last seconds: it has to last for a transfer's beginning.
const RESERVE: Duration = Duration::from_secs(10);
/// No token is kept longer, whatever its service says.
const LONGEST: u64 = 24 * 60 * 60;

impl Doors {
    pub fn new(limit: u64) -> Self {
        Self {
            known: Mutex::new(Recent::new(limit)),
        }
    }

    /// The access with which to ask: without credentials until the registry asks for some. A bearer token of the
    /// caller's own goes along at once.
    pub async fn open(&self, http: &Http, address: &Address) -> Result<Access, Error> {
        let access = &address.access;
        if access.sends_at_once() {
            return Ok(access.clone());
        }
        let door = self.lock().get(&access.scope).cloned();
        match door {
            None => Ok(access.with(None)),
            Some(Door::Basic) => Ok(access.clone()),
            Some(Door::Token(door)) => {
                let token = door.token(http, address).await?;
                Ok(access.with(Some(Credentials::Bearer(token))))
            }
        }
    }

    /// Takes in what a registry answered to an attempt to enter.
    pub fn learn(&self, address: &Address, url: &Url, challenges: &[String]) -> Result<(), Error> {
        let access = &address.access;
        let refused = || Error::Unauthorized {
            url: shown(url),
            status: 401,
            sent: access.credentials.is_some(),
        };
        if access.sends_at_once() {
            return Err(refused());
        }
        let door = match Challenge::read(challenges) {
            None => return Err(refused()),
            Some(Challenge::Basic) => {
                let tried = matches!(self.lock().get(&access.scope), Some(Door::Basic));
                if tried || access.credentials.is_none() {
                    return Err(refused());
                }
                Door::Basic
            }
            Some(Challenge::Bearer { realm, service }) => Door::Token(Arc::new(TokenDoor {
                service: token_service(address, &realm, service.as_deref())?,
                token: tokio::sync::Mutex::new(None),
            })),
        };
        self.lock().insert(access.scope, door, 1);
        Ok(())
    }

    /// Forgets a token, so that another one is fetched; whether there was one.
    pub fn forget(&self, access: &Access) -> bool {
        let mut known = self.lock();
        let fresh = match known.get(&access.scope) {
            Some(Door::Token(door)) => Door::Token(Arc::new(TokenDoor {
                service: door.service.clone(),
                token: tokio::sync::Mutex::new(None),
            })),
            _ => return false,
        };
        known.insert(access.scope, fresh, 1);
        true
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Recent<Scope, Door>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TokenDoor {
    async fn token(&self, http: &Http, address: &Address) -> Result<Secret, Error> {
        let mut held = self.token.lock().await;
        if let Some(token) = &*held
            && token.until > Instant::now()
        {
            return Ok(token.text.clone());
        }
        let asked = Instant::now();
        let access = Access {
            base: self.service.clone(),
            ..address.access.clone()
        };
        let nothing = Validators::default();
        let answer = http
            .get(&access, self.service.clone(), Document::Token, &nothing)
            .await?;
        let Answer::Body(received) = answer else {
            return Err(unasked(shown(&self.service)));
        };
        let bad = |detail: &str| Error::BadAnswer {
            url: shown(&self.service),
            detail: detail.to_owned(),
        };
        let answer: TokenAnswer = serde_json::from_slice(&received.bytes)
            .map_err(|_| bad("it is not the JSON of a token service"))?;
        let text = answer
            .token
            .or(answer.access_token)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| bad("it holds no token"))?;
        let lasts = Duration::from_secs(answer.expires_in.unwrap_or(UNSAID).min(LONGEST));
        let text = Secret::new(text);
        *held = Some(Token {
            text: text.clone(),
            until: asked + lasts.saturating_sub(RESERVE.min(lasts / 2)),
        });
        Ok(text)
    }
}

/// The address of the token service, with what is asked of it: to pull from this one repository.
fn token_service(address: &Address, realm: &str, service: Option<&str>) -> Result<Url, Error> {
    let bad = |detail: String| Error::BadAnswer {
        url: address.to_string(),
        detail,
    };
    let mut url = Url::parse(realm).map_err(|error| {
        bad(format!(
            "the token service that it names has no address: {error}"
        ))
    })?;
    let allowed = url.scheme() == "https" || (address.plain_http && url.scheme() == "http");
    if !allowed {
        return Err(bad(format!(
            "it names a token service at {}://, and passwords go there over https only",
            url.scheme()
        )));
    }
    url.set_fragment(None);
    let scope = format!("repository:{}:pull", address.repository);
    let mut query = url.query_pairs_mut();
    if let Some(service) = service {
        query.append_pair("service", service);
    }
    query.append_pair("scope", &scope);
    drop(query);
    Ok(url)
}
