//! What the people and clients of a story are called, as far as it can be told today: an erased person has no name any more.

use std::collections::{BTreeSet, HashMap};

use domain::{
    ClientId, Event, UserId, audit::AuditEvent, client::ClientEvent, consent::ConsentEvent,
    device_authorization::DeviceAuthorizationEvent, grant::GrantEvent, invitation::InvitationEvent, session::SessionEvent,
};
use projections::client;

use crate::{dispatch::Dispatch, log::Unavailable};

use super::Told;

/// Clients looked up at a time.
const AT_A_TIME: usize = 500;

/// Names by id.
#[derive(Clone, Debug, Default)]
pub struct Names {
    pub users: HashMap<UserId, String>,
    pub clients: HashMap<ClientId, String>,
}

/// Who is named in a story.
#[derive(Clone, Debug, Default)]
pub struct Named {
    pub users: BTreeSet<UserId>,
    pub clients: BTreeSet<ClientId>,
}

impl Names {
    /// Looks the names up.
    ///
    /// # Errors
    /// `Unavailable` when the store or the vault does not answer.
    pub async fn open(dispatch: &Dispatch, named: Named) -> Result<Self, Unavailable> {
        let users = dispatch.usernames(&named.users.into_iter().collect::<Vec<_>>()).await?;
        let ids: Vec<String> = named.clients.iter().map(ToString::to_string).collect();
        let mut clients = HashMap::new();
        for some in ids.chunks(AT_A_TIME) {
            for row in client::find(dispatch.log.db(), some).await? {
                let name = if row.name.is_empty() { row.client_id } else { row.name };
                clients.insert(row.id.parse().map_err(|_| Unavailable)?, name);
            }
        }
        Ok(Self { users, clients })
    }

    /// What a user is called.
    #[must_use]
    pub fn user(&self, id: UserId) -> String {
        self.users.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }

    /// What a client is called.
    #[must_use]
    pub fn client(&self, id: ClientId) -> String {
        self.clients.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }

    /// What an actor is called: what it is, and its name in the place of the id.
    #[must_use]
    pub fn actor(&self, by: &str) -> String {
        match by.split_once(':') {
            None => by.to_owned(),
            Some((kind, id)) => {
                let user = id.parse().ok().and_then(|id| self.users.get(&id));
                let client = id.parse().ok().and_then(|id| self.clients.get(&id));
                format!("{kind} {}", user.or(client).map_or(id, String::as_str))
            }
        }
    }
}

impl Named {
    /// Everybody whom events name.
    #[must_use]
    pub fn in_events<'a>(events: impl IntoIterator<Item = &'a Told>) -> Self {
        let mut named = Self::default();
        for told in events {
            named.note_actor(&told.by);
            named.note(told);
        }
        named
    }

    /// Those whom events are about, without who made them.
    #[must_use]
    pub fn about<'a>(events: impl IntoIterator<Item = &'a Told>) -> Self {
        let mut named = Self::default();
        events.into_iter().for_each(|told| named.note(told));
        named
    }

    /// An actor, as the log names it.
    pub fn note_actor(&mut self, by: &str) {
        match by.split_once(':') {
            Some(("client", id)) => self.clients.extend(id.parse::<ClientId>()),
            Some((_, id)) => self.users.extend(id.parse::<UserId>()),
            None => {}
        }
    }

    fn note(&mut self, told: &Told) {
        let own = told.stream.aggregate_id;
        match &told.event {
            Event::Client(event) => {
                self.clients.insert(ClientId::new(own));
                match event {
                    ClientEvent::Registered { owner, .. } => self.users.extend(owner),
                    ClientEvent::Updated { .. }
                    | ClientEvent::SecretAdded { .. }
                    | ClientEvent::SecretExpirySet { .. }
                    | ClientEvent::Disabled { .. }
                    | ClientEvent::Enabled { .. }
                    | ClientEvent::RegistrationTokenSet { .. }
                    | ClientEvent::Deregistered { .. } => {}
                }
            }
            Event::User(_) => drop(self.users.insert(UserId::new(own))),
            Event::Session(event) => match event {
                SessionEvent::Started { sign_in, .. } | SessionEvent::Reauthenticated { sign_in, .. } => {
                    self.users.insert(sign_in.user_id);
                }
                SessionEvent::Ended { .. } => {}
                SessionEvent::ClientNotified { notice, .. } => drop(self.clients.insert(notice.client_id)),
            },
            Event::Consent(event) => match event {
                ConsentEvent::Given { terms, .. } => {
                    self.users.insert(terms.user_id);
                    self.clients.insert(terms.client_id);
                }
                ConsentEvent::Withdrawn { by, .. } => self.users.extend(by),
            },
            Event::Grant(event) => match event {
                GrantEvent::Approved(approved) => {
                    self.users.insert(approved.user_id);
                    self.clients.insert(approved.client_id);
                }
                GrantEvent::ClientCredentialsIssued { client_id, .. } => drop(self.clients.insert(*client_id)),
                GrantEvent::JwtBearerIssued(assured) => {
                    self.users.insert(assured.user_id);
                    self.clients.insert(assured.client_id);
                }
                GrantEvent::TokenExchanged(exchanged) => {
                    self.clients.insert(exchanged.client_id);
                    self.clients.extend(&exchanged.through);
                }
                GrantEvent::CodeRedeemed { .. }
                | GrantEvent::TokensIssued { .. }
                | GrantEvent::Refreshed { .. }
                | GrantEvent::AccessTokenRefreshed { .. }
                | GrantEvent::RefreshRetried { .. }
                | GrantEvent::CodeReplayed { .. }
                | GrantEvent::RefreshReplayed { .. }
                | GrantEvent::AccessTokenRevoked { .. }
                | GrantEvent::Revoked { .. } => {}
            },
            Event::DeviceAuthorization(event) => match event {
                DeviceAuthorizationEvent::Requested(request) => drop(self.clients.insert(request.client_id)),
                DeviceAuthorizationEvent::Approved(approval) => {
                    self.users.insert(approval.user_id);
                    self.clients.insert(approval.client_id);
                }
                DeviceAuthorizationEvent::Denied { user_id, .. } => drop(self.users.insert(*user_id)),
                DeviceAuthorizationEvent::Redeemed { .. } => {}
            },
            Event::Audit(AuditEvent::Read { read, .. }) => {
                self.users.extend(read.user_id);
                self.clients.extend(read.client_id);
            }
            Event::Invitation(event) => match event {
                InvitationEvent::Used { client_id, .. } => drop(self.clients.insert(*client_id)),
                InvitationEvent::Made { .. } | InvitationEvent::Withdrawn { .. } => {}
            },
            Event::KeySet(_) | Event::Catalogue(_) | Event::Audit(AuditEvent::PassedOver { .. }) => {}
        }
    }
}
