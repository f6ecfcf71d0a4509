//! Whether a secret is one of a client's: by its digest at once, or by argon2id once and afterwards by a MAC that this process remembers.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use domain::{
    Digest,
    client::{ClientSecret, Registration},
};
use quick_cache::sync::Cache;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    log::Unavailable,
    vault::{MacPurpose, kind},
};

use super::Inner;

/// How many slowly verified secrets are remembered.
const REMEMBERED: usize = 4096;

/// Fast MACs of secrets that were verified slowly.
pub(super) struct VerifiedSecrets(Cache<String, ()>);

impl VerifiedSecrets {
    pub(super) fn new() -> Self {
        Self(Cache::new(REMEMBERED))
    }
}

impl Inner {
    /// Whether a secret is one of a client's own that work.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn is_secret_of(&self, secret: &SecretString, registration: &Registration) -> Result<bool, Unavailable> {
        let digest = Digest::of(secret.expose_secret().as_bytes());
        let now = self.clock.now();
        let usable: Vec<_> = registration.usable_secrets(now).collect();
        let same = |kept: &ClientSecret| {
            kept.digest
                .as_ref()
                .is_some_and(|kept| verify_slices_are_equal(kept.as_str().as_bytes(), digest.as_str().as_bytes()).is_ok())
        };
        if usable.iter().any(|kept| same(kept)) {
            return Ok(true);
        }
        for slow in usable.iter().filter(|kept| kept.digest.is_none()) {
            if self.slow_secret_is_right(secret, slow).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// argon2id once; afterwards this process knows the secret by a MAC under a key of the server.
    async fn slow_secret_is_right(&self, secret: &SecretString, kept: &ClientSecret) -> Result<bool, Unavailable> {
        let id = kept.id.to_string();
        let mac = self.keys.mac(MacPurpose::VerifiedSecret, format!("{id}.{}", secret.expose_secret()).as_bytes());
        if self.verified_secrets.0.get(&mac).is_some() {
            return Ok(true);
        }
        let Some(sealed) = self.vault.get(kind::CLIENT_SECRET, &id).await? else {
            return Ok(false);
        };
        let phc = self.master.open(kind::CLIENT_SECRET, &id, &sealed).map_err(|_| Unavailable)?;
        let phc = String::from_utf8(phc).map_err(|_| Unavailable)?;
        let right = self.passwords.verify(secret.clone(), Some(phc)).await;
        if right {
            self.verified_secrets.0.insert(mac, ());
        }
        Ok(right)
    }
}
