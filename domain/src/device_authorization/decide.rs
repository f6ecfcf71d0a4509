//! The rules of a device authorization (RFC 8628 sections 3.3 and 3.5).

use crate::{Decide, Timestamp};

use super::{
    Asked, DeviceAuthorization, DeviceAuthorizationCommand, DeviceAuthorizationError, DeviceAuthorizationEvent, RedeemDeviceCode,
};

impl Decide for DeviceAuthorization {
    fn decide(&self, command: DeviceAuthorizationCommand) -> Result<Vec<DeviceAuthorizationEvent>, DeviceAuthorizationError> {
        match command {
            DeviceAuthorizationCommand::Request(request) => match self {
                Self::Absent => Ok(vec![DeviceAuthorizationEvent::Requested(request)]),
                Self::Requested(_) | Self::Approved { .. } | Self::Denied { .. } | Self::Redeemed { .. } => {
                    Err(DeviceAuthorizationError::Exists)
                }
            },
            DeviceAuthorizationCommand::Approve(approval) => {
                let asked = self.undecided(approval.at)?;
                match asked.client_id == approval.client_id {
                    true => Ok(vec![DeviceAuthorizationEvent::Approved(approval)]),
                    false => Err(DeviceAuthorizationError::OtherClient),
                }
            }
            DeviceAuthorizationCommand::Deny { user_id, session_id, at } => {
                self.undecided(at)?;
                Ok(vec![DeviceAuthorizationEvent::Denied { user_id, session_id, at }])
            }
            DeviceAuthorizationCommand::Redeem(presented) => self.redeem(&presented),
        }
    }
}

impl DeviceAuthorization {
    /// What is still to be decided.
    fn undecided(&self, at: Timestamp) -> Result<&Asked, DeviceAuthorizationError> {
        match self {
            Self::Absent => Err(DeviceAuthorizationError::Unknown),
            Self::Requested(asked) if asked.expires_at <= at => Err(DeviceAuthorizationError::Expired),
            Self::Requested(asked) => Ok(asked),
            Self::Approved { .. } | Self::Denied { .. } | Self::Redeemed { .. } => Err(DeviceAuthorizationError::Decided),
        }
    }

    /// Another client learns no more than that the device code is not its own.
    fn redeem(&self, presented: &RedeemDeviceCode) -> Result<Vec<DeviceAuthorizationEvent>, DeviceAuthorizationError> {
        let asked = self.asked().ok_or(DeviceAuthorizationError::Unknown)?;
        if asked.client_id != presented.client_id {
            return Err(DeviceAuthorizationError::OtherClient);
        }
        if !asked.device_code.is(&presented.device_code) {
            return Err(DeviceAuthorizationError::NotIssuedHere);
        }
        match self {
            Self::Absent => Err(DeviceAuthorizationError::Unknown),
            Self::Redeemed { .. } => Err(DeviceAuthorizationError::Redeemed),
            Self::Denied { .. } => Err(DeviceAuthorizationError::Denied),
            Self::Requested(_) | Self::Approved { .. } if asked.expires_at <= presented.at => {
                Err(DeviceAuthorizationError::Expired)
            }
            Self::Requested(_) => Err(DeviceAuthorizationError::Pending),
            Self::Approved { .. } if !presented.standing => Err(DeviceAuthorizationError::CutOff),
            Self::Approved { .. } => {
                Ok(vec![DeviceAuthorizationEvent::Redeemed { grant_id: presented.grant_id, at: presented.at }])
            }
        }
    }
}
