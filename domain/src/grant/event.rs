//! What can have happened to a grant.

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use crate::{
    ClientId, Confirmation, ConsentId, DeviceAuthorizationId, Digest, Scope, SessionId, Timestamp, TokenId, UserId,
    claim::AskedClaims, pkce::CodeChallenge,
};

use super::Act;

/// A fact about one authorization and its token family.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum GrantEvent {
    /// A user let a client act for them, and a code was sent (RFC 6749 section 4.1.2), or they let in the device that has come with its device
    /// code (RFC 8628 section 3.5): that is the code then.
    Approved(Box<Approved>),
    /// The code was exchanged (RFC 6749 section 4.1.3). The tokens are in the `TokensIssued` that follows.
    CodeRedeemed { code: Digest, authentication: ClientAuthentication, at: Timestamp },
    /// The first tokens of an approved grant.
    TokensIssued { access: AccessToken, refresh: Option<RefreshToken>, at: Timestamp },
    /// A client got a token for itself (RFC 6749 section 4.4): the whole life of such a grant begins with this.
    ClientCredentialsIssued { client_id: ClientId, access: AccessToken, authentication: ClientAuthentication, at: Timestamp },
    /// A client got a token for a user of whom an issuer of the settings assured it (RFC 7523 section 2.1): the whole life of such a grant begins
    /// with this.
    JwtBearerIssued(Box<Assured>),
    /// A refresh token was rotated: `predecessor` died, its successor and a new access token live (RFC 6749 section 6).
    Refreshed {
        predecessor: Digest,
        access: AccessToken,
        refresh: RefreshToken,
        authentication: ClientAuthentication,
        at: Timestamp,
    },
    /// A client whose policy does not rotate got a new access token; its refresh token lives on.
    AccessTokenRefreshed {
        access: AccessToken,
        /// `None` in an event from before this was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refresh: Option<LivesOn>,
        authentication: ClientAuthentication,
        at: Timestamp,
    },
    /// A client exchanged an access token of the grant for one of its own (RFC 8693).
    TokenExchanged(Box<Exchanged>),
    /// The predecessor came again within the grace time, and got the same answer as before.
    RefreshRetried { generation: u32, at: Timestamp },
    /// A used code came again (RFC 6749 section 4.1.2): what it gave is revoked.
    CodeReplayed { at: Timestamp },
    /// A used refresh token came again (RFC 9700 section 4.14.2): the family is revoked.
    RefreshReplayed { generation: u32, at: Timestamp },
    /// One access token was revoked (RFC 7009).
    AccessTokenRevoked { token: TokenId, digest: Digest, expires_at: Timestamp, at: Timestamp },
    /// All of the grant was revoked.
    Revoked { reason: RevocationReason, ends_at: Timestamp, at: Timestamp },
}

/// What was approved, by whom, for whom, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approved {
    pub client_id: ClientId,
    pub user_id: UserId,
    /// The sign-in in which it was approved.
    pub session_id: SessionId,
    /// When that sign-in ends by itself, as the decision saw it; `None` in an event from before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_ends_at: Option<Timestamp>,
    pub consent_id: ConsentId,
    pub scope: Scope,
    /// The audiences asked for (RFC 8707), none for the default.
    pub resources: Vec<String>,
    /// As in the authorization request: `None` when it was left out there (RFC 6749 section 4.1.3).
    pub redirect_uri: Option<String>,
    pub code_challenge: Option<CodeChallenge>,
    pub nonce: Option<String>,
    /// The key that the code is bound to (RFC 9449 section 10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Confirmation>,
    pub auth_time: Timestamp,
    pub acr: Option<String>,
    pub amr: Vec<String>,
    /// What the client asked to know beside the scopes.
    #[serde(default, skip_serializing_if = "AskedClaims::is_empty")]
    pub claims: AskedClaims,
    /// By which a device asked, and where it was approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_authorization_id: Option<DeviceAuthorizationId>,
    pub code: Digest,
    pub code_expires_at: Timestamp,
    /// The end of the family, whatever is refreshed.
    pub ends_at: Timestamp,
    /// The client's policy in force.
    pub policy: String,
    /// The head of the log that the decision saw.
    pub pos: i64,
    pub at: Timestamp,
}

/// An access token for an access token (RFC 8693): both are of one grant, and end with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchanged {
    /// Who exchanged, and got the new one.
    pub client_id: ClientId,
    /// The token that was presented.
    pub subject: TokenId,
    /// The other clients by whose hands the grant came to this one, the grant's own first: with each of them the new token ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub through: Vec<ClientId>,
    /// Who acts; `None` where the client steps into the shoes of whom the token is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Act>,
    pub access: AccessToken,
    pub authentication: ClientAuthentication,
    /// The client's policy in force.
    pub policy: String,
    pub at: Timestamp,
}

/// Of whom an assertion assured a client, and what it got for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assured {
    pub client_id: ClientId,
    pub user_id: UserId,
    /// The assertion's `iss`.
    pub issuer: String,
    /// Its `jti`.
    pub assertion_id: String,
    pub access: AccessToken,
    pub authentication: ClientAuthentication,
    /// The client's policy in force.
    pub policy: String,
    pub at: Timestamp,
}

/// An access token as the log keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessToken {
    /// Its `jti`.
    pub id: TokenId,
    pub digest: Digest,
    pub scope: Scope,
    pub audience: Vec<String>,
    pub expires_at: Timestamp,
    /// The key that signed it; `None` for an opaque one.
    pub kid: Option<String>,
    /// The head of the log that the decision saw: a cutoff above it kills the token.
    pub pos: i64,
    /// The key that it is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Confirmation>,
    /// The ID token that stood beside it in the answer, and names it by `at_hash`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token: Option<IdToken>,
}

/// An ID token as the log keeps it (OpenID Connect Core section 2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdToken {
    pub digest: Digest,
    pub expires_at: Timestamp,
    /// The key that signed it.
    pub kid: String,
}

/// A refresh token as the log keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshToken {
    pub digest: Digest,
    /// 1 for the first of the family, one more at each rotation.
    pub generation: u32,
    /// The end of its idle lifetime, never after the family's.
    pub expires_at: Timestamp,
    pub pos: i64,
    /// The key that it is bound to: of a public client, which cannot prove itself otherwise (RFC 9449 section 5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Confirmation>,
}

/// A refresh token that was used and not rotated: its idle lifetime begins anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LivesOn {
    pub digest: Digest,
    pub expires_at: Timestamp,
}

/// How a client proved who it is (RFC 7591 `token_endpoint_auth_method`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    None,
    ClientSecretBasic,
    ClientSecretPost,
    PrivateKeyJwt,
    TlsClientAuth,
    SelfSignedTlsClientAuth,
}

/// Why a grant ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationReason {
    CodeReplayed,
    RefreshReplayed,
    /// The client revoked its refresh token (RFC 7009).
    RevokedByClient,
    /// An administrator or the command line did.
    RevokedByOperator,
}

impl DomainEvent for GrantEvent {
    fn event_type(&self) -> String {
        match self {
            Self::Approved(_) => "grant.approved",
            Self::CodeRedeemed { .. } => "grant.code_redeemed",
            Self::TokensIssued { .. } => "grant.tokens_issued",
            Self::ClientCredentialsIssued { .. } => "grant.client_credentials_issued",
            Self::JwtBearerIssued(_) => "grant.jwt_bearer_issued",
            Self::Refreshed { .. } => "grant.refreshed",
            Self::AccessTokenRefreshed { .. } => "grant.access_token_refreshed",
            Self::TokenExchanged(_) => "grant.token_exchanged",
            Self::RefreshRetried { .. } => "grant.refresh_retried",
            Self::CodeReplayed { .. } => "grant.code_replayed",
            Self::RefreshReplayed { .. } => "grant.refresh_replayed",
            Self::AccessTokenRevoked { .. } => "grant.access_token_revoked",
            Self::Revoked { .. } => "grant.revoked",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}
