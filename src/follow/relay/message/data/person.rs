//! What is told of users, their sign-ins, what they consent to, and who asked about them: ids, and nothing that is personal.

use schemars::JsonSchema;
use serde::Serialize;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UserCreated {
    pub sub: String,
    pub administrator: bool,
    pub has_password: bool,
    pub at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UserChanged {
    pub sub: String,
    pub at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UserAdministratorSet {
    pub sub: String,
    pub administrator: bool,
    pub at: i64,
}

/// What came of a mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UserMailed {
    pub sub: String,
    /// `password_link`, `email_check`, `password_set`, `second_factor_removed` or `email_changed`.
    pub purpose: String,
    /// `sent` or `given_up`.
    pub outcome: String,
    /// How often it was tried.
    pub tries: u32,
    pub at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UserSignInsBlocked {
    pub sub: String,
    pub until: i64,
    pub at: i64,
}

/// What happened to one of a user's passkeys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UserPasskey {
    pub sub: String,
    pub passkey_id: String,
    pub at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SignIn {
    pub session_id: String,
    pub sub: String,
    pub auth_time: i64,
    /// How (RFC 8176).
    pub amr: Vec<String>,
    pub acr: Option<String>,
    pub expires_at: i64,
    pub at: i64,
}

/// What came of telling a client that a sign-in has ended (OpenID Connect Back-Channel Logout 1.0).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClientNotified {
    pub session_id: String,
    pub client_id: String,
    /// `acknowledged` or `given_up`.
    pub outcome: String,
    /// How often it was tried.
    pub tries: u32,
    /// The HTTP status of the last answer, if there was one.
    pub status: Option<u16>,
    pub at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConsentGiven {
    pub consent_id: String,
    pub sub: String,
    pub client_id: String,
    /// Names separated by spaces.
    pub scope: String,
    pub resources: Vec<String>,
    /// The names of claims that it may know beside those of its scopes (OpenID Connect Core section 5.5).
    pub claims: Vec<String>,
    /// The client's metadata version that was shown.
    pub metadata_version: u32,
    /// The version of the scopes' words that were shown.
    pub catalogue_version: u32,
    /// Nobody was asked: the client is first-party.
    pub first_party: bool,
    pub at: i64,
}

/// Somebody was told what the log says: the message's `actor`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AuditRead {
    /// `grants`, `grant`, `token`, `client`, `user`, `who`, `changes` or `revocation`.
    pub question: String,
    /// The grant that was asked about.
    pub grant_id: Option<String>,
    /// The client.
    pub client_id: Option<String>,
    /// The user.
    pub sub: Option<String>,
    pub at: i64,
}
