//! A token service as registries name one, by the Docker registry's token specification: it lets in one user, and gives
//! tokens that the real registry believes.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::{Error, Result};

/// What tokens are for, in the registry's configuration and in them.
const SERVICE: &str = "charts";
/// Who makes them.
const ISSUER: &str = "belay-harness";
/// The key's name.
const KEY: &str = "key";
/// Seconds that a token lasts.
const LASTS: u64 = 300;

/// A token service on the loopback interface. It ends when dropped.
pub(crate) struct TokenService {
    realm: String,
    keys: Value,
    server: JoinHandle<()>,
}

struct Desk {
    /// What the one user sends.
    authorization: String,
    key: SigningKey,
}

impl TokenService {
    pub async fn start((user, password): &(String, String)) -> Result<Self> {
        let doing = || Error::io("serving tokens");
        let key = SigningKey::random(&mut p256::elliptic_curve::rand_core::OsRng);
        let point = key.verifying_key().to_encoded_point(false);
        let part = |bytes: Option<&p256::FieldBytes>| {
            let bytes = bytes.copied().unwrap_or_default();
            URL_SAFE_NO_PAD.encode(bytes)
        };
        let keys = json!({"keys": [{
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": KEY,
            "x": part(point.x()), "y": part(point.y()),
        }]});
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(doing())?;
        let address = listener.local_addr().map_err(doing())?;
        let desk = Desk {
            authorization: format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))),
            key,
        };
        let routes = axum::Router::new()
            .fallback(answer)
            .with_state(std::sync::Arc::new(desk));
        let server = tokio::spawn(async move {
            // Ends only with the task.
            let _ = axum::serve(listener, routes).await;
        });
        Ok(Self {
            realm: format!("http://{address}/token"),
            keys,
            server,
        })
    }

    /// How a registry is told of it; its keys are written into `folder`.
    pub fn configuration(&self, folder: &Path) -> Result<Value> {
        let file = folder.join("jwks.json");
        std::fs::write(&file, self.keys.to_string())
            .map_err(Error::io("writing the keys of a token service"))?;
        Ok(json!({"token": {
            "realm": self.realm, "service": SERVICE, "issuer": ISSUER, "jwks": file,
        }}))
    }
}

impl Drop for TokenService {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(
    State(desk): State<std::sync::Arc<Desk>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let sent = headers.get("authorization");
    if sent.is_none_or(|sent| *sent != desk.authorization) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    // Any host will do: only the query is looked at.
    let asked = reqwest::Url::parse(&format!("http://localhost{uri}"));
    let Ok(asked) = asked else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let mut pairs = asked.query_pairs();
    let scope = pairs.find(|(name, _)| name == "scope");
    let scope = scope.map(|(_, scope)| scope.into_owned());
    let token = desk.token(&scope.unwrap_or_default());
    json!({"token": token, "expires_in": LASTS})
        .to_string()
        .into_response()
}

impl Desk {
    /// A token for a scope, `repository:NAME:ACTIONS` (RFC 7519, with the claims that the registry reads).
    fn token(&self, scope: &str) -> String {
        let mut parts = scope.splitn(3, ':');
        let mut part = || parts.next().unwrap_or_default();
        let (kind, name, actions) = (part(), part(), part());
        let actions: Vec<_> = actions.split(',').collect();
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default().as_secs();
        let head = json!({"typ": "JWT", "alg": "ES256", "kid": KEY});
        let claims = json!({
            "iss": ISSUER, "aud": SERVICE, "sub": "somebody", "jti": "one",
            "iat": now, "nbf": now, "exp": now + LASTS,
            "access": [{"type": kind, "name": name, "actions": actions}],
        });
        let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", text(&head), text(&claims));
        let signature: Signature = self.key.sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }
}
