//! Which claims of a person are told: those of the granted scopes (OpenID Connect Core section 5.4), and those that were asked for one by one
//! (section 5.5), of those that are known.

use std::collections::BTreeMap;

use domain::{Scope, catalogue::Catalogue};
use serde_json::Value;

/// Claims by their names, which may carry a language (section 5.2).
pub type Claims = BTreeMap<String, Value>;

/// The claim that the sign-in name stands for, where a person has none of their own.
const PREFERRED_USERNAME: &str = "preferred_username";

/// All that is known of a person; `username` is their sign-in name.
#[must_use]
pub fn known(username: String, claims: Claims) -> Claims {
    std::iter::once((PREFERRED_USERNAME.to_owned(), username.into())).chain(claims).collect()
}

/// The claims that scopes open: in the wanted languages beside the plain ones; in all, where none is wanted.
#[must_use]
pub fn of_scopes(known: &Claims, scope: &Scope, locales: &[String], catalogue: &Catalogue) -> Claims {
    let wanted = |claim: &str| match claim.split_once('#') {
        Some((_, language)) if !locales.is_empty() => locales.iter().any(|locale| nearness(locale, language).is_some()),
        Some(_) | None => true,
    };
    let told = known.iter().filter(|(claim, _)| catalogue.opens(scope, claim) && wanted(claim));
    told.map(|(claim, value)| (claim.clone(), value.clone())).collect()
}

/// The claim of this name: where it is asked for in a language that is not known, in the nearest one that is (section 5.2).
#[must_use]
pub fn named<'a>(known: &'a Claims, asked: &str) -> Option<(&'a String, &'a Value)> {
    let Some((name, language)) = asked.split_once('#') else { return known.get_key_value(asked) };
    let near = known.iter().filter_map(|(claim, value)| {
        let (own, its) = claim.split_once('#')?;
        let nearness = if own == name { nearness(language, its)? } else { return None };
        Some((nearness, (claim, value)))
    });
    near.min_by_key(|(nearness, _)| *nearness).map(|(_, claim)| claim)
}

/// How near a language that there is comes to one that is wanted: the same, one that it is part of, or one that is part of it.
fn nearness(wanted: &str, there: &str) -> Option<u8> {
    let (wanted, there) = (wanted.to_ascii_lowercase(), there.to_ascii_lowercase());
    let part_of = |part: &str, whole: &str| part.strip_prefix(whole).is_some_and(|rest| rest.starts_with('-'));
    match () {
        () if wanted == there => Some(0),
        () if part_of(&wanted, &there) => Some(1),
        () if part_of(&there, &wanted) => Some(2),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn person() -> Claims {
        let claims = json!({
            "name": "Mika", "name#ja": "美香", "name#de-CH": "Mikä", "email": "mika@example.org", "email_verified": true,
            "phone_number": "+81 3 0000 0000", "address": {"country": "JP"},
        });
        known("mika".to_owned(), serde_json::from_value(claims).unwrap())
    }

    fn told(scope: &str, locales: &[&str]) -> Value {
        let locales: Vec<_> = locales.iter().map(ToString::to_string).collect();
        json!(of_scopes(&person(), &scope.parse().unwrap(), &locales, &Catalogue::default()))
    }

    #[test]
    fn each_scope_opens_its_own_claims() {
        let profile = json!({"name": "Mika", "name#ja": "美香", "name#de-CH": "Mikä", "preferred_username": "mika"});
        assert_eq!(told("openid profile", &[]), profile);
        assert_eq!(told("openid email", &[]), json!({"email": "mika@example.org", "email_verified": true}));
        assert_eq!(told("openid phone", &[]), json!({"phone_number": "+81 3 0000 0000"}));
        assert_eq!(told("openid address", &[]), json!({"address": {"country": "JP"}}));
        assert_eq!(told("openid read profiles", &[]), json!({}));
    }

    #[test]
    fn wanted_languages_leave_the_others_out() {
        assert_eq!(told("profile", &["ja-JP", "fr"]), json!({"name": "Mika", "name#ja": "美香", "preferred_username": "mika"}));
        assert_eq!(told("profile", &["fr"]), json!({"name": "Mika", "preferred_username": "mika"}));
    }

    #[test]
    fn a_name_of_their_own_stands_before_the_sign_in_name() {
        let own = known("mika".to_owned(), [("preferred_username".to_owned(), json!("Mika T."))].into());
        assert_eq!(json!(own), json!({"preferred_username": "Mika T."}));
    }

    #[test]
    fn a_claim_is_told_in_the_nearest_language() {
        let found = |asked: &str| named(&person(), asked).map(|(claim, _)| claim.clone());
        for (asked, told) in [("name", "name"), ("name#JA", "name#ja"), ("name#ja-Kana-JP", "name#ja"), ("name#de", "name#de-CH")]
        {
            assert_eq!(found(asked).as_deref(), Some(told), "{asked}");
        }
        for unknown in ["name#fr", "name#j", "nickname", "nickname#ja", "name#"] {
            assert_eq!(found(unknown), None, "{unknown}");
        }
    }
}
