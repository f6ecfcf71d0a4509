//! What can have happened to the catalogue.

use std::collections::{BTreeMap, BTreeSet};

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use crate::{Scope, Timestamp, client::AccessTokenFormat};

use super::IssuerEntry;

/// A fact about the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CatalogueEvent {
    Adopted {
        version: u32,
        scopes: Vec<ScopeEntry>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        resources: Vec<ResourceEntry>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        issuers: Vec<IssuerEntry>,
        at: Timestamp,
    },
}

/// A scope and what it lets an application do, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeEntry {
    pub name: String,
    /// By language (`en`, `ja`): shown on the consent page.
    pub descriptions: BTreeMap<String, String>,
    /// A user cannot grant it: only a client acting for itself gets it, if registered for it.
    #[serde(default)]
    pub privileged: bool,
    /// What it lets an application know of a person, beside what the standard says of it (OpenID Connect Core section 5.4).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub claims: BTreeSet<String>,
}

/// A resource that tokens are for (RFC 8707), and what they are like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceEntry {
    /// As `resource` names it, and as the audience of its tokens says.
    pub identifier: String,
    /// By language (`en`, `ja`): shown on the consent page.
    pub names: BTreeMap<String, String>,
    /// Those that it understands; none for all of an application's that are not the issuer's own.
    #[serde(default, skip_serializing_if = "Scope::is_empty")]
    pub scopes: Scope,
    /// `None`: as the application has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_format: Option<AccessTokenFormat>,
    /// The longest that a token for it lives, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token_lifetime: Option<u32>,
    /// Any application may ask tokens for it, also one that registered itself and is not registered for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub open: bool,
    /// The applications that may exchange a token for one for it (RFC 8693), by their `client_id`s; `None`: all that may ask tokens for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange_by: Option<BTreeSet<String>>,
    /// Whether who exchanges is named in the token as who acts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exchange_needs_actor: bool,
}

impl DomainEvent for CatalogueEvent {
    fn event_type(&self) -> String {
        match self {
            Self::Adopted { .. } => "catalogue.adopted",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}
