//! What a client signs to prove who it is (RFC 7523 sections 2.2 and 3, OpenID Connect Core section 9): an assertion of its own.

use domain::Timestamp;

use super::assertion::{Audiences, Claims, InvalidAssertion};

/// RFC 7523 section 2.2.
pub const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The longest that an assertion may be good, in seconds: its `jti` is remembered for so long.
const LONGEST: u32 = 3600;
/// The media types that its header may name (RFC 7519 section 5.1, RFC 7523bis).
pub const TYPES: [&str; 2] = ["JWT", "client-authentication+jwt"];

/// Whether it proves that this client asks these audiences, at this moment on a clock that may be off by so many seconds.
///
/// # Errors
/// Why it does not.
pub fn check(claims: &Claims, client_id: &str, audiences: &Audiences, clock: (Timestamp, u32)) -> Result<(), InvalidAssertion> {
    if claims.iss != client_id || claims.sub != client_id {
        return Err(InvalidAssertion::NotItsOwn);
    }
    claims.check(audiences, clock, LONGEST)
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::{Value, json};

    use super::*;
    use crate::protocol::OnceKind;

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
        super::check(&claims(changed).ok_or(InvalidAssertion::Malformed)?, "app", &audiences, (NOW, 60))
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
        let check = |aud: Value| super::check(&claims(json!({ "aud": aud })).expect("claims"), "app", &audiences, (NOW, 60));
        assert_eq!(check(json!("https://id.example/o")), Ok(()));
        for other in [json!("https://id.example/o/token/"), json!(["https://id.example/o"]), json!("https://id.example/o/")] {
            assert_eq!(check(other.clone()), Err(InvalidAssertion::OtherAudience), "{other}");
        }
    }

    #[test]
    fn one_assertion_is_known_again_and_each_client_has_ids_of_its_own() {
        let used = |changed: Value| claims(changed).expect("claims").once(OnceKind::Assertion, 60);
        assert_eq!(used(json!({})), used(json!({"sub": "x", "exp": 10_060})));
        assert_ne!(used(json!({})).key, used(json!({"iss": "other"})).key);
        assert_eq!(used(json!({})).until, Timestamp::from_unix(10_121));
    }
}
