//! A consent is withdrawn: all that was issued under it is dead.

use domain::{
    ConsentId, Decide, StreamId, UserId,
    consent::{Consent, ConsentCommand, ConsentError},
};

use crate::log::Actor;

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
