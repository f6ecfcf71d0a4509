//! Checks signatures against every key that the issuer ever had.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    client::SigningAlgorithm,
    key_set::{KeySet, KeyState},
};
use jsonwebtoken::{DecodingKey, Header, Validation, jwk::Jwk};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::jws;

/// What a key of the issuer's signed.
pub struct Signed {
    pub kid: String,
    /// As the signature covers it.
    pub header: Header,
    pub state: KeyState,
    pub claims: Value,
}

/// The claims of a JWT whose signature the key that it names made; `None` for any other text. Times and audiences are not looked at.
#[must_use]
pub fn verify(keys: &KeySet, token: &str) -> Option<Signed> {
    let kid = jsonwebtoken::decode_header(token).ok()?.kid?;
    let key = keys.keys.iter().find(|key| key.public.kid == kid)?;
    let jwk: Jwk = serde_json::from_value(key.public.jwk.clone()).ok()?;
    let validation = of_the_signature(key.public.alg);
    let decoded = jsonwebtoken::decode::<Value>(token, &DecodingKey::from_jwk(&jwk).ok()?, &validation).ok()?;
    Some(Signed { kid, header: decoded.header, state: key.state, claims: decoded.claims })
}

/// The claims of a JWT that somebody else's key signed with this algorithm; `None` for any other text. Times and audiences are not looked at.
/// Nor at the header: whoever asks has read it, which may call the algorithm by a name that jsonwebtoken does not know (RFC 9864).
#[must_use]
pub fn verify_by<T: DeserializeOwned>(key: &Jwk, algorithm: SigningAlgorithm, token: &str) -> Option<T> {
    let (message, signature) = token.rsplit_once('.')?;
    let key = DecodingKey::from_jwk(key).ok()?;
    let is_signed = jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key, jws(algorithm)).unwrap_or_default();
    if is_signed { unverified(token) } else { None }
}

/// What a JWT says, whoever signed it; `None` where it is none, or says something else.
#[must_use]
pub fn unverified<T: DeserializeOwned>(token: &str) -> Option<T> {
    let (message, _) = token.rsplit_once('.')?;
    let (_, claims) = message.split_once('.').filter(|(_, claims)| !claims.contains('.'))?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

/// Looks at the signature alone.
fn of_the_signature(algorithm: SigningAlgorithm) -> Validation {
    let mut validation = Validation::new(jws(algorithm));
    validation.required_spec_claims.clear();
    (validation.validate_exp, validation.validate_nbf, validation.validate_aud) = (false, false, false);
    validation
}
