//! What is told of grants and their tokens, without what would let anybody use one.

use schemars::JsonSchema;
use serde::Serialize;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GrantApproved {
    pub grant_id: String,
    pub client_id: String,
    pub sub: String,
    pub session_id: String,
    pub consent_id: String,
    /// Names separated by spaces.
    pub scope: String,
    pub resources: Vec<String>,
    pub auth_time: i64,
    pub amr: Vec<String>,
    pub acr: Option<String>,
    /// The request came with PKCE (RFC 7636).
    pub pkce: bool,
    pub policy: String,
    /// By which a device asked, where one did (RFC 8628).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_authorization_id: Option<String>,
    pub code_expires_at: i64,
    /// The end of all that may come of it.
    pub ends_at: i64,
    pub at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GrantCodeRedeemed {
    pub grant_id: String,
    /// How the client proved who it is (RFC 7591 `token_endpoint_auth_method`).
    pub authentication: String,
    pub at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GrantCodeReplayed {
    pub grant_id: String,
    pub at: i64,
}

/// A refresh token that was used, by its generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GrantRefreshUsed {
    pub grant_id: String,
    /// 1 for the first of the grant, one more at each rotation.
    pub generation: u32,
    pub at: i64,
}

/// An access token, without what would let anybody use it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AccessToken {
    pub jti: String,
    /// Names separated by spaces.
    pub scope: String,
    pub audience: Vec<String>,
    pub expires_at: i64,
    /// The key that signed it; `null` for an opaque one.
    pub kid: Option<String>,
    /// What it is bound to (RFC 7800 `cnf`); `null` where whoever holds it may use it.
    pub cnf: Option<Confirmation>,
    /// The head of the log that the decision saw: a revocation of all below a higher position kills the token.
    pub pos: i64,
}

/// The key or certificate that a token is bound to: one of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub enum Confirmation {
    /// The key's thumbprint (RFC 9449 section 6.1).
    #[serde(rename = "jkt")]
    KeyThumbprint(String),
    /// The certificate's (RFC 8705 section 3.1).
    #[serde(rename = "x5t#S256")]
    CertificateThumbprint(String),
}

/// A refresh token, without what would let anybody use it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RefreshToken {
    /// 1 for the first of the grant, one more at each rotation.
    pub generation: u32,
    pub expires_at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GrantTokensIssued {
    pub grant_id: String,
    pub access_token: AccessToken,
    pub refresh_token: Option<RefreshToken>,
    pub at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GrantClientCredentialsIssued {
    pub grant_id: String,
    pub client_id: String,
    pub access_token: AccessToken,
    /// How the client proved who it is (RFC 7591 `token_endpoint_auth_method`).
    pub authentication: String,
    pub at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GrantJwtBearerIssued {
    pub grant_id: String,
    pub client_id: String,
    /// The `sub` of whom the issuer assured the client.
    pub user_id: String,
    /// The assertion's `iss`.
    pub issuer: String,
    /// Its `jti`.
    pub assertion_id: String,
    pub access_token: AccessToken,
    /// How the client proved who it is (RFC 7591 `token_endpoint_auth_method`).
    pub authentication: String,
    pub policy: String,
    pub at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GrantRefreshed {
    pub grant_id: String,
    pub access_token: AccessToken,
    pub refresh_token: RefreshToken,
    /// How the client proved who it is (RFC 7591 `token_endpoint_auth_method`).
    pub authentication: String,
    pub at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GrantAccessTokenRefreshed {
    pub grant_id: String,
    pub access_token: AccessToken,
    /// Until when the refresh token, which stays the same, lives on.
    pub refresh_expires_at: Option<i64>,
    /// How the client proved who it is (RFC 7591 `token_endpoint_auth_method`).
    pub authentication: String,
    pub at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GrantTokenExchanged {
    pub grant_id: String,
    /// Who exchanged, and got the new token.
    pub client_id: String,
    /// The `jti` of the token that was presented.
    pub subject_jti: String,
    /// Who acts (RFC 8693 section 4.1), the last one first; empty where the client steps into the shoes of whom the token is about.
    pub actors: Vec<String>,
    pub access_token: AccessToken,
    /// How the client proved who it is (RFC 7591 `token_endpoint_auth_method`).
    pub authentication: String,
    pub policy: String,
    pub at: i64,
}
