//! What a message has to say that its event does not hold: the `client_id` that a client has on the wire, and whose a consent is. Neither
//! ever changes.

use std::collections::HashMap;

use domain::{
    ClientId, ConsentId, Event, StreamId, UserId, audit::AuditEvent, client::ClientEvent, consent::ConsentEvent,
    device_authorization::DeviceAuthorizationEvent, grant::GrantEvent, invitation::InvitationEvent, session::SessionEvent,
};

use super::MessageError;

/// Whose a consent is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentOf {
    pub user_id: UserId,
    /// As it stands on the wire.
    pub client_id: String,
}

/// The names that are known.
#[derive(Clone, Debug, Default)]
pub struct Names {
    pub clients: HashMap<ClientId, String>,
    pub consents: HashMap<ConsentId, ConsentOf>,
}

/// A name that a message needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wanted {
    Client(ClientId),
    Consent(ConsentId),
    Nothing,
}

/// The name that the message of an event needs.
#[must_use]
pub fn wanted(event: &Event, stream: &StreamId) -> Wanted {
    match event {
        Event::Client(event) => match event {
            ClientEvent::Registered { .. } => Wanted::Nothing,
            ClientEvent::Updated { .. }
            | ClientEvent::SecretAdded { .. }
            | ClientEvent::SecretExpirySet { .. }
            | ClientEvent::Disabled { .. }
            | ClientEvent::Enabled { .. }
            | ClientEvent::RegistrationTokenSet { .. }
            | ClientEvent::Deregistered { .. } => Wanted::Client(ClientId::new(stream.aggregate_id)),
        },
        Event::Consent(event) => match event {
            ConsentEvent::Given { terms, .. } => Wanted::Client(terms.client_id),
            ConsentEvent::Withdrawn { .. } => Wanted::Consent(ConsentId::new(stream.aggregate_id)),
        },
        Event::Grant(event) => match event {
            GrantEvent::Approved(approved) => Wanted::Client(approved.client_id),
            GrantEvent::ClientCredentialsIssued { client_id, .. } => Wanted::Client(*client_id),
            GrantEvent::JwtBearerIssued(assured) => Wanted::Client(assured.client_id),
            GrantEvent::TokenExchanged(exchanged) => Wanted::Client(exchanged.client_id),
            GrantEvent::CodeRedeemed { .. }
            | GrantEvent::TokensIssued { .. }
            | GrantEvent::Refreshed { .. }
            | GrantEvent::AccessTokenRefreshed { .. }
            | GrantEvent::RefreshRetried { .. }
            | GrantEvent::CodeReplayed { .. }
            | GrantEvent::RefreshReplayed { .. }
            | GrantEvent::AccessTokenRevoked { .. }
            | GrantEvent::Revoked { .. } => Wanted::Nothing,
        },
        Event::Audit(AuditEvent::Read { read, .. }) => read.client_id.map_or(Wanted::Nothing, Wanted::Client),
        Event::Audit(AuditEvent::PassedOver { .. }) => Wanted::Nothing,
        Event::Invitation(event) => match event {
            InvitationEvent::Used { client_id, .. } => Wanted::Client(*client_id),
            InvitationEvent::Made { .. } | InvitationEvent::Withdrawn { .. } => Wanted::Nothing,
        },
        Event::DeviceAuthorization(event) => match event {
            DeviceAuthorizationEvent::Requested(request) => Wanted::Client(request.client_id),
            DeviceAuthorizationEvent::Approved(approval) => Wanted::Client(approval.client_id),
            DeviceAuthorizationEvent::Denied { .. } | DeviceAuthorizationEvent::Redeemed { .. } => Wanted::Nothing,
        },
        Event::Session(event) => match event {
            SessionEvent::ClientNotified { notice, .. } => Wanted::Client(notice.client_id),
            SessionEvent::Started { .. } | SessionEvent::Reauthenticated { .. } | SessionEvent::Ended { .. } => Wanted::Nothing,
        },
        Event::User(_) | Event::KeySet(_) | Event::Catalogue(_) => Wanted::Nothing,
    }
}

impl Names {
    pub(super) fn client(&self, id: ClientId) -> Result<String, MessageError> {
        self.clients.get(&id).cloned().ok_or(MessageError::UnknownClient(id))
    }

    pub(super) fn consent(&self, id: ConsentId) -> Result<&ConsentOf, MessageError> {
        self.consents.get(&id).ok_or(MessageError::UnknownConsent(id))
    }
}
