//! Claims that a client asks for one by one (OpenID Connect Core section 5.5), as a grant keeps them: their names, and digests of the values
//! that would do. The values may tell of a person.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::scope_of_claim;
use crate::Scope;

/// What is asked for beside the scopes, by where it is to be told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedClaims {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub userinfo: BTreeMap<String, AskedClaim>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub id_token: BTreeMap<String, AskedClaim>,
    /// The languages that claims are wanted in (`claims_locales`, section 5.2); none for all that there are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locales: Vec<String>,
}

/// How one claim is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedClaim {
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub essential: bool,
    /// Keyed digests of the values that will do; none where any will.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

impl AskedClaims {
    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.userinfo.is_empty() && self.id_token.is_empty() && self.locales.is_empty()
    }
}

/// Whether one of the scopes opens the claim.
#[must_use]
pub fn is_opened_by(scope: &Scope, claim: &str) -> bool {
    scope_of_claim(claim).is_some_and(|needed| scope.contains(needed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_opens_its_claims_in_every_language() {
        let scope: Scope = "openid profile email".parse().unwrap();
        for (claim, opened) in
            [("email", true), ("name#ja", true), ("address", false), ("phone_number", false), ("groups", false)]
        {
            assert_eq!(is_opened_by(&scope, claim), opened, "{claim}");
        }
    }
}
