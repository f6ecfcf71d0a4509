//! What a client signs to prove who it is (RFC 7523 sections 2.2 and 3, OpenID Connect Core section 9): a JWT of its own, meant for us, good
//! once and for a short while.

use domain::{Digest, Timestamp};
use serde::Deserialize;

use crate::signer::unverified;

use super::{
    Once, OnceKind,
    client_jwt::{Audience, BadHead, MAX_LENGTH},
};

/// RFC 7523 section 2.2.
pub const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The longest `jti`, in bytes.
const MAX_JTI: usize = 255;
/// The longest that an assertion may be good, in seconds: its `jti` is remembered for so long.
const LONGEST: u32 = 3600;
/// The media types that its header may name (RFC 7519 section 5.1, RFC 7523bis).
pub const TYPES: [&str; 2] = ["JWT", "client-authentication+jwt"];

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

impl From<BadHead> for InvalidAssertion {
    fn from(bad: BadHead) -> Self {
        match bad {
            BadHead::Malformed => Self::Malformed,
            BadHead::Algorithm => Self::Algorithm,
        }
    }
}

/// For whom it may be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audiences {
    /// The issuer alone, as a string (FAPI 2.0 Security Profile section 5.3.2.1).
    Issuer(String),
    /// One of these at least.
    AnyOf(Vec<String>),
}

impl Audiences {
    fn hold(&self, audience: &Audience) -> bool {
        match (self, audience) {
            (Self::Issuer(issuer), Audience::One(one)) => one == issuer,
            (Self::Issuer(_), Audience::Many(_)) => false,
            (Self::AnyOf(own), audience) => own.iter().any(|own| audience.names(own)),
        }
    }
}

/// What it says. Moments are whole seconds, and nothing stands there twice.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Claims {
    iss: String,
    pub sub: String,
    aud: Audience,
    exp: i64,
    nbf: Option<i64>,
    iat: Option<i64>,
    jti: Option<String>,
}

impl Claims {
    /// What it says, whoever signed it.
    #[must_use]
    pub fn unverified(assertion: &str) -> Option<Self> {
        if assertion.len() > MAX_LENGTH {
            return None;
        }
        unverified(assertion)
    }

    /// Whether it proves that this client asks these audiences, at this moment on a clock that may be off by `skew` seconds.
    ///
    /// # Errors
    /// Why it does not.
    pub fn check(&self, client_id: &str, audiences: &Audiences, now: Timestamp, skew: u32) -> Result<(), InvalidAssertion> {
        if self.iss != client_id || self.sub != client_id {
            return Err(InvalidAssertion::NotItsOwn);
        }
        if !audiences.hold(&self.aud) {
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
    pub fn once(&self, skew: u32) -> Once {
        let jti = self.jti.as_deref().unwrap_or_default();
        let key = Digest::of(format!("{}\n{jti}", self.sub).as_bytes()).as_str().to_owned();
        Once { kind: OnceKind::Assertion, key, until: Timestamp::from_unix(self.exp).plus(skew).plus(1) }
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
        let audiences = Audiences::AnyOf(vec!["https://id.example/o".to_owned(), "https://id.example/o/token/".to_owned()]);
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
            (json!({"aud": []}), InvalidAssertion::OtherAudience),
            (json!({"aud": {"a": 1}}), InvalidAssertion::Malformed),
            (json!({"sub": 1}), InvalidAssertion::Malformed),
        ] {
            assert_eq!(check(bad.clone()), Err(why), "{bad}");
        }
        let twice = r#"{"iss": "app", "sub": "app", "aud": "x", "exp": 1, "exp": 10060, "jti": "1"}"#;
        assert_eq!(Claims::unverified(&text(&json!({"alg": "ES256"}), twice)), None);
    }

    #[test]
    fn where_the_issuer_alone_may_be_meant_nothing_stands_beside_it() {
        let audiences = Audiences::Issuer("https://id.example/o".to_owned());
        let check = |aud: Value| claims(json!({ "aud": aud })).expect("claims").check("app", &audiences, NOW, 60);
        assert_eq!(check(json!("https://id.example/o")), Ok(()));
        for other in [json!("https://id.example/o/token/"), json!(["https://id.example/o"]), json!("https://id.example/o/")] {
            assert_eq!(check(other.clone()), Err(InvalidAssertion::OtherAudience), "{other}");
        }
    }

    #[test]
    fn one_assertion_is_known_again_and_each_client_has_ids_of_its_own() {
        let used = |changed: Value| claims(changed).expect("claims").once(60);
        assert_eq!(used(json!({})), used(json!({"iss": "x", "exp": 10_060})));
        assert_ne!(used(json!({})).key, used(json!({"sub": "other"})).key);
        assert_eq!(used(json!({})).until, Timestamp::from_unix(10_121));
    }
}
