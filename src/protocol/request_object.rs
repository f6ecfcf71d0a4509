//! A request object (RFC 9101, OpenID Connect Core section 6): an authorization request that its client signed. What it says is the request:
//! nothing that stands beside it counts.

use std::fmt;

use domain::{
    Timestamp,
    client::{ClientMetadata, Policy},
};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};
use serde_json::{Map, Value};

use super::{ErrorCode, OAuthError, Parameters, signed_jwt::Audience};

/// The media types that its header may name (RFC 9101 section 10.8).
pub const TYPES: [&str; 2] = ["oauth-authz-req+jwt", "JWT"];
/// The longest that one may be good, and the longest ago that it may have begun, in seconds (FAPI 2.0 Message Signing section 5.3.1).
const LONGEST: i64 = 3600;
/// What a JWT says of itself, and not of the request.
const OF_THE_JWT: [&str; 7] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];

/// What it says, whoever signed it: nothing stands there twice.
#[derive(Clone, Debug)]
pub struct RequestObject(Map<String, Value>);

/// What it says of itself.
#[derive(Deserialize)]
struct Claims {
    iss: Option<String>,
    aud: Option<Audience>,
    exp: Option<i64>,
    nbf: Option<i64>,
    iat: Option<i64>,
}

impl<'de> Deserialize<'de> for RequestObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Map<String, Value>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
                let mut members = Map::new();
                while let Some((name, value)) = object.next_entry::<String, Value>()? {
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom("a member stands there twice"));
                    }
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Members).map(Self)
    }
}

/// Where a request stands that is not in plain parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source<'a> {
    /// In the parameter `request`.
    Value(&'a str),
    /// At the address in `request_uri`.
    Reference(&'a str),
}

impl<'a> Source<'a> {
    /// Finds it; `None` where the parameters themselves are the request.
    ///
    /// # Errors
    /// `invalid_request` for both at once (OpenID Connect Core section 6.1), `request_not_supported` and `request_uri_not_supported` where the
    /// client has registered nothing that would tell it from another's, `invalid_request_uri` for an address that it did not register.
    pub fn find(parameters: &'a Parameters, client: &ClientMetadata) -> Result<Option<Self>, OAuthError> {
        let has_keys = client.jwks.is_some() || client.jwks_uri.is_some();
        match (parameters.get("request"), parameters.get("request_uri")) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => {
                Err(OAuthError::invalid_request("two_requests", "request and request_uri cannot stand together"))
            }
            (Some(_), None) if !has_keys => {
                let description = "request is not supported: the application has registered no keys";
                Err(OAuthError::new(ErrorCode::RequestNotSupported, "request_without_keys", description))
            }
            (Some(object), None) => Ok(Some(Self::Value(object))),
            (None, Some(_)) if !has_keys || client.request_uris().next().is_none() => {
                let description = "request_uri is not supported: the application has registered no keys and request_uris";
                Err(OAuthError::new(ErrorCode::RequestUriNotSupported, "request_uri_without_keys", description))
            }
            (None, Some(uri)) if client.request_uris().any(|registered| registered == uri) => Ok(Some(Self::Reference(uri))),
            (None, Some(uri)) => {
                let description = "request_uri is not one that the application has registered";
                Err(OAuthError::new(ErrorCode::InvalidRequestUri, "request_uri_not_registered", description)
                    .saw("request_uri", uri))
            }
        }
    }
}

impl RequestObject {
    /// The request that it is, of this client for this issuer at this moment, on a clock that may be off by `skew` seconds.
    ///
    /// # Errors
    /// `invalid_request_object`.
    pub fn into_parameters(
        self,
        (client_id, policy): (&str, Policy),
        issuer: &str,
        (now, skew): (Timestamp, u32),
    ) -> Result<Parameters, OAuthError> {
        let claims = serde_json::from_value::<Claims>(Value::Object(self.0.clone()));
        let claims = claims.map_err(|_| invalid("request_claims", "one of its claims is of the wrong type"))?;
        claims.check(client_id, issuer, (now.unix(), i64::from(skew)))?;
        if policy == Policy::Fapi2 {
            claims.check_strictly(client_id, now.unix())?;
        }
        if self.0.contains_key("request") || self.0.contains_key("request_uri") {
            return Err(invalid("request_in_request", "it must hold neither request nor request_uri"));
        }
        let members = self.0.into_iter().filter(|(name, _)| !OF_THE_JWT.contains(&name.as_str()));
        let pairs = members.flat_map(|(name, value)| values(value).into_iter().map(move |value| (name.clone(), value)));
        let parameters = Parameters::of(pairs.collect()).map_err(|error| invalid(error.rule, &error.description))?;
        match parameters.get("client_id") {
            Some(own) if own == client_id => Ok(parameters),
            Some(_) => Err(invalid("request_of_another_client", "its client_id is another")),
            None => Ok(parameters.with_default("client_id", client_id)),
        }
    }
}

impl Claims {
    /// What stands there must be right.
    fn check(&self, client_id: &str, issuer: &str, (now, skew): (i64, i64)) -> Result<(), OAuthError> {
        if self.iss.as_ref().is_some_and(|iss| iss != client_id) {
            return Err(invalid("request_iss", "its iss is not the client_id"));
        }
        if self.aud.as_ref().is_some_and(|aud| !aud.names(issuer)) {
            return Err(invalid("request_audience", "it is not meant for this issuer"));
        }
        if self.exp.is_some_and(|exp| exp <= now.saturating_sub(skew)) {
            return Err(invalid("request_expired", "it has expired"));
        }
        if self.nbf.into_iter().chain(self.iat).any(|begins| begins > now.saturating_add(skew)) {
            return Err(invalid("request_not_yet", "it is not good yet"));
        }
        Ok(())
    }

    /// What must stand there (FAPI 2.0 Message Signing section 5.3.1).
    fn check_strictly(&self, client_id: &str, now: i64) -> Result<(), OAuthError> {
        if self.iss.as_deref() != Some(client_id) || self.aud.is_none() {
            return Err(invalid("request_without_iss_or_aud", "iss and aud are missing"));
        }
        match (self.nbf, self.exp) {
            (Some(nbf), Some(exp)) if exp.saturating_sub(nbf) <= LONGEST && now.saturating_sub(nbf) <= LONGEST => Ok(()),
            (Some(_), Some(_)) => Err(invalid("request_good_too_long", "it is good for longer than an hour, or older than that")),
            (None, _) | (_, None) => Err(invalid("request_without_nbf_or_exp", "nbf and exp are missing")),
        }
    }
}

/// A member as parameters: a list of texts as several, what is no text as its JSON.
fn values(value: Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::String(text) => vec![text],
        Value::Array(list) if list.iter().all(Value::is_string) => list.into_iter().flat_map(values).collect(),
        other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => vec![other.to_string()],
    }
}

/// There is no request at the address that the client registered.
#[must_use]
pub fn not_fetched(uri: &str) -> OAuthError {
    let description = "request_uri: nothing that could be a request is there";
    OAuthError::new(ErrorCode::InvalidRequestUri, "request_not_fetched", description).saw("request_uri", uri)
}

/// The request object is refused.
#[must_use]
pub fn invalid(rule: &'static str, why: &str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequestObject, rule, format!("the request object is refused: {why}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ISSUER: &str = "https://id.example/o";
    const NOW: Timestamp = Timestamp::from_unix(10_000);

    fn read(policy: Policy, claims: Value) -> Result<Parameters, &'static str> {
        let object: RequestObject = serde_json::from_value(claims).unwrap();
        object.into_parameters(("app", policy), ISSUER, (NOW, 60)).map_err(|error| {
            assert_eq!(error.code, ErrorCode::InvalidRequestObject);
            error.rule
        })
    }

    #[test]
    fn its_members_are_the_parameters_of_the_request() {
        let claims = json!({"userinfo": {"name": null}});
        let read = read(
            Policy::Default,
            json!({
                "iss": "app", "aud": ISSUER, "jti": "1", "client_id": "app", "scope": "openid", "max_age": 60, "state": null,
                "claims": claims, "resource": ["https://a.example", "https://b.example"],
            }),
        )
        .unwrap();
        assert_eq!((read.get("scope"), read.get("max_age"), read.get("state")), (Some("openid"), Some("60"), None));
        assert_eq!(read.get("claims"), Some(claims.to_string().as_str()));
        assert_eq!(read.all("resource").collect::<Vec<_>>(), ["https://a.example", "https://b.example"]);
        assert_eq!((read.get("iss"), read.get("jti"), read.get("aud")), (None, None, None));
    }

    #[test]
    fn what_it_says_of_itself_is_right_where_it_says_so() {
        for good in [json!({}), json!({"aud": [ISSUER, "x"]}), json!({"exp": 9_941}), json!({"nbf": 10_060, "iat": 10_060})] {
            assert!(read(Policy::Default, good.clone()).is_ok(), "{good}");
        }
        for (bad, rule) in [
            (json!({"iss": "other"}), "request_iss"),
            (json!({"aud": "https://else.example"}), "request_audience"),
            (json!({"exp": 9_940}), "request_expired"),
            (json!({"nbf": 10_061}), "request_not_yet"),
            (json!({"iat": 10_061}), "request_not_yet"),
            (json!({"exp": "10060"}), "request_claims"),
            (json!({"client_id": "other"}), "request_of_another_client"),
            (json!({"request": "x"}), "request_in_request"),
            (json!({"request_uri": "x"}), "request_in_request"),
            (json!({"state": ["a", "b"]}), "parameter_twice"),
            (json!({"state": "a\u{0}"}), "nul_character"),
        ] {
            assert_eq!(read(Policy::Default, bad.clone()), Err(rule), "{bad}");
        }
    }

    #[test]
    fn nothing_stands_there_twice() {
        assert!(serde_json::from_str::<RequestObject>(r#"{"scope": "a", "state": "b"}"#).is_ok());
        for bad in [r#"{"scope": "a", "scope": "b"}"#, r#"{"exp": 1, "exp": 2}"#, "[]", "1"] {
            assert!(serde_json::from_str::<RequestObject>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn under_fapi2_it_says_for_whom_and_for_how_long() {
        let whole = json!({"iss": "app", "aud": ISSUER, "nbf": 9_000, "exp": 12_600});
        assert!(read(Policy::Fapi2, whole.clone()).is_ok());
        for (member, value, rule) in [
            ("iss", Value::Null, "request_without_iss_or_aud"),
            ("aud", Value::Null, "request_without_iss_or_aud"),
            ("nbf", Value::Null, "request_without_nbf_or_exp"),
            ("exp", Value::Null, "request_without_nbf_or_exp"),
            ("exp", json!(12_601), "request_good_too_long"),
            ("nbf", json!(6_399), "request_good_too_long"),
        ] {
            let mut bad = whole.clone();
            bad[member] = value;
            assert_eq!(read(Policy::Fapi2, bad.clone()), Err(rule), "{bad}");
        }
    }

    #[test]
    fn it_is_looked_for_where_the_client_registered_that() {
        let find = |query: &str, more: Value| {
            let client: ClientMetadata = serde_json::from_value(more).unwrap();
            let parameters = Parameters::parse(query.as_bytes()).unwrap();
            Source::find(&parameters, &client).map(|source| format!("{source:?}")).map_err(|error| error.rule)
        };
        let keys = json!({"jwks": {"keys": []}, "request_uris": ["https://app.example/r"]});
        assert_eq!(find("state=a", json!({})).as_deref(), Ok("None"));
        assert_eq!(find("request=a", keys.clone()).as_deref(), Ok("Some(Value(\"a\"))"));
        assert_eq!(
            find("request_uri=https://app.example/r", keys.clone()).as_deref(),
            Ok("Some(Reference(\"https://app.example/r\"))")
        );
        assert_eq!(find("request=a", json!({})), Err("request_without_keys"));
        assert_eq!(find("request_uri=https://app.example/r", json!({})), Err("request_uri_without_keys"));
        assert_eq!(find("request_uri=https://app.example/other", keys.clone()), Err("request_uri_not_registered"));
        assert_eq!(find("request=a&request_uri=https://app.example/r", keys), Err("two_requests"));
    }
}
