//! A resource owner: how they sign in, locked or not, erased or not. What is personal is sealed under their own key.

mod command;
mod event;
#[cfg(test)]
mod tests;

pub use command::UserCommand;
pub use event::UserEvent;
use serde::{Deserialize, Serialize};

use crate::{Decide, aggregate::aggregate, sealed::BlindIndex};

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
}

aggregate!(User, "user", UserCommand, UserEvent, UserError);

impl Decide for User {
    fn decide(&self, command: UserCommand) -> Result<Vec<UserEvent>, UserError> {
        match (self, command) {
            (Self::Absent, UserCommand::Create { sign_in_name, profile, administrator, has_password, at }) => {
                Ok(vec![UserEvent::Created { sign_in_name, profile, administrator, has_password, at }])
            }
            (Self::Present { .. }, UserCommand::Create { .. }) => Err(UserError::Exists),
            (Self::Present { .. }, UserCommand::UpdateProfile { sign_in_name, profile, at }) => {
                Ok(vec![UserEvent::ProfileUpdated { sign_in_name, profile, at }])
            }
            (Self::Present { .. }, UserCommand::SetPassword { by_themselves, at }) => {
                Ok(vec![UserEvent::PasswordSet { by_themselves, at }])
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
                | UserCommand::Erase { .. },
            ) => Err(if *self == Self::Erased { UserError::Erased } else { UserError::Unknown }),
        }
    }
}

impl User {
    /// Whether they may administer the issuer.
    #[must_use]
    pub const fn is_administrator(&self) -> bool {
        matches!(self, Self::Present { administrator: true, locked: false, .. })
    }

    fn apply_event(&mut self, event: UserEvent) {
        match event {
            UserEvent::Created { sign_in_name, administrator, has_password, .. } => {
                *self = Self::Present { sign_in_name, administrator, locked: false, has_password };
            }
            UserEvent::ProfileUpdated { sign_in_name: new, .. } => {
                if let Self::Present { sign_in_name, .. } = self {
                    *sign_in_name = new;
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
            // For how long sign-ins are blocked is the sign-in's question, not a rule's.
            UserEvent::SignInsBlocked { .. } => {}
            UserEvent::Erased { .. } => *self = Self::Erased,
        }
    }

    const fn set_locked(&mut self, new: bool) {
        if let Self::Present { locked, .. } = self {
            *locked = new;
        }
    }
}
