//! What a user proves beside their password: codes of an authenticator application (RFC 6238), or one of the recovery codes for whoever
//! lost it. The application's secret is in the vault; of the codes there are digests.

use serde::{Deserialize, Serialize};

use crate::{Digest, Timestamp, session::ContextClass};

use super::{UserError, UserEvent};

/// The second factors of one user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondFactors {
    /// Whether they have an authenticator application.
    pub authenticator: bool,
    /// The digests of the recovery codes that have not been used.
    pub recovery_codes: Vec<Digest>,
}

impl SecondFactors {
    /// Whether a password alone signs the user in.
    #[must_use]
    pub const fn are_none(&self) -> bool {
        !self.authenticator
    }

    /// The surest context in which the user can sign in.
    #[must_use]
    pub const fn context(&self) -> ContextClass {
        if self.authenticator { ContextClass::TwoFactors } else { ContextClass::OneFactor }
    }

    pub(super) fn enrol(&self, codes: Vec<Digest>, at: Timestamp) -> Result<Vec<UserEvent>, UserError> {
        match self.authenticator {
            true => Err(UserError::HasAuthenticator),
            false => Ok(vec![UserEvent::AuthenticatorEnrolled { at }, UserEvent::RecoveryCodesMade { codes, at }]),
        }
    }

    pub(super) fn remove(&self, by_themselves: bool, at: Timestamp) -> Vec<UserEvent> {
        if self.authenticator { vec![UserEvent::AuthenticatorRemoved { by_themselves, at }] } else { vec![] }
    }

    pub(super) fn make_codes(&self, codes: Vec<Digest>, at: Timestamp) -> Result<Vec<UserEvent>, UserError> {
        match self.authenticator {
            true => Ok(vec![UserEvent::RecoveryCodesMade { codes, at }]),
            false => Err(UserError::NoSecondFactor),
        }
    }

    pub(super) fn use_code(&self, code: Digest, at: Timestamp) -> Result<Vec<UserEvent>, UserError> {
        match self.recovery_codes.contains(&code) {
            true => Ok(vec![UserEvent::RecoveryCodeUsed { code, at }]),
            false => Err(UserError::UnknownRecoveryCode),
        }
    }

    pub(super) fn apply(&mut self, event: UserEvent) {
        match event {
            UserEvent::AuthenticatorEnrolled { .. } => self.authenticator = true,
            UserEvent::AuthenticatorRemoved { .. } => *self = Self::default(),
            UserEvent::RecoveryCodesMade { codes, .. } => self.recovery_codes = codes,
            UserEvent::RecoveryCodeUsed { code, .. } => self.recovery_codes.retain(|other| *other != code),
            UserEvent::Created { .. }
            | UserEvent::ProfileUpdated { .. }
            | UserEvent::PasswordSet { .. }
            | UserEvent::Locked { .. }
            | UserEvent::Unlocked { .. }
            | UserEvent::AdministratorSet { .. }
            | UserEvent::SignInsBlocked { .. }
            | UserEvent::Erased { .. } => {}
        }
    }
}
