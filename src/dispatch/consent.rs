//! What somebody agreed to before, held against what is asked of them now; and a consent is withdrawn: all that was issued under it is dead.

use std::sync::Arc;

use domain::{
    ClientId, ConsentId, Decide, Event, StreamId, UserId,
    catalogue::Catalogue,
    client::{ClientEvent, ClientMetadata, Registration},
    consent::{Consent, ConsentCommand, ConsentError, ConsentTerms, GivenBy},
    id::THE_ONLY,
};
use projections::consent;

use crate::{
    audit::Change,
    log::{Actor, Unavailable},
    protocol::agreed::{Shown, differences},
};

use super::{Dispatch, Done, Refusal, UseCase, work::Work};

/// Events of a client that are read at a time.
const PAGE: u32 = 200;
/// Of the metadata that a client is registered with.
const FIRST_VERSION: u32 = 1;

struct Withdraw {
    id: ConsentId,
    by: Option<UserId>,
}

impl Dispatch {
    /// A user takes back what they let a client do.
    ///
    /// # Errors
    /// That there is no such consent of theirs.
    pub async fn withdraw_consent(&self, user: UserId, id: ConsentId) -> Result<Done<()>, Refusal<ConsentError>> {
        self.perform(Actor::User(user), &Withdraw { id, by: Some(user) }).await
    }
}

impl Dispatch {
    /// What is different from what a user agreed to before: nothing, where that allows all of this; `None` where they were never asked. Only a changed
    /// client's history is read. A device sends nobody anywhere: it has no redirect URI.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn differences_from_consent(
        &self,
        terms: &ConsentTerms,
        (client, redirect_uri): (&Registration, Option<&str>),
    ) -> Result<Option<Vec<Change>>, Unavailable> {
        let (user, client_id) = (terms.user_id.to_string(), terms.client_id.to_string());
        let Some(row) = consent::of_user_and_client(self.reads.db(), &user, &client_id).await? else { return Ok(None) };
        let id: ConsentId = row.id.parse().map_err(|_| Unavailable)?;
        let loaded = self.load_fresh::<Consent>(id.uuid()).await?;
        let given = match loaded.state.as_ref() {
            Consent::Given(given) if given.given_by == GivenBy::User => given,
            // Of a first-party client nobody was asked.
            Consent::Given(_) | Consent::Absent | Consent::Withdrawn { .. } => return Ok(None),
        };
        let now = &client.metadata;
        let before = match given.client_version == terms.client_version {
            true => None,
            false => match self.metadata_as_of(terms.client_id, given.client_version).await? {
                Some(before) => Some(before),
                None => return Ok(None),
            },
        };
        let agreed = Shown { metadata: before.as_ref().unwrap_or(now), terms: given };
        Ok(Some(differences(agreed, Shown { metadata: now, terms }, redirect_uri)))
    }

    /// A client's metadata in a version of it; `None` where its history does not tell.
    async fn metadata_as_of(&self, id: ClientId, version: u32) -> Result<Option<ClientMetadata>, Unavailable> {
        let mut after = 0;
        loop {
            let page = self.log.history(&["client"], id.uuid(), after, PAGE).await?;
            for event in &page {
                if let Some(metadata) = metadata_in(event.event().map_err(|_| Unavailable)?, version) {
                    return Ok(Some(metadata));
                }
            }
            after = page.last().map_or(after, |last| last.position);
            if page.len() < PAGE as usize {
                return Ok(None);
            }
        }
    }

    /// The catalogue in force.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn catalogue(&self) -> Result<Arc<Catalogue>, Unavailable> {
        Ok(self.load_fresh::<Catalogue>(THE_ONLY).await?.state)
    }
}

/// The metadata that an event gave a client, where it made this version of it.
fn metadata_in(event: Event, version: u32) -> Option<ClientMetadata> {
    let Event::Client(event) = event else { return None };
    match event {
        ClientEvent::Registered { metadata, .. } if version == FIRST_VERSION => Some(*metadata),
        ClientEvent::Updated { metadata, metadata_version, .. } if metadata_version == version => Some(*metadata),
        ClientEvent::Registered { .. }
        | ClientEvent::Updated { .. }
        | ClientEvent::SecretAdded { .. }
        | ClientEvent::SecretExpirySet { .. }
        | ClientEvent::Disabled { .. }
        | ClientEvent::Enabled { .. }
        | ClientEvent::RegistrationTokenSet { .. }
        | ClientEvent::Deregistered { .. } => None,
    }
}

impl UseCase for Withdraw {
    type Answer = ();
    type Refusal = ConsentError;

    fn stream(&self) -> Option<StreamId> {
        Some(Consent::stream(self.id.uuid()))
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<(), Refusal<ConsentError>> {
        let consent = work.load::<Consent>(self.id.uuid()).await?;
        work.decide(&consent, ConsentCommand::Withdraw { by: self.by, at: work.now }).map_err(Refusal::Rule)?;
        Ok(())
    }
}
