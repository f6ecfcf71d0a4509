//! A key of a client's own, and what it signs: assertions, proofs of possession, request objects.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use domain::client::SigningAlgorithm;
use grantlog::{
    protocol::dpop::sha256,
    signer::{NewKey, generate},
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::TestApp;

/// A key pair.
pub struct ClientKey(NewKey);

impl ClientKey {
    #[must_use]
    pub fn new(algorithm: SigningAlgorithm) -> Self {
        Self(generate(algorithm).expect("a key can be made"))
    }

    /// A key for ES256.
    #[must_use]
    pub fn ec() -> Self {
        Self::new(SigningAlgorithm::ES256)
    }

    /// A JWK set with the public parts.
    #[must_use]
    pub fn jwks(keys: &[&Self]) -> Value {
        let named = |key: &&Self| with(key.jwk().clone(), json!({"kid": key.0.public.kid, "use": "sig"}));
        json!({"keys": keys.iter().map(named).collect::<Vec<_>>()})
    }

    /// The public part.
    #[must_use]
    pub const fn jwk(&self) -> &Value {
        &self.0.public.jwk
    }

    /// Its thumbprint (RFC 7638).
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        &self.0.public.kid
    }

    /// A header for what it signs.
    #[must_use]
    pub fn header(&self, typ: &str) -> Header {
        let mut header = Header::new(self.algorithm());
        (header.typ, header.kid) = (Some(typ.to_owned()), Some(self.0.public.kid.clone()));
        header
    }

    /// A JWT.
    #[must_use]
    pub fn sign(&self, header: &Header, claims: &impl Serialize) -> String {
        jsonwebtoken::encode(header, claims, &self.encoding()).expect("it can be signed")
    }

    /// A proof for a request to a server (RFC 9449 section 4.2), beside an access token or not, but for these claims.
    #[must_use]
    pub fn proof(&self, app: &TestApp, (method, path): (&str, &str), access_token: Option<&str>, changed: Value) -> String {
        let mut header = Header::new(self.algorithm());
        header.typ = Some("dpop+jwt".to_owned());
        header.jwk = Some(serde_json::from_value(self.jwk().clone()).expect("it is a JWK"));
        let (jti, iat) = (Uuid::now_v7().to_string(), app.app.clock.now().unix());
        let claims = json!({"jti": jti, "htm": method, "htu": app.url(path), "iat": iat, "ath": access_token.map(|token| sha256(token.as_bytes()))});
        self.sign(&header, &with(claims, changed))
    }

    /// A JWT whose header is any JSON: jsonwebtoken's knows some names of algorithms alone.
    #[must_use]
    pub fn sign_with_header(&self, header: &Value, claims: &impl Serialize) -> String {
        let encode = |text: String| URL_SAFE_NO_PAD.encode(text);
        let claims = serde_json::to_string(claims).expect("claims have a JSON form");
        let message = format!("{}.{}", encode(header.to_string()), encode(claims));
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &self.encoding(), self.algorithm());
        format!("{message}.{}", signature.expect("it can be signed"))
    }

    fn algorithm(&self) -> Algorithm {
        self.0.public.alg.name().parse().expect("jsonwebtoken knows it")
    }

    fn encoding(&self) -> EncodingKey {
        match self.0.public.alg {
            SigningAlgorithm::ES256 => EncodingKey::from_ec_der(&self.0.private),
            SigningAlgorithm::EdDSA => EncodingKey::from_ed_der(&self.0.private),
            SigningAlgorithm::RS256 | SigningAlgorithm::PS256 => {
                let base64 = STANDARD.encode(&self.0.private);
                let pem = format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n");
                EncodingKey::from_rsa_pem(pem.as_bytes()).expect("it is a key")
            }
        }
    }
}

/// The same JWT under another signature, which is as long and as well encoded as the one it had.
#[must_use]
pub fn tampered(jwt: &str) -> String {
    let (signed, signature) = jwt.rsplit_once('.').expect("it is a JWT");
    let mut octets = URL_SAFE_NO_PAD.decode(signature).expect("a signature is base64url");
    octets.reverse();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(octets))
}

/// An object with the members of another over its own; those that are null are left out.
#[must_use]
pub fn with(mut object: Value, more: Value) -> Value {
    if let (Some(all), Value::Object(more)) = (object.as_object_mut(), more) {
        all.extend(more);
        all.retain(|_, value| !value.is_null());
    }
    object
}
