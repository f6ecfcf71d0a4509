//! Asking the issuer about a token (RFC 7662).

use reqwest::{Client, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::{claims::Claims, clock::now, refusal::Refusal, scheme::Scheme, settings::Settings};

/// Whom to ask, and as whom.
pub(crate) struct Introspector {
    http: Client,
    address: String,
    client_id: String,
    client_secret: SecretString,
    issuer: String,
    audience: String,
    leeway: i64,
}

#[derive(Deserialize)]
struct Active {
    active: bool,
}

#[derive(Deserialize)]
struct Told {
    token_type: Option<String>,
    #[serde(flatten)]
    claims: Claims,
}

impl Introspector {
    pub(crate) fn new(http: Client, settings: &Settings) -> Self {
        let Settings { client_id, client_secret, issuer, audience, .. } = settings.clone();
        let (address, leeway) = (settings.at_issuer("/introspect/"), settings.leeway_seconds());
        Self { http, address, client_id, client_secret, issuer, audience, leeway }
    }

    /// What the issuer says of an access token that is good now.
    pub(crate) async fn ask(&self, token: &str) -> Result<Claims, Refusal> {
        let request = self.http.post(&self.address).basic_auth(&self.client_id, Some(self.client_secret.expose_secret()));
        let form = [("token", token), ("token_type_hint", "access_token")];
        let answer = self.read(request.form(&form).send().await).await.inspect_err(|error| {
            tracing::warn!(%error, "the issuer does not answer about a token");
        });
        let body = answer.map_err(|_| Refusal::Unavailable)?;
        let active: Active = serde_json::from_slice(&body).map_err(|_| Refusal::Unavailable)?;
        if !active.active {
            return Err(Refusal::InvalidToken("the token is not active"));
        }
        let Told { token_type, claims } = serde_json::from_slice(&body).map_err(|_| Refusal::Unavailable)?;
        if token_type.as_deref().and_then(Scheme::named) != Some(claims.scheme()) {
            let why = "the token is no access token, or the issuer does not say what it is bound to";
            return Err(Refusal::InvalidToken(why));
        }
        let now = now();
        let ours = claims.iss == self.issuer && claims.aud.contains(&self.audience) && claims.exp > now - self.leeway;
        if ours { Ok(claims) } else { Err(Refusal::InvalidToken("the token is not for this resource server")) }
    }

    /// The body of an answer. Any status but 200 means that we were not told.
    async fn read(&self, answer: Result<Response, reqwest::Error>) -> Result<Vec<u8>, Untold> {
        let answer = answer?;
        if answer.status() != StatusCode::OK {
            return Err(Untold::Status(answer.status()));
        }
        Ok(answer.bytes().await?.to_vec())
    }
}

/// Why it was not told.
#[derive(Debug, thiserror::Error)]
enum Untold {
    #[error("{0}")]
    Broken(#[from] reqwest::Error),
    #[error("it says {0}")]
    Status(StatusCode),
}
