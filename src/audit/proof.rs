//! What the proof of an event tells of people and clients.

use domain::{
    Event, GrantId,
    audit::{Question, Read},
};

use crate::log::Log;

use super::{AuditError, Named, Told, grant, history};

/// What is remembered of whoever is given the proof of the event at a position: whose stream it is of. `None` where there is no such event.
///
/// # Errors
/// That the store does not answer, or an event cannot be read.
pub async fn proof_read(log: &Log, position: i64) -> Result<Option<Read>, AuditError> {
    let Some(stored) = log.read_at(&[position]).await?.pop() else { return Ok(None) };
    let told = Told::of(&stored)?;
    let id = told.stream.aggregate_id;
    if let Event::Grant(_) = &told.event
        && let Some(file) = grant(log, GrantId::new(id)).await?
    {
        return Ok(Some(file.read(Question::Proof)));
    }
    let Named { users, clients } = match &told.event {
        Event::Client(_) | Event::User(_) | Event::Session(_) | Event::Consent(_) | Event::DeviceAuthorization(_) => {
            Named::about(&history(log, &[told.stream.aggregate_type], id).await?)
        }
        Event::Audit(_) | Event::Invitation(_) => Named::about([&told]),
        Event::Grant(_) | Event::KeySet(_) | Event::Catalogue(_) => Named::default(),
    };
    Ok(Some(Read { user_id: users.first().copied(), client_id: clients.first().copied(), ..Read::of(Question::Proof) }))
}
