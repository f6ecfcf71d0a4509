//! What is told of people.

use domain::{PasskeyId, Timestamp, user::UserEvent};

use super::{
    super::{
        MessageError,
        data::{self, Data},
    },
    Told, word,
};

impl Told<'_> {
    pub(super) fn user(&self, event: &UserEvent) -> Result<Data, MessageError> {
        let sub = self.id();
        Ok(match event {
            UserEvent::Created { sign_in_name: _, profile: _, verified_email: _, administrator, has_password, at } => {
                let (administrator, has_password) = (*administrator, *has_password);
                Data::UserCreated(data::UserCreated { sub, administrator, has_password, at: at.unix() })
            }
            UserEvent::ProfileUpdated { sign_in_name: _, profile: _, verified_email: _, at } => {
                Data::UserProfileUpdated(data::UserChanged { sub, at: at.unix() })
            }
            UserEvent::PasswordSet { by_themselves: _, proof: _, at } => Data::UserPasswordSet(self.cut_off(*at)?),
            UserEvent::Locked { at } => Data::UserLocked(self.cut_off(*at)?),
            UserEvent::Unlocked { at } => Data::UserUnlocked(data::UserChanged { sub, at: at.unix() }),
            UserEvent::AdministratorSet { administrator, at } => {
                Data::UserAdministratorSet(data::UserAdministratorSet { sub, administrator: *administrator, at: at.unix() })
            }
            UserEvent::SignInsBlocked { until, at } => {
                Data::UserSignInsBlocked(data::UserSignInsBlocked { sub, until: until.unix(), at: at.unix() })
            }
            UserEvent::AuthenticatorEnrolled { at } => Data::UserAuthenticatorEnrolled(data::UserChanged { sub, at: at.unix() }),
            UserEvent::AuthenticatorRemoved { by_themselves: _, at } => {
                Data::UserAuthenticatorRemoved(data::UserChanged { sub, at: at.unix() })
            }
            UserEvent::PasskeyEnrolled { passkey, at } => Data::UserPasskeyEnrolled(self.passkey(passkey.passkey_id, *at)),
            UserEvent::PasskeyRenamed { passkey_id, name: _, at } => Data::UserPasskeyRenamed(self.passkey(*passkey_id, *at)),
            UserEvent::PasskeyUsed { passkey_id, sign_count: _, backed_up: _, at } => {
                Data::UserPasskeyUsed(self.passkey(*passkey_id, *at))
            }
            UserEvent::PasskeyCounterWentBack { passkey_id, sign_count: _, at } => {
                Data::UserPasskeyCounterWentBack(self.passkey(*passkey_id, *at))
            }
            UserEvent::PasskeyRemoved { passkey_id, by_themselves: _, at } => {
                Data::UserPasskeyRemoved(self.passkey(*passkey_id, *at))
            }
            UserEvent::RecoveryCodesMade { codes: _, at } => {
                Data::UserRecoveryCodesMade(data::UserChanged { sub, at: at.unix() })
            }
            UserEvent::RecoveryCodeUsed { code: _, at } => Data::UserRecoveryCodeUsed(data::UserChanged { sub, at: at.unix() }),
            UserEvent::EmailVerified { address: _, profile: _, at } => {
                Data::UserEmailVerified(data::UserChanged { sub, at: at.unix() })
            }
            UserEvent::Mailed { mail, at } => Data::UserMailed(data::UserMailed {
                sub,
                purpose: word(&mail.purpose),
                outcome: word(&mail.outcome),
                tries: mail.tries,
                at: at.unix(),
            }),
            UserEvent::Erased { at } => Data::UserErased(self.cut_off(*at)?),
        })
    }

    fn passkey(&self, id: PasskeyId, at: Timestamp) -> data::UserPasskey {
        data::UserPasskey { sub: self.id(), passkey_id: id.to_string(), at: at.unix() }
    }
}
