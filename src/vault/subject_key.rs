//! A person's own key: what is personal in the log is sealed under it, and is gone when it is destroyed.

use domain::{Sealed, UserId};
use serde::{Serialize, de::DeserializeOwned};

use super::cipher::{Cipher, Unreadable, random_key};

/// The key of one user.
pub struct SubjectKey {
    user: UserId,
    cipher: Cipher,
}

impl SubjectKey {
    /// 32 random bytes for a new user's key.
    #[must_use]
    pub fn generate() -> [u8; 32] {
        random_key()
    }

    /// Takes the key's bytes from the vault.
    ///
    /// # Errors
    /// `Unreadable` when they are not 32.
    pub fn new(user: UserId, bytes: &[u8]) -> Result<Self, Unreadable> {
        let key: &[u8; 32] = bytes.try_into().map_err(|_| Unreadable)?;
        Ok(Self { user, cipher: Cipher::new(key) })
    }

    /// Seals personal data; `what` names the member, so that one cannot be passed off as another.
    ///
    /// # Errors
    /// A value that has no JSON form.
    pub fn seal<T: Serialize>(&self, what: &str, personal: &T) -> Result<Sealed, serde_json::Error> {
        Ok(Sealed::new(self.cipher.seal(&self.context(what), &serde_json::to_vec(personal)?)))
    }

    /// Opens personal data.
    ///
    /// # Errors
    /// `Unreadable` when it was sealed under another key or as something else.
    pub fn open<T: DeserializeOwned>(&self, what: &str, sealed: &str) -> Result<T, Unreadable> {
        let plain = self.cipher.open(&self.context(what), sealed)?;
        serde_json::from_slice(&plain).map_err(|_| Unreadable)
    }

    fn context(&self, what: &str) -> String {
        format!("personal/{}/{what}", self.user)
    }
}
