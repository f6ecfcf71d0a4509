//! The first administrator: made through a one-time link that the first start prints. There is no default password.

use domain::{Digest, Timestamp, UserId};
use projections::account;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    credential::random_secret,
    ephemeral,
    log::{Actor, EphemeralChange, Unavailable},
};

use super::{Dispatch, Done, NewUser, Refusal, UserRefusal};

/// The ephemeral kinds of a link's digest, and of one that was used.
const LINK: &str = "setup_link";
const USED: &str = "setup_link_used";
/// How long a link works, in seconds: a day. The next start prints another.
const LIFETIME: u32 = 86_400;

impl Dispatch {
    /// A new link's token, as long as there is no administrator.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn setup_token(&self) -> Result<Option<SecretString>, Unavailable> {
        if account::any_administrator(self.reads.db()).await? {
            return Ok(None);
        }
        let token = random_secret();
        let digest = Digest::of(token.expose_secret().as_bytes());
        ephemeral::put(self.log.db(), LINK, digest.as_str(), "", self.clock.now().plus(LIFETIME)).await?;
        Ok(Some(token))
    }

    /// Whether a link still works.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn setup_token_works(&self, token: &str) -> Result<bool, Unavailable> {
        let digest = Digest::of(token.as_bytes());
        let now = self.clock.now();
        let made = ephemeral::get(self.log.db(), LINK, digest.as_str(), now).await?.is_some();
        Ok(made && ephemeral::get(self.log.db(), USED, digest.as_str(), now).await?.is_none())
    }

    /// Makes the first administrator, and uses the link up.
    ///
    /// # Errors
    /// That the link does not work any more, or name or password are refused.
    pub async fn set_up(&self, token: &str, new: NewUser) -> Result<Done<UserId>, Refusal<UserRefusal>> {
        if !self.setup_token_works(token).await? {
            return Err(Refusal::Rule(UserRefusal::SetupLink));
        }
        let administrator = NewUser { administrator: true, ..new };
        self.create(Actor::System, administrator, Some(Digest::of(token.as_bytes()))).await
    }
}

/// The claim by which a link is used once.
pub(super) fn used(link: &Digest, now: Timestamp) -> EphemeralChange {
    EphemeralChange::Claim { kind: USED, key: link.as_str().to_owned(), expires_at: now.plus(LIFETIME) }
}
