//! What is told of each event, chosen one by one: an event without a line here does not compile.

mod device;
mod grant;
mod user;

use domain::{
    ClientId, ConsentId, Event, StreamId, Timestamp,
    audit::AuditEvent,
    catalogue::{CatalogueEvent, IssuerEntry, ResourceEntry, ScopeEntry},
    client::{ByItself, ClientEvent, ClientMetadata},
    consent::{ConsentEvent, GivenBy},
    cutoff::{Cutoff, Subject},
    invitation::InvitationEvent,
    key_set::KeySetEvent,
    session::{SessionEvent, SignIn},
};
pub(super) use grant::token_ends_at;
use serde::Serialize;
use serde_json::Value;

use super::{
    Chain, Ended, MessageError, Names, Revocation,
    data::{self, Data},
};

/// An event, where it stands, and what is known of others.
pub(super) struct Told<'a> {
    pub(super) event: &'a Event,
    pub(super) stream: &'a StreamId,
    pub(super) position: i64,
    pub(super) names: &'a Names,
    pub(super) chain: &'a Chain,
}

impl Told<'_> {
    pub(super) fn data(&self) -> Result<Data, MessageError> {
        match self.event {
            Event::Client(event) => self.client(event),
            Event::User(event) => self.user(event),
            Event::Session(event) => self.session(event),
            Event::Consent(event) => self.consent(event),
            Event::Grant(event) => self.grant(event),
            Event::KeySet(event) => self.key_set(event),
            Event::Catalogue(event) => Ok(catalogue(event)),
            Event::Audit(event) => self.audit(event),
            Event::Invitation(event) => self.invitation(event),
            Event::DeviceAuthorization(event) => self.device_authorization(event),
        }
    }

    fn id(&self) -> String {
        self.stream.aggregate_id.to_string()
    }

    /// What the event ends beyond its own stream: all that was issued before this position, the last of which has ended when every token
    /// issued so far has.
    fn cut_off(&self, at: Timestamp) -> Result<Revocation, MessageError> {
        let Cutoff { subject, cause } = self.event.cutoff().expect("what is told as a cutoff is one");
        let (id, before) = (self.id(), self.position);
        let mut forget_after = self.chain.tokens_end_at().max(at.unix());
        let what = match subject {
            Subject::Client => Ended::Client { client_id: self.names.client(ClientId::new(self.stream.aggregate_id))?, before },
            Subject::User => Ended::User { sub: id, before },
            Subject::Session => Ended::Session { session_id: id, before },
            Subject::Consent => {
                let of = self.names.consent(ConsentId::new(self.stream.aggregate_id))?;
                Ended::Consent { consent_id: id, sub: of.user_id.to_string(), client_id: of.client_id.clone(), before }
            }
            Subject::Grant { ends_at } => {
                // A family outlives its access tokens, which are all that a subscriber meets.
                forget_after = forget_after.min(ends_at.unix());
                Ended::Grant { grant_id: id }
            }
            Subject::Key(kid) => Ended::Key { kid: kid.to_owned(), before },
            Subject::Issuer => Ended::Issuer { before },
        };
        Ok(Revocation { what, reason: cause.into(), at: at.unix(), forget_after })
    }

    fn client(&self, event: &ClientEvent) -> Result<Data, MessageError> {
        let client_id = match event {
            ClientEvent::Registered { identifier, .. } => identifier.clone(),
            ClientEvent::Updated { .. }
            | ClientEvent::SecretAdded { .. }
            | ClientEvent::SecretExpirySet { .. }
            | ClientEvent::Disabled { .. }
            | ClientEvent::Enabled { .. }
            | ClientEvent::RegistrationTokenSet { .. }
            | ClientEvent::Deregistered { .. } => self.names.client(ClientId::new(self.stream.aggregate_id))?,
        };
        Ok(match event {
            ClientEvent::Registered { identifier: _, owner, metadata, by_itself, at } => {
                Data::ClientRegistered(data::ClientRegistered {
                    client_id,
                    owner: owner.map(|owner| owner.to_string()),
                    by_itself: by_itself.map(|way| match way {
                        ByItself::Open => "open".to_owned(),
                        ByItself::Invited { .. } => "invited".to_owned(),
                        ByItself::Document => "document".to_owned(),
                    }),
                    client: description(metadata),
                    at: at.unix(),
                })
            }
            ClientEvent::Updated { metadata, metadata_version, at } => Data::ClientUpdated(data::ClientUpdated {
                client_id,
                metadata_version: *metadata_version,
                client: description(metadata),
                at: at.unix(),
            }),
            ClientEvent::SecretAdded { secret, at } => Data::ClientSecretAdded(data::ClientSecret {
                client_id,
                secret_id: secret.id.to_string(),
                expires_at: secret.expires_at.map(Timestamp::unix),
                at: at.unix(),
            }),
            ClientEvent::SecretExpirySet { secret_id, expires_at, at } => Data::ClientSecretExpirySet(data::ClientSecret {
                client_id,
                secret_id: secret_id.to_string(),
                expires_at: Some(expires_at.unix()),
                at: at.unix(),
            }),
            ClientEvent::Disabled { by: _, at } => Data::ClientDisabled(self.cut_off(*at)?),
            ClientEvent::Enabled { at } => Data::ClientEnabled(data::ClientEnabled { client_id, at: at.unix() }),
            ClientEvent::RegistrationTokenSet { digest: _, at } => {
                Data::ClientRegistrationTokenSet(data::ClientRegistrationTokenSet { client_id, at: at.unix() })
            }
            ClientEvent::Deregistered { reason: _, at } => Data::ClientDeregistered(self.cut_off(*at)?),
        })
    }

    fn session(&self, event: &SessionEvent) -> Result<Data, MessageError> {
        Ok(match event {
            SessionEvent::Started { sign_in, browser: _, at } => Data::SessionStarted(self.sign_in(sign_in, *at)),
            SessionEvent::Reauthenticated { sign_in, at } => Data::SessionReauthenticated(self.sign_in(sign_in, *at)),
            SessionEvent::Ended { reason: _, at } => Data::SessionEnded(self.cut_off(*at)?),
            SessionEvent::ClientNotified { notice, at } => Data::SessionClientNotified(data::ClientNotified {
                session_id: self.id(),
                client_id: self.names.client(notice.client_id)?,
                outcome: word(&notice.outcome),
                tries: notice.tries,
                status: notice.status,
                at: at.unix(),
            }),
        })
    }

    fn sign_in(&self, sign_in: &SignIn, at: Timestamp) -> data::SignIn {
        data::SignIn {
            session_id: self.id(),
            sub: sign_in.user_id.to_string(),
            auth_time: sign_in.auth_time.unix(),
            amr: sign_in.amr.clone(),
            acr: sign_in.acr.clone(),
            expires_at: sign_in.expires_at.unix(),
            at: at.unix(),
        }
    }

    fn consent(&self, event: &ConsentEvent) -> Result<Data, MessageError> {
        Ok(match event {
            ConsentEvent::Given { terms, at } => Data::ConsentGiven(data::ConsentGiven {
                consent_id: self.id(),
                sub: terms.user_id.to_string(),
                client_id: self.names.client(terms.client_id)?,
                scope: terms.scope.to_string(),
                resources: terms.resources.clone(),
                claims: terms.claims.iter().cloned().collect(),
                metadata_version: terms.client_version,
                catalogue_version: terms.catalogue_version,
                first_party: match terms.given_by {
                    GivenBy::User => false,
                    GivenBy::FirstParty => true,
                },
                at: at.unix(),
            }),
            ConsentEvent::Withdrawn { by: _, at } => Data::ConsentWithdrawn(self.cut_off(*at)?),
        })
    }

    fn audit(&self, event: &AuditEvent) -> Result<Data, MessageError> {
        match event {
            AuditEvent::PassedOver { position, reason: _, at } => {
                Ok(Data::AuditPassedOver(data::AuditPassedOver { passed_over: position.to_string(), at: at.unix() }))
            }
            AuditEvent::Read { read, at } => Ok(Data::AuditRead(data::AuditRead {
                question: word(&read.question),
                grant_id: read.grant_id.map(|id| id.to_string()),
                client_id: read.client_id.map(|id| self.names.client(id)).transpose()?,
                sub: read.user_id.map(|id| id.to_string()),
                at: at.unix(),
            })),
        }
    }

    fn invitation(&self, event: &InvitationEvent) -> Result<Data, MessageError> {
        let invitation_id = self.id();
        Ok(match event {
            InvitationEvent::Made { digest: _, uses, expires_at, at } => Data::InvitationMade(data::InvitationMade {
                invitation_id,
                uses: *uses,
                expires_at: expires_at.unix(),
                at: at.unix(),
            }),
            InvitationEvent::Used { client_id, uses_left, at } => Data::InvitationUsed(data::InvitationUsed {
                invitation_id,
                client_id: self.names.client(*client_id)?,
                uses_left: *uses_left,
                at: at.unix(),
            }),
            InvitationEvent::Withdrawn { at } => {
                Data::InvitationWithdrawn(data::InvitationWithdrawn { invitation_id, at: at.unix() })
            }
        })
    }

    fn key_set(&self, event: &KeySetEvent) -> Result<Data, MessageError> {
        Ok(match event {
            KeySetEvent::Added { key, at } => {
                Data::KeyAdded(data::Key { kid: key.kid.clone(), alg: word(&key.alg), at: at.unix() })
            }
            KeySetEvent::Activated { kid, at } => Data::KeyActivated(data::KeyActivated { kid: kid.clone(), at: at.unix() }),
            KeySetEvent::Retired { kid: _, at } => Data::KeyRetired(self.cut_off(*at)?),
            KeySetEvent::EpochBegun { epoch: _, at } => Data::EpochBegun(self.cut_off(*at)?),
        })
    }
}

fn catalogue(event: &CatalogueEvent) -> Data {
    let scope = |entry: &ScopeEntry| data::CatalogueScope {
        name: entry.name.clone(),
        privileged: entry.privileged,
        claims: entry.claims.iter().cloned().collect(),
    };
    let resource = |entry: &ResourceEntry| data::CatalogueResource {
        identifier: entry.identifier.clone(),
        scope: entry.scopes.to_string(),
        token_format: entry.token_format.as_ref().map(word),
        access_token_lifetime: entry.access_token_lifetime,
        open: entry.open,
        exchange_by: entry.exchange_by.as_ref().map(|by| by.iter().cloned().collect()),
        exchange_needs_actor: entry.exchange_needs_actor,
    };
    let issuer = |entry: &IssuerEntry| data::CatalogueIssuer {
        identifier: entry.identifier.clone(),
        clients: entry.clients.iter().cloned().collect(),
        scope: entry.scopes.to_string(),
        subject: word(&entry.subject),
    };
    match event {
        CatalogueEvent::Adopted { version, scopes, resources, issuers, at } => Data::CatalogueAdopted(data::CatalogueAdopted {
            version: *version,
            scopes: scopes.iter().map(scope).collect(),
            resources: resources.iter().map(resource).collect(),
            issuers: issuers.iter().map(issuer).collect(),
            at: at.unix(),
        }),
    }
}

/// Contacts, and what a client says beside what it may do, are not told.
fn description(metadata: &ClientMetadata) -> data::ClientDescription {
    data::ClientDescription {
        client_name: metadata.client_name.clone(),
        redirect_uris: metadata.redirect_uris.clone(),
        grant_types: metadata.grant_types.iter().map(word).collect(),
        scope: metadata.scope.to_string(),
        token_endpoint_auth_method: word(&metadata.token_endpoint_auth_method),
        application_type: word(&metadata.application_type),
        policy: word(&metadata.policy),
        access_token_format: word(&metadata.access_token_format),
        resources: metadata.resources.clone(),
        skip_consent: metadata.skip_consent,
    }
}

/// The RFC's own name of a value.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(error) => unreachable!("a value of a fixed set has a name: {error}"),
    }
}
