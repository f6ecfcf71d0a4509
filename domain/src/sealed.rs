//! Personal data as the log keeps it: unreadable without its subject's own key.

use serde::{Deserialize, Serialize};

/// AES-256-GCM output in base64url, sealed under the key of the person it is about. Destroying that key erases it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(String);

impl Sealed {
    /// Takes what the vault's cipher gave.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The sealed text, for the vault's cipher to open.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A keyed digest of a sign-in name, by which the name is found without being readable.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BlindIndex(String);

impl BlindIndex {
    /// Takes a MAC in base64url.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The MAC in base64url.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
