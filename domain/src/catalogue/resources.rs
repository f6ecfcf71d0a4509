//! The resources that tokens are for (RFC 8707), and which of a scope each understands.

use crate::{Scope, claim::claims_of_scope, redirect_uri};

use super::{Catalogue, CatalogueError, Entries, ResourceEntry};

/// Whether it can name a resource: an absolute URI without a fragment (RFC 8707 section 2).
#[must_use]
pub fn is_resource(identifier: &str) -> bool {
    redirect_uri::is_absolute(identifier)
}

impl Catalogue {
    /// The resource of this identifier, byte for byte.
    #[must_use]
    pub fn resource(&self, identifier: &str) -> Option<&ResourceEntry> {
        self.resources.iter().find(|entry| entry.identifier == identifier)
    }

    /// Which of a scope has a meaning for a resource (RFC 9068 section 3): all of it, where the resource is not in the catalogue. Of the scopes that
    /// the issuer itself goes by none does, but for a resource that names them, and for the issuer's own: its tokens open the issuer's own
    /// endpoints too.
    #[must_use]
    pub fn understood(&self, scope: &Scope, resource: &str, issuers_own: &str) -> Scope {
        let Some(entry) = self.resource(resource) else { return scope.clone() };
        let named = |name: &str| match entry.scopes.is_empty() {
            true => ![Scope::OPENID, Scope::OFFLINE_ACCESS].contains(&name),
            false => entry.scopes.contains(name),
        };
        scope.names().filter(|name| named(name) || (resource == issuers_own && self.is_of_issuer(name))).collect()
    }

    /// Whether the issuer's own endpoints go by a scope: userinfo, or one of those that only applications acting for themselves ask.
    fn is_of_issuer(&self, name: &str) -> bool {
        let of_settings = |entry: &super::ScopeEntry| entry.name == name && (entry.privileged || !entry.claims.is_empty());
        [Scope::OPENID, Scope::OFFLINE_ACCESS].contains(&name)
            || claims_of_scope(name).next().is_some()
            || self.scopes.iter().any(of_settings)
    }
}

/// Each is one that can be asked for, stands once, and understands scopes that there are.
pub(super) fn check(entries: &Entries) -> Result<(), CatalogueError> {
    for (index, entry) in entries.resources.iter().enumerate() {
        let identifier = || entry.identifier.clone();
        if !is_resource(&entry.identifier) {
            return Err(CatalogueError::NoResource(identifier()));
        }
        if entries.resources.iter().take(index).any(|earlier| earlier.identifier == entry.identifier) {
            return Err(CatalogueError::ResourceTwice(identifier()));
        }
        let is_there = |name: &&str| entries.scopes.iter().any(|scope| scope.name == *name);
        if let Some(scope) = entry.scopes.names().find(|name| !is_there(name)) {
            return Err(CatalogueError::UnknownScope { resource: identifier(), scope: scope.to_owned() });
        }
        if entry.access_token_lifetime == Some(0) {
            return Err(CatalogueError::NoLifetime(identifier()));
        }
    }
    Ok(())
}
