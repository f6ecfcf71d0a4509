//! The `claims` parameter (OpenID Connect Core section 5.5): claims that a client asks for one by one, beside or instead of scopes.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Scope, catalogue::Catalogue, client::Registration};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::OAuthError;

/// The longest parameter that is read, in bytes, and how many claims it may ask for.
const MAX_LENGTH: usize = 4096;
const MAX_CLAIMS: usize = 100;

/// What is asked for, by where it is to be told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimsRequest {
    pub userinfo: BTreeMap<String, ClaimRequest>,
    pub id_token: BTreeMap<String, ClaimRequest>,
    /// `claims_locales` (section 5.2).
    pub locales: Vec<String>,
}

/// How one claim is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimRequest {
    pub essential: bool,
    /// The values that will do; none where any will.
    pub values: Vec<Value>,
}

impl ClaimsRequest {
    /// Reads the parameter.
    ///
    /// # Errors
    /// That it is no JSON, or not of the form that the section gives it.
    pub fn parse(text: &str) -> Result<Self, OAuthError> {
        if text.len() > MAX_LENGTH {
            return Err(OAuthError::invalid_request("claims_too_long", format!("claims is longer than {MAX_LENGTH} bytes")));
        }
        let malformed = || OAuthError::invalid_request("malformed_claims", "claims is not what Core section 5.5 describes");
        let sent: Map<String, Value> = serde_json::from_str(text).map_err(|_| malformed())?;
        let asked = |place: &str| asked(sent.get(place)).ok_or_else(malformed);
        let request = Self { userinfo: asked("userinfo")?, id_token: asked("id_token")?, locales: Vec::new() };
        if request.userinfo.len() + request.id_token.len() > MAX_CLAIMS {
            return Err(OAuthError::invalid_request("too_many_claims", format!("claims asks for more than {MAX_CLAIMS}")));
        }
        Ok(request)
    }

    /// The users, by `sub`, that an answer may be for (section 5.5.1): none where any may.
    #[must_use]
    pub fn subjects(&self) -> Vec<String> {
        self.texts("sub")
    }

    /// The authentication contexts that it wants (section 5.5.1.1); `None` where it names none.
    #[must_use]
    pub fn contexts(&self) -> Option<Vec<String>> {
        Some(self.texts("acr")).filter(|contexts| !contexts.is_empty())
    }

    /// Whether there is to be no answer in another context.
    #[must_use]
    pub fn requires_context(&self) -> bool {
        self.id_token.get("acr").is_some_and(|acr| acr.essential)
    }

    fn texts(&self, claim: &str) -> Vec<String> {
        let values = self.id_token.get(claim).map(|request| request.values.as_slice()).unwrap_or_default();
        // A value of another type is nobody's.
        values.iter().map(|value| value.as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Those of the claims that may be told to this client, of what can be known of a person: where it is registered for the scope that
    /// opens them. What else is asked for is ignored, as the section wants it.
    #[must_use]
    pub fn allowed(self, client: &Registration, catalogue: &Catalogue) -> Self {
        let allowed = |claim: &String, _: &mut ClaimRequest| {
            catalogue.scopes_of_claim(claim).any(|scope| client.metadata.scope.contains(scope))
        };
        let Self { mut userinfo, mut id_token, locales } = self;
        userinfo.retain(allowed);
        id_token.retain(allowed);
        Self { userinfo, id_token, locales }
    }

    /// The names of the claims that these scopes do not open anyway: they need a consent of their own.
    #[must_use]
    pub fn beyond(&self, scope: &Scope, catalogue: &Catalogue) -> BTreeSet<String> {
        let names = self.userinfo.keys().chain(self.id_token.keys());
        names.filter(|name| !catalogue.opens(scope, name)).cloned().collect()
    }
}

/// The claims of one place; `None` where they are not of the form that the section gives them. What nobody has defined is ignored.
fn asked(sent: Option<&Value>) -> Option<BTreeMap<String, ClaimRequest>> {
    match sent {
        None | Some(Value::Null) => Some(BTreeMap::new()),
        Some(Value::Object(claims)) => claims.iter().map(|(name, sent)| Some((name.clone(), claim(sent)?))).collect(),
        Some(_) => None,
    }
}

fn claim(sent: &Value) -> Option<ClaimRequest> {
    if sent.is_null() {
        return Some(ClaimRequest::default());
    }
    let sent = sent.as_object()?;
    let essential = sent.get("essential").map_or(Some(false), Value::as_bool)?;
    let several = sent.get("values").map_or(Some(&[] as &[Value]), |values| values.as_array().map(Vec::as_slice))?;
    Some(ClaimRequest { essential, values: sent.get("value").into_iter().chain(several).cloned().collect() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parsed(text: &str) -> ClaimsRequest {
        ClaimsRequest::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"))
    }

    #[test]
    fn the_example_of_the_standard_is_read() {
        let request = parsed(
            r#"{"userinfo": {"given_name": {"essential": true}, "nickname": null, "http://example.info/claims/groups": null},
                "id_token": {"auth_time": {"essential": true}, "acr": {"values": ["urn:mace:incommon:iap:silver"]}}}"#,
        );
        assert!(request.userinfo["given_name"].essential && !request.userinfo["nickname"].essential);
        assert_eq!(request.id_token["acr"].values, [json!("urn:mace:incommon:iap:silver")]);
        assert!(!request.requires_context(), "a voluntary one is not required");
        let essential = parsed(r#"{"id_token": {"acr": {"essential": true, "values": ["a", "b"]}, "sub": {"value": "mika"}}}"#);
        assert_eq!(
            (essential.requires_context(), essential.contexts(), essential.subjects()),
            (true, Some(vec!["a".to_owned(), "b".to_owned()]), vec!["mika".to_owned()])
        );
    }

    #[test]
    fn what_nobody_has_defined_is_ignored() {
        for text in ["{}", r#"{"userinfo": null}"#, r#"{"vp": {}, "id_token": {}}"#] {
            assert_eq!(parsed(text), ClaimsRequest::default(), "{text}");
        }
        assert_eq!(parsed(r#"{"userinfo": {"name": {"purpose": "x", "max_age": 1}}}"#).userinfo["name"], ClaimRequest::default());
    }

    #[test]
    fn what_is_malformed_is_refused() {
        let many = format!("{{\"userinfo\": {{{}}}}}", (0..101).map(|n| format!("\"c{n}\": null")).collect::<Vec<_>>().join(","));
        for text in [
            "",
            "x",
            "[]",
            "null",
            "{",
            r#"{"userinfo": []}"#,
            r#"{"userinfo": {"name": true}}"#,
            r#"{"userinfo": {"name": {"essential": "yes"}}}"#,
            r#"{"userinfo": {"name": {"values": "x"}}}"#,
            r#"{"userinfo": {"name": [true]}}"#,
            &many,
            &format!("{{}}{}", " ".repeat(MAX_LENGTH)),
        ] {
            assert_eq!(ClaimsRequest::parse(text).unwrap_err().code.as_str(), "invalid_request", "{text}");
        }
    }
}
