//! The scopes that can be granted, the resources that tokens are for, the words they are explained with, and the issuers that are trusted beside us,
//! as the settings define them.

mod claims;
mod command;
mod event;
mod issuers;
mod resources;
#[cfg(test)]
mod tests;

pub use command::CatalogueCommand;
pub use event::{CatalogueEvent, ResourceEntry, ScopeEntry};
pub use issuers::{IssuerEntry, IssuerKeys, SubjectIs};
pub use resources::is_resource;
use serde::{Deserialize, Serialize};

use crate::{Decide, Scope, aggregate::aggregate};

/// The catalogue in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    /// 0 before the first one was adopted, one more at each change.
    pub version: u32,
    pub scopes: Vec<ScopeEntry>,
    #[serde(default)]
    pub resources: Vec<ResourceEntry>,
    #[serde(default)]
    pub issuers: Vec<IssuerEntry>,
}

/// What a catalogue holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entries {
    pub scopes: Vec<ScopeEntry>,
    pub resources: Vec<ResourceEntry>,
    pub issuers: Vec<IssuerEntry>,
}

/// Why a command on the catalogue is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    #[error("the scope {0} stands twice in the catalogue")]
    Twice(String),
    #[error(
        "the scope {scope} cannot open the claim {claim}: a claim of a person has a name of printable ASCII without #, and none that tokens use"
    )]
    NoClaim { claim: String, scope: String },
    #[error("{0} is no scope: printable ASCII without space, quote and backslash")]
    NoScope(String),
    #[error("{0} is no resource: an absolute URI without a fragment (RFC 8707 section 2)")]
    NoResource(String),
    #[error("the resource {0} stands twice in the catalogue")]
    ResourceTwice(String),
    #[error("the resource {resource} understands the scope {scope}, which the catalogue does not have")]
    UnknownScope { resource: String, scope: String },
    #[error("tokens for the resource {0} would live for no time: its access_token_lifetime must be at least 1")]
    NoLifetime(String),
    #[error("the issuer {issuer}: {why}")]
    Issuer { issuer: String, why: String },
}

aggregate!(Catalogue, "catalogue", CatalogueCommand, CatalogueEvent, CatalogueError);

impl Decide for Catalogue {
    fn decide(&self, command: CatalogueCommand) -> Result<Vec<CatalogueEvent>, CatalogueError> {
        match command {
            CatalogueCommand::Adopt { entries, .. } if self.holds(&entries) => Ok(vec![]),
            CatalogueCommand::Adopt { entries, at } => {
                check(&entries.scopes)?;
                resources::check(&entries)?;
                issuers::check(&entries)?;
                let Entries { scopes, resources, issuers } = entries;
                Ok(vec![CatalogueEvent::Adopted { version: self.version.saturating_add(1), scopes, resources, issuers, at }])
            }
        }
    }
}

impl Catalogue {
    /// One that nobody has adopted yet.
    #[must_use]
    pub fn unadopted(entries: Entries) -> Self {
        let Entries { scopes, resources, issuers } = entries;
        Self { version: 0, scopes, resources, issuers }
    }

    fn holds(&self, entries: &Entries) -> bool {
        self.scopes == entries.scopes && self.resources == entries.resources && self.issuers == entries.issuers
    }

    /// What of a scope it does not have.
    #[must_use]
    pub fn unknown(&self, scope: &Scope) -> Scope {
        scope.without(&self.scopes.iter().map(|entry| entry.name.as_str()).collect())
    }

    /// All that users can grant: what a client gets that registers without naming a scope (RFC 7591 section 2).
    #[must_use]
    pub fn default_scope(&self) -> Scope {
        self.scopes.iter().filter(|entry| !entry.privileged).map(|entry| entry.name.as_str()).collect()
    }

    /// Whether it has a scope of this name that users can grant.
    #[must_use]
    pub fn has_for_users(&self, name: &str) -> bool {
        self.scopes.iter().any(|entry| entry.name == name && !entry.privileged)
    }

    fn apply_event(&mut self, event: CatalogueEvent) {
        match event {
            CatalogueEvent::Adopted { version, scopes, resources, issuers, .. } => {
                *self = Self { version, scopes, resources, issuers };
            }
        }
    }
}

/// Each name is one scope of RFC 6749 section 3.3, and stands once.
fn check(scopes: &[ScopeEntry]) -> Result<(), CatalogueError> {
    for (index, entry) in scopes.iter().enumerate() {
        if !entry.name.parse::<Scope>().is_ok_and(|scope| scope.names().eq([entry.name.as_str()])) {
            return Err(CatalogueError::NoScope(entry.name.clone()));
        }
        claims::check_names(entry)?;
        if scopes.iter().take(index).any(|earlier| earlier.name == entry.name) {
            return Err(CatalogueError::Twice(entry.name.clone()));
        }
    }
    Ok(())
}
