//! What happened to a device that asked to be let in, told.

use domain::device_authorization::DeviceAuthorizationEvent;
use serde_json::json;

use crate::clock::rfc3339;

use super::{super::Names, Telling, telling};

pub(super) fn device_authorization(event: &DeviceAuthorizationEvent, names: &Names) -> Telling {
    match event {
        DeviceAuthorizationEvent::Requested(request) => telling(
            "device_authorization.requested",
            json!({
                "client": names.client(request.client_id), "scope": request.scope, "resources": request.resources,
                "expires_at": rfc3339(request.expires_at),
            }),
        ),
        DeviceAuthorizationEvent::Approved(approval) => telling(
            "device_authorization.approved",
            json!({
                "user_id": approval.user_id, "user": names.user(approval.user_id), "client": names.client(approval.client_id),
                "session_id": approval.session_id, "consent_id": approval.consent_id, "auth_time": rfc3339(approval.auth_time),
                "amr": approval.amr, "acr": approval.acr,
            }),
        ),
        DeviceAuthorizationEvent::Denied { user_id, session_id, .. } => telling(
            "device_authorization.denied",
            json!({"user_id": user_id, "user": names.user(*user_id), "session_id": session_id}),
        ),
        DeviceAuthorizationEvent::Redeemed { grant_id, .. } => {
            telling("device_authorization.redeemed", json!({"grant_id": grant_id}))
        }
    }
}
