//! What the settings say of scopes and resources.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    catalogue::{Entries, ResourceEntry, ScopeEntry},
    client::AccessTokenFormat,
};
use serde::Deserialize;

use super::Settings;

/// A scope: whether it is privileged, what it opens beside the standard's claims, and its words by language.
#[derive(Clone, Debug, Deserialize)]
pub struct ScopeSetting {
    #[serde(default)]
    pub privileged: bool,
    #[serde(default)]
    pub claims: BTreeSet<String>,
    #[serde(flatten)]
    pub descriptions: BTreeMap<String, String>,
}

/// A resource: the scopes that it understands, its tokens, and its name by language.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ResourceSetting {
    #[serde(default)]
    pub scopes: BTreeSet<String>,
    pub token_format: Option<AccessTokenFormat>,
    pub access_token_lifetime: Option<u32>,
    #[serde(flatten)]
    pub names: BTreeMap<String, String>,
}

impl Settings {
    /// The scopes and resources as the catalogue takes them.
    #[must_use]
    pub fn catalogue(&self) -> Entries {
        let scope = |(name, setting): (&String, &ScopeSetting)| ScopeEntry {
            name: name.clone(),
            descriptions: setting.descriptions.clone(),
            privileged: setting.privileged,
            claims: setting.claims.clone(),
        };
        let resource = |(identifier, setting): (&String, &ResourceSetting)| ResourceEntry {
            identifier: identifier.clone(),
            names: setting.names.clone(),
            scopes: setting.scopes.iter().map(String::as_str).collect(),
            token_format: setting.token_format,
            access_token_lifetime: setting.access_token_lifetime,
        };
        Entries { scopes: self.scopes.iter().map(scope).collect(), resources: self.resources.iter().map(resource).collect() }
    }
}
