//! A private key, opened once. jsonwebtoken's `encode` reads and checks the key again at every signature, which costs as much as the
//! signature itself.

use aws_lc_rs::{
    error::{KeyRejected, Unspecified},
    rand::SystemRandom,
    rsa::KeyPair as RsaKeyPair,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding},
};
use domain::client::SigningAlgorithm;

/// A private key by its algorithm.
pub(super) enum PrivateKey {
    EdDSA(Ed25519KeyPair),
    ES256(EcdsaKeyPair),
    RS256(Box<RsaKeyPair>),
    PS256(Box<RsaKeyPair>),
}

impl PrivateKey {
    /// Reads and checks a key in the form PKCS #8.
    ///
    /// # Errors
    /// That it is no key of this algorithm.
    pub(super) fn open(algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Result<Self, KeyRejected> {
        Ok(match algorithm {
            SigningAlgorithm::EdDSA => Self::EdDSA(Ed25519KeyPair::from_pkcs8(pkcs8)?),
            SigningAlgorithm::ES256 => Self::ES256(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8)?),
            SigningAlgorithm::RS256 => Self::RS256(Box::new(RsaKeyPair::from_pkcs8(pkcs8)?)),
            SigningAlgorithm::PS256 => Self::PS256(Box::new(RsaKeyPair::from_pkcs8(pkcs8)?)),
        })
    }

    /// The signature in the form of a JWS (RFC 7518 sections 3.3 to 3.5, RFC 8037 section 3.1).
    ///
    /// # Errors
    /// Where the library cannot sign.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        match self {
            Self::EdDSA(key) => Ok(key.sign(message).as_ref().to_vec()),
            Self::ES256(key) => Ok(key.sign(&SystemRandom::new(), message)?.as_ref().to_vec()),
            Self::RS256(key) => by_rsa(key, &RSA_PKCS1_SHA256, message),
            Self::PS256(key) => by_rsa(key, &RSA_PSS_SHA256, message),
        }
    }
}

fn by_rsa(key: &RsaKeyPair, padding: &'static dyn RsaEncoding, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(padding, &SystemRandom::new(), message, &mut signature)?;
    Ok(signature)
}
