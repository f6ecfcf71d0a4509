//! What is told of clients, by the names of RFC 7591.

use schemars::JsonSchema;
use serde::Serialize;

/// What a client may do, by RFC 7591's names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClientDescription {
    pub client_name: Option<String>,
    pub redirect_uris: Vec<String>,
    pub grant_types: Vec<String>,
    /// Names separated by spaces.
    pub scope: String,
    pub token_endpoint_auth_method: String,
    pub application_type: String,
    /// The named set of rules that it lives under.
    pub policy: String,
    /// `jwt` or `opaque`.
    pub access_token_format: String,
    /// What it may ask tokens for, or answers for as a resource server.
    pub resources: Vec<String>,
    /// First-party: its users are not asked.
    pub skip_consent: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClientRegistered {
    pub client_id: String,
    /// The `sub` of the user who registered it.
    pub owner: Option<String>,
    /// How it registered itself, `open`, `invited` or `document`; `null` where a person or an operator registered it.
    pub by_itself: Option<String>,
    pub client: ClientDescription,
    pub at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClientUpdated {
    pub client_id: String,
    /// 1 at registration, one more at each change.
    pub metadata_version: u32,
    pub client: ClientDescription,
    pub at: i64,
}

/// A client's secret, by its id alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClientSecret {
    pub client_id: String,
    pub secret_id: String,
    /// `null`: it does not expire.
    pub expires_at: Option<i64>,
    pub at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClientEnabled {
    pub client_id: String,
    pub at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClientRegistrationTokenSet {
    pub client_id: String,
    pub at: i64,
}

/// An invitation is RFC 7591's initial access token, told by an id of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InvitationMade {
    pub invitation_id: String,
    /// For how many registrations it is good, and until when.
    pub uses: u32,
    pub expires_at: i64,
    pub at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InvitationUsed {
    pub invitation_id: String,
    /// Who registered itself with it.
    pub client_id: String,
    pub uses_left: u32,
    pub at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InvitationWithdrawn {
    pub invitation_id: String,
    pub at: i64,
}
