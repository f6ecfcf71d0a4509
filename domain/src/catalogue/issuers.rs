//! The issuers whose assertions clients may present for users (RFC 7523 section 2.1), and what each may bring about.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Scope,
    client::{SigningAlgorithm, check_jwks, is_callable},
};

use super::{Catalogue, CatalogueError, Entries};

/// The longest that an assertion may be good, in seconds, whatever its issuer's entry says: by its id it is remembered for so long.
const LONGEST: u32 = 3600;

/// An issuer of assertions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuerEntry {
    /// Its `iss`.
    pub identifier: String,
    pub keys: IssuerKeys,
    /// Those that it signs with.
    pub algorithms: Vec<SigningAlgorithm>,
    /// The `client_id`s of those who may present its assertions.
    pub clients: BTreeSet<String>,
    /// The most that comes of one.
    pub scopes: Scope,
    pub subject: SubjectIs,
    /// The longest that an assertion may be good, in seconds.
    pub assertion_lifetime: u32,
}

/// Where its public keys are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IssuerKeys {
    /// At this address (RFC 7517 section 5).
    JwksUri(String),
    /// Here.
    Jwks(Value),
}

/// What an assertion's `sub` names a user by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectIs {
    /// Our own `sub` of theirs.
    Sub,
    /// Their sign-in name.
    Username,
}

impl Catalogue {
    /// The issuer of this identifier, byte for byte.
    #[must_use]
    pub fn issuer(&self, identifier: &str) -> Option<&IssuerEntry> {
        self.issuers.iter().find(|entry| entry.identifier == identifier)
    }
}

/// Each is named once, by an identifier, has keys and algorithms, and brings about what users could grant.
pub(super) fn check(entries: &Entries) -> Result<(), CatalogueError> {
    for (index, entry) in entries.issuers.iter().enumerate() {
        let wrong = |why: String| Err(CatalogueError::Issuer { issuer: entry.identifier.clone(), why });
        if entry.identifier.is_empty() {
            return wrong("it has no name".to_owned());
        }
        if entries.issuers.iter().take(index).any(|earlier| earlier.identifier == entry.identifier) {
            return wrong("it stands twice in the catalogue".to_owned());
        }
        if entry.algorithms.is_empty() {
            return wrong("algorithms must name one at least".to_owned());
        }
        match &entry.keys {
            IssuerKeys::JwksUri(uri) if !is_callable(uri) => {
                return wrong("jwks_uri must be https, or http on loopback, without a fragment".to_owned());
            }
            IssuerKeys::JwksUri(_) => {}
            IssuerKeys::Jwks(jwks) => {
                if let Err(why) = check_jwks(jwks) {
                    return wrong(format!("its keys: {why}"));
                }
            }
        }
        if !(1..=LONGEST).contains(&entry.assertion_lifetime) {
            return wrong(format!("assertion_lifetime must be 1 to {LONGEST} seconds"));
        }
        let for_users = |name: &&str| entries.scopes.iter().any(|scope| scope.name == *name && !scope.privileged);
        if let Some(scope) = entry.scopes.names().find(|name| !for_users(name)) {
            return wrong(format!("the scope {scope} is none that users can grant"));
        }
    }
    Ok(())
}
