//! Second factors: an authenticator application or a passkey is set up, recovery codes are made, all are removed; and what somebody proves
//! with them is checked.

mod passkey;
mod proof;
mod recovery_codes;

use domain::{
    Decide, Digest, PasskeyId, StreamId, UserId,
    user::{NewPasskey, SecondFactors, User, UserCommand, UserError, UserEvent},
};
pub use passkey::KnownPasskey;
pub(super) use proof::{PasskeyProof, Proof, Used};
use recovery_codes::recovery_codes;
use secrecy::SecretString;

use crate::{
    authenticator::Authenticator,
    log::{Actor, Unavailable, VaultChange},
    passkeys::{Made, Spend},
    vault::kind,
};

use super::{
    Dispatch, Done, Inner, Refusal, UseCase,
    work::{Loaded, Work},
};

/// Why nothing was done with somebody's second factors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecondFactorRefusal {
    #[error("{0}")]
    Rule(UserError),
    #[error("the code is wrong, or was used")]
    WrongCode,
    #[error("the passkey is not what was asked for")]
    WrongPasskey,
    #[error("the page was used already")]
    Spent,
    #[error("a passkey's name has 1 to {0} characters, none of them a control character")]
    BadName(usize),
}

/// A change to somebody's second factors.
struct Change {
    id: UserId,
    change: FactorChange,
}

enum FactorChange {
    /// With the time step of the code that was shown.
    EnrolAuthenticator {
        secret: Vec<u8>,
        step: u64,
        codes: Vec<Digest>,
    },
    RemoveAuthenticator {
        by_themselves: bool,
    },
    EnrolPasskey {
        id: PasskeyId,
        made: Box<Made>,
        name: String,
        ceremony: Spend,
        codes: Vec<Digest>,
    },
    RenamePasskey {
        id: PasskeyId,
        name: String,
    },
    RemovePasskey {
        id: PasskeyId,
        by_themselves: bool,
    },
    RemoveAll {
        by_themselves: bool,
    },
    MakeCodes {
        codes: Vec<Digest>,
    },
}

impl Dispatch {
    /// Enrols an authenticator application whose code is right; gives the recovery codes, which nobody can be told again, to whoever has none.
    ///
    /// # Errors
    /// That the code is wrong, or the user has an application already.
    pub async fn enrol_authenticator(
        &self,
        id: UserId,
        secret: &[u8],
        code: &str,
    ) -> Result<Done<Option<Vec<SecretString>>>, Refusal<SecondFactorRefusal>> {
        let step = self.authenticator(secret, "")?.step_of(code, self.clock.now());
        let step = step.ok_or(Refusal::Rule(SecondFactorRefusal::WrongCode))?;
        self.with_codes(id, |codes| FactorChange::EnrolAuthenticator { secret: secret.to_vec(), step, codes }).await
    }

    /// Removes somebody's authenticator application, and the recovery codes with the last second factor.
    ///
    /// # Errors
    /// That there is no such user.
    pub async fn remove_authenticator(&self, id: UserId) -> Result<Done<()>, Refusal<SecondFactorRefusal>> {
        self.change_factors(Actor::User(id), id, FactorChange::RemoveAuthenticator { by_themselves: true }).await
    }

    /// Removes all that somebody proves beside their password.
    ///
    /// # Errors
    /// That there is no such user.
    pub async fn remove_second_factors(&self, actor: Actor, id: UserId) -> Result<Done<()>, Refusal<SecondFactorRefusal>> {
        let by_themselves = actor == Actor::User(id);
        self.change_factors(actor, id, FactorChange::RemoveAll { by_themselves }).await
    }

    /// Makes new recovery codes in place of those that there are.
    ///
    /// # Errors
    /// That the user has no second factor.
    pub async fn make_recovery_codes(&self, id: UserId) -> Result<Done<Option<Vec<SecretString>>>, Refusal<SecondFactorRefusal>> {
        self.with_codes(id, |codes| FactorChange::MakeCodes { codes }).await
    }

    /// What somebody proves beside their password.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn second_factors(&self, id: UserId) -> Result<SecondFactors, Unavailable> {
        Ok(self.load_fresh::<User>(id.uuid()).await?.state.second_factors())
    }

    /// A change that may make recovery codes; gives them where it did.
    async fn with_codes(
        &self,
        id: UserId,
        change: impl FnOnce(Vec<Digest>) -> FactorChange,
    ) -> Result<Done<Option<Vec<SecretString>>>, Refusal<SecondFactorRefusal>> {
        let (codes, digests) = recovery_codes();
        let done = self.perform(Actor::User(id), &Change { id, change: change(digests) }).await?;
        Ok(Done { answer: done.answer.then_some(codes), position: done.position })
    }

    async fn change_factors(
        &self,
        actor: Actor,
        id: UserId,
        change: FactorChange,
    ) -> Result<Done<()>, Refusal<SecondFactorRefusal>> {
        let done = self.perform(actor, &Change { id, change }).await?;
        Ok(Done { answer: (), position: done.position })
    }
}

impl Inner {
    /// An authenticator application with a secret, for the account of somebody.
    pub(crate) fn authenticator(&self, secret: &[u8], account: &str) -> Result<Authenticator, Unavailable> {
        Authenticator::new(secret, self.settings.host(), account).ok_or(Unavailable)
    }
}

fn rule(error: UserError) -> Refusal<SecondFactorRefusal> {
    Refusal::Rule(SecondFactorRefusal::Rule(error))
}

impl UseCase for Change {
    /// Whether recovery codes were made.
    type Answer = bool;
    type Refusal = SecondFactorRefusal;

    fn stream(&self) -> Option<StreamId> {
        Some(User::stream(self.id.uuid()))
    }

    /// Only a code's time step and a ceremony are claimed.
    fn name_taken(&self, _name: &str) -> Option<SecondFactorRefusal> {
        match &self.change {
            FactorChange::EnrolPasskey { .. } => Some(SecondFactorRefusal::Spent),
            FactorChange::EnrolAuthenticator { .. }
            | FactorChange::RemoveAuthenticator { .. }
            | FactorChange::RenamePasskey { .. }
            | FactorChange::RemovePasskey { .. }
            | FactorChange::RemoveAll { .. }
            | FactorChange::MakeCodes { .. } => Some(SecondFactorRefusal::WrongCode),
        }
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<bool, Refusal<SecondFactorRefusal>> {
        let user = work.load::<User>(self.id.uuid()).await?;
        let command = self.command(work, &user).await?;
        let (events, _) = work.decide(&user, command).map_err(rule)?;
        self.keep_beside(work);
        Ok(events.iter().any(|event| matches!(event, UserEvent::RecoveryCodesMade { .. })))
    }
}

impl Change {
    async fn command(&self, work: &Work<'_>, user: &Loaded<User>) -> Result<UserCommand, Refusal<SecondFactorRefusal>> {
        let at = work.now;
        Ok(match &self.change {
            FactorChange::EnrolAuthenticator { codes, .. } => {
                UserCommand::EnrolAuthenticator { recovery_codes: codes.clone(), at }
            }
            FactorChange::RemoveAuthenticator { by_themselves } => {
                UserCommand::RemoveAuthenticator { by_themselves: *by_themselves, at }
            }
            FactorChange::EnrolPasskey { id, made, name, codes, .. } => {
                let key = work.inner.subject_key(self.id).await?.ok_or(rule(UserError::Unknown))?;
                passkey::is_new(&key, &user.state.second_factors(), made)?;
                let credential = passkey::sealed_credential(&key, *id, &made.credential)?;
                let (name, state) = (passkey::sealed_name(&key, *id, name)?, made.state);
                let (sign_count, backed_up) = (state.sign_count, state.backed_up);
                let passkey = NewPasskey { passkey_id: *id, credential, name, sign_count, backed_up };
                UserCommand::EnrolPasskey { passkey, recovery_codes: codes.clone(), at }
            }
            FactorChange::RenamePasskey { id, name } => {
                let key = work.inner.subject_key(self.id).await?.ok_or(rule(UserError::Unknown))?;
                UserCommand::RenamePasskey { passkey_id: *id, name: passkey::sealed_name(&key, *id, name)?, at }
            }
            FactorChange::RemovePasskey { id, by_themselves } => {
                UserCommand::RemovePasskey { passkey_id: *id, by_themselves: *by_themselves, at }
            }
            FactorChange::RemoveAll { by_themselves } => UserCommand::RemoveSecondFactors { by_themselves: *by_themselves, at },
            FactorChange::MakeCodes { codes } => UserCommand::MakeRecoveryCodes { recovery_codes: codes.clone(), at },
        })
    }

    /// What is kept in the same append, but not in the log: the application's secret; and what is used up.
    fn keep_beside(&self, work: &mut Work<'_>) {
        let (kind, id) = (kind::AUTHENTICATOR, self.id.to_string());
        match &self.change {
            FactorChange::EnrolAuthenticator { secret, step, .. } => {
                let sealed = work.inner.master.seal(kind, &id, secret);
                work.vault.push(VaultChange::Put { kind, id, sealed });
                work.ephemeral.push(proof::taken(self.id, *step, work.now));
            }
            FactorChange::RemoveAuthenticator { .. } | FactorChange::RemoveAll { .. } => {
                work.vault.push(VaultChange::Delete { kind, id });
            }
            FactorChange::EnrolPasskey { ceremony, .. } => work.ephemeral.push(ceremony.claim()),
            FactorChange::RenamePasskey { .. } | FactorChange::RemovePasskey { .. } | FactorChange::MakeCodes { .. } => {}
        }
    }
}
