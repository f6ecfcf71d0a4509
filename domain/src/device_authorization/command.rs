//! What can be asked of a device authorization.

use crate::{ClientId, Digest, GrantId, SessionId, Timestamp, UserId};

use super::{DeviceApproval, DeviceRequest};

/// A request to change a device authorization.
#[derive(Clone, Debug)]
pub enum DeviceAuthorizationCommand {
    /// Record what a device asks for.
    Request(Box<DeviceRequest>),
    /// Record that a user lets it in.
    Approve(Box<DeviceApproval>),
    /// Record that a user does not.
    Deny { user_id: UserId, session_id: SessionId, at: Timestamp },
    /// Exchange the device code for a grant.
    Redeem(RedeemDeviceCode),
}

/// What a client presents when it polls, and the grant that begins if all fits.
#[derive(Clone, Debug)]
pub struct RedeemDeviceCode {
    pub client_id: ClientId,
    pub device_code: Digest,
    /// Whether no cutoff (client, user, session, consent) has fallen since it was approved.
    pub standing: bool,
    pub grant_id: GrantId,
    pub at: Timestamp,
}
