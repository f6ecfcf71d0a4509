//! A resource owner: how they sign in, locked or not, erased or not. What is personal is sealed under their own key.

mod command;
mod decide;
mod event;
mod mail;
mod passkey;
mod second_factors;
#[cfg(test)]
mod tests;

pub use command::UserCommand;
pub use event::{PasswordProof, UserEvent};
pub use mail::{MailNotice, MailOutcome, MailPurpose};
pub use passkey::{NewPasskey, Passkey};
pub use second_factors::SecondFactors;
use serde::{Deserialize, Serialize};

use crate::{aggregate::aggregate, sealed::BlindIndex};

/// What `decide` needs to know of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum User {
    /// Not there yet.
    #[default]
    Absent,
    Present {
        sign_in_name: BlindIndex,
        administrator: bool,
        locked: bool,
        has_password: bool,
        /// Their mail address, where it is known to be theirs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        verified_email: Option<BlindIndex>,
        #[serde(default, skip_serializing_if = "SecondFactors::are_none")]
        second_factors: SecondFactors,
    },
    /// Their key is destroyed: nothing personal can be read again.
    Erased,
}

/// Why a command on a user is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    #[error("there is no such user")]
    Unknown,
    #[error("the user exists already")]
    Exists,
    #[error("the user has been erased")]
    Erased,
    #[error("the user has an authenticator application already")]
    HasAuthenticator,
    #[error("the user has this passkey already")]
    HasPasskey,
    #[error("the user has as many passkeys as anybody may have")]
    TooManyPasskeys,
    #[error("this is no passkey of the user")]
    UnknownPasskey,
    #[error("the user has no second factor")]
    NoSecondFactor,
    #[error("this is no recovery code of the user, or it was used")]
    UnknownRecoveryCode,
}

aggregate!(User, "user", UserCommand, UserEvent, UserError);

impl User {
    /// Whether anybody may act for them.
    #[must_use]
    pub const fn may_act(&self) -> bool {
        matches!(self, Self::Present { locked: false, .. })
    }

    /// Whether they may administer the issuer.
    #[must_use]
    pub const fn is_administrator(&self) -> bool {
        matches!(self, Self::Present { administrator: true, locked: false, .. })
    }

    /// What they prove beside their password.
    #[must_use]
    pub fn second_factors(&self) -> SecondFactors {
        match self {
            Self::Present { second_factors, .. } => second_factors.clone(),
            Self::Absent | Self::Erased => SecondFactors::default(),
        }
    }

    fn apply_event(&mut self, event: UserEvent) {
        match event {
            UserEvent::Created { sign_in_name, verified_email, administrator, has_password, .. } => {
                let second_factors = SecondFactors::default();
                *self =
                    Self::Present { sign_in_name, administrator, locked: false, has_password, verified_email, second_factors };
            }
            UserEvent::ProfileUpdated { sign_in_name: new, verified_email: address, .. } => {
                if let Self::Present { sign_in_name, verified_email, .. } = self {
                    *sign_in_name = new;
                    *verified_email = address;
                }
            }
            UserEvent::EmailVerified { address, .. } => {
                if let Self::Present { verified_email, .. } = self {
                    *verified_email = Some(address);
                }
            }
            UserEvent::PasswordSet { .. } => {
                if let Self::Present { has_password, .. } = self {
                    *has_password = true;
                }
            }
            UserEvent::Locked { .. } => self.set_locked(true),
            UserEvent::Unlocked { .. } => self.set_locked(false),
            UserEvent::AdministratorSet { administrator: new, .. } => {
                if let Self::Present { administrator, .. } = self {
                    *administrator = new;
                }
            }
            // For how long sign-ins are blocked is the sign-in's question, not a rule's; and no rule asks for mails.
            UserEvent::SignInsBlocked { .. } | UserEvent::Mailed { .. } => {}
            UserEvent::AuthenticatorEnrolled { .. }
            | UserEvent::AuthenticatorRemoved { .. }
            | UserEvent::PasskeyEnrolled { .. }
            | UserEvent::PasskeyRenamed { .. }
            | UserEvent::PasskeyUsed { .. }
            | UserEvent::PasskeyCounterWentBack { .. }
            | UserEvent::PasskeyRemoved { .. }
            | UserEvent::RecoveryCodesMade { .. }
            | UserEvent::RecoveryCodeUsed { .. } => {
                if let Self::Present { second_factors, .. } = self {
                    second_factors.apply(event);
                }
            }
            UserEvent::Erased { .. } => *self = Self::Erased,
        }
    }

    const fn set_locked(&mut self, new: bool) {
        if let Self::Present { locked, .. } = self {
            *locked = new;
        }
    }
}
