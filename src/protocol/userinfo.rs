//! What userinfo tells of a person (OpenID Connect Core section 5.3.2): the claims of the granted scopes, of those that are known.

use std::collections::BTreeMap;

use domain::user::scope_of_claim;
use serde_json::{Map, Value};

/// The claim that the sign-in name stands for, where a person has none of their own.
const PREFERRED_USERNAME: &str = "preferred_username";

/// The claims for a token of these scopes (names separated by spaces); `username` is the person's sign-in name.
#[must_use]
pub fn told(sub: &str, scope: &str, username: String, claims: BTreeMap<String, Value>) -> Map<String, Value> {
    let granted = |claim: &str| scope_of_claim(claim).is_some_and(|needed| scope.split(' ').any(|name| name == needed));
    let signs_in_as = (PREFERRED_USERNAME.to_owned(), Value::from(username));
    let known = std::iter::once(signs_in_as).chain(claims).filter(|(claim, _)| granted(claim));
    std::iter::once(("sub".to_owned(), sub.into())).chain(known).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(scope: &str, claims: &[(&str, Value)]) -> Value {
        let claims = claims.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        told("1", scope, "mika".to_owned(), claims).into()
    }

    #[test]
    fn each_scope_opens_its_own_claims() {
        let claims = [
            ("name", json!("Mika")),
            ("name#ja", json!("美香")),
            ("email", json!("mika@example.org")),
            ("email_verified", json!(true)),
            ("phone_number", json!("+81 3 0000 0000")),
            ("address", json!({"country": "JP"})),
        ];
        let profile = json!({"sub": "1", "name": "Mika", "name#ja": "美香", "preferred_username": "mika"});
        assert_eq!(of("openid profile", &claims), profile);
        assert_eq!(of("openid email", &claims), json!({"sub": "1", "email": "mika@example.org", "email_verified": true}));
        assert_eq!(of("openid phone", &claims), json!({"sub": "1", "phone_number": "+81 3 0000 0000"}));
        assert_eq!(of("openid address", &claims), json!({"sub": "1", "address": {"country": "JP"}}));
        assert_eq!(of("openid read profiles", &claims), json!({"sub": "1"}));
    }

    #[test]
    fn a_name_of_their_own_stands_before_the_sign_in_name() {
        let told = of("openid profile", &[("preferred_username", json!("Mika T."))]);
        assert_eq!(told, json!({"sub": "1", "preferred_username": "Mika T."}));
    }
}
