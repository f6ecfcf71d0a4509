//! The first administrator: made through a one-time link that the first start prints. There is no default password.

use domain::UserId;
use projections::account;
use secrecy::SecretString;

use crate::log::{Actor, Unavailable};

use super::{Dispatch, Done, NewUser, Refusal, UserRefusal, link::SET_UP};

/// How long a link works, in seconds: a day. The next start prints another.
pub(super) const LIFETIME: u32 = 86_400;

impl Dispatch {
    /// A new link's token, as long as there is no administrator.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn setup_token(&self) -> Result<Option<SecretString>, Unavailable> {
        if account::any_administrator(self.reads.db()).await? {
            return Ok(None);
        }
        Ok(Some(self.make_link(SET_UP, "", LIFETIME).await?))
    }

    /// Whether a link still works.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn setup_token_works(&self, token: &str) -> Result<bool, Unavailable> {
        Ok(self.link(SET_UP, token).await?.is_some())
    }

    /// Makes the first administrator, and uses the link up.
    ///
    /// # Errors
    /// That the link does not work any more, or name or password are refused.
    pub async fn set_up(&self, token: &str, new: NewUser) -> Result<Done<UserId>, Refusal<UserRefusal>> {
        let link = self.link(SET_UP, token).await?.ok_or(Refusal::Rule(UserRefusal::SetupLink))?;
        let administrator = NewUser { administrator: true, ..new };
        self.create(Actor::System, administrator, Some(link)).await
    }
}
