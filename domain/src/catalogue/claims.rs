//! Which claims the catalogue's scopes open: those that the standard gives them, and those that the settings do.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Catalogue, CatalogueError, ScopeEntry};
use crate::{
    Scope,
    claim::{ClaimKind, InvalidClaim, check_claim, claims_of_scope, is_opened_by, scope_of_claim},
};

/// The longest name of a claim, and its longest value as JSON, in bytes.
const MAX_NAME: usize = 255;
const MAX_VALUE: usize = 8 * 1024;

/// What tokens say of themselves (JSON Web Token Claims registry): no claim of a person is called so.
const RESERVED: [&str; 25] = [
    "_claim_names",
    "_claim_sources",
    "acr",
    "act",
    "amr",
    "at_hash",
    "aud",
    "auth_time",
    "azp",
    "c_hash",
    "client_id",
    "cnf",
    "events",
    "exp",
    "grant_id",
    "iat",
    "iss",
    "jti",
    "nbf",
    "nonce",
    "pos",
    "s_hash",
    "scope",
    "sid",
    "sub",
];

impl Catalogue {
    /// Whether one of the scopes opens a claim, whose name may carry a language (OpenID Connect Core section 5.2).
    #[must_use]
    pub fn opens(&self, scope: &Scope, claim: &str) -> bool {
        is_opened_by(scope, claim) || self.of_settings(claim).any(|entry| scope.contains(&entry.name))
    }

    /// The scopes by which users can let an application know a claim.
    pub fn scopes_of_claim<'a>(&'a self, claim: &'a str) -> impl Iterator<Item = &'a str> {
        let own = self.of_settings(claim).map(|entry| entry.name.as_str());
        scope_of_claim(claim).into_iter().chain(own).filter(|scope| self.has_for_users(scope))
    }

    /// The names of all claims that its scopes open.
    #[must_use]
    pub fn claims(&self) -> BTreeSet<&str> {
        let of_entry = |entry: &'_ ScopeEntry| claims_of_scope(&entry.name).collect::<Vec<_>>();
        let standard = self.scopes.iter().flat_map(of_entry);
        standard.chain(self.scopes.iter().flat_map(|entry| entry.claims.iter().map(String::as_str))).collect()
    }

    /// Checks a claim of a person: a standard one, or one that a scope of the settings opens.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check_claim(&self, name: &str, value: &Value) -> Result<(), InvalidClaim> {
        if ClaimKind::of(name).is_some() || self.of_settings(name).next().is_none() {
            return check_claim(name, value);
        }
        let fits = !value.is_null() && value.to_string().len() <= MAX_VALUE;
        if fits { Ok(()) } else { Err(InvalidClaim::Own { name: name.to_owned(), longest: MAX_VALUE }) }
    }

    fn of_settings<'a>(&'a self, claim: &'a str) -> impl Iterator<Item = &'a ScopeEntry> {
        let plain = claim.split_once('#').map_or(claim, |(plain, _)| plain);
        self.scopes.iter().filter(move |entry| entry.claims.contains(plain))
    }
}

/// Each is a name that a claim of a person may have.
pub(super) fn check_names(entry: &ScopeEntry) -> Result<(), CatalogueError> {
    let fits = |name: &String| {
        (1..=MAX_NAME).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#')
            && !RESERVED.contains(&name.as_str())
    };
    match entry.claims.iter().find(|name| !fits(name)) {
        Some(name) => Err(CatalogueError::NoClaim { claim: name.clone(), scope: entry.name.clone() }),
        None => Ok(()),
    }
}
