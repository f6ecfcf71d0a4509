//! What can have happened to a device authorization.

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use crate::{ClientId, ConsentId, Digest, GrantId, Scope, SessionId, Timestamp, UserId};

/// A fact about a device that asks to be let in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum DeviceAuthorizationEvent {
    /// A device asked, and got a device code and a user code (RFC 8628 section 3.2).
    Requested(Box<DeviceRequest>),
    /// A user let it act for them.
    Approved(Box<DeviceApproval>),
    /// A user did not.
    Denied { user_id: UserId, session_id: SessionId, at: Timestamp },
    /// The device code was exchanged: all that came of it is in this grant.
    Redeemed { grant_id: GrantId, at: Timestamp },
}

/// What a device asked for. Of its user code, which could be guessed from a digest, nothing stands here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRequest {
    pub client_id: ClientId,
    pub scope: Scope,
    /// The audiences asked for (RFC 8707), none for the default.
    pub resources: Vec<String>,
    pub device_code: Digest,
    pub expires_at: Timestamp,
    pub at: Timestamp,
}

/// Who let a device in, and how they had signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceApproval {
    pub client_id: ClientId,
    pub user_id: UserId,
    /// The sign-in in which they did.
    pub session_id: SessionId,
    /// When that sign-in ends by itself, as the decision saw it.
    pub session_ends_at: Timestamp,
    pub consent_id: ConsentId,
    pub auth_time: Timestamp,
    pub acr: Option<String>,
    pub amr: Vec<String>,
    /// The head of the log that the decision saw: a cutoff above it undoes the approval.
    pub pos: i64,
    pub at: Timestamp,
}

impl DomainEvent for DeviceAuthorizationEvent {
    fn event_type(&self) -> String {
        match self {
            Self::Requested(_) => "device_authorization.requested",
            Self::Approved(_) => "device_authorization.approved",
            Self::Denied { .. } => "device_authorization.denied",
            Self::Redeemed { .. } => "device_authorization.redeemed",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}
