//! Client ID Metadata Documents (draft-ietf-oauth-client-id-metadata-document): a client that nobody registered, whose `client_id` is the
//! address of what it says of itself.

use domain::{
    client::{ClientMetadata, Policy},
    redirect_uri,
};
use serde_json::{Map, Value, json};
use url::Url;

use super::{OAuthError, registration};

/// The longest document that is read, in bytes: what the draft recommends to those who write them (section 6.6).
const LONGEST: usize = 5 * 1024;
/// What such a client may be registered for. One document serves many issuers: what it names beside is for others.
const GRANTS: [&str; 2] = ["authorization_code", "refresh_token"];
const RESPONSES: [&str; 1] = ["code"];
/// How it may prove who it is: there is no secret that only it and this issuer know.
const METHODS: [&str; 2] = ["none", "private_key_jwt"];

/// The address of the document, where the `client_id` is one: over https, with a path, written as it is asked for (section 3). Over http it
/// is one on this machine, which the settings let be asked or not.
#[must_use]
pub fn address(client_id: &str) -> Option<Url> {
    let url = Url::parse(client_id).ok()?;
    let over_http = matches!(url.scheme(), "https" | "http");
    let alone = url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    (over_http && alone && url.as_str() == client_id).then_some(url)
}

/// What a document says that stands at this address (section 4).
///
/// # Errors
/// What of it is refused.
pub fn metadata(address: &Url, document: &[u8], policy: Policy) -> Result<ClientMetadata, OAuthError> {
    if document.len() > LONGEST {
        return Err(refused(&format!("it has more than {LONGEST} bytes")));
    }
    let Ok(Value::Object(mut members)) = serde_json::from_slice(document) else {
        return Err(refused("it is no JSON object"));
    };
    if members.get("client_id").and_then(Value::as_str) != Some(address.as_str()) {
        return Err(refused("its client_id is not its address"));
    }
    if let Some(member) = ["client_secret", "client_secret_expires_at"].into_iter().find(|member| members.contains_key(*member)) {
        return Err(refused(&format!("{member}: what everybody can read is no secret")));
    }
    let method = members.entry("token_endpoint_auth_method").or_insert_with(|| json!("none"));
    if !METHODS.iter().any(|own| method == own) {
        return Err(refused(&format!("token_endpoint_auth_method: it must be one of {}", METHODS.join(", "))));
    }
    keep(&mut members, "grant_types", &GRANTS);
    keep(&mut members, "response_types", &RESPONSES);
    if !members.contains_key("application_type") && is_native(&members) {
        members.insert("application_type".to_owned(), json!("native"));
    }
    registration::metadata(members, policy, false).map_err(|error| refused(&error.description))
}

/// A document that is refused: the user is told, since nothing else is known of the client.
#[must_use]
pub fn refused(why: &str) -> OAuthError {
    OAuthError::invalid_request("client_document", format!("the document that client_id names is not taken: {why}"))
}

/// Leaves out of a list what is for other issuers.
fn keep(members: &mut Map<String, Value>, member: &str, own: &[&str]) {
    if let Some(Value::Array(listed)) = members.get_mut(member) {
        listed.retain(|name| own.iter().any(|own| name == own));
    }
}

/// Whether all that it is sent back to is on its user's device (RFC 8252 section 7): few documents say so.
fn is_native(members: &Map<String, Value>) -> bool {
    let uris = members.get("redirect_uris").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let native = |uri: &Value| uri.as_str().is_some_and(redirect_uri::is_on_the_device);
    !uris.is_empty() && uris.iter().all(native)
}

#[cfg(test)]
mod tests {
    use domain::client::{ApplicationType, AuthenticationMethod, GrantType};

    use super::*;

    const ADDRESS: &str = "https://app.example/client.json";

    fn said(members: Value) -> Result<ClientMetadata, OAuthError> {
        let mut document = json!({"client_id": ADDRESS, "client_name": "App", "redirect_uris": ["https://app.example/cb"]});
        let (Some(document), Value::Object(members)) = (document.as_object_mut(), members) else { unreachable!("objects") };
        document.extend(members);
        let document = serde_json::to_vec(document).unwrap();
        metadata(&ADDRESS.parse().unwrap(), &document, Policy::Default)
    }

    #[test]
    fn an_address_is_written_as_it_is_asked_for() {
        for fine in [ADDRESS, "https://app.example/", "https://app.example:8443/a/b?c=d", "http://127.0.0.1:8000/client"] {
            assert_eq!(address(fine).map(String::from).as_deref(), Some(fine));
        }
        let wrong = [
            "app",
            "0198c5d2-7a00-7000-8000-000000000001",
            "https://app.example",
            "https://app.example/a#b",
            "https://app.example/#",
            "https://name@app.example/a",
            "https://name:word@app.example/a",
            "https://app.example/a/../b",
            "https://app.example/a/./b",
            "https://app.example/a/%2e%2e/b",
            "https://APP.example/a",
            "https://app.example:443/a",
            "HTTPS://app.example/a",
            "ftp://app.example/a",
            "com.example.app:/a",
            " https://app.example/a",
        ];
        for wrong in wrong {
            assert_eq!(address(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_document_is_read_as_a_registration_of_a_client_without_a_secret() {
        let read = said(json!({})).unwrap();
        assert_eq!(read.token_endpoint_auth_method, AuthenticationMethod::None);
        assert_eq!(read.client_name.as_deref(), Some("App"));
        let keys = json!({"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://app.example/jwks"});
        assert_eq!(said(keys).unwrap().token_endpoint_auth_method, AuthenticationMethod::PrivateKeyJwt);
    }

    #[test]
    fn what_is_for_other_issuers_is_left_out() {
        let read = said(json!({
            "grant_types": ["authorization_code", "implicit", "urn:ietf:params:oauth:grant-type:device_code", "client_credentials"],
            "response_types": ["code", "token"], "skip_consent": true, "policy": "compatible",
        }))
        .unwrap();
        assert_eq!((read.grant_types, read.response_types), (vec![GrantType::AuthorizationCode], vec!["code".to_owned()]));
        assert!(!read.skip_consent && read.policy == Policy::Default);
    }

    #[test]
    fn a_client_that_is_only_on_the_device_is_native() {
        for (uris, kind) in [
            (json!(["http://127.0.0.1/cb", "http://localhost/cb"]), ApplicationType::Native),
            (json!(["com.example.app:/cb"]), ApplicationType::Native),
            (json!(["https://app.example/cb", "http://localhost/cb"]), ApplicationType::Web),
        ] {
            assert_eq!(said(json!({"redirect_uris": uris})).unwrap().application_type, kind);
        }
        let web = said(json!({"redirect_uris": ["http://localhost/cb"], "application_type": "web"})).unwrap();
        assert_eq!(web.application_type, ApplicationType::Web);
    }

    #[test]
    fn what_is_refused_is_named() {
        let long = "x".repeat(LONGEST);
        for (members, word) in [
            (json!({"client_id": "https://app.example/other.json"}), "client_id"),
            (json!({"client_id": null}), "client_id"),
            (json!({"client_secret": "secret"}), "client_secret"),
            (json!({"client_secret_expires_at": 0}), "client_secret_expires_at"),
            (json!({"token_endpoint_auth_method": "client_secret_basic"}), "token_endpoint_auth_method"),
            (json!({"redirect_uris": "https://app.example/cb"}), "redirect_uris"),
            (json!({"client_uri": long}), "bytes"),
        ] {
            let error = said(members).unwrap_err();
            assert!(error.rule == "client_document" && error.description.contains(word), "{word}: {}", error.description);
        }
        let array = metadata(&ADDRESS.parse().unwrap(), b"[]", Policy::Default).unwrap_err();
        assert!(array.description.ends_with("it is no JSON object"));
    }
}
