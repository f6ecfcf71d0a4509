//! The master keys, from the settings: the current one seals, earlier ones still open until everything is sealed anew.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};

use super::{
    cipher::{Cipher, Unreadable, random_key},
    row_name,
};

/// One master key and the name by which sealed rows tell which key they need.
pub struct MasterKey {
    name: String,
    cipher: Cipher,
}

/// A text that is no master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a master key is 32 random bytes in base64: `openssl rand -base64 32` makes one")]
pub struct InvalidMasterKey;

impl MasterKey {
    /// Takes 32 bytes in base64.
    ///
    /// # Errors
    /// `InvalidMasterKey` for anything else.
    pub fn parse(text: &SecretString) -> Result<Self, InvalidMasterKey> {
        let bytes = STANDARD.decode(text.expose_secret().trim()).map_err(|_| InvalidMasterKey)?;
        let key: [u8; 32] = bytes.try_into().map_err(|_| InvalidMasterKey)?;
        let fingerprint = digest(&SHA256, &key);
        let name = fingerprint.as_ref().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { name, cipher: Cipher::new(&key) })
    }

    /// A new one, as the settings take it.
    #[must_use]
    pub fn generate() -> SecretString {
        STANDARD.encode(random_key()).into()
    }
}

/// The current master key and those before it.
pub struct MasterKeys {
    current: MasterKey,
    previous: Vec<MasterKey>,
}

impl MasterKeys {
    #[must_use]
    pub const fn new(current: MasterKey, previous: Vec<MasterKey>) -> Self {
        Self { current, previous }
    }

    /// Seals a vault row's value under the current key.
    #[must_use]
    pub fn seal(&self, kind: &str, id: &str, plain: &[u8]) -> String {
        format!("{}.{}", self.current.name, self.current.cipher.seal(&row_name(kind, id), plain))
    }

    /// Opens a vault row's value under whichever of the keys sealed it.
    ///
    /// # Errors
    /// `Unreadable` when none of them did.
    pub fn open(&self, kind: &str, id: &str, sealed: &str) -> Result<Vec<u8>, Unreadable> {
        let (name, text) = sealed.split_once('.').ok_or(Unreadable)?;
        let key = std::iter::once(&self.current).chain(&self.previous).find(|key| key.name == name).ok_or(Unreadable)?;
        key.cipher.open(&row_name(kind, id), text)
    }

    /// Whether a sealed value is sealed under the current key already.
    #[must_use]
    pub fn is_current(&self, sealed: &str) -> bool {
        sealed.split_once('.').is_some_and(|(name, _)| name == self.current.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> MasterKey {
        MasterKey::parse(&MasterKey::generate()).expect("a generated key parses")
    }

    #[test]
    fn an_earlier_key_still_opens_what_it_sealed() {
        let text = MasterKey::generate();
        let old = MasterKeys::new(MasterKey::parse(&text).unwrap(), Vec::new());
        let sealed = old.seal("password", "1", b"digest");
        let both = MasterKeys::new(key(), vec![MasterKey::parse(&text).unwrap()]);
        assert_eq!(both.open("password", "1", &sealed), Ok(b"digest".to_vec()));
        assert!(!both.is_current(&sealed));
        assert_eq!(MasterKeys::new(key(), Vec::new()).open("password", "1", &sealed), Err(Unreadable));
    }

    #[test]
    fn a_row_cannot_be_moved_to_another() {
        let keys = MasterKeys::new(key(), Vec::new());
        let sealed = keys.seal("password", "1", b"digest");
        assert_eq!(keys.open("password", "2", &sealed), Err(Unreadable));
        assert_eq!(keys.open("client_secret", "1", &sealed), Err(Unreadable));
    }

    #[test]
    fn anything_but_32_bytes_is_no_master_key() {
        for text in ["", "short", "AAAA", "!!!!"] {
            assert!(MasterKey::parse(&SecretString::from(text)).is_err(), "{text}");
        }
    }
}
