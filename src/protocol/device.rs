//! Devices that ask to be let in (RFC 8628): what they are told.

use domain::{device_authorization::DeviceAuthorizationError, grant::GrantError};
use serde::Serialize;

use super::{
    ErrorCode, OAuthError,
    metadata::path,
    token::{invalid_grant, refused_by_grant},
};
use crate::user_code::UserCode;

/// The grant type of a device code (section 3.4).
pub const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The answer to a device (section 3.2). It is a secret.
#[derive(Serialize)]
pub struct DeviceAnswer<'a> {
    pub device_code: &'a str,
    pub user_code: String,
    pub verification_uri: String,
    pub verification_uri_complete: String,
    /// In seconds.
    pub expires_in: u32,
    pub interval: u32,
}

/// Where people enter a user code.
#[must_use]
pub fn verification_uri(issuer: &str) -> String {
    format!("{issuer}{}", path::DEVICE)
}

/// The same with the code, for a picture that a phone reads (section 3.3.1). There too it is confirmed by hand.
#[must_use]
pub fn verification_uri_complete(issuer: &str, user_code: &UserCode) -> String {
    format!("{}?user_code={}", verification_uri(issuer), user_code.shown())
}

/// What a device is told when a rule refuses its device code (section 3.5).
#[must_use]
pub fn refused(error: DeviceAuthorizationError) -> OAuthError {
    let told = |code, rule| OAuthError::new(code, rule, error.to_string());
    match error {
        DeviceAuthorizationError::Pending => told(ErrorCode::AuthorizationPending, "device_pending"),
        DeviceAuthorizationError::Denied => told(ErrorCode::AccessDenied, "device_denied"),
        DeviceAuthorizationError::Expired => told(ErrorCode::ExpiredToken, "device_code_expired"),
        // It carries our tag, so it was issued here; what has long expired is not kept.
        DeviceAuthorizationError::Unknown => {
            OAuthError::new(ErrorCode::ExpiredToken, "device_code_expired", DeviceAuthorizationError::Expired.to_string())
        }
        DeviceAuthorizationError::CutOff => refused_by_grant(GrantError::CutOff),
        DeviceAuthorizationError::OtherClient => invalid_grant("device_code_of_another_client", &error.to_string()),
        DeviceAuthorizationError::NotIssuedHere => invalid_grant("device_code_not_ours", &error.to_string()),
        DeviceAuthorizationError::Redeemed => invalid_grant("device_code_used", &error.to_string()),
        DeviceAuthorizationError::Exists | DeviceAuthorizationError::Decided => {
            invalid_grant("device_code_not_redeemed", &error.to_string())
        }
    }
}

/// Too early after the last poll: each such answer adds so many seconds to the interval (section 3.5).
#[must_use]
pub fn slow_down(step: u32) -> OAuthError {
    let description = format!("too early after the last poll: wait {step} seconds longer between polls from now on");
    OAuthError::new(ErrorCode::SlowDown, "device_too_fast", description)
}

/// Too many devices have asked: 429, and again in so many seconds.
#[must_use]
pub fn too_many(retry_after: u32) -> OAuthError {
    let description = "too many device authorizations are open";
    let error = OAuthError::new(ErrorCode::TemporarilyUnavailable, "too_many_devices", description);
    OAuthError { retry_after: Some(retry_after), ..error }
}
