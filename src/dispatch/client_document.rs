//! Clients that nobody registered: what they are stands in a document at the address that is their `client_id` (OAuth Client ID Metadata
//! Document). Each is registered when somebody is first sent here by it, and its document is read again when what was read has become old.

use std::net::IpAddr;

use domain::{
    ClientId, Digest,
    client::{ByItself, Client, ClientError, ClientMetadata},
};
use url::Url;
use uuid::Uuid;

use crate::{
    ephemeral,
    fetch::JSON,
    log::{Actor, Unavailable},
    protocol::{OAuthError, client_document},
};

use super::{
    Dispatch, Loaded, Refusal, SelfRegistrationRefusal,
    client::{Change, ClientChange, Register},
};

/// The ephemeral kind of documents that were read lately, by the digest of their address.
const KIND: &str = "client_document";
/// For how long what was read holds, in seconds: where the answer does not say, and at least and at most where it does.
const HOLDS: u32 = 3600;
const HOLDS_AT_LEAST: u32 = 60;
const HOLDS_AT_MOST: u32 = 86_400;

/// Why there is no client by a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DocumentRefusal {
    /// What of the document is refused, or why there is none.
    Document(OAuthError),
    /// Too many were asked for. In seconds.
    TooMany { retry_after: u32 },
}

impl Dispatch {
    /// The client that sends a browser here with this `client_id`: one that was registered, or one that is what its document says, where
    /// the settings let such come.
    ///
    /// # Errors
    /// That there is no document, or none that is taken.
    pub async fn client_that_asks(
        &self,
        identifier: &str,
        source: IpAddr,
    ) -> Result<Option<Loaded<Client>>, Refusal<DocumentRefusal>> {
        let known = self.client(identifier).await?;
        let registration = known.as_ref().and_then(|client| client.state.registration());
        let registered_otherwise = registration.is_some_and(|registration| !registration.is_of_a_document());
        if registered_otherwise {
            return Ok(known);
        }
        let Some(address) = client_document::address(identifier).filter(|_| self.settings.registration.by_document) else {
            return Ok(None);
        };
        if registration.is_some_and(|registration| !registration.enabled) {
            return Ok(known);
        }
        if self.is_fresh(&address).await? {
            // Where it was not known a moment ago, somebody else has read it since.
            return if known.is_some() { Ok(known) } else { Ok(self.client(identifier).await?) };
        }
        self.read_document(&address, known.as_ref().map(|known| ClientId::new(known.id)), source).await?;
        Ok(self.client(identifier).await?)
    }

    /// Reads a document, and makes its client what it says. What cannot be had is counted by where the request comes from: nobody makes
    /// us ask others as often as they like.
    async fn read_document(
        &self,
        address: &Url,
        known: Option<ClientId>,
        source: IpAddr,
    ) -> Result<(), Refusal<DocumentRefusal>> {
        if known.is_none() {
            self.count_registration(source).await?;
        }
        let (metadata, holds) = match self.document(address).await {
            Ok(read) => read,
            Err(Refusal::Rule(refused)) => {
                if known.is_some() {
                    self.count_registration(source).await?;
                }
                return Err(Refusal::Rule(DocumentRefusal::Document(refused)));
            }
            Err(Refusal::Unavailable(unavailable)) => return Err(unavailable.into()),
        };
        self.take_document(address, known, metadata).await?;
        let until = self.clock.now().plus(holds);
        Ok(ephemeral::put(self.reads.db(), KIND, key_of(address).as_str(), "", until).await?)
    }

    /// What the document says, and for how many seconds that holds.
    async fn document(&self, address: &Url) -> Result<(ClientMetadata, u32), Refusal<OAuthError>> {
        let refused = |why: &str| Refusal::Rule(client_document::refused(why));
        let fetched = self.fetcher.get(address, JSON).await.map_err(|error| refused(&error.to_string()))?;
        if fetched.status != 200 || !fetched.is_json() {
            return Err(refused("what is there is not JSON with the status 200"));
        }
        let policy = self.settings.registration.policy;
        let metadata = client_document::metadata(address, &fetched.body, policy).map_err(Refusal::Rule)?;
        let scope = metadata.scope.intersection(&self.catalogue().await?.default_scope());
        if scope.is_empty() && !metadata.scope.is_empty() {
            return Err(refused("scope: there is nothing here of what it names"));
        }
        self.check_sector(&metadata).await.map_err(|error| refused(&error.to_string()))?;
        let holds = fetched.max_age.map_or(HOLDS, |seconds| seconds.clamp(HOLDS_AT_LEAST, HOLDS_AT_MOST));
        Ok((ClientMetadata { scope, ..metadata }, holds))
    }

    async fn take_document(
        &self,
        address: &Url,
        known: Option<ClientId>,
        metadata: ClientMetadata,
    ) -> Result<(), Refusal<DocumentRefusal>> {
        let taken = match known {
            Some(id) => {
                let change = ClientChange::UpdateFromDocument(Box::new(metadata));
                self.perform(Actor::Client(id), &Change { id, change }).await
            }
            None => {
                let id = ClientId::new(Uuid::now_v7());
                self.perform(Actor::Client(id), &by_document(id, address, metadata)).await
            }
        };
        match taken {
            // Somebody else read it at the same time.
            Ok(_) | Err(Refusal::Rule(ClientError::Exists)) => Ok(()),
            Err(Refusal::Rule(error)) => {
                Err(Refusal::Rule(DocumentRefusal::Document(client_document::refused(&error.to_string()))))
            }
            Err(Refusal::Unavailable(unavailable)) => Err(unavailable.into()),
        }
    }

    async fn is_fresh(&self, address: &Url) -> Result<bool, Unavailable> {
        Ok(ephemeral::get(self.reads.db(), KIND, key_of(address).as_str(), self.clock.now()).await?.is_some())
    }
}

fn by_document(id: ClientId, address: &Url, metadata: ClientMetadata) -> Register {
    let (identifier, by_itself) = (address.to_string(), Some(ByItself::Document));
    Register { id, identifier, owner: None, metadata, secret: None, by_itself, registration_token: None }
}

fn key_of(address: &Url) -> Digest {
    Digest::of(address.as_str().as_bytes())
}

impl From<Refusal<SelfRegistrationRefusal>> for Refusal<DocumentRefusal> {
    fn from(refusal: Refusal<SelfRegistrationRefusal>) -> Self {
        match refusal {
            Refusal::Unavailable(unavailable) => Self::Unavailable(unavailable),
            Refusal::Rule(SelfRegistrationRefusal::TooMany { retry_after }) => {
                Self::Rule(DocumentRefusal::TooMany { retry_after })
            }
            Refusal::Rule(error) => Self::Rule(DocumentRefusal::Document(client_document::refused(&error.to_string()))),
        }
    }
}
