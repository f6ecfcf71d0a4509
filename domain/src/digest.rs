//! SHA-256 digests: all that is ever kept of a code, a token or a generated secret.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The SHA-256 digest of a secret, in base64url.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// The digest of a secret's bytes.
    #[must_use]
    pub fn of(secret: &[u8]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(Sha256::digest(secret)))
    }

    /// Takes a digest that was stored or imported: 43 characters of base64url.
    #[must_use]
    pub const fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// Whether both are of one secret, in a time that tells nothing about where they differ.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        let differing = self.0.bytes().zip(other.0.bytes()).fold(0, |differing, (own, other)| differing | (own ^ other));
        self.0.len() == other.0.len() && differing == 0
    }

    /// 43 characters of base64url.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({}..)", self.0.get(..6).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_sha_256_in_base64url() {
        assert_eq!(Digest::of(b"").as_str(), "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU");
    }

    #[test]
    fn digests_of_one_secret_are_the_same() {
        assert!(Digest::of(b"a").is(&Digest::of(b"a")));
        assert!(!Digest::of(b"a").is(&Digest::of(b"b")));
        assert!(!Digest::of(b"a").is(&Digest::from_stored(Digest::of(b"a").as_str()[..42].to_owned())));
        assert!(!Digest::from_stored(String::new()).is(&Digest::of(b"a")));
    }

    #[test]
    fn a_digest_prints_its_beginning_alone() {
        assert_eq!(format!("{:?}", Digest::of(b"")), "Digest(47DEQp..)");
    }
}
