//! What a user allows to be done to them.

use crate::Decide;

use super::{User, UserCommand, UserError, UserEvent};

impl Decide for User {
    fn decide(&self, command: UserCommand) -> Result<Vec<UserEvent>, UserError> {
        match (self, command) {
            (Self::Absent, UserCommand::Create { sign_in_name, profile, verified_email, administrator, has_password, at }) => {
                Ok(vec![UserEvent::Created { sign_in_name, profile, verified_email, administrator, has_password, at }])
            }
            (Self::Present { .. }, UserCommand::Create { .. }) => Err(UserError::Exists),
            (Self::Present { .. }, UserCommand::UpdateProfile { sign_in_name, profile, verified_email, at }) => {
                Ok(vec![UserEvent::ProfileUpdated { sign_in_name, profile, verified_email, at }])
            }
            (Self::Present { .. }, UserCommand::SetPassword { by_themselves, proof, at }) => {
                Ok(vec![UserEvent::PasswordSet { by_themselves, proof, at }])
            }
            (Self::Present { locked, .. }, UserCommand::Lock { at }) => {
                Ok(if *locked { vec![] } else { vec![UserEvent::Locked { at }] })
            }
            (Self::Present { locked, .. }, UserCommand::Unlock { at }) => {
                Ok(if *locked { vec![UserEvent::Unlocked { at }] } else { vec![] })
            }
            (Self::Present { administrator: now, .. }, UserCommand::SetAdministrator { administrator, at }) => {
                Ok(if *now == administrator { vec![] } else { vec![UserEvent::AdministratorSet { administrator, at }] })
            }
            (Self::Present { .. }, UserCommand::BlockSignIns { until, at }) => Ok(vec![UserEvent::SignInsBlocked { until, at }]),
            (Self::Present { second_factors, .. }, UserCommand::EnrolAuthenticator { recovery_codes, at }) => {
                second_factors.enrol_authenticator(recovery_codes, at)
            }
            (Self::Present { second_factors, .. }, UserCommand::RemoveAuthenticator { by_themselves, at }) => {
                Ok(second_factors.remove_authenticator(by_themselves, at))
            }
            (Self::Present { second_factors, .. }, UserCommand::EnrolPasskey { passkey, recovery_codes, at }) => {
                second_factors.enrol_passkey(passkey, recovery_codes, at)
            }
            (Self::Present { second_factors, .. }, UserCommand::RenamePasskey { passkey_id, name, at }) => {
                second_factors.passkey(passkey_id)?;
                Ok(vec![UserEvent::PasskeyRenamed { passkey_id, name, at }])
            }
            (Self::Present { second_factors, .. }, UserCommand::UsePasskey { passkey_id, sign_count, backed_up, at }) => {
                Ok(vec![second_factors.passkey(passkey_id)?.used(sign_count, backed_up, at)])
            }
            (Self::Present { second_factors, .. }, UserCommand::RemovePasskey { passkey_id, by_themselves, at }) => {
                second_factors.passkey(passkey_id)?;
                Ok(vec![UserEvent::PasskeyRemoved { passkey_id, by_themselves, at }])
            }
            (Self::Present { second_factors, .. }, UserCommand::RemoveSecondFactors { by_themselves, at }) => {
                Ok(second_factors.remove_all(by_themselves, at))
            }
            (Self::Present { second_factors, .. }, UserCommand::MakeRecoveryCodes { recovery_codes, at }) => {
                second_factors.make_codes(recovery_codes, at)
            }
            (Self::Present { second_factors, .. }, UserCommand::UseRecoveryCode { code, at }) => {
                second_factors.use_code(code, at)
            }
            (Self::Present { verified_email, .. }, UserCommand::VerifyEmail { address, profile, at }) => {
                let verified = verified_email.as_ref() == Some(&address);
                Ok(if verified { vec![] } else { vec![UserEvent::EmailVerified { address, profile, at }] })
            }
            (Self::Present { .. }, UserCommand::RecordMail { mail, at }) => Ok(vec![UserEvent::Mailed { mail, at }]),
            (Self::Present { .. }, UserCommand::Erase { at }) => Ok(vec![UserEvent::Erased { at }]),
            (Self::Erased, UserCommand::Erase { .. }) => Ok(vec![]),
            (Self::Erased, UserCommand::Create { .. }) => Err(UserError::Erased),
            (
                Self::Absent | Self::Erased,
                UserCommand::UpdateProfile { .. }
                | UserCommand::SetPassword { .. }
                | UserCommand::Lock { .. }
                | UserCommand::Unlock { .. }
                | UserCommand::SetAdministrator { .. }
                | UserCommand::BlockSignIns { .. }
                | UserCommand::EnrolAuthenticator { .. }
                | UserCommand::RemoveAuthenticator { .. }
                | UserCommand::EnrolPasskey { .. }
                | UserCommand::RenamePasskey { .. }
                | UserCommand::UsePasskey { .. }
                | UserCommand::RemovePasskey { .. }
                | UserCommand::RemoveSecondFactors { .. }
                | UserCommand::MakeRecoveryCodes { .. }
                | UserCommand::UseRecoveryCode { .. }
                | UserCommand::VerifyEmail { .. }
                | UserCommand::RecordMail { .. }
                | UserCommand::Erase { .. },
            ) => Err(if *self == Self::Erased { UserError::Erased } else { UserError::Unknown }),
        }
    }
}
