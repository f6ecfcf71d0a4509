//! What introspection tells of a token, and to whom (RFC 7662 section 2.2).

use domain::{
    Confirmation, Timestamp,
    client::{Policy, Registration},
    grant::Act,
};
use projections::token::{TokenKind, TokenRow};
use serde::Serialize;

use super::bearer::Scheme;

/// The scope by which a resource server may see tokens that were issued to others.
pub const INTROSPECTION_SCOPE: &str = "introspection";

/// An answer about an active token. Of any other the answer is exactly `{"active":false}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Introspection<'a> {
    pub active: bool,
    pub scope: &'a str,
    /// The client that it was issued to.
    pub client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<&'a str>,
    /// Of an access token: `Bearer`, or `DPoP` where it is bound to a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<&'static str>,
    pub exp: i64,
    pub iat: i64,
    pub nbf: i64,
    pub sub: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aud: Vec<String>,
    /// How surely, and when, its user signed in (RFC 9470 section 6.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    pub iss: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<&'a str>,
    pub grant_id: &'a str,
    /// The key that it is bound to (RFC 9449 section 6.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
    /// Who acts for its subject (RFC 8693 section 4.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<Act>,
}

/// What is told of a token's user: nothing of a client's own token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToldUser {
    pub sub: Option<String>,
    /// Their sign-in name.
    pub username: Option<String>,
}

/// What is said of every other token, and to everybody who may not see it.
pub const INACTIVE: &str = r#"{"active":false}"#;

/// Whether this client may learn of the token: it was issued to it, or it answers for the token's audience.
#[must_use]
pub fn may_see(caller: &Caller<'_>, token: &TokenRow, default_resource: &str) -> bool {
    if token.client_id == caller.client_id {
        return true;
    }
    if token.kind != TokenKind::Access.as_str() || !caller.is_resource_server() {
        return false;
    }
    caller.answers_for(&audience(token), default_resource)
}

/// Who asks.
pub struct Caller<'a> {
    /// Its stream's id.
    pub client_id: &'a str,
    pub registration: &'a Registration,
}

impl Caller<'_> {
    /// Whether it may learn of tokens that were issued to others.
    #[must_use]
    pub fn is_resource_server(&self) -> bool {
        self.registration.metadata.scope.contains(INTROSPECTION_SCOPE)
    }

    /// Whether it answers for any of these audiences: for the default one, if it was registered without resources.
    #[must_use]
    pub fn answers_for(&self, audience: &[String], default_resource: &str) -> bool {
        let resources = &self.registration.metadata.resources;
        audience.iter().any(|audience| match resources.is_empty() {
            true => audience == default_resource,
            false => resources.contains(audience),
        })
    }
}

/// Whether the token is good for anything: an access token, or a refresh token that its own client asks about.
#[must_use]
pub fn is_active(token: &TokenRow, now: Timestamp) -> bool {
    token.is_active(TokenKind::Access, now) || token.is_active(TokenKind::Refresh, now)
}

/// The token's audience.
#[must_use]
pub fn audience(token: &TokenRow) -> Vec<String> {
    serde_json::from_str(&token.audience).unwrap_or_default()
}

/// What is told of an audience: all of it, but to a caller that lives by django-oauth-toolkit's ways (the policy `compatible`) nothing of
/// one that nobody asked for. That toolkit's resource servers take an `aud` for a promise that the token names them.
#[must_use]
pub fn told_audience(caller: &Caller<'_>, token: &TokenRow, default_resource: &str) -> Vec<String> {
    let audience = audience(token);
    let unasked = audience.iter().all(|resource| resource == default_resource);
    if unasked && caller.registration.metadata.policy == Policy::Compatible { Vec::new() } else { audience }
}

impl<'a> Introspection<'a> {
    /// Tells of an active token: `aud` of its audience, `cnf` of the key that it is bound to, `act` of who acts.
    #[must_use]
    pub fn of(
        (token, cnf, act): (&'a TokenRow, Option<Confirmation>, Option<Act>),
        issuer: &'a str,
        aud: Vec<String>,
        user: &'a ToldUser,
    ) -> Self {
        let client_id = token.client_identifier.as_deref().unwrap_or(&token.client_id);
        Self {
            active: true,
            scope: &token.scope,
            client_id,
            username: user.username.as_deref(),
            token_type: (token.kind == TokenKind::Access.as_str()).then(|| Scheme::of(cnf.as_ref()).name()),
            exp: token.expires_at,
            iat: token.issued_at,
            nbf: token.issued_at,
            sub: user.sub.as_deref().unwrap_or(client_id),
            aud,
            acr: token.acr.as_deref(),
            auth_time: token.auth_time,
            iss: issuer,
            jti: token.id.as_deref(),
            grant_id: &token.grant_id,
            cnf,
            act,
        }
    }
}
