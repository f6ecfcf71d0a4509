//! What a user proves beside their password: codes of an authenticator application (RFC 6238), a passkey, or one of the recovery codes for
//! whoever lost them. The application's secret is in the vault; of the codes there are digests.

use serde::{Deserialize, Serialize};

use crate::{Digest, PasskeyId, Timestamp, session::ContextClass};

use super::{NewPasskey, Passkey, UserError, UserEvent};

/// Passkeys of one user at most.
const PASSKEYS: usize = 20;

/// The second factors of one user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondFactors {
    /// Whether they have an authenticator application.
    pub authenticator: bool,
    /// In the order of their enrolment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passkeys: Vec<Passkey>,
    /// The digests of the recovery codes that have not been used.
    pub recovery_codes: Vec<Digest>,
}

impl SecondFactors {
    /// Whether a password alone signs the user in.
    #[must_use]
    pub const fn are_none(&self) -> bool {
        !self.authenticator && self.passkeys.is_empty()
    }

    /// The surest context in which the user can sign in.
    #[must_use]
    pub const fn context(&self) -> ContextClass {
        if self.are_none() { ContextClass::OneFactor } else { ContextClass::TwoFactors }
    }

    /// The passkey with this id.
    ///
    /// # Errors
    /// That the user has none such.
    pub fn passkey(&self, id: PasskeyId) -> Result<&Passkey, UserError> {
        self.passkeys.iter().find(|passkey| passkey.id == id).ok_or(UserError::UnknownPasskey)
    }

    pub(super) fn enrol_authenticator(&self, codes: Vec<Digest>, at: Timestamp) -> Result<Vec<UserEvent>, UserError> {
        match self.authenticator {
            true => Err(UserError::HasAuthenticator),
            false => Ok(self.enrolled(UserEvent::AuthenticatorEnrolled { at }, codes, at)),
        }
    }

    pub(super) fn enrol_passkey(
        &self,
        passkey: NewPasskey,
        codes: Vec<Digest>,
        at: Timestamp,
    ) -> Result<Vec<UserEvent>, UserError> {
        match self.passkeys.len() < PASSKEYS {
            true => Ok(self.enrolled(UserEvent::PasskeyEnrolled { passkey, at }, codes, at)),
            false => Err(UserError::TooManyPasskeys),
        }
    }

    /// Whoever had no second factor before gets recovery codes with it.
    fn enrolled(&self, enrolled: UserEvent, codes: Vec<Digest>, at: Timestamp) -> Vec<UserEvent> {
        match self.are_none() {
            true => vec![enrolled, UserEvent::RecoveryCodesMade { codes, at }],
            false => vec![enrolled],
        }
    }

    pub(super) fn remove_authenticator(&self, by_themselves: bool, at: Timestamp) -> Vec<UserEvent> {
        if self.authenticator { vec![UserEvent::AuthenticatorRemoved { by_themselves, at }] } else { vec![] }
    }

    pub(super) fn remove_all(&self, by_themselves: bool, at: Timestamp) -> Vec<UserEvent> {
        let mut removed = self.remove_authenticator(by_themselves, at);
        let passkeys = self.passkeys.iter();
        removed.extend(passkeys.map(|passkey| UserEvent::PasskeyRemoved { passkey_id: passkey.id, by_themselves, at }));
        removed
    }

    pub(super) fn make_codes(&self, codes: Vec<Digest>, at: Timestamp) -> Result<Vec<UserEvent>, UserError> {
        match self.are_none() {
            true => Err(UserError::NoSecondFactor),
            false => Ok(vec![UserEvent::RecoveryCodesMade { codes, at }]),
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
            UserEvent::AuthenticatorRemoved { .. } => self.authenticator = false,
            UserEvent::PasskeyEnrolled { passkey, at } => self.passkeys.push(Passkey::new(passkey, at)),
            UserEvent::PasskeyRemoved { passkey_id, .. } => self.passkeys.retain(|passkey| passkey.id != passkey_id),
            UserEvent::PasskeyRenamed { passkey_id, name, .. } => self.change(passkey_id, |passkey| passkey.name = name),
            UserEvent::PasskeyUsed { passkey_id, sign_count, backed_up, at } => self.change(passkey_id, |passkey| {
                (passkey.sign_count, passkey.backed_up, passkey.last_used_at) = (sign_count, backed_up, Some(at));
            }),
            UserEvent::PasskeyCounterWentBack { passkey_id, at, .. } => {
                self.change(passkey_id, |passkey| passkey.went_back_at = Some(at));
            }
            UserEvent::RecoveryCodesMade { codes, .. } => self.recovery_codes = codes,
            UserEvent::RecoveryCodeUsed { code, .. } => self.recovery_codes.retain(|other| *other != code),
            UserEvent::Created { .. }
            | UserEvent::ProfileUpdated { .. }
            | UserEvent::PasswordSet { .. }
            | UserEvent::Locked { .. }
            | UserEvent::Unlocked { .. }
            | UserEvent::AdministratorSet { .. }
            | UserEvent::SignInsBlocked { .. }
            | UserEvent::EmailVerified { .. }
            | UserEvent::Mailed { .. }
            | UserEvent::Erased { .. } => {}
        }
        if self.are_none() {
            self.recovery_codes = Vec::new();
        }
    }

    fn change(&mut self, id: PasskeyId, change: impl FnOnce(&mut Passkey)) {
        if let Some(passkey) = self.passkeys.iter_mut().find(|passkey| passkey.id == id) {
            change(passkey);
        }
    }
}
