//! What others sign, clients and issuers: the header of their JWT, and for whom it is meant. Only the algorithm and the key's name count of a header: keys that
//! it brings along, or names the address of, are nobody's.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::client::SigningAlgorithm;
use serde::Deserialize;
use serde_json::Value;

/// The longest that is looked at, in bytes.
pub const MAX_LENGTH: usize = 16 * 1024;

/// What its header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub algorithm: SigningAlgorithm,
    pub kid: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    crit: Option<Value>,
}

/// Why a header will not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadHead {
    /// It is none, of another type, or with something that must be understood.
    Malformed,
    /// It is of no algorithm that clients sign with.
    Algorithm,
}

impl Head {
    /// Reads the header of a JWT that is of one of these media types, or says nothing of its type.
    ///
    /// # Errors
    /// Why it will not do.
    pub fn read(jwt: &str, types: &[&str]) -> Result<Self, BadHead> {
        if jwt.len() > MAX_LENGTH {
            return Err(BadHead::Malformed);
        }
        let header = jwt.split('.').next().and_then(|header| URL_SAFE_NO_PAD.decode(header).ok()).ok_or(BadHead::Malformed)?;
        let header: Header = serde_json::from_slice(&header).map_err(|_| BadHead::Malformed)?;
        let is_known = header.typ.as_deref().is_none_or(|typ| types.iter().any(|own| own.eq_ignore_ascii_case(typ)));
        if !is_known || header.crit.is_some() {
            return Err(BadHead::Malformed);
        }
        let algorithm = SigningAlgorithm::of_header(&header.alg).ok_or(BadHead::Algorithm)?;
        Ok(Self { algorithm, kid: header.kid })
    }
}

/// For whom it is meant (RFC 7519 section 4.1.3).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    /// Whether it names this one.
    #[must_use]
    pub fn names(&self, audience: &str) -> bool {
        match self {
            Self::One(one) => one == audience,
            Self::Many(many) => many.iter().any(|one| one == audience),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn head(header: &Value) -> Result<Head, BadHead> {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        Head::read(&format!("{}.{}.{}", encode(&header.to_string()), encode("{}"), encode("signature")), &["JWT"])
    }

    #[test]
    fn it_names_an_algorithm_of_clients_and_nothing_that_must_be_understood() {
        let jwk = json!({"kty": "oct", "k": "AA"});
        let read = head(&json!({"alg": "RS256", "kid": "k", "typ": "jwt", "jku": "https://evil.example", "jwk": jwk}));
        assert_eq!(read, Ok(Head { algorithm: SigningAlgorithm::RS256, kid: Some("k".to_owned()) }));
        let by_curve = head(&json!({"alg": "Ed25519"}));
        assert_eq!(by_curve, Ok(Head { algorithm: SigningAlgorithm::EdDSA, kid: None }));
        for (bad, why) in [
            (json!({"alg": "none"}), BadHead::Algorithm),
            (json!({"alg": "HS256"}), BadHead::Algorithm),
            (json!({"alg": "ES384"}), BadHead::Algorithm),
            (json!({"alg": "ES256", "typ": "at+jwt"}), BadHead::Malformed),
            (json!({"alg": "ES256", "crit": ["exp"]}), BadHead::Malformed),
            (json!({}), BadHead::Malformed),
        ] {
            assert_eq!(head(&bad), Err(why), "{bad}");
        }
        for no_jwt in ["a.b.c", "", &"a".repeat(MAX_LENGTH + 1)] {
            assert_eq!(Head::read(no_jwt, &["JWT"]), Err(BadHead::Malformed));
        }
    }

    #[test]
    fn it_is_meant_for_one_or_for_many() {
        let audience = |value: Value| serde_json::from_value::<Audience>(value).unwrap();
        assert!(audience(json!("a")).names("a") && audience(json!(["b", "a"])).names("a"));
        assert!(!audience(json!("b")).names("a") && !audience(json!([])).names("a"));
    }
}
