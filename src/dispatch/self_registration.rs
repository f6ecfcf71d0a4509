//! Clients register themselves (RFC 7591), and manage their registration (RFC 7592).

use std::net::IpAddr;

use domain::{
    ClientId, Decide, Digest, InvitationId, StreamId, Timestamp,
    client::{ByItself, Client, ClientCommand, ClientError, ClientMetadata, Registration},
    invitation::{Invitation, InvitationCommand, InvitationError},
};
use projections::client;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::{
    credential::{Credential, CredentialKind},
    ephemeral,
    log::{Actor, Unavailable},
};

use super::{
    Dispatch, Done, Refusal, RegisteredClient, SecretChoice, UseCase, client::Register, client_secret::PreparedSecret, work::Work,
};

/// The ephemeral kind of the counters of open registrations, and the key of the one for all of them.
const REGISTRATIONS: &str = "open_registrations";
const ALL: &str = "all";
/// Unused clients that are looked up at a time.
const BATCH: u32 = 100;

/// By what a client registers itself.
pub enum Admission {
    /// The settings let anybody; it is counted by where the request comes from.
    Open(IpAddr),
    Invitation(Credential),
}

/// A client that manages its own registration.
pub struct SelfRegistered {
    pub client: RegisteredClient,
    /// The registration access token, shown this once.
    pub token: SecretString,
}

/// Why a client cannot register itself, or manage its registration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelfRegistrationRefusal {
    #[error("{0}")]
    Client(#[from] ClientError),
    #[error("{0}")]
    Invitation(#[from] InvitationError),
    /// In seconds.
    #[error("too many have registered themselves")]
    TooMany { retry_after: u32 },
}

struct RegisterItself {
    register: Register,
    invitation: Option<Credential>,
}

struct UpdateItself {
    presented: Credential,
    next: Digest,
    metadata: Box<ClientMetadata>,
    secret: PreparedSecret,
}

struct Deregister {
    id: ClientId,
    /// `None`: for want of use.
    presented: Option<Digest>,
}

impl Dispatch {
    /// Registers a client that comes by itself. One that names no scope gets all that users can grant.
    ///
    /// # Errors
    /// What of its metadata is refused, that its invitation is good for nothing, or that too many have come.
    pub async fn register_itself(
        &self,
        admission: Admission,
        metadata: ClientMetadata,
    ) -> Result<Done<SelfRegistered>, Refusal<SelfRegistrationRefusal>> {
        let metadata = metadata.keep_known();
        metadata.check().map_err(rule)?;
        let id = ClientId::new(Uuid::now_v7());
        let secret = match metadata.has_secret() {
            false => None,
            true => Some(self.prepare_secret(SecretChoice::Generated).await.map_err(rule)?),
        };
        let (way, invitation, source) = match admission {
            Admission::Open(source) => (ByItself::Open, None, Some(source)),
            Admission::Invitation(credential) => {
                (ByItself::Invited { invitation_id: InvitationId::new(credential.aggregate_id) }, Some(credential), None)
            }
        };
        if let Some(source) = source {
            self.count_registration(source).await?;
        }
        // Nobody is asked for whoever may not register.
        self.check_sector(&metadata).await.map_err(rule)?;
        let (token, digest) = self.registration_token(id);
        let (identifier, by_itself, registration_token) = (id.to_string(), Some(way), Some(digest));
        let register = Register { id, identifier, owner: None, metadata, secret, by_itself, registration_token };
        let use_case = RegisterItself { register, invitation };
        let done = self.perform(Actor::Client(id), &use_case).await?;
        let Register { identifier, secret, .. } = use_case.register;
        let client =
            RegisteredClient { id, identifier, secret: secret.and_then(|secret| secret.shown), registration: done.answer };
        Ok(Done { answer: SelfRegistered { client, token }, position: done.position })
    }

    /// The registration that a token manages.
    ///
    /// # Errors
    /// `WrongRegistrationToken` where it manages none, or not any more.
    pub async fn registered_itself(&self, presented: &Credential) -> Result<Registration, Refusal<SelfRegistrationRefusal>> {
        let client = self.load_fresh::<Client>(presented.aggregate_id).await?;
        let registration = client.state.registration().ok_or_else(|| rule(ClientError::WrongRegistrationToken))?;
        registration.check_token(&presented.digest).map_err(rule)?;
        Ok(registration.clone())
    }

    /// Replaces a client's metadata and the token that it manages it with.
    ///
    /// # Errors
    /// What of it is refused, or that the token is not the client's, or not any more.
    pub async fn update_itself(
        &self,
        presented: Credential,
        metadata: ClientMetadata,
    ) -> Result<Done<SelfRegistered>, Refusal<SelfRegistrationRefusal>> {
        let id = ClientId::new(presented.aggregate_id);
        let (token, next) = self.registration_token(id);
        let secret = self.prepare_secret(SecretChoice::Generated).await.map_err(rule)?;
        let metadata = Box::new(metadata.keep_known());
        let before = self.registered_itself(&presented).await?;
        self.check_changed_sector(&before.metadata, &metadata).await.map_err(rule)?;
        let use_case = UpdateItself { presented, next, metadata, secret };
        let done = self.perform(Actor::Client(id), &use_case).await?;
        let registration = done.answer;
        let identifier = registration.identifier.clone();
        let given = registration.secrets.iter().any(|kept| kept.id == use_case.secret.kept.id);
        let secret = use_case.secret.shown.filter(|_| given);
        let client = RegisteredClient { id, identifier, secret, registration };
        Ok(Done { answer: SelfRegistered { client, token }, position: done.position })
    }

    /// Takes a client's registration back, as it asks: all that it held is dead, and nothing brings it back.
    ///
    /// # Errors
    /// That the token is not the client's, or not any more.
    pub async fn deregister_itself(&self, presented: &Credential) -> Result<Done<()>, Refusal<SelfRegistrationRefusal>> {
        let id = ClientId::new(presented.aggregate_id);
        self.perform(Actor::Client(id), &Deregister { id, presented: Some(presented.digest.clone()) }).await
    }

    /// Takes back the registrations that anybody could make, and that nobody has used for so long as the settings say. Gives how many.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn deregister_unused(&self) -> Result<usize, Unavailable> {
        let now = self.clock.now();
        let lifetime = i64::from(self.settings.registration.unused_lifetime);
        let before = Timestamp::from_unix(now.unix().saturating_sub(lifetime));
        let unused = client::unused(self.reads.db(), before, BATCH).await?;
        for id in &unused {
            let id = id.parse().map_err(|_| Unavailable)?;
            match self.perform(Actor::System, &Deregister { id, presented: None }).await {
                Ok(_) => {}
                Err(Refusal::Rule(refusal)) => tracing::warn!(client = %id, %refusal, "an unused client stays"),
                Err(Refusal::Unavailable(unavailable)) => return Err(unavailable),
            }
        }
        Ok(unused.len())
    }

    fn registration_token(&self, id: ClientId) -> (SecretString, Digest) {
        let token = CredentialKind::Registration.mint(&self.keys, id.uuid(), 0);
        let digest = Digest::of(token.expose_secret().as_bytes());
        (token, digest)
    }

    /// Counts an open registration, of its source and of all.
    pub(super) async fn count_registration(&self, source: IpAddr) -> Result<(), Refusal<SelfRegistrationRefusal>> {
        let settings = &self.settings.registration;
        let now = self.clock.now();
        for (key, most) in [(source.to_string(), settings.per_source), (ALL.to_owned(), settings.in_all)] {
            let count = ephemeral::count_up(self.log.db(), REGISTRATIONS, &key, now.plus(settings.window), now).await?;
            if count > i64::from(most) {
                return Err(Refusal::Rule(SelfRegistrationRefusal::TooMany { retry_after: settings.window }));
            }
        }
        Ok(())
    }
}

fn rule(error: impl Into<SelfRegistrationRefusal>) -> Refusal<SelfRegistrationRefusal> {
    Refusal::Rule(error.into())
}

impl From<Refusal<ClientError>> for Refusal<SelfRegistrationRefusal> {
    fn from(refusal: Refusal<ClientError>) -> Self {
        match refusal {
            Refusal::Rule(error) => rule(error),
            Refusal::Unavailable(unavailable) => Self::Unavailable(unavailable),
        }
    }
}

impl UseCase for RegisterItself {
    type Answer = Registration;
    type Refusal = SelfRegistrationRefusal;

    async fn run(&self, work: &mut Work<'_>) -> Result<Registration, Refusal<SelfRegistrationRefusal>> {
        if let Some(Credential { aggregate_id, digest, .. }) = &self.invitation {
            let invitation = work.load::<Invitation>(*aggregate_id).await?;
            let command = InvitationCommand::Use { presented: digest.clone(), client_id: self.register.id, at: work.now };
            work.decide(&invitation, command).map_err(rule)?;
        }
        Ok(self.register.register(work).await?)
    }
}

impl UseCase for UpdateItself {
    type Answer = Registration;
    type Refusal = SelfRegistrationRefusal;

    fn stream(&self) -> Option<StreamId> {
        Some(Client::stream(self.presented.aggregate_id))
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<Registration, Refusal<SelfRegistrationRefusal>> {
        let client = work.load::<Client>(self.presented.aggregate_id).await?;
        let command = ClientCommand::UpdateItself {
            presented: self.presented.digest.clone(),
            next: self.next.clone(),
            metadata: Box::new(work.with_known_scope(&self.metadata, true).await?),
            secret: Some(self.secret.kept.clone()),
            at: work.now,
        };
        let (_, state) = work.decide(&client, command).map_err(rule)?;
        state.registration().cloned().ok_or_else(|| rule(ClientError::Unknown))
    }
}

impl UseCase for Deregister {
    type Answer = ();
    type Refusal = SelfRegistrationRefusal;

    fn stream(&self) -> Option<StreamId> {
        Some(Client::stream(self.id.uuid()))
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<(), Refusal<SelfRegistrationRefusal>> {
        let client = work.load::<Client>(self.id.uuid()).await?;
        let at = work.now;
        let command = match &self.presented {
            Some(presented) => ClientCommand::DeregisterItself { presented: presented.clone(), at },
            None => ClientCommand::DeregisterUnused { at },
        };
        work.decide(&client, command).map_err(rule)?;
        Ok(())
    }
}
