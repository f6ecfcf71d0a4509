//! The mail address that somebody had before: they are told there that they have another.

use domain::{Event, UserId};

use crate::log::Unavailable;

use super::{Dispatch, Profile};

/// Events of a user that are read at a time.
const PAGE: u32 = 200;

impl Dispatch {
    /// The address of a user that was known to be theirs before an event of theirs. `None` where none was, and once they are erased.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn verified_email_before(&self, id: UserId, position: i64) -> Result<Option<String>, Unavailable> {
        let (mut sealed, mut after) = (None, 0);
        loop {
            let page = self.log.history(&["user"], id.uuid(), after, PAGE).await?;
            let full = page.len() >= PAGE as usize;
            for event in page.iter().take_while(|event| event.position < position) {
                if let Event::User(event) = event.event().map_err(|_| Unavailable)?
                    && let Some(profile) = event.profile()
                {
                    sealed = Some(profile.as_str().to_owned());
                }
            }
            after = page.last().map_or(position, |last| last.position);
            if !full || after >= position {
                break;
            }
        }
        let Some(sealed) = sealed else { return Ok(None) };
        Ok(self.profile(id, &sealed).await?.as_ref().and_then(Profile::verified_email).map(str::to_owned))
    }
}
