//! An assertion as an authorization grant (RFC 7523 sections 2.1 and 3.1): an issuer of the settings assures a client of whom it acts for.

use domain::{Scope, Timestamp, catalogue::IssuerEntry, client::Registration};

use super::{
    OAuthError,
    assertion::{Audiences, Claims, InvalidAssertion},
    token::{invalid_grant, invalid_scope},
};

/// The grant type.
pub const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The media types that an assertion's header may name (RFC 7519 section 5.1, RFC 7523bis).
pub const TYPES: [&str; 2] = ["JWT", "authorization-grant+jwt"];

/// Whether an assertion of this issuer is meant for us, now.
///
/// # Errors
/// Why it is not.
pub fn check(
    claims: &Claims,
    issuer: &IssuerEntry,
    audiences: &Audiences,
    clock: (Timestamp, u32),
) -> Result<(), InvalidAssertion> {
    claims.check(audiences, clock, issuer.assertion_lifetime)
}

/// What a client gets for an assertion: what it asks for of what its registration and the issuer's entry allow; without asking, all of that but what
/// must be asked for.
///
/// # Errors
/// `invalid_scope` for more, and where nothing is left.
pub fn scope(client: &Registration, issuer: &IssuerEntry, asked: Option<&Scope>) -> Result<Scope, OAuthError> {
    let allowed = client.metadata.scope.intersection(&issuer.scopes);
    let scope = match asked {
        Some(asked) if allowed.covers(asked) => asked.clone(),
        None => allowed.without(&[Scope::OPENID, Scope::OFFLINE_ACCESS].into_iter().collect()),
        Some(_) => Scope::default(),
    };
    if scope.is_empty() {
        let description = format!("the client can get no more for this issuer's assertion than: {allowed}");
        let asked = asked.map(Scope::to_string).unwrap_or_default();
        let refused = invalid_scope("scope_not_assured", &description).saw("scope", asked);
        return Err(refused.saw("registered", &client.metadata.scope).saw("issuer_scopes", &issuer.scopes));
    }
    Ok(scope)
}

/// The assertion proves nothing.
#[must_use]
pub fn refused(why: InvalidAssertion) -> OAuthError {
    invalid_grant(why.rule(), &format!("the assertion is refused: {why}"))
}

/// Its issuer is unknown, or this client is none that may present what it says: which of both is nobody's to learn.
#[must_use]
pub fn not_trusted(client: &Registration, issuer: &str) -> OAuthError {
    let refused = invalid_grant("issuer_not_trusted", "the assertion is of no issuer whose word counts for this client");
    refused.saw("client_id", &client.identifier).saw("iss", issuer)
}

/// Nobody here may act by it.
#[must_use]
pub fn nobody() -> OAuthError {
    invalid_grant("assertion_names_nobody", "the assertion names nobody who may act here")
}

#[cfg(test)]
mod tests {
    use domain::{
        catalogue::{IssuerKeys, SubjectIs},
        client::{ClientMetadata, SigningAlgorithm},
    };

    use super::*;

    fn scope_for(registered: &str, issuers: &str, asked: Option<&str>) -> Result<String, &'static str> {
        let scope_of = |names: &str| names.parse::<Scope>().unwrap();
        let metadata = ClientMetadata { scope: scope_of(registered), ..ClientMetadata::default() };
        let issuer = IssuerEntry {
            identifier: "https://idp.example".to_owned(),
            keys: IssuerKeys::JwksUri("https://idp.example/keys".to_owned()),
            algorithms: vec![SigningAlgorithm::ES256],
            clients: ["app".to_owned()].into(),
            scopes: scope_of(issuers),
            subject: SubjectIs::Sub,
            assertion_lifetime: 300,
        };
        let asked = asked.map(scope_of);
        let client = Registration::new("app".to_owned(), None, metadata);
        scope(&client, &issuer, asked.as_ref()).map(|scope| scope.to_string()).map_err(|error| error.rule)
    }

    #[test]
    fn what_both_the_registration_and_the_issuers_entry_allow_is_given() {
        assert_eq!(scope_for("openid read write", "openid read", None).as_deref(), Ok("read"));
        assert_eq!(scope_for("openid read write", "openid read", Some("openid")).as_deref(), Ok("openid"));
        for (registered, issuers, asked) in
            [("read write", "read", Some("read write")), ("read", "write", None), ("read", "read write", Some("write"))]
        {
            assert_eq!(scope_for(registered, issuers, asked), Err("scope_not_assured"), "{registered} {issuers} {asked:?}");
        }
    }
}
