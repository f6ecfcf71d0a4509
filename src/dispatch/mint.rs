//! Makes the tokens of an answer: their text for the client, their facts for the log.

use domain::{
    Confirmation, Digest, GrantId, Scope, SessionId, Timestamp, TokenId, UserId,
    client::{AccessTokenFormat, Registration},
    grant::{AccessToken, Act, RefreshToken, Terms},
    key_set::KeySet,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use uuid::Uuid;

use crate::{credential::CredentialKind, log::Unavailable, protocol::bearer::Scheme, signer::typ};

use super::{target::Target, work::Work};

/// The JSON of a token response (RFC 6749 section 5.1), kept as text: a retried refresh gets the same bytes.
#[derive(Clone)]
pub struct Issued {
    body: SecretString,
}

impl Issued {
    pub(super) const fn from_body(body: SecretString) -> Self {
        Self { body }
    }

    /// The response's body. It is a secret.
    #[must_use]
    pub fn body(&self) -> &str {
        self.body.expose_secret()
    }
}

/// For whom an access token is.
pub(super) struct Bearer<'a> {
    pub(super) grant_id: GrantId,
    pub(super) client: &'a Registration,
    /// `None`: the client itself.
    pub(super) user_id: Option<UserId>,
    pub(super) target: Target,
    pub(super) auth_time: Option<Timestamp>,
    pub(super) acr: Option<&'a str>,
    pub(super) amr: &'a [String],
    /// The sign-in that it ends with.
    pub(super) session_id: Option<SessionId>,
    /// The latest that the token may live to.
    pub(super) ends_at: Option<Timestamp>,
    /// The key that it is bound to.
    pub(super) confirmation: Option<&'a Confirmation>,
    /// Of one that comes of an exchange.
    pub(super) exchange: Option<ByExchange<'a>>,
}

/// By whose hands the grant came to the one that gets the token (RFC 8693).
#[derive(Clone, Copy)]
pub(super) struct ByExchange<'a> {
    /// Their `client_id`s, the grant's own first.
    pub(super) through: &'a [String],
    pub(super) act: Option<&'a Act>,
}

impl Bearer<'_> {
    /// Whom the token is about: the user, or the client whose grant it is.
    fn sub(&self) -> String {
        let own = self.exchange.and_then(|exchange| exchange.through.first());
        let client = || own.unwrap_or(&self.client.identifier).clone();
        self.user_id.map_or_else(client, |user| user.to_string())
    }
}

impl<'a> Bearer<'a> {
    /// The bearer of a grant's only token, which stands on no sign-in.
    pub(super) fn of_one_token(grant_id: GrantId, client: &'a Registration, user_id: Option<UserId>, target: Target) -> Self {
        Self {
            grant_id,
            client,
            user_id,
            target,
            auth_time: None,
            acr: None,
            amr: &[],
            session_id: None,
            ends_at: None,
            confirmation: None,
            exchange: None,
        }
    }

    /// The bearer of a family's next access token.
    pub(super) fn of_family(grant_id: GrantId, client: &'a Registration, terms: &'a Terms, target: Target) -> Self {
        Self {
            grant_id,
            client,
            user_id: terms.user_id,
            target,
            auth_time: terms.auth_time,
            acr: terms.acr.as_deref(),
            amr: &terms.amr,
            session_id: terms.session_id,
            ends_at: Some(terms.ends_at),
            confirmation: None,
            exchange: None,
        }
    }
}

/// The claims of an access token (RFC 9068 section 2.2; `grant_id`, `pos` and `through` are ours, `sid` is OpenID Connect's).
#[derive(Serialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    exp: Timestamp,
    iat: Timestamp,
    jti: TokenId,
    client_id: String,
    #[serde(skip_serializing_if = "Scope::is_empty")]
    scope: Scope,
    grant_id: GrantId,
    pos: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    amr: Vec<String>,
    /// Where it ends with the sign-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<SessionId>,
    /// The key that it is bound to (RFC 7800).
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<Confirmation>,
    /// Who acts (RFC 8693 section 4.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<Act>,
    /// The `client_id`s by whose hands the grant came to the client: what is dead for one of them is dead here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    through: Vec<String>,
}

/// The members of a token response, in the order they are written.
#[derive(Serialize)]
struct Response<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: i64,
    /// Of an exchange (RFC 8693 section 2.2.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    scope: &'a Scope,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<&'a str>,
}

/// The texts of an answer's tokens.
pub(super) struct Texts<'a> {
    pub(super) access: &'a SecretString,
    pub(super) refresh: Option<&'a SecretString>,
    pub(super) id_token: Option<&'a SecretString>,
    /// Of an exchange: what `access` is.
    pub(super) issued_token_type: Option<&'static str>,
}

impl<'a> Texts<'a> {
    /// An access token alone.
    pub(super) const fn of(access: &'a SecretString) -> Self {
        Self { access, refresh: None, id_token: None, issued_token_type: None }
    }
}

impl Work<'_> {
    /// An access token for its target.
    pub(super) async fn mint_access(&mut self, bearer: Bearer<'_>) -> Result<(SecretString, AccessToken), Unavailable> {
        let metadata = &bearer.client.metadata;
        let Target { resource, scope, format, lifetime } = &bearer.target;
        let natural_end = self.now.plus(*lifetime);
        let expires_at = bearer.ends_at.map_or(natural_end, |end| end.min(natural_end));
        let id = TokenId::new(Uuid::now_v7());
        let (token, kid, pos) = match format {
            AccessTokenFormat::Opaque => {
                (CredentialKind::Access.mint(&self.inner.keys, bearer.grant_id.uuid(), 0), None, self.inner.log.known_head())
            }
            AccessTokenFormat::Jwt => {
                let keys = self.guard::<KeySet>(domain::id::THE_ONLY).await?;
                let key = self.inner.signer.active(&keys, metadata.access_token_signed_response_alg).await?;
                let pos = self.inner.log.known_head();
                let claims = Claims {
                    iss: self.inner.settings.issuer(),
                    sub: bearer.sub(),
                    aud: resource.clone(),
                    exp: expires_at,
                    iat: self.now,
                    jti: id,
                    client_id: bearer.client.identifier.clone(),
                    scope: scope.clone(),
                    grant_id: bearer.grant_id,
                    pos,
                    auth_time: bearer.auth_time,
                    acr: bearer.acr.map(str::to_owned),
                    amr: bearer.amr.to_vec(),
                    sid: bearer.session_id,
                    cnf: bearer.confirmation.cloned(),
                    act: bearer.exchange.and_then(|exchange| exchange.act).cloned(),
                    through: bearer.exchange.map(|exchange| exchange.through.to_vec()).unwrap_or_default(),
                };
                (self.inner.signer.sign(&key, typ::ACCESS_TOKEN, &claims).await?.into(), Some(key.kid), pos)
            }
        };
        let digest = Digest::of(token.expose_secret().as_bytes());
        let confirmation = bearer.confirmation.cloned();
        let (scope, audience) = (scope.clone(), vec![resource.clone()]);
        Ok((token, AccessToken { id, digest, scope, audience, expires_at, kid, pos, confirmation, id_token: None }))
    }

    /// How long a refresh token lives that is not used, in seconds: the client's own time or the settings'.
    pub(super) fn idle_lifetime(&self, client: &Registration) -> u32 {
        client.metadata.refresh_token_idle_lifetime.unwrap_or(self.inner.settings.tokens.refresh_token_idle_lifetime)
    }

    /// A refresh token of a family, alive for the client's idle lifetime or the settings', never past the family's end. A public client's is
    /// bound to the key that it proves to hold (RFC 9449 section 5).
    pub(super) fn mint_refresh(
        &self,
        (grant_id, client): (GrantId, &Registration),
        generation: u32,
        terms: &Terms,
        confirmation: Option<&Confirmation>,
    ) -> (SecretString, RefreshToken) {
        let token = CredentialKind::Refresh.mint(&self.inner.keys, grant_id.uuid(), generation);
        let digest = Digest::of(token.expose_secret().as_bytes());
        let expires_at = self.now.plus(self.idle_lifetime(client)).min(terms.ends_at);
        let confirmation = confirmation.filter(|_| client.is_public()).cloned();
        (token, RefreshToken { digest, generation, expires_at, pos: self.inner.log.known_head(), confirmation })
    }

    /// The response that carries them.
    pub(super) fn token_response(&self, texts: &Texts<'_>, access: &AccessToken) -> Issued {
        let response = Response {
            access_token: texts.access.expose_secret(),
            token_type: Scheme::of(access.confirmation.as_ref()).name(),
            expires_in: access.expires_at.seconds_since(self.now),
            issued_token_type: texts.issued_token_type,
            refresh_token: texts.refresh.map(ExposeSecret::expose_secret),
            scope: &access.scope,
            id_token: texts.id_token.map(ExposeSecret::expose_secret),
        };
        Issued::from_body(serde_json::to_string(&response).expect("a token response has a JSON form").into())
    }
}
