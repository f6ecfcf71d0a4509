//! Users are made, changed, locked and erased. What is personal of them is sealed under their own key before it reaches the log.

use domain::{
    Decide, StreamId, UserId,
    sealed::BlindIndex,
    user::{User, UserCommand, UserError},
};
use secrecy::SecretString;
use uuid::Uuid;

use crate::{
    log::{Actor, ClaimChange, Unavailable, VaultChange},
    passwords::Passwords,
    vault::{SubjectKey, kind},
};

use super::{
    Dispatch, Done, PasswordRefusal, Profile, Refusal, UseCase,
    link::Link,
    profile::PROFILE,
    setup,
    work::{Loaded, Work},
};

/// A user to make.
pub struct NewUser {
    pub profile: Profile,
    pub password: Option<SecretString>,
    /// Instead of a password: an imported argon2 PHC string.
    pub password_digest: Option<String>,
    pub administrator: bool,
}

/// Why a command on a user is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserRefusal {
    #[error("{0}")]
    Rule(UserError),
    #[error("a user with this name exists already")]
    NameTaken,
    #[error("{0}")]
    Password(PasswordRefusal),
    #[error("a sign-in name has 1 to 255 characters, none of them a control character")]
    BadName,
    #[error("the current password is wrong")]
    WrongPassword,
    /// For so many seconds.
    #[error("too many tries")]
    TooManyTries { retry_after: u32 },
    #[error("the set-up link has expired or was used")]
    SetupLink,
    #[error("the link has expired or was used, or the password was changed since")]
    PasswordLink,
    #[error("the link has expired or was used, or the address was changed since")]
    EmailLink,
    #[error("this is no address that mails can be sent to")]
    BadEmail,
}

pub(super) struct Create {
    id: UserId,
    profile: Profile,
    phc: Option<String>,
    administrator: bool,
    /// The one-time link that it uses up.
    setup: Option<Link>,
}

pub(super) struct Change {
    pub(super) id: UserId,
    pub(super) change: UserChange,
}

pub(super) enum UserChange {
    SetPassword { phc: String, by_themselves: bool },
    Lock,
    Unlock,
    SetAdministrator(bool),
    Erase,
}

impl Dispatch {
    /// Makes a user.
    ///
    /// # Errors
    /// That the name is taken, or name or password are refused.
    pub async fn create_user(&self, actor: Actor, new: NewUser) -> Result<Done<UserId>, Refusal<UserRefusal>> {
        self.create(actor, new, None).await
    }

    pub(super) async fn create(
        &self,
        actor: Actor,
        new: NewUser,
        setup: Option<Link>,
    ) -> Result<Done<UserId>, Refusal<UserRefusal>> {
        let name = new.profile.username.trim();
        if name.is_empty() || name.chars().count() > 255 || name.chars().any(char::is_control) {
            return Err(Refusal::Rule(UserRefusal::BadName));
        }
        let phc = match (new.password, new.password_digest) {
            (Some(password), _) => Some(self.new_password(password).await?),
            (None, Some(digest)) => {
                let unknown = |_| Refusal::Rule(UserRefusal::Password(PasswordRefusal::UnknownDigest));
                Passwords::check_digest(&digest).map_err(unknown)?;
                Some(digest)
            }
            (None, None) => None,
        };
        let id = UserId::new(Uuid::now_v7());
        let create = Create { id, profile: new.profile, phc, administrator: new.administrator, setup };
        let done = self.perform(actor, &create).await?;
        Ok(Done { answer: id, position: done.position })
    }

    /// Locks a user out: all that was issued to them is dead.
    ///
    /// # Errors
    /// That there is no such user.
    pub async fn lock_user(&self, actor: Actor, id: UserId) -> Result<Done<()>, Refusal<UserRefusal>> {
        self.perform(actor, &Change { id, change: UserChange::Lock }).await
    }

    /// Lets a user sign in again: nothing is revived.
    ///
    /// # Errors
    /// That there is no such user.
    pub async fn unlock_user(&self, actor: Actor, id: UserId) -> Result<Done<()>, Refusal<UserRefusal>> {
        self.perform(actor, &Change { id, change: UserChange::Unlock }).await
    }

    /// Makes a user an administrator, or no longer one.
    ///
    /// # Errors
    /// That there is no such user.
    pub async fn set_administrator(&self, actor: Actor, id: UserId, yes: bool) -> Result<Done<()>, Refusal<UserRefusal>> {
        self.perform(actor, &Change { id, change: UserChange::SetAdministrator(yes) }).await
    }

    /// Erases a user: their key is destroyed in the transaction of the event, and nothing personal can be read again.
    ///
    /// # Errors
    /// That there is no such user.
    pub async fn erase_user(&self, actor: Actor, id: UserId) -> Result<Done<()>, Refusal<UserRefusal>> {
        self.perform(actor, &Change { id, change: UserChange::Erase }).await
    }
}

fn sign_in_claim(name: &BlindIndex) -> String {
    format!("sign_in_name/{}", name.as_str())
}

impl UseCase for Create {
    type Answer = ();
    type Refusal = UserRefusal;

    fn name_taken(&self, name: &str) -> Option<UserRefusal> {
        let link_used = self.setup.as_ref().is_some_and(|link| link.claims(name));
        Some(if link_used { UserRefusal::SetupLink } else { UserRefusal::NameTaken })
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<(), Refusal<UserRefusal>> {
        let user = Loaded::<User>::new_stream(self.id.uuid());
        let bytes = SubjectKey::generate();
        let key = SubjectKey::new(self.id, &bytes).map_err(|_| Unavailable)?;
        let profile = key.seal(PROFILE, &self.profile.dated(work.now)).map_err(|_| Unavailable)?;
        let name = self.id.to_string();
        let sealed = work.inner.master.seal(kind::SUBJECT_KEY, &name, &bytes);
        work.vault.push(VaultChange::Put { kind: kind::SUBJECT_KEY, id: name, sealed });
        if let Some(phc) = &self.phc {
            work.put_password(self.id, phc);
        }
        if let Some(link) = &self.setup {
            work.use_up(link, setup::LIFETIME);
        }
        let sign_in_name = work.inner.keys.blind_index(&self.profile.username);
        let stream = User::stream(self.id.uuid());
        work.claims.push(ClaimChange::Take { name: sign_in_claim(&sign_in_name), stream: stream.clone() });
        work.claims.push(ClaimChange::Take { name: format!("subject/{}", self.id), stream });
        let (administrator, has_password, at) = (self.administrator, self.phc.is_some(), work.now);
        let verified_email = work.inner.verified_email(&self.profile);
        let command = UserCommand::Create { sign_in_name, profile, verified_email, administrator, has_password, at };
        work.decide(&user, command).map_err(|error| Refusal::Rule(UserRefusal::Rule(error)))?;
        Ok(())
    }
}

impl UseCase for Change {
    type Answer = ();
    type Refusal = UserRefusal;

    fn stream(&self) -> Option<StreamId> {
        Some(User::stream(self.id.uuid()))
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<(), Refusal<UserRefusal>> {
        let user = work.load::<User>(self.id.uuid()).await?;
        let at = work.now;
        let command = match &self.change {
            UserChange::SetPassword { phc, by_themselves } => {
                work.put_password(self.id, phc);
                UserCommand::SetPassword { by_themselves: *by_themselves, proof: None, at }
            }
            UserChange::Lock => UserCommand::Lock { at },
            UserChange::Unlock => UserCommand::Unlock { at },
            UserChange::SetAdministrator(administrator) => UserCommand::SetAdministrator { administrator: *administrator, at },
            UserChange::Erase => {
                if let User::Present { sign_in_name, .. } = user.state.as_ref() {
                    work.claims.push(ClaimChange::Release { name: sign_in_claim(sign_in_name) });
                }
                for kind in [kind::SUBJECT_KEY, kind::PASSWORD, kind::AUTHENTICATOR] {
                    work.vault.push(VaultChange::Delete { kind, id: self.id.to_string() });
                }
                UserCommand::Erase { at }
            }
        };
        work.decide(&user, command).map_err(|error| Refusal::Rule(UserRefusal::Rule(error)))?;
        Ok(())
    }
}
