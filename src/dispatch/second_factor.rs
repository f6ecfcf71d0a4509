//! Second factors: an authenticator application is set up, recovery codes are made, both are removed; and a code of either is checked.

use std::sync::Arc;

use domain::{
    Decide, Digest, StreamId, Timestamp, UserId,
    session::ContextClass,
    user::{SecondFactors, User, UserCommand, UserError},
};
use secrecy::SecretString;

use crate::{
    authenticator::{self, Authenticator},
    log::{Actor, EphemeralChange, Unavailable, VaultChange},
    vault::kind,
};

use super::{Dispatch, Done, Inner, Refusal, UseCase, work::Work};

/// The ephemeral kind of the time steps whose code was taken.
const TAKEN: &str = "authenticator_step";
/// Recovery codes that somebody has at once.
const RECOVERY_CODES: usize = 10;
/// Of a recovery code, in characters of five bits: 80 bits, of which a digest tells nothing.
const RECOVERY_CODE_LENGTH: usize = 16;
/// What recovery codes are written with: no letter that looks like another, or like a digit (RFC 4648 base32, in small letters).
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Why nothing was done with somebody's second factors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecondFactorRefusal {
    #[error("{0}")]
    Rule(UserError),
    #[error("the code is wrong, or was used")]
    WrongCode,
}

/// How somebody proves who they are, as it was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    Password,
    /// And the code of this time step.
    Authenticator {
        step: u64,
    },
    /// And a recovery code.
    RecoveryCode(Digest),
}

/// A change to somebody's second factors.
struct Change {
    id: UserId,
    change: FactorChange,
}

enum FactorChange {
    /// With the time step of the code that was shown.
    Enrol {
        secret: Vec<u8>,
        step: u64,
        codes: Vec<Digest>,
    },
    Remove {
        by_themselves: bool,
    },
    MakeCodes {
        codes: Vec<Digest>,
    },
}

impl Dispatch {
    /// Enrols an authenticator application whose code is right; gives the recovery codes, which nobody can be told again.
    ///
    /// # Errors
    /// That the code is wrong, or the user has an application already.
    pub async fn enrol_authenticator(
        &self,
        id: UserId,
        secret: &[u8],
        code: &str,
    ) -> Result<Done<Vec<SecretString>>, Refusal<SecondFactorRefusal>> {
        let step = self.authenticator(secret, "")?.step_of(code, self.clock.now());
        let step = step.ok_or(Refusal::Rule(SecondFactorRefusal::WrongCode))?;
        let (codes, digests) = recovery_codes();
        let change = FactorChange::Enrol { secret: secret.to_vec(), step, codes: digests };
        let done = self.perform(Actor::User(id), &Change { id, change }).await?;
        Ok(Done { answer: codes, position: done.position })
    }

    /// Removes somebody's authenticator application, and with it their recovery codes.
    ///
    /// # Errors
    /// That there is no such user.
    pub async fn remove_authenticator(&self, actor: Actor, id: UserId) -> Result<Done<()>, Refusal<SecondFactorRefusal>> {
        let by_themselves = actor == Actor::User(id);
        self.perform(actor, &Change { id, change: FactorChange::Remove { by_themselves } }).await
    }

    /// Makes new recovery codes in place of those that there are.
    ///
    /// # Errors
    /// That the user has no second factor.
    pub async fn make_recovery_codes(&self, id: UserId) -> Result<Done<Vec<SecretString>>, Refusal<SecondFactorRefusal>> {
        let (codes, digests) = recovery_codes();
        let change = FactorChange::MakeCodes { codes: digests };
        let done = self.perform(Actor::User(id), &Change { id, change }).await?;
        Ok(Done { answer: codes, position: done.position })
    }

    /// What somebody proves beside their password.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn second_factors(&self, id: UserId) -> Result<SecondFactors, Unavailable> {
        Ok(self.load_fresh::<User>(id.uuid()).await?.state.second_factors())
    }
}

impl Inner {
    /// An authenticator application with a secret, for the account of somebody.
    pub(crate) fn authenticator(&self, secret: &[u8], account: &str) -> Result<Authenticator, Unavailable> {
        Authenticator::new(secret, self.settings.host(), account).ok_or(Unavailable)
    }

    /// What a code of somebody's proves: of their application, or a recovery code. `None` where it is wrong.
    pub(super) async fn read_code(&self, id: UserId, code: &str) -> Result<Option<Proof>, Unavailable> {
        let name = id.to_string();
        if let Some(sealed) = self.vault.get(kind::AUTHENTICATOR, &name).await? {
            let secret = self.master.open(kind::AUTHENTICATOR, &name, &sealed).map_err(|_| Unavailable)?;
            if let Some(step) = self.authenticator(&secret, "")?.step_of(code, self.clock.now()) {
                return Ok(Some(Proof::Authenticator { step }));
            }
        }
        let code = digest_of(code);
        let known = self.load_fresh::<User>(id.uuid()).await?.state.second_factors().recovery_codes.contains(&code);
        Ok(known.then_some(Proof::RecoveryCode(code)))
    }
}

impl Proof {
    /// The authentication methods (RFC 8176).
    pub(super) fn methods(&self) -> Vec<String> {
        let methods: &[&str] = match self {
            Self::Password => &["pwd"],
            Self::Authenticator { .. } | Self::RecoveryCode(_) => &["pwd", "otp", "mfa"],
        };
        methods.iter().map(ToString::to_string).collect()
    }

    /// How surely it tells who they are.
    pub(super) const fn context(&self) -> ContextClass {
        match self {
            Self::Password => ContextClass::OneFactor,
            Self::Authenticator { .. } | Self::RecoveryCode(_) => ContextClass::TwoFactors,
        }
    }

    /// Uses up what may be used once, and guards that it is enough for this user.
    pub(super) async fn use_up(&self, work: &mut Work<'_>, id: UserId) -> Result<Option<Arc<User>>, Unavailable> {
        match self {
            Self::Password => {
                let user = work.guard::<User>(id.uuid()).await?;
                Ok(user.second_factors().are_none().then_some(user))
            }
            Self::Authenticator { step } => {
                let user = work.guard::<User>(id.uuid()).await?;
                work.ephemeral.push(taken(id, *step, work.now));
                Ok(user.second_factors().authenticator.then_some(user))
            }
            Self::RecoveryCode(code) => {
                let user = work.load::<User>(id.uuid()).await?;
                let used = work.decide(&user, UserCommand::UseRecoveryCode { code: code.clone(), at: work.now });
                Ok(used.is_ok().then_some(user.state))
            }
        }
    }

    /// Whether a claim is that of its time step.
    pub(super) fn claims(&self, id: UserId, name: &str) -> bool {
        match self {
            Self::Authenticator { step } => step_key(id, *step) == name,
            Self::Password | Self::RecoveryCode(_) => false,
        }
    }
}

fn step_key(id: UserId, step: u64) -> String {
    format!("{id}/{step}")
}

fn taken(id: UserId, step: u64, now: Timestamp) -> EphemeralChange {
    EphemeralChange::Claim { kind: TAKEN, key: step_key(id, step), expires_at: now.plus(authenticator::LIFETIME) }
}

/// New recovery codes, and their digests.
fn recovery_codes() -> (Vec<SecretString>, Vec<Digest>) {
    let mut random = [0; RECOVERY_CODES * RECOVERY_CODE_LENGTH];
    aws_lc_rs::rand::fill(&mut random).expect("the system has a random generator");
    let letters = random.map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
    let codes = letters.chunks(RECOVERY_CODE_LENGTH).map(|letters| {
        let groups = letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>();
        groups.join("-")
    });
    let codes: Vec<String> = codes.collect();
    let digests = codes.iter().map(|code| digest_of(code)).collect();
    (codes.into_iter().map(SecretString::from).collect(), digests)
}

/// The digest of a recovery code, however its groups are parted.
fn digest_of(code: &str) -> Digest {
    let letters: String = code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    Digest::of(letters.as_bytes())
}

impl UseCase for Change {
    type Answer = ();
    type Refusal = SecondFactorRefusal;

    fn stream(&self) -> Option<StreamId> {
        Some(User::stream(self.id.uuid()))
    }

    /// Only the time step of a code is claimed.
    fn name_taken(&self, _name: &str) -> Option<SecondFactorRefusal> {
        Some(SecondFactorRefusal::WrongCode)
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<(), Refusal<SecondFactorRefusal>> {
        let user = work.load::<User>(self.id.uuid()).await?;
        let at = work.now;
        let command = match &self.change {
            FactorChange::Enrol { codes, .. } => UserCommand::EnrolAuthenticator { recovery_codes: codes.clone(), at },
            FactorChange::Remove { by_themselves } => UserCommand::RemoveAuthenticator { by_themselves: *by_themselves, at },
            FactorChange::MakeCodes { codes } => UserCommand::MakeRecoveryCodes { recovery_codes: codes.clone(), at },
        };
        work.decide(&user, command).map_err(|error| Refusal::Rule(SecondFactorRefusal::Rule(error)))?;
        let (kind, id) = (kind::AUTHENTICATOR, self.id.to_string());
        match &self.change {
            FactorChange::Enrol { secret, step, .. } => {
                let sealed = work.inner.master.seal(kind, &id, secret);
                work.vault.push(VaultChange::Put { kind, id, sealed });
                work.ephemeral.push(taken(self.id, *step, at));
            }
            FactorChange::Remove { .. } => work.vault.push(VaultChange::Delete { kind, id }),
            FactorChange::MakeCodes { .. } => {}
        }
        Ok(())
    }
}
