//! What can be known of a person: OpenID Connect's standard claims (Core section 5.1), checked before they are kept.

mod asked;

pub use asked::{AskedClaim, AskedClaims, is_opened_by};
use serde_json::Value;

/// What a claim's value must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimKind {
    Text,
    Flag,
    /// Seconds since the Unix epoch.
    Moment,
    /// An object of texts (Core section 5.1.1).
    Address,
}

/// With the scope that asks for each (Core section 5.4). `sub` is not among them: every user has an id of ours.
const CLAIMS: &[(&str, ClaimKind, &str)] = &[
    ("address", ClaimKind::Address, "address"),
    ("birthdate", ClaimKind::Text, "profile"),
    ("email", ClaimKind::Text, "email"),
    ("email_verified", ClaimKind::Flag, "email"),
    ("family_name", ClaimKind::Text, "profile"),
    ("gender", ClaimKind::Text, "profile"),
    ("given_name", ClaimKind::Text, "profile"),
    ("locale", ClaimKind::Text, "profile"),
    ("middle_name", ClaimKind::Text, "profile"),
    ("name", ClaimKind::Text, "profile"),
    ("nickname", ClaimKind::Text, "profile"),
    ("phone_number", ClaimKind::Text, "phone"),
    ("phone_number_verified", ClaimKind::Flag, "phone"),
    ("picture", ClaimKind::Text, "profile"),
    ("preferred_username", ClaimKind::Text, "profile"),
    ("profile", ClaimKind::Text, "profile"),
    ("updated_at", ClaimKind::Moment, "profile"),
    ("website", ClaimKind::Text, "profile"),
    ("zoneinfo", ClaimKind::Text, "profile"),
];

/// The longest text that is kept, in bytes.
const MAX_LENGTH: usize = 2048;

/// Why a claim is not kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidClaim {
    #[error("{0} is none of OpenID Connect's standard claims, and no scope of the settings names it")]
    Unknown(String),
    #[error("{name} must be JSON of at most {longest} bytes, and not null")]
    Own { name: String, longest: usize },
    #[error("sub: every user gets an id of grantlog's own; leave it out")]
    Subject,
    #[error("{0} must be a text of at most {MAX_LENGTH} bytes without control characters")]
    Text(String),
    #[error("{0} must be true or false")]
    Flag(String),
    #[error("{0} must be a moment in seconds since 1970")]
    Moment(String),
    #[error("{0} must be an object of texts: formatted, street_address, locality, region, postal_code, country")]
    Address(String),
}

impl ClaimKind {
    /// What a claim of this name must be. A name may carry a language (`name#ja`, Core section 5.2).
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        standard(name).map(|(_, kind, _)| *kind)
    }
}

fn standard(name: &str) -> Option<&'static (&'static str, ClaimKind, &'static str)> {
    let plain = name.split_once('#').map_or(name, |(plain, _)| plain);
    CLAIMS.iter().find(|(own, ..)| *own == plain)
}

/// The scope that asks for a claim of this name, which may carry a language; `None` for none of the standard claims.
#[must_use]
pub fn scope_of_claim(name: &str) -> Option<&'static str> {
    standard(name).map(|(.., scope)| *scope)
}

/// The names of the claims that a scope asks for.
pub fn claims_of_scope(scope: &str) -> impl Iterator<Item = &'static str> {
    CLAIMS.iter().filter(move |(.., own)| *own == scope).map(|(name, ..)| *name)
}

/// Checks one claim.
///
/// # Errors
/// What is wrong with it.
pub fn check_claim(name: &str, value: &Value) -> Result<(), InvalidClaim> {
    let Some(kind) = ClaimKind::of(name) else {
        return Err(if name == "sub" { InvalidClaim::Subject } else { InvalidClaim::Unknown(name.to_owned()) });
    };
    let named = |error: fn(String) -> InvalidClaim| error(name.to_owned());
    match kind {
        ClaimKind::Text => if_it(is_text(value), || named(InvalidClaim::Text)),
        ClaimKind::Flag => if_it(value.is_boolean(), || named(InvalidClaim::Flag)),
        ClaimKind::Moment => if_it(value.is_u64(), || named(InvalidClaim::Moment)),
        ClaimKind::Address => if_it(is_address(value), || named(InvalidClaim::Address)),
    }
}

fn if_it(holds: bool, error: impl FnOnce() -> InvalidClaim) -> Result<(), InvalidClaim> {
    if holds { Ok(()) } else { Err(error()) }
}

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.len() <= MAX_LENGTH && !text.chars().any(char::is_control))
}

/// Addresses have several lines.
fn is_address(value: &Value) -> bool {
    const MEMBERS: [&str; 6] = ["formatted", "street_address", "locality", "region", "postal_code", "country"];
    let text = |value: &Value| value.as_str().is_some_and(|text| text.len() <= MAX_LENGTH && !text.contains('\0'));
    value
        .as_object()
        .is_some_and(|address| address.iter().all(|(member, value)| MEMBERS.contains(&member.as_str()) && text(value)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn standard_claims_of_their_kind_are_kept() {
        for (name, value) in [
            ("email", json!("mika@example.org")),
            ("email_verified", json!(true)),
            ("updated_at", json!(1_700_000_000)),
            ("name#ja", json!("美香")),
            ("address", json!({"formatted": "1-1\nTokyo", "country": "JP"})),
        ] {
            assert_eq!(check_claim(name, &value), Ok(()), "{name}");
        }
    }

    #[test]
    fn any_other_name_or_kind_is_refused_by_name() {
        assert_eq!(check_claim("sub", &json!("x")), Err(InvalidClaim::Subject));
        assert_eq!(check_claim("groups", &json!(["a"])), Err(InvalidClaim::Unknown("groups".to_owned())));
        assert_eq!(check_claim("email", &json!(1)), Err(InvalidClaim::Text("email".to_owned())));
        assert_eq!(check_claim("email", &json!("a\nb")), Err(InvalidClaim::Text("email".to_owned())));
        assert_eq!(check_claim("email_verified", &json!("yes")), Err(InvalidClaim::Flag("email_verified".to_owned())));
        assert_eq!(check_claim("updated_at", &json!(-1)), Err(InvalidClaim::Moment("updated_at".to_owned())));
        assert_eq!(check_claim("address", &json!({"planet": "Earth"})), Err(InvalidClaim::Address("address".to_owned())));
    }
}
