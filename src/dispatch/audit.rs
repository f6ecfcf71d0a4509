//! Somebody is told what the log says of people and clients: that they were is an event.

use domain::{
    Decide, StreamId,
    audit::{Audit, AuditCommand, AuditError, Read},
    id::THE_ONLY,
};

use crate::log::{Actor, Unavailable};

use super::{Dispatch, Done, Refusal, UseCase, work::Work};

struct Remember {
    read: Read,
}

impl Dispatch {
    /// Remembers that the actor is told. To be done before they are.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer: then nothing may be told.
    pub async fn remember_read(&self, actor: Actor, read: Read) -> Result<Done<()>, Unavailable> {
        self.perform(actor, &Remember { read }).await.map_err(|refusal| match refusal {
            Refusal::Rule(never) => match never {},
            Refusal::Unavailable(unavailable) => unavailable,
        })
    }
}

impl UseCase for Remember {
    type Answer = ();
    type Refusal = AuditError;

    fn stream(&self) -> Option<StreamId> {
        Some(Audit::stream(THE_ONLY))
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<(), Refusal<AuditError>> {
        let audit = work.load::<Audit>(THE_ONLY).await?;
        let command = AuditCommand::Remember { read: self.read.clone(), at: work.now };
        work.decide(&audit, command).map_err(Refusal::Rule)?;
        Ok(())
    }
}
