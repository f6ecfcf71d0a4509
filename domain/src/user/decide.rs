//! The rules of a user, and what each event makes of one.

use crate::Decide;

use super::{User, UserCommand, UserError, UserEvent};

impl Decide for User {
    fn decide(&self, command: UserCommand) -> Result<Vec<UserEvent>, UserError> {
        match self {
            Self::Absent => match command {
                UserCommand::Create { sign_in_name, profile, administrator, has_password, at } => {
                    Ok(vec![UserEvent::Created { sign_in_name, profile, administrator, has_password, at }])
                }
                UserCommand::UpdateProfile { .. }
                | UserCommand::SetPassword { .. }
                | UserCommand::Lock { .. }
                | UserCommand::Unlock { .. }
                | UserCommand::SetAdministrator { .. }
                | UserCommand::BlockSignIns { .. }
                | UserCommand::Erase { .. } => Err(UserError::Unknown),
            },
            Self::Present { administrator, locked, .. } => change(*administrator, *locked, command),
            Self::Erased if matches!(command, UserCommand::Erase { .. }) => Ok(vec![]),
            Self::Erased => Err(UserError::Erased),
        }
    }
}

fn change(administrator: bool, locked: bool, command: UserCommand) -> Result<Vec<UserEvent>, UserError> {
    Ok(match command {
        UserCommand::Create { .. } => return Err(UserError::Exists),
        UserCommand::UpdateProfile { sign_in_name, profile, at } => {
            vec![UserEvent::ProfileUpdated { sign_in_name, profile, at }]
        }
        UserCommand::SetPassword { by_themselves, at } => vec![UserEvent::PasswordSet { by_themselves, at }],
        UserCommand::Lock { at } if !locked => vec![UserEvent::Locked { at }],
        UserCommand::Unlock { at } if locked => vec![UserEvent::Unlocked { at }],
        UserCommand::Lock { .. } | UserCommand::Unlock { .. } => vec![],
        UserCommand::SetAdministrator { administrator: wanted, at } if wanted != administrator => {
            vec![UserEvent::AdministratorSet { administrator: wanted, at }]
        }
        UserCommand::SetAdministrator { .. } => vec![],
        UserCommand::BlockSignIns { until, at } => vec![UserEvent::SignInsBlocked { until, at }],
        UserCommand::Erase { at } => vec![UserEvent::Erased { at }],
    })
}

impl User {
    pub(super) fn apply_event(&mut self, event: UserEvent) {
        match (self, event) {
            (this @ Self::Absent, UserEvent::Created { sign_in_name, administrator, has_password, .. }) => {
                *this = Self::Present { sign_in_name, administrator, locked: false, has_password };
            }
            (Self::Present { sign_in_name, .. }, UserEvent::ProfileUpdated { sign_in_name: new, .. }) => *sign_in_name = new,
            (Self::Present { has_password, .. }, UserEvent::PasswordSet { .. }) => *has_password = true,
            (Self::Present { locked, .. }, UserEvent::Locked { .. }) => *locked = true,
            (Self::Present { locked, .. }, UserEvent::Unlocked { .. }) => *locked = false,
            (Self::Present { administrator, .. }, UserEvent::AdministratorSet { administrator: new, .. }) => *administrator = new,
            (this @ Self::Present { .. }, UserEvent::Erased { .. }) => *this = Self::Erased,
            (
                Self::Absent | Self::Present { .. } | Self::Erased,
                UserEvent::Created { .. }
                | UserEvent::ProfileUpdated { .. }
                | UserEvent::PasswordSet { .. }
                | UserEvent::Locked { .. }
                | UserEvent::Unlocked { .. }
                | UserEvent::AdministratorSet { .. }
                | UserEvent::SignInsBlocked { .. }
                | UserEvent::Erased { .. },
            ) => {}
        }
    }
}
