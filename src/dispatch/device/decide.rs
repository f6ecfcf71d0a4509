//! Somebody lets a device in, or does not (RFC 8628 section 3.3): a consent and the approval, in one append. Always by hand, whatever they
//! allowed the client before: the device may be somebody else's.

use domain::{
    ClientId, Decide, DeviceAuthorizationId, StreamId,
    catalogue::Catalogue,
    client::Client,
    consent::{ConsentError, ConsentTerms, GivenBy},
    device_authorization::{DeviceApproval, DeviceAuthorization, DeviceAuthorizationCommand, DeviceAuthorizationError},
    id::THE_ONLY,
};

use crate::{
    dispatch::{Consenting, CurrentSession, Dispatch, Done, Refusal, UseCase, work::Work},
    log::Actor,
};

/// Who decides on which device.
#[derive(Clone)]
pub struct DecideOnDevice {
    pub session: CurrentSession,
    pub id: DeviceAuthorizationId,
    /// For which client it asks, and the metadata version of it that was shown.
    pub client_id: ClientId,
    pub client_version: u32,
}

/// Why nothing was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceDecisionRefusal {
    #[error("the client was disabled meanwhile")]
    ClientDisabled,
    #[error("the client changed meanwhile: what was shown no longer holds")]
    ClientChanged,
    #[error("the session ended meanwhile")]
    SessionEnded,
    #[error("{0}")]
    Consent(ConsentError),
    #[error("{0}")]
    Device(DeviceAuthorizationError),
}

struct Deny<'a>(&'a DecideOnDevice);

impl Dispatch {
    /// Lets the device in.
    ///
    /// # Errors
    /// What changed meanwhile so that it no longer holds.
    pub async fn approve_device(&self, decision: &DecideOnDevice) -> Result<Done<()>, Refusal<DeviceDecisionRefusal>> {
        self.perform(Actor::User(decision.session.user_id), decision).await
    }

    /// Does not let it in, for good.
    ///
    /// # Errors
    /// That it has been decided, or has expired.
    pub async fn deny_device(&self, decision: &DecideOnDevice) -> Result<Done<()>, Refusal<DeviceDecisionRefusal>> {
        self.perform(Actor::User(decision.session.user_id), &Deny(decision)).await
    }
}

fn rule(error: DeviceAuthorizationError) -> Refusal<DeviceDecisionRefusal> {
    Refusal::Rule(DeviceDecisionRefusal::Device(error))
}

impl UseCase for DecideOnDevice {
    type Answer = ();
    type Refusal = DeviceDecisionRefusal;

    fn stream(&self) -> Option<StreamId> {
        Some(DeviceAuthorization::stream(self.id.uuid()))
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<(), Refusal<DeviceDecisionRefusal>> {
        let device = work.load::<DeviceAuthorization>(self.id.uuid()).await?;
        let asked = device.state.asked().ok_or(rule(DeviceAuthorizationError::Unknown))?;
        let client = work.guard::<Client>(self.client_id.uuid()).await?;
        let registration = client.usable().ok_or(Refusal::Rule(DeviceDecisionRefusal::ClientDisabled))?;
        if registration.metadata_version != self.client_version {
            return Err(Refusal::Rule(DeviceDecisionRefusal::ClientChanged));
        }
        let sign_in = work.deciding_in(&self.session).await?;
        let sign_in = sign_in.ok_or(Refusal::Rule(DeviceDecisionRefusal::SessionEnded))?;
        let catalogue = work.guard::<Catalogue>(THE_ONLY).await?;
        let terms = ConsentTerms {
            user_id: self.session.user_id,
            client_id: self.client_id,
            scope: asked.scope.clone(),
            resources: asked.resources.clone(),
            client_version: self.client_version,
            catalogue_version: catalogue.version,
            given_by: GivenBy::User,
            claims: [].into(),
        };
        let given = work.give_consent(terms, Consenting::Now(GivenBy::User)).await;
        let approval = DeviceApproval {
            client_id: self.client_id,
            user_id: self.session.user_id,
            session_id: self.session.id,
            session_ends_at: sign_in.expires_at,
            consent_id: given.map_err(|error| error.map(DeviceDecisionRefusal::Consent))?,
            auth_time: sign_in.auth_time,
            acr: sign_in.acr,
            amr: sign_in.amr,
            pos: work.inner.log.known_head(),
            at: work.now,
        };
        work.decide(&device, DeviceAuthorizationCommand::Approve(Box::new(approval))).map_err(rule)?;
        Ok(())
    }
}

impl UseCase for Deny<'_> {
    type Answer = ();
    type Refusal = DeviceDecisionRefusal;

    fn stream(&self) -> Option<StreamId> {
        self.0.stream()
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<(), Refusal<DeviceDecisionRefusal>> {
        let DecideOnDevice { session, id, .. } = self.0;
        let device = work.load::<DeviceAuthorization>(id.uuid()).await?;
        work.deciding_in(session).await?.ok_or(Refusal::Rule(DeviceDecisionRefusal::SessionEnded))?;
        let command = DeviceAuthorizationCommand::Deny { user_id: session.user_id, session_id: session.id, at: work.now };
        work.decide(&device, command).map_err(rule)?;
        Ok(())
    }
}
