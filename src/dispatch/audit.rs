//! Somebody is told what the log says of people and clients: that they were is an event. So is what an operator keeps from subscribers.

use std::collections::BTreeSet;

use domain::{
    Decide, StreamId,
    audit::{Audit, AuditCommand, AuditError, Read, Reason},
    id::THE_ONLY,
};

use crate::log::{Actor, Unavailable};

use super::{Dispatch, Done, Refusal, UseCase, work::Work};

/// What is told to whom, or kept from whom: nothing refuses it.
#[derive(Clone)]
enum Noted {
    Read(Read),
    PassedOver { position: i64, reason: Reason },
}

/// Why an event is not passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PassOverRefusal {
    #[error("the log has no event at this position")]
    NotThere,
    #[error("the event can be read: there is nothing to pass over")]
    Readable,
}

impl Dispatch {
    /// Remembers that the actor is told. To be done before they are.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer: then nothing may be told.
    pub async fn remember_read(&self, actor: Actor, read: Read) -> Result<Done<()>, Unavailable> {
        self.note(actor, Noted::Read(read)).await
    }

    /// Lets the relay pass an event over that this program cannot read. Whoever decides it answers for it that the event ended nothing.
    ///
    /// # Errors
    /// That there is no such event, or that it can be read.
    pub async fn pass_over(&self, actor: Actor, position: i64, reason: Reason) -> Result<Done<()>, Refusal<PassOverRefusal>> {
        let found = self.log.read(position.saturating_sub(1), 1).await?.pop().filter(|found| found.position == position);
        let stored = found.ok_or(Refusal::Rule(PassOverRefusal::NotThere))?;
        if stored.event().is_ok() {
            return Err(Refusal::Rule(PassOverRefusal::Readable));
        }
        Ok(self.note(actor, Noted::PassedOver { position, reason }).await?)
    }

    async fn note(&self, actor: Actor, noted: Noted) -> Result<Done<()>, Unavailable> {
        self.perform(actor, &noted).await.map_err(|refusal| match refusal {
            Refusal::Rule(never) => match never {},
            Refusal::Unavailable(unavailable) => unavailable,
        })
    }

    /// The positions that the relay passes over.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn passed_over(&self) -> Result<BTreeSet<i64>, Unavailable> {
        Ok(self.load_fresh::<Audit>(THE_ONLY).await?.state.passed_over.clone())
    }
}

impl UseCase for Noted {
    type Answer = ();
    type Refusal = AuditError;

    fn stream(&self) -> Option<StreamId> {
        Some(Audit::stream(THE_ONLY))
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<(), Refusal<AuditError>> {
        let audit = work.load::<Audit>(THE_ONLY).await?;
        let command = match self.clone() {
            Self::Read(read) => AuditCommand::Remember { read, at: work.now },
            Self::PassedOver { position, reason } => AuditCommand::PassOver { position, reason, at: work.now },
        };
        work.decide(&audit, command).map_err(Refusal::Rule)?;
        Ok(())
    }
}
