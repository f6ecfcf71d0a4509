//! What is told of the issuer's keys, scopes, resources, and those it trusts.

use schemars::JsonSchema;
use serde::Serialize;

/// A signing key; the key set at the issuer's `jwks_uri` has its public part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Key {
    pub kid: String,
    pub alg: String,
    pub at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct KeyActivated {
    pub kid: String,
    pub at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CatalogueAdopted {
    /// Counts from 1.
    pub version: u32,
    pub scopes: Vec<CatalogueScope>,
    pub resources: Vec<CatalogueResource>,
    pub issuers: Vec<CatalogueIssuer>,
    pub at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CatalogueScope {
    pub name: String,
    /// A user cannot grant it.
    pub privileged: bool,
    /// What it lets an application know of a person, beside the standard's claims of that scope.
    pub claims: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CatalogueResource {
    /// The audience of its tokens.
    pub identifier: String,
    /// Those that it understands; empty: all of an application's that are not the issuer's own.
    pub scope: String,
    /// `jwt` or `opaque`; null: as the application has them.
    pub token_format: Option<String>,
    /// The longest that a token for it lives, in seconds.
    pub access_token_lifetime: Option<u32>,
    /// Any application may ask tokens for it.
    pub open: bool,
    /// The applications that may exchange tokens for it, by their `client_id`s; null: all that may ask tokens for it.
    pub exchange_by: Option<Vec<String>>,
    /// Whether who exchanges is named as who acts.
    pub exchange_needs_actor: bool,
}

/// An issuer whose assertions are taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CatalogueIssuer {
    /// Its `iss`.
    pub identifier: String,
    /// The `client_id`s of those who may present them.
    pub clients: Vec<String>,
    /// The most that comes of one.
    pub scope: String,
    /// `sub` or `username`: what their `sub` names a user by.
    pub subject: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AuditPassedOver {
    /// The position of the event, a whole number.
    pub passed_over: String,
    pub at: i64,
}

/// What stands in the place of an event that the relay cannot read, and that an operator let it pass over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Unread {
    /// What the log calls the event, and the version of its form.
    pub stored_type: String,
    pub stored_version: String,
}

/// What stands in the place of a message that was too large.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Omitted {
    /// The type of the message that it stands for.
    pub omitted_type: String,
    /// How large that would have been.
    pub bytes: u64,
}
