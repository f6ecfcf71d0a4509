//! AES-256-GCM with random nonces, over base64url: how everything sealed is sealed.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// A key that seals and opens. It prints nothing.
pub struct Cipher(RandomizedNonceKey);

/// A sealed value that this key does not open: another key's, another row's, or damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value cannot be opened with this key")]
pub struct Unreadable;

impl Cipher {
    /// Takes a key of 32 bytes.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self(RandomizedNonceKey::new(&AES_256_GCM, key).expect("AES-256 takes 32 bytes"))
    }

    /// Seals bytes; `context` says what they are, and must be the same to open them.
    #[must_use]
    pub fn seal(&self, context: &str, plain: &[u8]) -> String {
        let mut sealed = plain.to_vec();
        let nonce = self.0.seal_in_place_append_tag(Aad::from(context), &mut sealed).expect("a short text can be sealed");
        let mut framed = nonce.as_ref().to_vec();
        framed.append(&mut sealed);
        URL_SAFE_NO_PAD.encode(framed)
    }

    /// Opens what `seal` gave.
    ///
    /// # Errors
    /// `Unreadable` when key, context or text are not those it was sealed with.
    pub fn open(&self, context: &str, sealed: &str) -> Result<Vec<u8>, Unreadable> {
        let mut framed = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| Unreadable)?;
        if framed.len() < NONCE_LEN {
            return Err(Unreadable);
        }
        let (nonce, text) = framed.split_at_mut(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unreadable)?;
        let plain = self.0.open_in_place(nonce, Aad::from(context), text).map_err(|_| Unreadable)?;
        Ok(plain.to_vec())
    }
}

/// 32 bytes from the system's random generator.
#[must_use]
pub(super) fn random_key() -> [u8; 32] {
    let mut key = [0; 32];
    aws_lc_rs::rand::fill(&mut key).expect("the system has a random generator");
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_the_same_key_and_context_only() {
        let cipher = Cipher::new(&random_key());
        let sealed = cipher.seal("vault/password/1", b"digest");
        assert_eq!(cipher.open("vault/password/1", &sealed), Ok(b"digest".to_vec()));
        assert_eq!(cipher.open("vault/password/2", &sealed), Err(Unreadable));
        assert_eq!(Cipher::new(&random_key()).open("vault/password/1", &sealed), Err(Unreadable));
    }

    #[test]
    fn a_damaged_text_is_unreadable() {
        let cipher = Cipher::new(&random_key());
        let sealed = cipher.seal("x", b"text");
        for damaged in ["", "AAAA", "not base64!", &sealed[1..], &sealed[..sealed.len() - 2]] {
            assert_eq!(cipher.open("x", damaged), Err(Unreadable), "{damaged}");
        }
    }
}
