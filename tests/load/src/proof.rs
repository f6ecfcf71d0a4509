//! What a client with a key of its own proves itself by: an assertion (RFC 7523) and a proof of possession (RFC 9449), each good once.

use std::{
    io,
    time::{SystemTime, UNIX_EPOCH},
};

use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::Options;

/// The client's key.
pub(crate) struct Prover {
    key: EncodingKey,
    jwk: Jwk,
    client_id: String,
    issuer: String,
}

impl Prover {
    pub(crate) fn new(options: &Options) -> io::Result<Self> {
        let pem = std::fs::read(options.key.as_ref().ok_or(io::ErrorKind::NotFound)?)?;
        let key = EncodingKey::from_ed_pem(&pem).map_err(io::Error::other)?;
        let issuer = format!("http://{}/o", options.address);
        Ok(Self { key, jwk: serde_json::from_str(&options.jwk)?, client_id: options.client_id.clone(), issuer })
    }

    /// A form that asks for a token, and the header with the proof that goes with it.
    pub(crate) fn request(&self) -> io::Result<(String, String)> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(io::Error::other)?.as_secs();
        let id = || Uuid::now_v7().to_string();
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid.clone_from(&self.jwk.common.key_id);
        let (client, issuer) = (&self.client_id, &self.issuer);
        let assertion =
            self.sign(&header, &json!({"iss": client, "sub": client, "aud": issuer, "jti": id(), "iat": now, "exp": now + 60}))?;
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some("dpop+jwt".to_owned());
        header.jwk = Some(self.jwk.clone());
        let proof = self.sign(&header, &json!({"jti": id(), "htm": "POST", "htu": format!("{issuer}/token/"), "iat": now}))?;
        let form = format!(
            "grant_type=client_credentials&scope=read&client_id={client}&client_assertion={assertion}\
             &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
        );
        Ok((form, format!("dpop: {proof}")))
    }

    fn sign(&self, header: &Header, claims: &impl Serialize) -> io::Result<String> {
        jsonwebtoken::encode(header, claims, &self.key).map_err(io::Error::other)
    }
}
