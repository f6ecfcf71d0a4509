//! Makes signed tokens with the active keys: JWS (RFC 7515) with jsonwebtoken's headers and keys on aws-lc-rs, access tokens in the form
//! of RFC 9068.

mod private_key;
mod verify;

use std::sync::Arc;

use aws_lc_rs::{
    encoding::AsDer,
    rand::SystemRandom,
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use domain::{
    client::SigningAlgorithm,
    key_set::{KeySet, KeyState, PublicKey},
};
use jsonwebtoken::{
    Algorithm, EncodingKey, Header,
    jwk::{Jwk, ThumbprintHash},
};
use private_key::PrivateKey;
use quick_cache::sync::Cache;
use serde::Serialize;
use tokio::sync::Semaphore;
pub use verify::{Signed, unverified, verify, verify_by};

use crate::{
    log::Unavailable,
    vault::{MasterKeys, kind, store::VaultStore},
};

/// How many private keys are kept opened.
const OPENED_KEYS: usize = 64;
/// RSA signatures cost half a millisecond: they are made in threads of their own, so many at a time.
const RSA_THREADS: usize = 2;

/// The media types in the headers of what is signed, by which one thing is told from another.
pub mod typ {
    /// RFC 9068 section 2.1.
    pub const ACCESS_TOKEN: &str = "at+jwt";
    /// RFC 7519 section 5.1.
    pub const ID_TOKEN: &str = "JWT";
    /// RFC 9701 section 5.
    pub const INTROSPECTION: &str = "token-introspection+jwt";
    /// No standard names one. It has no subject, which an ID token must have.
    pub const AUTHORIZATION_RESPONSE: &str = "JWT";
    /// OpenID Connect Back-Channel Logout 1.0 section 2.4.
    pub const LOGOUT_TOKEN: &str = "logout+jwt";
    /// No standard names one. An answer has no end (`exp`), which an ID token must have.
    pub const USERINFO: &str = "JWT";
}

/// A new key pair: the public part for the log, the private part (PKCS #8) for the vault.
pub struct NewKey {
    pub public: PublicKey,
    pub private: Vec<u8>,
}

/// Signs with the keys that the vault holds.
#[derive(Clone)]
pub struct Signer {
    master: Arc<MasterKeys>,
    vault: VaultStore,
    opened: Arc<Cache<String, Arc<PrivateKey>>>,
    rsa: Arc<Semaphore>,
}

/// The key that signs for an algorithm now.
pub struct SigningKey {
    pub kid: String,
    algorithm: SigningAlgorithm,
    key: Arc<PrivateKey>,
}

impl Signer {
    #[must_use]
    pub fn new(master: Arc<MasterKeys>, vault: VaultStore) -> Self {
        Self { master, vault, opened: Arc::new(Cache::new(OPENED_KEYS)), rsa: Arc::new(Semaphore::new(RSA_THREADS)) }
    }

    /// The active key of an algorithm, opened.
    ///
    /// # Errors
    /// `Unavailable` when the vault does not answer, or has no such key that the master key opens.
    pub async fn active(&self, keys: &KeySet, algorithm: SigningAlgorithm) -> Result<SigningKey, Unavailable> {
        let active = keys.keys.iter().find(|key| key.state == KeyState::Active && key.public.alg == algorithm);
        let Some(active) = active else {
            tracing::error!(?algorithm, "no active signing key for this algorithm");
            return Err(Unavailable);
        };
        let kid = active.public.kid.clone();
        if let Some(key) = self.opened.get(&kid) {
            return Ok(SigningKey { kid, algorithm, key });
        }
        let sealed = self.vault.get(kind::SIGNING_KEY, &kid).await?.ok_or(Unavailable)?;
        let private = self.master.open(kind::SIGNING_KEY, &kid, &sealed).map_err(|error| {
            tracing::error!(%kid, %error, "the private key cannot be opened: is this the right master key?");
            Unavailable
        })?;
        let key = Arc::new(PrivateKey::open(algorithm, &private).map_err(|error| {
            tracing::error!(%kid, %error, "the private key cannot be read");
            Unavailable
        })?);
        self.opened.insert(kid.clone(), key.clone());
        Ok(SigningKey { kid, algorithm, key })
    }

    /// Signs claims; `typ` is the media type of the header.
    ///
    /// # Errors
    /// `Unavailable` when the signature cannot be made.
    pub async fn sign(&self, key: &SigningKey, typ: &str, claims: &(impl Serialize + Sync)) -> Result<String, Unavailable> {
        let mut header = Header::new(jws(key.algorithm));
        header.typ = Some(typ.to_owned());
        header.kid = Some(key.kid.clone());
        let message = signing_input(&header, claims);
        let signature = if is_rsa(key.algorithm) {
            let _permit = self.rsa.clone().acquire_owned().await.expect("the semaphore is never closed");
            let (key, message) = (key.key.clone(), message.clone());
            tokio::task::spawn_blocking(move || key.sign(message.as_bytes())).await.map_err(|_| Unavailable)?
        } else {
            key.key.sign(message.as_bytes())
        };
        let signature = signature.map_err(|error| {
            tracing::error!(%error, kid = key.kid, "a token could not be signed");
            Unavailable
        })?;
        Ok(compact(message, &signature))
    }
}

/// What is signed (RFC 7515 section 5.1).
fn signing_input(header: &Header, claims: &impl Serialize) -> String {
    let header = serde_json::to_vec(header).expect("a header has a JSON form");
    let claims = serde_json::to_vec(claims).expect("claims have a JSON form");
    let mut input = URL_SAFE_NO_PAD.encode(header);
    input.push('.');
    URL_SAFE_NO_PAD.encode_string(claims, &mut input);
    input
}

/// A JWS in its compact form (RFC 7515 section 7.1).
fn compact(mut message: String, signature: &[u8]) -> String {
    message.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut message);
    message
}

/// Makes a key pair. An RSA one has 2048 bits and takes a moment.
///
/// # Errors
/// Where the library refuses its own key: a defect.
pub fn generate(algorithm: SigningAlgorithm) -> Result<NewKey, jsonwebtoken::errors::Error> {
    let random = SystemRandom::new();
    let possible = "the system can make a key";
    let private = match algorithm {
        SigningAlgorithm::ES256 => {
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect(possible).as_ref().to_vec()
        }
        SigningAlgorithm::EdDSA => Ed25519KeyPair::generate_pkcs8v1(&random).expect(possible).as_ref().to_vec(),
        SigningAlgorithm::RS256 | SigningAlgorithm::PS256 => {
            RsaKeyPair::generate(KeySize::Rsa2048).expect(possible).as_der().expect(possible).as_ref().to_vec()
        }
    };
    let key = encoding_key(algorithm, &private)?;
    let mut jwk = Jwk::from_encoding_key(&key, jws(algorithm))?;
    let kid = jwk.thumbprint(ThumbprintHash::SHA256)?;
    jwk.common.key_algorithm = None;
    let jwk = serde_json::to_value(&jwk)?;
    Ok(NewKey { public: PublicKey { kid, alg: algorithm, jwk }, private })
}

fn encoding_key(algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Result<EncodingKey, jsonwebtoken::errors::Error> {
    Ok(match algorithm {
        SigningAlgorithm::ES256 => EncodingKey::from_ec_der(pkcs8),
        SigningAlgorithm::EdDSA => EncodingKey::from_ed_der(pkcs8),
        SigningAlgorithm::RS256 | SigningAlgorithm::PS256 => {
            let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(pkcs8));
            EncodingKey::from_rsa_pem(pem.as_bytes())?
        }
    })
}

const fn is_rsa(algorithm: SigningAlgorithm) -> bool {
    match algorithm {
        SigningAlgorithm::RS256 | SigningAlgorithm::PS256 => true,
        SigningAlgorithm::ES256 | SigningAlgorithm::EdDSA => false,
    }
}

const fn jws(algorithm: SigningAlgorithm) -> Algorithm {
    match algorithm {
        SigningAlgorithm::ES256 => Algorithm::ES256,
        SigningAlgorithm::EdDSA => Algorithm::EdDSA,
        SigningAlgorithm::RS256 => Algorithm::RS256,
        SigningAlgorithm::PS256 => Algorithm::PS256,
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{DecodingKey, Validation};

    use super::*;

    #[test]
    fn what_a_generated_key_signs_verifies_with_its_public_part() {
        for algorithm in SigningAlgorithm::ALL {
            let new = generate(algorithm).unwrap();
            let key = PrivateKey::open(algorithm, &new.private).unwrap();
            let claims = serde_json::json!({ "sub": "me", "exp": 4_000_000_000_u32 });
            let message = signing_input(&Header::new(jws(algorithm)), &claims);
            let signature = key.sign(message.as_bytes()).unwrap();
            let token = compact(message, &signature);
            let jwk: Jwk = serde_json::from_value(new.public.jwk.clone()).unwrap();
            let decoding = DecodingKey::from_jwk(&jwk).unwrap();
            assert!(jsonwebtoken::decode::<serde_json::Value>(&token, &decoding, &Validation::new(jws(algorithm))).is_ok());
            assert!(new.public.jwk.get("d").is_none(), "no private member is published");
        }
    }
}
