//! Clients are registered, changed, disabled: by their owners, by administrators, by the command line.

use domain::{
    ClientId, Decide, Digest, StreamId, UserId,
    catalogue::Catalogue,
    client::{ByItself, Client, ClientCommand, ClientError, ClientMetadata, Registration},
    id::THE_ONLY,
};
use secrecy::SecretString;
use uuid::Uuid;

use crate::{
    log::{Actor, ClaimChange, Unavailable},
    reads::own_client_id,
};

use super::{
    Dispatch, Done, Refusal, UseCase,
    client_secret::{PreparedSecret, SecretChoice},
    work::{Loaded, Work},
};

/// A client to register.
pub struct RegisterClient {
    /// Its `client_id`, if chosen or imported; else one is made.
    pub identifier: Option<String>,
    pub owner: Option<UserId>,
    pub metadata: ClientMetadata,
    pub secret: SecretChoice,
}

/// A client that was registered, or got a new secret.
pub struct RegisteredClient {
    pub id: ClientId,
    pub identifier: String,
    /// Shown this once.
    pub secret: Option<SecretString>,
    pub registration: Registration,
}

/// A registration on its way: by whom it may, or by the client itself.
pub(super) struct Register {
    pub(super) id: ClientId,
    pub(super) identifier: String,
    pub(super) owner: Option<UserId>,
    pub(super) metadata: ClientMetadata,
    pub(super) secret: Option<PreparedSecret>,
    /// How it registers itself.
    pub(super) by_itself: Option<ByItself>,
    /// The digest of the token that it will manage its registration with.
    pub(super) registration_token: Option<Digest>,
}

pub(super) struct Change {
    pub(super) id: ClientId,
    pub(super) change: ClientChange,
}

pub(super) enum ClientChange {
    Update(Box<ClientMetadata>),
    UpdateFromDocument(Box<ClientMetadata>),
    Rotate { secret: PreparedSecret, overlap: u32 },
    Disable { by: Option<UserId> },
    Enable { by: Option<UserId> },
}

impl Dispatch {
    /// Registers a client. One that names no scope gets all that users can grant.
    ///
    /// # Errors
    /// What of its metadata is refused (a scope that the catalogue does not have, say), or that the chosen `client_id` is taken.
    pub async fn register_client(
        &self,
        actor: Actor,
        request: RegisterClient,
    ) -> Result<Done<RegisteredClient>, Refusal<ClientError>> {
        let metadata = request.metadata.keep_known();
        metadata.check().map_err(Refusal::Rule)?;
        self.check_sector(&metadata).await.map_err(Refusal::Rule)?;
        let own = ClientId::new(Uuid::now_v7());
        let id = request.identifier.as_deref().map_or(own, |chosen| own_client_id(chosen).unwrap_or(own));
        let identifier = request.identifier.unwrap_or_else(|| id.to_string());
        let secret = match metadata.has_secret() {
            false => None,
            true => Some(self.prepare_secret(request.secret).await.map_err(Refusal::Rule)?),
        };
        let register =
            Register { id, identifier, owner: request.owner, metadata, secret, by_itself: None, registration_token: None };
        let done = self.perform(actor, &register).await?;
        let secret = register.secret.and_then(|secret| secret.shown);
        let answer = RegisteredClient { id, identifier: register.identifier, secret, registration: done.answer };
        Ok(Done { answer, position: done.position })
    }

    /// Replaces a client's metadata. The scope as at registration.
    ///
    /// # Errors
    /// What of it is refused, or that there is no such client.
    pub async fn update_client(
        &self,
        actor: Actor,
        id: ClientId,
        metadata: ClientMetadata,
    ) -> Result<Done<Registration>, Refusal<ClientError>> {
        let metadata = Box::new(metadata.keep_known());
        if let Some(before) = self.client_by_id(id).await?.state.registration() {
            self.check_changed_sector(&before.metadata, &metadata).await.map_err(Refusal::Rule)?;
        }
        self.perform(actor, &Change { id, change: ClientChange::Update(metadata) }).await
    }

    /// Gives a client a new secret; those it has work for `overlap` seconds more.
    ///
    /// # Errors
    /// That it is public, or unknown.
    pub async fn rotate_client_secret(
        &self,
        actor: Actor,
        id: ClientId,
        overlap: u32,
    ) -> Result<Done<RegisteredClient>, Refusal<ClientError>> {
        let secret = self.prepare_secret(SecretChoice::Generated).await.map_err(Refusal::Rule)?;
        let shown = secret.shown.clone();
        let done = self.perform(actor, &Change { id, change: ClientChange::Rotate { secret, overlap } }).await?;
        let identifier = done.answer.identifier.clone();
        let answer = RegisteredClient { id, identifier, secret: shown, registration: done.answer };
        Ok(Done { answer, position: done.position })
    }

    /// Disables a client: all that it holds is dead.
    ///
    /// # Errors
    /// That there is no such client.
    pub async fn disable_client(&self, actor: Actor, id: ClientId) -> Result<Done<Registration>, Refusal<ClientError>> {
        self.perform(actor, &Change { id, change: ClientChange::Disable { by: owner(actor) } }).await
    }

    /// Enables a client: nothing is revived. A user enables only what they disabled.
    ///
    /// # Errors
    /// That there is no such client, or an operator disabled what a user would enable.
    pub async fn enable_client(&self, actor: Actor, id: ClientId) -> Result<Done<Registration>, Refusal<ClientError>> {
        self.perform(actor, &Change { id, change: ClientChange::Enable { by: owner(actor) } }).await
    }

    /// A client by its `client_id`, as it is now.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn client(&self, identifier: &str) -> Result<Option<Loaded<Client>>, Unavailable> {
        let Some(id) = self.reads.client_id(identifier).await? else {
            return Ok(None);
        };
        let loaded = self.load_fresh::<Client>(id.uuid()).await?;
        Ok(loaded.state.registration().is_some().then_some(loaded))
    }

    /// A client by its stream, as it is now; `Client::Absent` where there is none.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn client_by_id(&self, id: ClientId) -> Result<Loaded<Client>, Unavailable> {
        self.load_fresh::<Client>(id.uuid()).await
    }
}

/// Who acts as a client's owner.
const fn owner(actor: Actor) -> Option<UserId> {
    match actor {
        Actor::User(user) => Some(user),
        Actor::System | Actor::Operator | Actor::Client(_) | Actor::Administrator(_) => None,
    }
}

impl UseCase for Register {
    type Answer = Registration;
    type Refusal = ClientError;

    fn name_taken(&self, _name: &str) -> Option<ClientError> {
        Some(ClientError::Exists)
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<Registration, Refusal<ClientError>> {
        self.register(work).await
    }
}

impl Register {
    pub(super) async fn register(&self, work: &mut Work<'_>) -> Result<Registration, Refusal<ClientError>> {
        let client = match self.identifier == self.id.to_string() {
            true => work.load::<Client>(self.id.uuid()).await?,
            false => Loaded::new_stream(self.id.uuid()),
        };
        let metadata = work.with_known_scope(&self.metadata, self.by_itself.is_some()).await?;
        let name = format!("subject/{}", self.identifier);
        work.claims.push(ClaimChange::Take { name, stream: Client::stream(self.id.uuid()) });
        if let Some(secret) = &self.secret {
            secret.put_in_vault(work);
        }
        let command = ClientCommand::Register {
            identifier: self.identifier.clone(),
            owner: self.owner,
            metadata: Box::new(metadata),
            secret: self.secret.as_ref().map(|secret| secret.kept.clone()),
            by_itself: self.by_itself,
            registration_token: self.registration_token.clone(),
            at: work.now,
        };
        let (_, state) = work.decide(&client, command).map_err(Refusal::Rule)?;
        state.registration().cloned().ok_or(Refusal::Rule(ClientError::Unknown))
    }
}

impl UseCase for Change {
    type Answer = Registration;
    type Refusal = ClientError;

    fn stream(&self) -> Option<StreamId> {
        Some(Client::stream(self.id.uuid()))
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<Registration, Refusal<ClientError>> {
        let client = work.load::<Client>(self.id.uuid()).await?;
        let at = work.now;
        let command = match &self.change {
            ClientChange::Update(metadata) => {
                ClientCommand::Update { metadata: Box::new(work.with_known_scope(metadata, false).await?), at }
            }
            ClientChange::UpdateFromDocument(metadata) => {
                ClientCommand::UpdateFromDocument { metadata: Box::new(work.with_known_scope(metadata, true).await?), at }
            }
            ClientChange::Rotate { secret, overlap } => {
                secret.put_in_vault(work);
                ClientCommand::RotateSecret { secret: secret.kept.clone(), others_expire_at: at.plus(*overlap), at }
            }
            ClientChange::Disable { by } => ClientCommand::Disable { by: *by, at },
            ClientChange::Enable { by } => ClientCommand::Enable { by: *by, at },
        };
        let (_, state) = work.decide(&client, command).map_err(Refusal::Rule)?;
        state.registration().cloned().ok_or(Refusal::Rule(ClientError::Unknown))
    }
}

impl Work<'_> {
    /// The metadata with a scope that the catalogue has: its own, or the default one where it names none. Before the first server has
    /// adopted a catalogue, the settings' counts. What no person can grant, no client takes by itself.
    pub(super) async fn with_known_scope(
        &mut self,
        metadata: &ClientMetadata,
        by_itself: bool,
    ) -> Result<ClientMetadata, Refusal<ClientError>> {
        let adopted = self.guard::<Catalogue>(THE_ONLY).await?;
        let catalogue = match adopted.version {
            0 => Catalogue::unadopted(self.inner.settings.catalogue()),
            _ => Catalogue::clone(&adopted),
        };
        let named = if metadata.scope.is_empty() { catalogue.default_scope() } else { metadata.scope.clone() };
        let unknown = catalogue.unknown(&named);
        let privileged = catalogue.scopes.iter().find(|entry| by_itself && entry.privileged && named.contains(&entry.name));
        if let Some(entry) = privileged {
            let refused = format!("scope: a client that registers itself does not get {}", entry.name);
            return Err(Refusal::Rule(ClientError::InvalidMetadata(refused)));
        }
        if unknown.is_empty() {
            let all = by_itself && self.inner.settings.registration.all_scopes;
            let scope = if all { catalogue.default_scope() } else { named };
            return Ok(ClientMetadata { scope, ..metadata.clone() });
        }
        let known: Vec<&str> = catalogue.scopes.iter().map(|entry| entry.name.as_str()).collect();
        let refused = format!("scope: the catalogue has no {unknown}; it has {}", known.join(" "));
        Err(Refusal::Rule(ClientError::InvalidMetadata(refused)))
    }
}
