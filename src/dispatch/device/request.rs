//! A device asks to be let in (RFC 8628 section 3.1), and gets a device code to come back with and a user code to show.

use std::net::IpAddr;

use domain::{
    Digest, Scope,
    client::Client,
    device_authorization::{DeviceAuthorization, DeviceAuthorizationCommand, DeviceAuthorizationError, DeviceRequest},
};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::{
    credential::CredentialKind,
    dispatch::{
        AuthenticatedClient, Dispatch, Done, Refusal, UseCase,
        once::ProvedOnce,
        work::{Loaded, Work},
    },
    ephemeral,
    log::{Actor, EphemeralChange},
    protocol::OnceKind,
    user_code::UserCode,
};

/// The ephemeral kinds of the counters of devices that ask.
const BY_SOURCE: &str = "device_source";
const BY_CLIENT: &str = "device_client";

/// What an authenticated client asks for on a device.
pub struct RequestDevice {
    pub client: AuthenticatedClient,
    /// Within what it registered and users can grant: `protocol` has checked.
    pub scope: Scope,
    pub resources: Vec<String>,
    pub source: IpAddr,
}

/// The codes, which are known to the device alone from here on.
pub struct RequestedDevice {
    pub device_code: SecretString,
    pub user_code: UserCode,
}

/// Why a device may not ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestDeviceRefusal {
    #[error("the client was disabled meanwhile")]
    ClientDisabled,
    /// In seconds.
    #[error("too many devices have asked")]
    TooMany { retry_after: u32 },
    #[error("{0}")]
    Device(DeviceAuthorizationError),
    #[error("what the request proves itself by was used before")]
    UsedBefore(OnceKind),
}

impl Dispatch {
    /// Records that a device asks, and makes its codes.
    ///
    /// # Errors
    /// That too many have asked, or that the client was disabled meanwhile.
    pub async fn request_device(&self, request: &RequestDevice) -> Result<Done<RequestedDevice>, Refusal<RequestDeviceRefusal>> {
        let limits = &self.settings.limits;
        // A client that proves who it is asks for all its devices from where it runs.
        if request.client.registration().is_public() {
            self.count_device(BY_SOURCE, &request.source.to_string(), limits.devices_per_source).await?;
        }
        self.count_device(BY_CLIENT, &request.client.id.to_string(), limits.devices_per_client).await?;
        self.perform(Actor::Client(request.client.id), request).await
    }

    /// Counts it before anything is written: strangers do not fill the log.
    async fn count_device(&self, kind: &str, key: &str, most: u32) -> Result<(), Refusal<RequestDeviceRefusal>> {
        let (now, window) = (self.clock.now(), self.settings.devices.code_lifetime);
        let count = ephemeral::count_up(self.log.db(), kind, key, now.plus(window), now).await?;
        match count > i64::from(most) {
            true => Err(Refusal::Rule(RequestDeviceRefusal::TooMany { retry_after: window })),
            false => Ok(()),
        }
    }
}

impl UseCase for RequestDevice {
    type Answer = RequestedDevice;
    type Refusal = RequestDeviceRefusal;

    fn proved_once(&self) -> Option<ProvedOnce<'_, RequestDeviceRefusal>> {
        Some(ProvedOnce::by(self.client.once(), RequestDeviceRefusal::UsedBefore))
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<RequestedDevice, Refusal<RequestDeviceRefusal>> {
        let client = work.authenticated(&self.client).await?;
        client.as_deref().and_then(Client::usable).ok_or(Refusal::Rule(RequestDeviceRefusal::ClientDisabled))?;
        let device = Loaded::<DeviceAuthorization>::new_stream(Uuid::now_v7());
        let device_code = CredentialKind::Device.mint(&work.inner.keys, device.id, 0);
        let user_code = UserCode::generate();
        let expires_at = work.now.plus(work.inner.settings.devices.code_lifetime);
        let request = DeviceRequest {
            client_id: self.client.id,
            scope: self.scope.clone(),
            resources: self.resources.clone(),
            device_code: Digest::of(device_code.expose_secret().as_bytes()),
            expires_at,
            at: work.now,
        };
        work.decide(&device, DeviceAuthorizationCommand::Request(Box::new(request)))
            .map_err(|error| Refusal::Rule(RequestDeviceRefusal::Device(error)))?;
        // Claimed and put: where another device shows the same code, another is made.
        let (kind, key) = (ephemeral::USER_CODE, work.inner.user_code_index(&user_code));
        work.ephemeral.push(EphemeralChange::Claim { kind, key: key.clone(), expires_at });
        work.ephemeral.push(EphemeralChange::Put { kind, key, value: device.id.to_string(), expires_at });
        Ok(RequestedDevice { device_code, user_code })
    }
}
