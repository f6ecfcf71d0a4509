//! What is told of devices that ask to be let in (RFC 8628), without either of their codes.

use schemars::JsonSchema;
use serde::Serialize;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DeviceRequested {
    pub device_authorization_id: String,
    pub client_id: String,
    /// Names separated by spaces.
    pub scope: String,
    pub resources: Vec<String>,
    pub expires_at: i64,
    pub at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DeviceApproved {
    pub device_authorization_id: String,
    pub client_id: String,
    pub sub: String,
    pub session_id: String,
    pub consent_id: String,
    pub auth_time: i64,
    pub amr: Vec<String>,
    pub acr: Option<String>,
    pub at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DeviceDenied {
    pub device_authorization_id: String,
    pub sub: String,
    pub session_id: String,
    pub at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DeviceRedeemed {
    pub device_authorization_id: String,
    /// What came of it.
    pub grant_id: String,
    pub at: i64,
}
