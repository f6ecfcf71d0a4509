//! What a client signs to prove who it is (RFC 7523 sections 2.2 and 3, OpenID Connect Core section 9): a JWT of its own, meant for us, good
//! once and for a short while.

use domain::{Digest, Timestamp, client::SigningAlgorithm};
use serde::{Deserialize, Deserializer, de::Error};

/// RFC 7523 section 2.2.
pub const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The longest assertion that is looked at, and the longest `jti`, in bytes.
const MAX_LENGTH: usize = 16 * 1024;
const MAX_JTI: usize = 255;
/// The longest that an assertion may be good, in seconds: its `jti` is remembered for so long.
const LONGEST: u32 = 3600;
/// The media types that its header may name (RFC 7519 section 5.1, RFC 7523bis).
const TYPES: [&str; 2] = ["JWT", "client-authentication+jwt"];

/// Why an assertion proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAssertion {
    #[error("it is no signed JWT")]
    Malformed,
    #[error("its algorithm is not the one that the client signs with")]
    Algorithm,
    #[error("no key of the client's signed it")]
    NotSigned,
    #[error("iss and sub must be the client_id")]
    NotItsOwn,
    #[error("it is not meant for this issuer")]
    OtherAudience,
    #[error("it has expired")]
    Expired,
    #[error("it is good too long or not yet")]
    OtherTime,
    #[error("jti is missing or too long")]
    NoId,
}

/// What its header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub algorithm: SigningAlgorithm,
    pub kid: Option<String>,
}

/// What it says. Moments are whole seconds, and nothing stands there twice.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Claims {
    iss: String,
    pub sub: String,
    #[serde(deserialize_with = "one_or_many")]
    aud: Vec<String>,
    exp: i64,
    nbf: Option<i64>,
    iat: Option<i64>,
    jti: Option<String>,
}

/// An assertion that proves who the client is: by what it is known again, and until when it would be good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    pub key: String,
    pub until: Timestamp,
}

impl Head {
    /// Reads the header, of which only the algorithm and the key's name count: keys that it brings along are nobody's.
    ///
    /// # Errors
    /// That it is none, or of no algorithm that clients sign with.
    pub fn read(assertion: &str) -> Result<Self, InvalidAssertion> {
        if assertion.len() > MAX_LENGTH {
            return Err(InvalidAssertion::Malformed);
        }
        let header = jsonwebtoken::decode_header(assertion).map_err(|_| InvalidAssertion::Malformed)?;
        let is_known = header.typ.as_deref().is_none_or(|typ| TYPES.iter().any(|own| own.eq_ignore_ascii_case(typ)));
        if !is_known || header.crit.is_some() {
            return Err(InvalidAssertion::Malformed);
        }
        let name = serde_json::to_value(header.alg).map_err(|_| InvalidAssertion::Algorithm)?;
        let algorithm = name.as_str().and_then(SigningAlgorithm::named).ok_or(InvalidAssertion::Algorithm)?;
        Ok(Self { algorithm, kid: header.kid })
    }
}

impl Claims {
    /// What it says, whoever signed it.
    #[must_use]
    pub fn unverified(assertion: &str) -> Option<Self> {
        if assertion.len() > MAX_LENGTH {
            return None;
        }
        jsonwebtoken::dangerous::insecure_decode::<Self>(assertion).ok().map(|decoded| decoded.claims)
    }

    /// Whether it proves that this client asks these audiences, at this moment on a clock that may be off by `skew` seconds.
    ///
    /// # Errors
    /// Why it does not.
    pub fn check(&self, client_id: &str, audiences: &[String], now: Timestamp, skew: u32) -> Result<(), InvalidAssertion> {
        if self.iss != client_id || self.sub != client_id {
            return Err(InvalidAssertion::NotItsOwn);
        }
        if !self.aud.iter().any(|own| audiences.contains(own)) {
            return Err(InvalidAssertion::OtherAudience);
        }
        let (skew, now) = (i64::from(skew), now.unix());
        if self.exp <= now.saturating_sub(skew) {
            return Err(InvalidAssertion::Expired);
        }
        let latest = now.saturating_add(skew);
        if self.exp > latest.saturating_add(i64::from(LONGEST))
            || self.nbf.is_some_and(|nbf| nbf > latest)
            || self.iat.is_some_and(|iat| iat > latest)
        {
            return Err(InvalidAssertion::OtherTime);
        }
        match &self.jti {
            Some(jti) if (1..=MAX_JTI).contains(&jti.len()) => Ok(()),
            Some(_) | None => Err(InvalidAssertion::NoId),
        }
    }

    /// What is remembered of it, once it has proved something, so that it proves nothing again.
    #[must_use]
    pub fn used(&self, skew: u32) -> Used {
        let jti = self.jti.as_deref().unwrap_or_default();
        let key = Digest::of(format!("{}\n{jti}", self.sub).as_bytes()).as_str().to_owned();
        Used { key, until: Timestamp::from_unix(self.exp).plus(skew).plus(1) }
    }
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(one) => Ok(vec![one]),
        OneOrMany::Many(many) if many.is_empty() => Err(D::Error::custom("an empty audience")),
        OneOrMany::Many(many) => Ok(many),
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::{Value, json};

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(10_000);

    fn text(header: &Value, claims: &str) -> String {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.{}", encode(&header.to_string()), encode(claims), encode("signature"))
    }

    fn claims(changed: Value) -> Option<Claims> {
        let mut claims = json!({"iss": "app", "sub": "app", "aud": "https://id.example/o", "exp": 10_060, "jti": "1"});
        let (Some(all), Value::Object(changed)) = (claims.as_object_mut(), changed) else { unreachable!("objects") };
        all.extend(changed);
        Claims::unverified(&text(&json!({"alg": "ES256"}), &claims.to_string()))
    }

    fn check(changed: Value) -> Result<(), InvalidAssertion> {
        let audiences = ["https://id.example/o".to_owned(), "https://id.example/o/token/".to_owned()];
        claims(changed).ok_or(InvalidAssertion::Malformed)?.check("app", &audiences, NOW, 60)
    }

    #[test]
    fn an_assertion_of_the_client_for_us_and_for_now_will_do() {
        for good in [
            json!({}),
            json!({"aud": ["https://else.example", "https://id.example/o/token/"]}),
            json!({"exp": 9_941, "nbf": 10_060, "iat": 10_060}),
            json!({"exp": 13_660}),
            json!({"other": true}),
        ] {
            assert_eq!(check(good.clone()), Ok(()), "{good}");
        }
    }

    #[test]
    fn what_says_something_else_proves_nothing() {
        for (bad, why) in [
            (json!({"iss": "other"}), InvalidAssertion::NotItsOwn),
            (json!({"sub": "other"}), InvalidAssertion::NotItsOwn),
            (json!({"aud": "https://id.example/"}), InvalidAssertion::OtherAudience),
            (json!({"exp": 9_940}), InvalidAssertion::Expired),
            (json!({"exp": 13_661}), InvalidAssertion::OtherTime),
            (json!({"nbf": 10_061}), InvalidAssertion::OtherTime),
            (json!({"iat": 10_061}), InvalidAssertion::OtherTime),
            (json!({"jti": null}), InvalidAssertion::NoId),
            (json!({"jti": ""}), InvalidAssertion::NoId),
            (json!({"jti": "x".repeat(256)}), InvalidAssertion::NoId),
            (json!({"exp": "10060"}), InvalidAssertion::Malformed),
            (json!({"exp": null}), InvalidAssertion::Malformed),
            (json!({"aud": []}), InvalidAssertion::Malformed),
            (json!({"aud": {"a": 1}}), InvalidAssertion::Malformed),
            (json!({"sub": 1}), InvalidAssertion::Malformed),
        ] {
            assert_eq!(check(bad.clone()), Err(why), "{bad}");
        }
        let twice = r#"{"iss": "app", "sub": "app", "aud": "x", "exp": 1, "exp": 10060, "jti": "1"}"#;
        assert_eq!(Claims::unverified(&text(&json!({"alg": "ES256"}), twice)), None);
    }

    #[test]
    fn the_header_names_an_algorithm_of_clients_and_nothing_that_must_be_understood() {
        let head = |header: Value| Head::read(&text(&header, "{}"));
        let read = head(
            json!({"alg": "RS256", "kid": "k", "typ": "jwt", "jku": "https://evil.example", "jwk": {"kty": "oct", "k": "AA"}}),
        );
        assert_eq!(read, Ok(Head { algorithm: SigningAlgorithm::RS256, kid: Some("k".to_owned()) }));
        for bad in [
            json!({"alg": "none"}),
            json!({"alg": "HS256"}),
            json!({"alg": "ES384"}),
            json!({"alg": "ES256", "typ": "at+jwt"}),
            json!({"alg": "ES256", "crit": ["exp"]}),
            json!({}),
        ] {
            assert!(head(bad.clone()).is_err(), "{bad}");
        }
        assert!(Head::read("a.b.c").is_err() && Head::read("").is_err() && Head::read(&"a".repeat(MAX_LENGTH + 1)).is_err());
    }

    #[test]
    fn one_assertion_is_known_again_and_each_client_has_ids_of_its_own() {
        let used = |changed: Value| claims(changed).expect("claims").used(60);
        assert_eq!(used(json!({})), used(json!({"iss": "x", "exp": 10_060})));
        assert_ne!(used(json!({})).key, used(json!({"sub": "other"})).key);
        assert_eq!(used(json!({})).until, Timestamp::from_unix(10_121));
    }
}
