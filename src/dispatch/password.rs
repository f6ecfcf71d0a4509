//! Passwords: set, changed by whoever knows the present one, and checked, at the same cost for nobody as for somebody.

use domain::UserId;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    ephemeral,
    log::{Actor, Unavailable, VaultChange},
    vault::kind,
};

use super::{
    Dispatch, Done, Inner, Refusal, UserRefusal,
    user::{Change, UserChange},
    work::Work,
};

/// The ephemeral kind that counts tries of a current password.
const PASSWORD_CHANGE: &str = "password_change";

/// Why a password is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRefusal {
    #[error("a password has at least {0} characters")]
    TooShort(usize),
    #[error("a password has at most {0} bytes")]
    TooLong(usize),
    #[error("the digest is no argon2 PHC string")]
    UnknownDigest,
}

impl Dispatch {
    /// Sets a password: all that was issued to the user before is dead.
    ///
    /// # Errors
    /// That the password is refused, or there is no such user.
    pub async fn set_password(&self, actor: Actor, id: UserId, new: SecretString) -> Result<Done<()>, Refusal<UserRefusal>> {
        let phc = self.new_password(new).await?;
        self.perform(actor, &Change { id, change: UserChange::SetPassword { phc, by_themselves: false } }).await
    }

    /// A user changes their own password.
    ///
    /// # Errors
    /// That the current one is wrong, or was guessed at too often, or the new one is refused.
    pub async fn change_password(
        &self,
        id: UserId,
        current: SecretString,
        new: SecretString,
    ) -> Result<Done<()>, Refusal<UserRefusal>> {
        self.prove_password(id, current).await?;
        let phc = self.new_password(new).await?;
        self.perform(Actor::User(id), &Change { id, change: UserChange::SetPassword { phc, by_themselves: true } }).await
    }

    /// Somebody who is signed in proves that they are who signed in, before they change how they do.
    ///
    /// # Errors
    /// That the password is wrong, or was guessed at too often.
    pub async fn prove_password(&self, id: UserId, current: SecretString) -> Result<(), Refusal<UserRefusal>> {
        self.count_change(id).await?;
        if !self.password_is_right(Some(id), current).await? {
            return Err(Refusal::Rule(UserRefusal::WrongPassword));
        }
        Ok(ephemeral::forget(self.log.db(), PASSWORD_CHANGE, &id.to_string()).await?)
    }

    /// Counts the try before it is made: whoever sits at somebody's open browser guesses no oftener than at the sign-in page.
    async fn count_change(&self, id: UserId) -> Result<(), Refusal<UserRefusal>> {
        if self.count_for_account(PASSWORD_CHANGE, &id.to_string()).await? > 0 {
            return Err(Refusal::Rule(UserRefusal::TooManyTries { retry_after: self.settings.limits.sign_in_window }));
        }
        Ok(())
    }

    pub(super) async fn new_password(&self, password: SecretString) -> Result<String, Refusal<UserRefusal>> {
        let limits = &self.settings.limits;
        let refused = |refusal| Err(Refusal::Rule(UserRefusal::Password(refusal)));
        if password.expose_secret().len() > limits.password_max_bytes {
            return refused(PasswordRefusal::TooLong(limits.password_max_bytes));
        }
        if password.expose_secret().chars().count() < limits.password_min_chars {
            return refused(PasswordRefusal::TooShort(limits.password_min_chars));
        }
        Ok(self.passwords.hash(password).await)
    }
}

impl Inner {
    /// Whether this is the user's password; at the same cost `false` for nobody. A password beyond the bound is wrong unhashed.
    pub(crate) async fn password_is_right(&self, id: Option<UserId>, password: SecretString) -> Result<bool, Unavailable> {
        if password.expose_secret().len() > self.settings.limits.password_max_bytes {
            return Ok(false);
        }
        let name = id.map(|id| id.to_string()).unwrap_or_default();
        let digest = match self.vault.get(kind::PASSWORD, &name).await? {
            None => None,
            Some(sealed) => {
                let phc = self.master.open(kind::PASSWORD, &name, &sealed).map_err(|_| Unavailable)?;
                Some(String::from_utf8(phc).map_err(|_| Unavailable)?)
            }
        };
        Ok(self.passwords.verify(password, digest).await)
    }
}

impl Work<'_> {
    pub(super) fn put_password(&mut self, id: UserId, phc: &str) {
        let id = id.to_string();
        let sealed = self.inner.master.seal(kind::PASSWORD, &id, phc.as_bytes());
        self.vault.push(VaultChange::Put { kind: kind::PASSWORD, id, sealed });
    }
}
