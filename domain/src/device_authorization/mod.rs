//! A device that has no browser, or no keyboard, asks to be let in by somebody who has both (RFC 8628): requested, approved or denied, redeemed.
//! That it has expired is told by the time alone. Polling changes nothing.

mod command;
mod decide;
mod event;
#[cfg(test)]
mod tests;

pub use command::{DeviceAuthorizationCommand, RedeemDeviceCode};
pub use event::{DeviceApproval, DeviceAuthorizationEvent, DeviceRequest};
use serde::{Deserialize, Serialize};

use crate::{ClientId, Digest, Scope, Timestamp, UserId, aggregate::aggregate};

/// What `decide` needs to know of a device authorization.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum DeviceAuthorization {
    /// Not there yet.
    #[default]
    Absent,
    /// It waits for somebody to enter its user code.
    Requested(Asked),
    /// It waits for the device to come back.
    Approved { asked: Asked, approval: Box<DeviceApproval> },
    /// Not let in, for good.
    Denied { asked: Asked, user_id: UserId },
    /// The device got its tokens; its device code gives nothing any more.
    Redeemed { asked: Asked, user_id: UserId },
}

/// What the device asked for, and its device code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub client_id: ClientId,
    pub scope: Scope,
    pub resources: Vec<String>,
    pub device_code: Digest,
    pub expires_at: Timestamp,
}

/// Why a command on a device authorization is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceAuthorizationError {
    #[error("there is no such device authorization")]
    Unknown,
    #[error("the device authorization exists already")]
    Exists,
    #[error("the device code was issued to another client")]
    OtherClient,
    #[error("this device code was not issued here")]
    NotIssuedHere,
    /// RFC 8628 section 3.5, `authorization_pending`.
    #[error("nobody has decided yet: go on polling")]
    Pending,
    /// `access_denied`.
    #[error("the user did not let the device in")]
    Denied,
    /// `expired_token`.
    #[error("the device code has expired")]
    Expired,
    #[error("the device code was used before")]
    Redeemed,
    #[error("it has been decided already")]
    Decided,
    #[error("what the approval stands on has ended: its client, user, session or consent")]
    CutOff,
}

aggregate!(
    DeviceAuthorization,
    "device_authorization",
    DeviceAuthorizationCommand,
    DeviceAuthorizationEvent,
    DeviceAuthorizationError
);

impl DeviceAuthorization {
    /// What the device asked for; `None` before there is anything.
    #[must_use]
    pub const fn asked(&self) -> Option<&Asked> {
        match self {
            Self::Absent => None,
            Self::Requested(asked) | Self::Approved { asked, .. } | Self::Denied { asked, .. } | Self::Redeemed { asked, .. } => {
                Some(asked)
            }
        }
    }

    /// What was approved, until the device has redeemed it.
    #[must_use]
    pub fn approval(&self) -> Option<&DeviceApproval> {
        match self {
            Self::Approved { approval, .. } => Some(approval),
            Self::Absent | Self::Requested(_) | Self::Denied { .. } | Self::Redeemed { .. } => None,
        }
    }

    /// Who decided, if somebody has.
    #[must_use]
    pub fn decided_by(&self) -> Option<UserId> {
        match self {
            Self::Absent | Self::Requested(_) => None,
            Self::Approved { approval, .. } => Some(approval.user_id),
            Self::Denied { user_id, .. } | Self::Redeemed { user_id, .. } => Some(*user_id),
        }
    }

    /// From then on nothing of it acts again. `None` before there is anything.
    #[must_use]
    pub fn last_ends_at(&self) -> Option<Timestamp> {
        self.asked().map(|asked| asked.expires_at)
    }

    fn apply_event(&mut self, event: DeviceAuthorizationEvent) {
        match event {
            DeviceAuthorizationEvent::Requested(request) => *self = Self::Requested(Asked::of(*request)),
            DeviceAuthorizationEvent::Approved(approval) => self.go_on(|asked| Self::Approved { asked, approval }),
            DeviceAuthorizationEvent::Denied { user_id, .. } => self.go_on(|asked| Self::Denied { asked, user_id }),
            DeviceAuthorizationEvent::Redeemed { .. } => {
                if let Some(user_id) = self.decided_by() {
                    self.go_on(|asked| Self::Redeemed { asked, user_id });
                }
            }
        }
    }

    fn go_on(&mut self, next: impl FnOnce(Asked) -> Self) {
        if let Some(asked) = self.asked().cloned() {
            *self = next(asked);
        }
    }
}

impl Asked {
    fn of(request: DeviceRequest) -> Self {
        let DeviceRequest { client_id, scope, resources, device_code, expires_at, at: _ } = request;
        Self { client_id, scope, resources, device_code, expires_at }
    }
}
