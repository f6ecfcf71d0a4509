//! A token for a token (RFC 8693): what a request for it says, and what it may not.

use domain::{
    Scope, Timestamp,
    catalogue::{Catalogue, ResourceEntry},
    client::Registration,
    grant::{Act, Subject},
};
use projections::token::{TokenKind, TokenRow};
use secrecy::SecretString;

use super::{
    OAuthError, Parameters,
    introspection::{Caller, audience},
    resources,
    token::{invalid_scope, invalid_target, scope},
};

/// The grant type of an exchange (section 2.1).
pub const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// What can be exchanged, and what for (section 3).
pub const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// The same, where it is a JWT.
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// What a client exchanges, and what it wants for it.
#[derive(Clone, Debug)]
pub struct ExchangeRequest {
    pub subject_token: SecretString,
    /// Of whoever acts, where the client does not step into the subject's shoes (section 1.1).
    pub actor_token: Option<SecretString>,
    pub scope: Option<Scope>,
    /// Where the new token is to be used; `None` for where the one before was.
    pub resource: Option<String>,
}

impl ExchangeRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// `invalid_request` for what is missing or of a type that is not exchanged here, `invalid_target` for more than one place,
    /// `invalid_scope`.
    pub fn read(parameters: &Parameters) -> Result<Self, OAuthError> {
        is_access_token("subject_token_type", parameters.required("subject_token_type")?)?;
        let subject_token = parameters.required("subject_token")?.into();
        let actor_token = match (parameters.get("actor_token"), parameters.get("actor_token_type")) {
            (None, None) => None,
            (Some(token), Some(of_type)) => {
                is_access_token("actor_token_type", of_type)?;
                Some(token.into())
            }
            (Some(_), None) | (None, Some(_)) => {
                let description = "actor_token and actor_token_type stand beside each other, or neither of them";
                return Err(OAuthError::invalid_request("actor_token_half", description));
            }
        };
        if let Some(wanted) = parameters.get("requested_token_type") {
            is_access_token("requested_token_type", wanted)?;
        }
        Ok(Self { subject_token, actor_token, scope: scope(parameters)?, resource: place(parameters)? })
    }
}

fn is_access_token(parameter: &'static str, value: &str) -> Result<(), OAuthError> {
    if [ACCESS_TOKEN, JWT].contains(&value) {
        return Ok(());
    }
    let description = format!("{parameter} must be {ACCESS_TOKEN} or {JWT}");
    Err(OAuthError::invalid_request("token_type_not_exchanged", description).saw(parameter, value))
}

/// A token has one audience: `audience` and `resource` may both name it (section 2.1).
fn place(parameters: &Parameters) -> Result<Option<String>, OAuthError> {
    let mut named = parameters.all("resource").chain(parameters.all("audience"));
    let Some(first) = named.next() else { return Ok(None) };
    match named.all(|another| another == first) {
        true => Ok(Some(first.to_owned())),
        false => Err(invalid_target("several_resources", "a token is for one resource: exchange once for each")),
    }
}

/// What comes of a request, as far as what is known now allows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// The token that is exchanged.
    pub subject: Subject,
    pub scope: Scope,
    /// The new token's audience.
    pub resource: String,
    /// Who acts, and who acted before.
    pub act: Option<Act>,
}

/// What a client presents, as it stands among the live tokens; `None` for what does not.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    pub subject: Option<&'a TokenRow>,
    pub actor: Option<&'a TokenRow>,
}

/// What a request is held to.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    pub now: Timestamp,
    pub catalogue: &'a Catalogue,
    pub default_resource: &'a str,
}

/// Whether a client may exchange what it presents, and what for.
///
/// # Errors
/// `invalid_request` where it presents no active access token that is its own or meant for it (section 2.2.2), `invalid_target`,
/// `invalid_scope`.
pub fn check(
    request: &ExchangeRequest,
    caller: &Caller<'_>,
    rows: Rows<'_>,
    Known { now, catalogue, default_resource }: Known<'_>,
) -> Result<Agreed, OAuthError> {
    let presents = |row: &&TokenRow| {
        row.is_active(TokenKind::Access, now)
            && (row.client_id == caller.client_id || caller.answers_for(&audience(row), default_resource))
    };
    let row = rows.subject.filter(presents).ok_or_else(subject_refused)?;
    let (subject, before) = read(row).ok_or_else(subject_refused)?;
    let act = match request.actor_token {
        None => before,
        Some(_) => {
            let actor = rows.actor.filter(presents).ok_or_else(actor_refused)?;
            let of_client = || actor.client_identifier.as_ref().unwrap_or(&actor.client_id);
            Some(Act::after(actor.user_id.as_ref().unwrap_or_else(of_client).clone(), before))
        }
    };
    let resource = match (&request.resource, audience(row).as_slice()) {
        (Some(resource), _) => resource.clone(),
        (None, [only]) => only.clone(),
        (None, _) => return Err(invalid_target("resource_unnamed", "say by resource where the new token is to be used")),
    };
    resources::check(caller.registration, [resource.as_str()], (catalogue, default_resource))?;
    if let Some(entry) = catalogue.resource(&resource) {
        check_policy(entry, caller.registration, request)?;
    }
    let scope = scope_of_exchange(caller.registration, request.scope.as_ref(), &subject.scope)?;
    Ok(Agreed { subject, scope, resource, act })
}

/// Whether the resource's own rules let the client exchange tokens for it.
fn check_policy(entry: &ResourceEntry, client: &Registration, request: &ExchangeRequest) -> Result<(), OAuthError> {
    if entry.exchange_by.as_ref().is_some_and(|by| !by.contains(&client.identifier)) {
        let refused = invalid_target("exchange_by_others", "tokens for this resource are exchanged by other clients");
        return Err(refused.saw("client_id", &client.identifier).saw("resource", &entry.identifier));
    }
    if entry.exchange_needs_actor && request.actor_token.is_none() {
        let description = "tokens for this resource name who acts: send an actor_token";
        return Err(OAuthError::invalid_request("actor_needed", description).saw("resource", &entry.identifier));
    }
    Ok(())
}

/// What the rules need to know of the token that is exchanged, and who acts in it; `None` for a row that cannot be read.
fn read(row: &TokenRow) -> Option<(Subject, Option<Act>)> {
    let subject = Subject {
        id: row.id.as_deref()?.parse().ok()?,
        client_id: row.client_id.parse().ok()?,
        scope: row.scope.parse().ok()?,
        expires_at: Timestamp::from_unix(row.expires_at),
        through: row.through().ok()?,
    };
    Some((subject, row.act().ok()?))
}

/// What was presented to be exchanged cannot be.
#[must_use]
pub fn subject_refused() -> OAuthError {
    OAuthError::invalid_request(
        "subject_token_refused",
        "subject_token is no active access token that is the client's own or meant for it",
    )
}

/// Whoever is to act does not prove it.
#[must_use]
pub fn actor_refused() -> OAuthError {
    OAuthError::invalid_request(
        "actor_token_refused",
        "actor_token is no active access token that is the client's own or meant for it",
    )
}

/// What is asked for within what the client registered and the token allows, or all of that. Of a sign-in nothing is exchanged.
fn scope_of_exchange(client: &Registration, asked: Option<&Scope>, subject: &Scope) -> Result<Scope, OAuthError> {
    let of_sign_in: Scope = [Scope::OPENID, Scope::OFFLINE_ACCESS].into_iter().collect();
    let registered = client.metadata.scope.without(&of_sign_in);
    let allowed = subject.without(&subject.without(&registered));
    match asked {
        Some(asked) if allowed.covers(asked) => Ok(asked.clone()),
        None if !allowed.is_empty() || subject.is_empty() => Ok(allowed),
        asked => {
            let refused =
                invalid_scope("scope_not_exchanged", &format!("the token can be exchanged for no more than: {allowed}"));
            let asked = asked.map(Scope::to_string).unwrap_or_default();
            Err(refused.saw("scope", asked).saw("subject", subject).saw("registered", &client.metadata.scope))
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::client::ClientMetadata;

    use super::*;

    fn read(more: &str) -> Result<ExchangeRequest, OAuthError> {
        ExchangeRequest::read(&Parameters::parse(more.as_bytes()).unwrap())
    }

    fn with(more: &str) -> Result<ExchangeRequest, OAuthError> {
        read(&format!("subject_token=t&subject_token_type={ACCESS_TOKEN}{more}"))
    }

    fn scope_for(registered: &str, asked: Option<&str>, subject: &str) -> Result<String, &'static str> {
        let scope = |names: &str| names.parse::<Scope>().unwrap();
        let metadata = ClientMetadata { scope: scope(registered), ..ClientMetadata::default() };
        let client = Registration::new("app".to_owned(), None, metadata);
        let asked = asked.map(scope);
        scope_of_exchange(&client, asked.as_ref(), &scope(subject)).map(|scope| scope.to_string()).map_err(|error| error.rule)
    }

    #[test]
    fn only_access_tokens_are_exchanged_and_for_nothing_else() {
        assert!(with("").is_ok() && with(&format!("&requested_token_type={JWT}")).is_ok());
        for (more, rule) in [
            ("&requested_token_type=urn:ietf:params:oauth:token-type:refresh_token", "token_type_not_exchanged"),
            ("&requested_token_type=urn:ietf:params:oauth:token-type:id_token", "token_type_not_exchanged"),
            ("&actor_token=a", "actor_token_half"),
            ("&actor_token_type=urn:ietf:params:oauth:token-type:access_token", "actor_token_half"),
            ("&actor_token=a&actor_token_type=urn:ietf:params:oauth:token-type:saml2", "token_type_not_exchanged"),
            ("&resource=https://a.example/&resource=https://b.example/", "several_resources"),
            ("&resource=https://a.example/&audience=https://b.example/", "several_resources"),
            ("&scope=a%22b", "malformed_scope"),
        ] {
            assert_eq!(with(more).expect_err("refused").rule, rule, "{more}");
        }
        for missing in ["subject_token=t", &format!("subject_token_type={ACCESS_TOKEN}")] {
            assert_eq!(read(missing).expect_err("refused").rule, "parameter_missing", "{missing}");
        }
        assert_eq!(
            read("subject_token=t&subject_token_type=urn:ietf:params:oauth:token-type:id_token").expect_err("refused").rule,
            "token_type_not_exchanged"
        );
    }

    #[test]
    fn resource_and_audience_name_one_place() {
        assert_eq!(with("").unwrap().resource, None);
        for more in [
            "&resource=https://a.example/",
            "&audience=https://a.example/",
            "&resource=https://a.example/&audience=https://a.example/",
        ] {
            assert_eq!(with(more).unwrap().resource.as_deref(), Some("https://a.example/"), "{more}");
        }
    }

    #[test]
    fn what_the_client_registered_and_the_token_allows_is_exchanged() {
        assert_eq!(scope_for("read write", None, "openid read offline_access").as_deref(), Ok("read"));
        assert_eq!(scope_for("openid read write", None, "openid read write").as_deref(), Ok("read write"));
        assert_eq!(scope_for("read write", Some("read"), "read write").as_deref(), Ok("read"));
        assert_eq!(scope_for("read", Some("read write"), "read write"), Err("scope_not_exchanged"));
        assert_eq!(scope_for("openid read", Some("openid"), "openid read"), Err("scope_not_exchanged"));
        assert_eq!(scope_for("read write", Some("read write"), "read"), Err("scope_not_exchanged"));
        assert_eq!(scope_for("write", None, "read"), Err("scope_not_exchanged"));
    }
}
