//! What is told of devices that ask to be let in.

use domain::device_authorization::DeviceAuthorizationEvent;

use super::Told;
use crate::follow::relay::message::{
    MessageError,
    data::{self, Data},
};

impl Told<'_> {
    pub(super) fn device_authorization(&self, event: &DeviceAuthorizationEvent) -> Result<Data, MessageError> {
        let device_authorization_id = self.id();
        Ok(match event {
            DeviceAuthorizationEvent::Requested(request) => Data::DeviceRequested(data::DeviceRequested {
                device_authorization_id,
                client_id: self.names.client(request.client_id)?,
                scope: request.scope.to_string(),
                resources: request.resources.clone(),
                expires_at: request.expires_at.unix(),
                at: request.at.unix(),
            }),
            DeviceAuthorizationEvent::Approved(approval) => Data::DeviceApproved(data::DeviceApproved {
                device_authorization_id,
                client_id: self.names.client(approval.client_id)?,
                sub: approval.user_id.to_string(),
                session_id: approval.session_id.to_string(),
                consent_id: approval.consent_id.to_string(),
                auth_time: approval.auth_time.unix(),
                amr: approval.amr.clone(),
                acr: approval.acr.clone(),
                at: approval.at.unix(),
            }),
            DeviceAuthorizationEvent::Denied { user_id, session_id, at } => Data::DeviceDenied(data::DeviceDenied {
                device_authorization_id,
                sub: user_id.to_string(),
                session_id: session_id.to_string(),
                at: at.unix(),
            }),
            DeviceAuthorizationEvent::Redeemed { grant_id, at } => Data::DeviceRedeemed(data::DeviceRedeemed {
                device_authorization_id,
                grant_id: grant_id.to_string(),
                at: at.unix(),
            }),
        })
    }
}
