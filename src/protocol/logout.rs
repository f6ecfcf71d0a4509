//! A logout request (OpenID Connect RP-Initiated Logout 1.0 section 2): who asks, in which sign-in, and where the person goes afterwards.

use domain::{
    SessionId,
    client::{ApplicationType, Registration},
    redirect_uri,
};
use serde::{Deserialize, Serialize};
use url::form_urlencoded::Serializer;

use super::{
    OAuthError, Parameters,
    id_token_hint::{IdTokenHint, InvalidHint},
    landing,
};

/// The longest `state` that is sent back, in bytes.
const MAX_STATE: usize = 4096;
/// What names the place that people are sent back to.
const BACK: &str = "post_logout_redirect_uri";

/// What is known of whoever asks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asker<'a> {
    /// The ID token that came with the request.
    pub hint: Option<&'a IdTokenHint>,
    /// The client that it names, or that names itself; `None` where it may not act here.
    pub client: Option<&'a Registration>,
}

/// A checked request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogoutRequest {
    /// The `client_id` of the client that asks.
    pub client_identifier: Option<String>,
    /// The sign-in that the client shows to know.
    pub proven: Option<SessionId>,
    /// Whether the client showed an ID token: it is not only somebody who names it.
    pub hinted: bool,
    pub back: Option<Back>,
    pub ui_locales: Option<String>,
}

/// Where the person is sent back to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Back {
    /// Byte for byte as registered.
    uri: String,
    state: Option<String>,
}

/// The `client_id` that a request names: by itself, or by its hint.
///
/// # Errors
/// `invalid_request` where the two differ.
pub fn client_named<'a>(parameters: &'a Parameters, hint: Option<&'a IdTokenHint>) -> Result<Option<&'a str>, OAuthError> {
    let hinted = hint.map(|hint| hint.aud.as_str());
    match (parameters.get("client_id"), hinted) {
        (Some(named), Some(hinted)) if named != hinted => {
            let description = "client_id is not the application that id_token_hint was issued to";
            Err(OAuthError::invalid_request("hint_of_another_client", description).saw("client_id", named))
        }
        (named, hinted) => Ok(named.or(hinted)),
    }
}

/// What came as a hint is none.
#[must_use]
pub fn not_a_hint(why: InvalidHint) -> OAuthError {
    OAuthError::invalid_request("id_token_hint", format!("id_token_hint cannot be taken: {why}"))
}

/// Checks a request. Nobody is ever sent to a place that the client that asks has not registered.
///
/// # Errors
/// `invalid_request`, to be told on a page.
pub fn check(parameters: &Parameters, asker: Asker<'_>) -> Result<LogoutRequest, OAuthError> {
    let named = client_named(parameters, asker.hint)?;
    if let (Some(named), None) = (named, asker.client) {
        let description = "client_id or id_token_hint names no application that may act here";
        return Err(OAuthError::invalid_request("unknown_client", description).saw("client_id", named));
    }
    Ok(LogoutRequest {
        client_identifier: named.map(str::to_owned),
        proven: asker.hint.and_then(|hint| hint.sid),
        hinted: asker.hint.is_some(),
        back: back(parameters, asker.client)?,
        ui_locales: parameters.get("ui_locales").map(str::to_owned),
    })
}

/// Section 3: to one of the registered places alone.
fn back(parameters: &Parameters, client: Option<&Registration>) -> Result<Option<Back>, OAuthError> {
    let Some(uri) = parameters.get(BACK) else { return Ok(None) };
    let Some(client) = client else {
        let description = "post_logout_redirect_uri needs id_token_hint or client_id beside it";
        return Err(OAuthError::invalid_request("post_logout_redirect_uri_of_nobody", description).saw(BACK, uri));
    };
    let registered = &client.metadata.post_logout_redirect_uris;
    let native = client.metadata.application_type == ApplicationType::Native;
    if let Err(mismatch) = redirect_uri::matches(registered, uri, native) {
        let description = match registered.as_slice() {
            [] => "the application has registered no post_logout_redirect_uri".to_owned(),
            [..] => format!("post_logout_redirect_uri is not a registered one: {mismatch}"),
        };
        let error = OAuthError::invalid_request("post_logout_redirect_uri_mismatch", description);
        return Err(error.saw("client_id", &client.identifier).saw(BACK, uri).saw("registered", registered.join(" ")));
    }
    let state = parameters.get("state");
    if state.is_some_and(|state| state.len() > MAX_STATE) {
        return Err(OAuthError::invalid_request("state_too_long", format!("state is longer than {MAX_STATE} bytes")));
    }
    Ok(Some(Back { uri: uri.to_owned(), state: state.map(str::to_owned) }))
}

impl LogoutRequest {
    /// Whether the client showed that it knows this very sign-in: then nobody need be asked.
    #[must_use]
    pub fn proves(&self, session: SessionId) -> bool {
        self.proven == Some(session)
    }
}

impl Back {
    /// The whole address, with the `state`.
    #[must_use]
    pub fn url(&self) -> String {
        match &self.state {
            Some(state) => landing::with_query(&self.uri, &Serializer::new(String::new()).append_pair("state", state).finish()),
            None => self.uri.clone(),
        }
    }

    /// Where it leads, as people are told.
    #[must_use]
    pub fn place(&self) -> &str {
        landing::place(&self.uri)
    }

    /// What a page's Content-Security-Policy must allow its form to be redirected to.
    #[must_use]
    pub fn form_action(&self) -> String {
        landing::source(&self.uri)
    }
}

#[cfg(test)]
mod tests {
    use domain::client::ClientMetadata;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    const PLACE: &str = "https://app.example/bye?x=1";

    fn client(uris: &[&str]) -> Registration {
        let post_logout_redirect_uris = uris.iter().map(|uri| (*uri).to_owned()).collect();
        let metadata = ClientMetadata { post_logout_redirect_uris, ..ClientMetadata::default() };
        Registration::new("app".to_owned(), None, metadata)
    }

    fn parameters(encoded: &str) -> Parameters {
        Parameters::parse(encoded.as_bytes()).expect("parameters")
    }

    fn hint() -> IdTokenHint {
        let (sid, grant_id) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let claims = json!({"iss": "https://id.example/o", "sub": "mika", "aud": "app", "sid": sid, "grant_id": grant_id});
        serde_json::from_value(claims).expect("it is a hint")
    }

    fn checked(encoded: &str, hint: Option<&IdTokenHint>) -> Result<LogoutRequest, &'static str> {
        let client = client(&[PLACE]);
        let known = hint.is_some() || encoded.contains("client_id=app");
        check(&parameters(encoded), Asker { hint, client: known.then_some(&client) }).map_err(|error| error.rule)
    }

    #[test]
    fn a_request_may_say_nothing_at_all() {
        assert_eq!(checked("", None), Ok(LogoutRequest::default()));
        assert_eq!(checked("state=x", None), Ok(LogoutRequest::default()));
    }

    #[test]
    fn a_hint_says_who_asks_and_in_which_sign_in() {
        let request = checked("ui_locales=ja", Some(&hint())).unwrap();
        assert_eq!((request.client_identifier.as_deref(), request.ui_locales.as_deref()), (Some("app"), Some("ja")));
        assert!(request.hinted && request.proves(hint().sid.unwrap()));
        assert!(!request.proves(SessionId::new(Uuid::from_u128(2))));
        let mut without_sid = hint();
        without_sid.sid = None;
        assert!(!checked("", Some(&without_sid)).unwrap().proves(hint().sid.unwrap()));
    }

    #[test]
    fn people_are_sent_to_a_registered_place_alone() {
        let encoded = "post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fbye%3Fx%3D1&state=a+b";
        let back = checked(encoded, Some(&hint())).unwrap().back.unwrap();
        assert_eq!((back.url().as_str(), back.form_action().as_str()), (&*format!("{PLACE}&state=a+b"), "https://app.example"));
        assert!(checked(&format!("{encoded}&client_id=app"), None).unwrap().back.is_some());
        assert_eq!(checked(encoded, None), Err("post_logout_redirect_uri_of_nobody"));
        for other in
            ["https://app.example/bye", "https://app.example/bye?x=1&y=2", "https://evil.example/", "/bye", "javascript:1"]
        {
            let encoded = Serializer::new(String::new()).append_pair(BACK, other).finish();
            assert_eq!(checked(&encoded, Some(&hint())), Err("post_logout_redirect_uri_mismatch"), "{other}");
        }
    }

    #[test]
    fn a_client_that_is_not_the_hints_or_may_not_act_is_refused() {
        assert_eq!(checked("client_id=other", Some(&hint())), Err("hint_of_another_client"));
        assert_eq!(checked("client_id=other", None), Err("unknown_client"));
        assert_eq!(checked("client_id=app", Some(&hint())).map(|request| request.hinted), Ok(true));
    }

    #[test]
    fn a_state_is_bounded() {
        let encoded = format!("client_id=app&post_logout_redirect_uri={PLACE}&state={}", "x".repeat(MAX_STATE + 1));
        assert_eq!(checked(&encoded, None), Err("state_too_long"));
    }
}
