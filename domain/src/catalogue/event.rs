//! What can have happened to the catalogue.

use std::collections::{BTreeMap, BTreeSet};

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// A fact about the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CatalogueEvent {
    Adopted { version: u32, scopes: Vec<ScopeEntry>, at: Timestamp },
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
