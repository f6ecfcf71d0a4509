//! What a client asks that registers itself (RFC 7591 section 3.1), or replaces its registration (RFC 7592 section 2.2).

use domain::client::{Binding, ClientError, ClientMetadata, GrantType, Policy, Registration};
use serde_json::{Map, Value};

use super::{ErrorCode, OAuthError};

/// Members of our own that only people and operators decide: whoever registers itself does not take them.
const NOT_BY_ITSELF: [&str; 6] =
    ["policy", "skip_consent", "resources", "access_token_lifetime", "refresh_token_idle_lifetime", "refresh_token_lifetime"];
/// What the server gives: no client sends it back (RFC 7592 section 2.2).
const GIVEN: [&str; 4] =
    ["registration_access_token", "registration_client_uri", "client_id_issued_at", "client_secret_expires_at"];

/// The metadata that a client asks for. `invited`: with an initial access token.
///
/// # Errors
/// `invalid_client_metadata`, naming the member, or `unapproved_software_statement`.
pub fn metadata(mut members: Map<String, Value>, policy: Policy, invited: bool) -> Result<ClientMetadata, OAuthError> {
    if members.get("software_statement").is_some_and(|statement| !statement.is_null()) {
        let description = "software statements are not taken here: leave software_statement out";
        return Err(OAuthError::new(ErrorCode::UnapprovedSoftwareStatement, "software_statement", description));
    }
    // RFC 7592 section 2.2: what is null is left out.
    members.retain(|member, value| !value.is_null() && !NOT_BY_ITSELF.contains(&member.as_str()));
    let metadata = read(members)?;
    let by_invitation = [GrantType::ClientCredentials, GrantType::TokenExchange, GrantType::JwtBearer];
    if !invited && by_invitation.into_iter().any(|grant_type| metadata.may_use(grant_type)) {
        return Err(invalid("grant_types: client_credentials, token exchange and jwt-bearer need an initial access token"));
    }
    Ok(ClientMetadata { policy, ..metadata })
}

/// Refuses what needs a client certificate where none are taken: such a client could never get a token.
///
/// # Errors
/// `invalid_client_metadata`, naming the member.
pub fn check_certificates(metadata: ClientMetadata, are_taken: bool) -> Result<ClientMetadata, OAuthError> {
    if are_taken {
        return Ok(metadata);
    }
    if metadata.token_endpoint_auth_method.is_by_certificate() {
        return Err(invalid("token_endpoint_auth_method: this issuer takes no client certificates"));
    }
    if metadata.binding() == Some(Binding::Certificate) {
        return Err(invalid("tls_client_certificate_bound_access_tokens: this issuer takes no client certificates"));
    }
    Ok(metadata)
}

/// Checks what a replacement says beside the metadata: whose it is, and nothing that only the server says. Gives the `client_secret`, if it
/// is there, which must be the client's.
///
/// # Errors
/// `invalid_client_metadata`, naming the member.
pub fn check_replacement(members: &Map<String, Value>, registration: &Registration) -> Result<Option<String>, OAuthError> {
    if let Some(member) = GIVEN.iter().find(|member| members.contains_key(**member)) {
        return Err(invalid(&format!("{member}: only the server says it")));
    }
    if members.get("client_id").and_then(Value::as_str) != Some(&registration.identifier) {
        return Err(invalid("client_id: it must be the client's own"));
    }
    match members.get("client_secret") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(secret)) => Ok(Some(secret.clone())),
        Some(_) => Err(invalid("client_secret: it must be a string")),
    }
}

/// A client's metadata that is refused.
#[must_use]
pub fn refused(error: &ClientError) -> OAuthError {
    let code = match error {
        ClientError::InvalidRedirectUri(_) => ErrorCode::InvalidRedirectUri,
        ClientError::WrongRegistrationToken => ErrorCode::InvalidToken,
        ClientError::Unknown
        | ClientError::Exists
        | ClientError::InvalidMetadata(_)
        | ClientError::PublicClient
        | ClientError::NoSecret
        | ClientError::UnknownSecret
        | ClientError::DisabledByOperator
        | ClientError::NotOfADocument
        | ClientError::Deregistered => ErrorCode::InvalidClientMetadata,
    };
    OAuthError::new(code, "client_metadata", error.to_string())
}

/// Too many have registered themselves: 429, and again in so many seconds.
#[must_use]
pub fn too_many(retry_after: u32) -> OAuthError {
    let description = "too many have registered themselves";
    let error = OAuthError::new(ErrorCode::TemporarilyUnavailable, "too_many_registrations", description);
    OAuthError { retry_after: Some(retry_after), ..error }
}

/// `invalid_client_metadata`.
#[must_use]
pub fn invalid(description: &str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClientMetadata, "client_metadata", description)
}

/// Each member is read by itself first, so that the one that cannot be read is named.
fn read(members: Map<String, Value>) -> Result<ClientMetadata, OAuthError> {
    for (member, value) in &members {
        let alone = Map::from_iter([(member.clone(), value.clone())]);
        if let Err(error) = serde_json::from_value::<ClientMetadata>(Value::Object(alone)) {
            return Err(invalid(&format!("{member}: {error}")));
        }
    }
    serde_json::from_value(Value::Object(members)).map_err(|error| invalid(&error.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked(members: Value) -> Result<ClientMetadata, OAuthError> {
        let Value::Object(members) = members else { unreachable!("an object") };
        metadata(members, Policy::Default, false)
    }

    #[test]
    fn a_client_takes_no_rights_by_itself() {
        let members = json!({"client_name": "App", "policy": "compatible", "skip_consent": true, "resources": ["https://api.example"],
            "access_token_lifetime": 1_000_000});
        let expected = ClientMetadata { client_name: Some("App".to_owned()), ..ClientMetadata::default() };
        assert_eq!(asked(members), Ok(expected));
        let compatible = metadata(Map::new(), Policy::Compatible, true).unwrap();
        assert_eq!(compatible.policy, Policy::Compatible);
    }

    #[test]
    fn what_is_null_is_left_out() {
        assert_eq!(asked(json!({"redirect_uris": null, "grant_types": null, "contacts": null})), Ok(ClientMetadata::default()));
    }

    #[test]
    fn a_member_that_cannot_be_read_is_named() {
        for (members, member) in [
            (json!({"redirect_uris": "https://app.example/cb"}), "redirect_uris"),
            (json!({"grant_types": ["implicit"]}), "grant_types"),
            (json!({"client_name": "App", "token_endpoint_auth_method": "sorcery"}), "token_endpoint_auth_method"),
            (json!({"grant_types": ["client_credentials"]}), "grant_types"),
        ] {
            let error = asked(members).unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidClientMetadata);
            assert!(error.description.starts_with(&format!("{member}: ")), "{}", error.description);
        }
    }

    #[test]
    fn with_an_invitation_a_client_may_act_for_itself() {
        let Value::Object(members) = json!({"grant_types": ["client_credentials"]}) else { unreachable!("an object") };
        assert!(metadata(members, Policy::Default, true).is_ok());
    }

    #[test]
    fn what_needs_a_certificate_is_refused_where_none_are_taken() {
        for (members, member) in [
            (json!({"token_endpoint_auth_method": "tls_client_auth"}), "token_endpoint_auth_method"),
            (json!({"tls_client_certificate_bound_access_tokens": true}), "tls_client_certificate_bound_access_tokens"),
        ] {
            let metadata = asked(members).unwrap();
            let error = check_certificates(metadata.clone(), false).unwrap_err();
            assert!(error.description.starts_with(member), "{}", error.description);
            assert_eq!(check_certificates(metadata.clone(), true), Ok(metadata));
        }
        assert!(check_certificates(ClientMetadata::default(), false).is_ok());
    }

    #[test]
    fn a_software_statement_is_not_taken() {
        assert_eq!(asked(json!({"software_statement": "a.b.c"})).unwrap_err().code, ErrorCode::UnapprovedSoftwareStatement);
    }
}
