//! `id_token_hint` (OpenID Connect Core section 3.1.2.1, RP-Initiated Logout section 2): an ID token of ours that comes back, as proof of
//! whom and which sign-in a client means. One that has expired will do; nothing but an ID token will.

use domain::{
    GrantId, SessionId,
    key_set::{KeySet, KeyState},
};
use serde::Deserialize;

use crate::signer::{self, typ};

/// The longest hint that is looked at, in bytes: an ID token with every claim of a talkative person is shorter.
const MAX_LENGTH: usize = 16 * 1024;

/// What an ID token of ours says of the sign-in that it was made for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct IdTokenHint {
    iss: String,
    /// The user, as this client knows them.
    pub sub: String,
    /// The `client_id` of the client that it was made for.
    pub aud: String,
    /// The sign-in, where it was named.
    pub sid: Option<SessionId>,
    pub grant_id: GrantId,
}

/// Why a text is no hint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHint {
    #[error("it is too long")]
    TooLong,
    #[error("no key of this issuer signed it")]
    NotSigned,
    #[error("the key that signed it has been retired")]
    RetiredKey,
    #[error("it is no ID token of this issuer")]
    NoIdToken,
}

impl IdTokenHint {
    /// Reads a hint, whatever client it was made for, and whether it has expired or not.
    ///
    /// # Errors
    /// Why it is none.
    pub fn read(keys: &KeySet, issuer: &str, text: &str) -> Result<Self, InvalidHint> {
        if text.len() > MAX_LENGTH {
            return Err(InvalidHint::TooLong);
        }
        let signed = signer::verify(keys, text).ok_or(InvalidHint::NotSigned)?;
        if signed.state == KeyState::Retired {
            return Err(InvalidHint::RetiredKey);
        }
        // Whatever else our keys sign differs in the header, or has no end.
        let header = &signed.header;
        let is_id_token =
            header.typ.as_deref() == Some(typ::ID_TOKEN) && header.crit.is_none() && signed.claims.get("exp").is_some();
        let hint = serde_json::from_value::<Self>(signed.claims).ok().filter(|hint| is_id_token && hint.iss == issuer);
        hint.ok_or(InvalidHint::NoIdToken)
    }
}

#[cfg(test)]
mod tests {
    use domain::{client::SigningAlgorithm, key_set::Key};
    use jsonwebtoken::{Algorithm, EncodingKey, Header};
    use serde_json::{Value, json};

    use super::*;
    use crate::signer::{NewKey, generate};

    const ISSUER: &str = "https://id.example/o";

    fn key_set(keys: &[(&NewKey, KeyState)]) -> KeySet {
        KeySet { keys: keys.iter().map(|(key, state)| Key { public: key.public.clone(), state: *state }).collect() }
    }

    fn id_token() -> Value {
        json!({
            "iss": ISSUER, "sub": "mika", "aud": "app", "exp": 10, "iat": 5, "at_hash": "x",
            "sid": "018f0000-0000-7000-8000-000000000001", "grant_id": "018f0000-0000-7000-8000-000000000002",
        })
    }

    fn header(key: &NewKey, typ: &str) -> Header {
        let mut header = Header::new(Algorithm::ES256);
        (header.kid, header.typ) = (Some(key.public.kid.clone()), Some(typ.to_owned()));
        header
    }

    fn signed(key: &NewKey, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &EncodingKey::from_ec_der(&key.private)).unwrap()
    }

    #[test]
    fn an_id_token_of_ours_tells_whom_it_was_made_for_also_once_it_has_expired() {
        let key = generate(SigningAlgorithm::ES256).unwrap();
        for state in [KeyState::Active, KeyState::Superseded] {
            let text = signed(&key, &header(&key, "JWT"), &id_token());
            let hint = IdTokenHint::read(&key_set(&[(&key, state)]), ISSUER, &text).unwrap();
            assert_eq!((hint.sub.as_str(), hint.aud.as_str()), ("mika", "app"));
            assert_eq!(json!([hint.sid, hint.grant_id]), json!([id_token()["sid"], id_token()["grant_id"]]));
        }
        let without_sid = json!({"iss": ISSUER, "sub": "m", "aud": "a", "exp": 1, "grant_id": id_token()["grant_id"]});
        let text = signed(&key, &header(&key, "JWT"), &without_sid);
        assert_eq!(IdTokenHint::read(&key_set(&[(&key, KeyState::Active)]), ISSUER, &text).unwrap().sid, None);
    }

    #[test]
    fn what_no_key_of_ours_signed_is_none() {
        let (ours, foreign) = (generate(SigningAlgorithm::ES256).unwrap(), generate(SigningAlgorithm::ES256).unwrap());
        let keys = key_set(&[(&ours, KeyState::Active)]);
        let good = signed(&ours, &header(&ours, "JWT"), &id_token());
        let (head, rest) = good.split_once('.').unwrap();
        let unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
        let mut of_symmetric_key = header(&ours, "JWT");
        of_symmetric_key.alg = Algorithm::HS256;
        let public = serde_json::to_vec(&ours.public.jwk).unwrap();
        for text in [
            signed(&foreign, &header(&foreign, "JWT"), &id_token()),
            signed(&foreign, &header(&ours, "JWT"), &id_token()),
            jsonwebtoken::encode(&of_symmetric_key, &id_token(), &EncodingKey::from_secret(&public)).unwrap(),
            format!("{unsigned}.{}.", rest.split('.').next().unwrap()),
            format!("{unsigned}.{rest}"),
            format!("{head}.{}", rest.split('.').next().unwrap()),
            good[..good.len() - 2].to_owned(),
            format!("{good}.a.b"),
            String::new(),
            "..".to_owned(),
        ] {
            assert_eq!(IdTokenHint::read(&keys, ISSUER, &text), Err(InvalidHint::NotSigned), "{text}");
        }
        assert_eq!(IdTokenHint::read(&keys, ISSUER, &"a".repeat(MAX_LENGTH + 1)), Err(InvalidHint::TooLong));
        let retired = key_set(&[(&ours, KeyState::Retired)]);
        assert_eq!(IdTokenHint::read(&retired, ISSUER, &good), Err(InvalidHint::RetiredKey));
    }

    #[test]
    fn whatever_else_our_keys_sign_is_none() {
        let key = generate(SigningAlgorithm::ES256).unwrap();
        let keys = key_set(&[(&key, KeyState::Active)]);
        let changed = |member: &str, value: Value| {
            let mut claims = id_token();
            claims[member] = value;
            signed(&key, &header(&key, "JWT"), &claims)
        };
        for text in [
            signed(&key, &header(&key, "at+jwt"), &id_token()),
            signed(&key, &header(&key, "logout+jwt"), &id_token()),
            changed("iss", json!("https://other.example/o")),
            changed("aud", json!(["app", "another"])),
            changed("sub", json!(1)),
            changed("sid", json!("no id")),
            changed("grant_id", Value::Null),
            signed(&key, &header(&key, "JWT"), &json!({"iss": ISSUER, "sub": "m", "aud": "app", "name": "Mika"})),
            signed(&key, &header(&key, "JWT"), &json!({})),
        ] {
            assert_eq!(IdTokenHint::read(&keys, ISSUER, &text), Err(InvalidHint::NoIdToken), "{text}");
        }
    }

    #[test]
    fn a_header_that_must_be_understood_is_none_of_ours() {
        let key = generate(SigningAlgorithm::ES256).unwrap();
        let mut with_crit = header(&key, "JWT");
        with_crit.crit = Some(vec!["exp".to_owned()]);
        let text = signed(&key, &with_crit, &id_token());
        let keys = key_set(&[(&key, KeyState::Active)]);
        assert_eq!(IdTokenHint::read(&keys, ISSUER, &text), Err(InvalidHint::NoIdToken));
    }
}
