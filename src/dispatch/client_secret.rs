//! The secret of a client that proves who it is by one: made here, chosen, or imported as a digest.

use domain::{
    Digest, SecretId,
    client::{ClientError, ClientSecret},
};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::{credential::random_secret, log::VaultChange, passwords::Passwords, vault::kind};

use super::{Dispatch, work::Work};

/// Where a confidential client's secret comes from. A public client gets none.
#[derive(Clone)]
pub enum SecretChoice {
    /// 256 random bits, shown once, kept as a digest.
    Generated,
    /// Chosen or imported: kept under argon2id in the vault.
    Chosen(SecretString),
    /// The argon2 PHC string of one that only the client knows.
    Digest(String),
}

/// A secret ready to be written.
pub(super) struct PreparedSecret {
    pub(super) kept: ClientSecret,
    /// A slow digest for the vault.
    phc: Option<String>,
    /// `None` where only the client knows it.
    pub(super) shown: Option<SecretString>,
}

impl Dispatch {
    pub(super) async fn prepare_secret(&self, choice: SecretChoice) -> Result<PreparedSecret, ClientError> {
        let id = SecretId::new(Uuid::now_v7());
        let kept = |digest| ClientSecret { id, digest, expires_at: None };
        match choice {
            SecretChoice::Generated => {
                let shown = random_secret();
                let digest = Some(Digest::of(shown.expose_secret().as_bytes()));
                Ok(PreparedSecret { kept: kept(digest), phc: None, shown: Some(shown) })
            }
            SecretChoice::Chosen(shown) => {
                check_secret(shown.expose_secret())?;
                let phc = Some(self.passwords.hash(shown.clone()).await);
                Ok(PreparedSecret { kept: kept(None), phc, shown: Some(shown) })
            }
            SecretChoice::Digest(phc) => {
                let unknown = |error| ClientError::InvalidMetadata(format!("client_secret: {error}"));
                Passwords::check_digest(&phc).map_err(unknown)?;
                Ok(PreparedSecret { kept: kept(None), phc: Some(phc), shown: None })
            }
        }
    }
}

impl PreparedSecret {
    pub(super) fn put_in_vault(&self, work: &mut Work<'_>) {
        if let Some(phc) = &self.phc {
            let id = self.kept.id.to_string();
            let sealed = work.inner.master.seal(kind::CLIENT_SECRET, &id, phc.as_bytes());
            work.vault.push(VaultChange::Put { kind: kind::CLIENT_SECRET, id, sealed });
        }
    }
}

/// RFC 6749 appendix A.2, and bounded: it is hashed slowly at each use.
fn check_secret(secret: &str) -> Result<(), ClientError> {
    if (1..=1024).contains(&secret.len()) && secret.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) {
        return Ok(());
    }
    Err(ClientError::InvalidMetadata("client_secret must be 1 to 1024 printable ASCII characters".to_owned()))
}
