//! A stream's state, folded on by some of its events.

use cqrs_es::Aggregate;
use domain::{
    Decide, Event, audit::Audit, catalogue::Catalogue, client::Client, consent::Consent,
    device_authorization::DeviceAuthorization, grant::Grant, invitation::Invitation, key_set::KeySet, session::Session,
    user::User,
};

/// Why a stream's state cannot be folded.
#[derive(Debug, thiserror::Error)]
pub enum FoldError {
    #[error("its state cannot be read: {0}")]
    State(#[from] serde_json::Error),
    #[error("it holds events of another aggregate")]
    Mixed,
}

/// A state as it is stored.
pub(super) struct Folded {
    /// The aggregate's JSON.
    pub(super) state: String,
    pub(super) state_version: i32,
}

macro_rules! fold_as {
    ($first:expr, $stored:expr, $events:expr; $($aggregate:ident),+) => {
        match $first {
            $(Event::$aggregate(_) => {
                let mut state = match $stored {
                    Some(json) => serde_json::from_str::<$aggregate>(json)?,
                    None => $aggregate::default(),
                };
                for event in $events {
                    let Event::$aggregate(event) = event else { return Err(FoldError::Mixed) };
                    state.apply(event);
                }
                Ok(Folded { state: serde_json::to_string(&state)?, state_version: $aggregate::STATE_VERSION })
            })+
        }
    };
}

/// The state after some events of one stream, from the state before them: none for a new stream.
///
/// # Errors
/// That the state before cannot be read, or the events are not of one aggregate.
pub(super) fn fold_on(stored: Option<&str>, events: Vec<Event>) -> Result<Folded, FoldError> {
    let first = events.first().ok_or(FoldError::Mixed)?;
    fold_as!(first, stored, events; Client, User, Session, Consent, Grant, KeySet, Catalogue, Audit, Invitation,
        DeviceAuthorization)
}
