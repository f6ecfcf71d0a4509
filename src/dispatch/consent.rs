//! A consent is withdrawn: all that was issued under it is dead.

use std::sync::Arc;

use domain::{
    ConsentId, Decide, StreamId, UserId,
    catalogue::Catalogue,
    consent::{Consent, ConsentCommand, ConsentError, ConsentTerms},
    id::THE_ONLY,
};
use projections::consent;

use crate::log::{Actor, Unavailable};

use super::{Dispatch, Done, Refusal, UseCase, work::Work};

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
    /// Whether a consent that was given before allows all of this.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn consent_includes(&self, terms: &ConsentTerms) -> Result<bool, Unavailable> {
        let (user, client) = (terms.user_id.to_string(), terms.client_id.to_string());
        let Some(row) = consent::of_user_and_client(self.reads.db(), &user, &client).await? else {
            return Ok(false);
        };
        let id: ConsentId = row.id.parse().map_err(|_| Unavailable)?;
        Ok(match self.load_fresh::<Consent>(id.uuid()).await?.state.as_ref() {
            Consent::Given(given) => given.include(terms),
            Consent::Absent | Consent::Withdrawn { .. } => false,
        })
    }

    /// The catalogue in force.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn catalogue(&self) -> Result<Arc<Catalogue>, Unavailable> {
        Ok(self.load_fresh::<Catalogue>(THE_ONLY).await?.state)
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
