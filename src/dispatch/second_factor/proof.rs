//! How somebody proved who they are: what it says of the sign-in, and what is used up by it.

use std::sync::Arc;

use domain::{
    Digest, PasskeyId, Timestamp, UserId,
    session::ContextClass,
    user::{User, UserCommand, UserEvent},
};

use crate::{
    authenticator,
    dispatch::{Inner, SignInRefusal, work::Work},
    log::{EphemeralChange, Unavailable},
    passkeys::{Spend, State},
    vault::kind,
};

use super::recovery_codes::digest_of;

/// The ephemeral kind of the time steps whose code was taken.
const TAKEN: &str = "authenticator_step";

/// How somebody proves who they are, as it was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::dispatch) enum Proof {
    Password,
    /// And the code of this time step.
    Authenticator {
        step: u64,
    },
    /// And a recovery code.
    RecoveryCode(Digest),
    Passkey(PasskeyProof),
}

/// A passkey that signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::dispatch) struct PasskeyProof {
    pub(in crate::dispatch) id: PasskeyId,
    pub(in crate::dispatch) state: State,
    pub(in crate::dispatch) ceremony: Spend,
    /// Whether the password was right before.
    pub(in crate::dispatch) after_password: bool,
}

/// What came of using a proof up.
pub(in crate::dispatch) enum Used {
    /// It is enough for this user.
    Enough(Arc<User>),
    Refused(SignInRefusal),
    /// Refused, and that is remembered.
    RefusedForTheRecord(SignInRefusal),
}

impl Proof {
    /// The authentication methods (RFC 8176). `pop`, a proof of possession, is of OpenID's EAP: without attestation nobody can say whether
    /// a passkey's key lies in hardware (`hwk`) or in software (`swk`).
    pub(in crate::dispatch) fn methods(&self) -> Vec<String> {
        let methods: &[&str] = match self {
            Self::Password => &["pwd"],
            Self::Authenticator { .. } | Self::RecoveryCode(_) => &["pwd", "otp", "mfa"],
            Self::Passkey(PasskeyProof { after_password: true, .. }) => &["pwd", "pop", "user", "mfa"],
            Self::Passkey(PasskeyProof { after_password: false, .. }) => &["pop", "user", "mfa"],
        };
        methods.iter().map(ToString::to_string).collect()
    }

    /// How surely it tells who they are. A passkey is two factors by itself: what they hold, unlocked by what they know or are.
    pub(in crate::dispatch) const fn context(&self) -> ContextClass {
        match self {
            Self::Password => ContextClass::OneFactor,
            Self::Authenticator { .. } | Self::RecoveryCode(_) | Self::Passkey(_) => ContextClass::TwoFactors,
        }
    }

    /// Uses up what may be used once, and guards that it is enough for this user.
    pub(in crate::dispatch) async fn use_up(&self, work: &mut Work<'_>, id: UserId) -> Result<Used, Unavailable> {
        let wrong_code = Used::Refused(SignInRefusal::WrongCode);
        match self {
            Self::Password => {
                let user = work.guard::<User>(id.uuid()).await?;
                Ok(if user.second_factors().are_none() { Used::Enough(user) } else { wrong_code })
            }
            Self::Authenticator { step } => {
                let user = work.guard::<User>(id.uuid()).await?;
                work.ephemeral.push(taken(id, *step, work.now));
                Ok(if user.second_factors().authenticator { Used::Enough(user) } else { wrong_code })
            }
            Self::RecoveryCode(code) => {
                let user = work.load::<User>(id.uuid()).await?;
                let used = work.decide(&user, UserCommand::UseRecoveryCode { code: code.clone(), at: work.now });
                Ok(if used.is_ok() { Used::Enough(user.state) } else { wrong_code })
            }
            Self::Passkey(proof) => proof.use_up(work, id).await,
        }
    }

    /// What to say where a claim is taken that is this proof's own.
    pub(in crate::dispatch) fn claim_taken(&self, id: UserId, name: &str) -> Option<SignInRefusal> {
        match self {
            Self::Authenticator { step } => (step_key(id, *step) == name).then_some(SignInRefusal::WrongCode),
            Self::Passkey(proof) => proof.ceremony.is(name).then_some(SignInRefusal::Spent),
            Self::Password | Self::RecoveryCode(_) => None,
        }
    }
}

impl PasskeyProof {
    async fn use_up(&self, work: &mut Work<'_>, id: UserId) -> Result<Used, Unavailable> {
        let user = work.load::<User>(id.uuid()).await?;
        work.ephemeral.push(self.ceremony.claim());
        let State { sign_count, backed_up } = self.state;
        let command = UserCommand::UsePasskey { passkey_id: self.id, sign_count, backed_up, at: work.now };
        let Ok((events, _)) = work.decide(&user, command) else {
            return Ok(Used::Refused(SignInRefusal::WrongPasskey));
        };
        match events.iter().any(|event| matches!(event, UserEvent::PasskeyCounterWentBack { .. })) {
            true => Ok(Used::RefusedForTheRecord(SignInRefusal::PasskeyWentBack)),
            false => Ok(Used::Enough(user.state)),
        }
    }
}

impl Inner {
    /// What a code of somebody's proves: of their application, or a recovery code. `None` where it is wrong.
    pub(in crate::dispatch) async fn read_code(&self, id: UserId, code: &str) -> Result<Option<Proof>, Unavailable> {
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

fn step_key(id: UserId, step: u64) -> String {
    format!("{id}/{step}")
}

/// The claim by which a code is taken once.
pub(super) fn taken(id: UserId, step: u64, now: Timestamp) -> EphemeralChange {
    EphemeralChange::Claim { kind: TAKEN, key: step_key(id, step), expires_at: now.plus(authenticator::LIFETIME) }
}
