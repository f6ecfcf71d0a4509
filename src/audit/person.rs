//! What changed in people's profiles: sealed under their own key, so that nothing of it can be told once they are erased.

use domain::{Event, Sealed, UserId};
use serde_json::{Map, Value, json};

use crate::{dispatch::Dispatch, log::Unavailable};

use super::{Chapter, Told, between};

/// Adds to the chapters of one user's stream what each changed of the profile. `events` are those that the chapters tell.
///
/// # Errors
/// `Unavailable` when the vault does not answer.
pub async fn with_profiles(dispatch: &Dispatch, events: &[Told], chapters: &mut [Chapter]) -> Result<(), Unavailable> {
    let mut before = Map::new();
    for (told, chapter) in events.iter().zip(chapters) {
        let Some(sealed) = sealed(&told.event) else { continue };
        let user = UserId::new(told.stream.aggregate_id);
        let Some(profile) = dispatch.profile(user, sealed).await? else { return Ok(()) };
        let Value::Object(after) = json!(profile) else { continue };
        chapter.changes = between(&before, &after);
        before = after;
    }
    Ok(())
}

fn sealed(event: &Event) -> Option<&str> {
    match event {
        Event::User(event) => event.profile().map(Sealed::as_str),
        Event::Client(_)
        | Event::Session(_)
        | Event::Consent(_)
        | Event::Grant(_)
        | Event::KeySet(_)
        | Event::Catalogue(_)
        | Event::Audit(_)
        | Event::Invitation(_)
        | Event::DeviceAuthorization(_) => None,
    }
}
