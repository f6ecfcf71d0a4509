//! The mail address that somebody had before: they are told there that they have another.

use domain::{Event, UserId, user::UserEvent};

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
                let decoded = event.event().map_err(|_| Unavailable)?;
                if let Event::User(event) = decoded
                    && let Some(profile) = profile_in(event)
                {
                    sealed = Some(profile);
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

fn profile_in(event: UserEvent) -> Option<String> {
    match event {
        UserEvent::Created { profile, .. }
        | UserEvent::ProfileUpdated { profile, .. }
        | UserEvent::EmailVerified { profile, .. } => Some(profile.as_str().to_owned()),
        UserEvent::PasswordSet { .. }
        | UserEvent::Locked { .. }
        | UserEvent::Unlocked { .. }
        | UserEvent::AdministratorSet { .. }
        | UserEvent::SignInsBlocked { .. }
        | UserEvent::AuthenticatorEnrolled { .. }
        | UserEvent::AuthenticatorRemoved { .. }
        | UserEvent::PasskeyEnrolled { .. }
        | UserEvent::PasskeyRenamed { .. }
        | UserEvent::PasskeyUsed { .. }
        | UserEvent::PasskeyCounterWentBack { .. }
        | UserEvent::PasskeyRemoved { .. }
        | UserEvent::RecoveryCodesMade { .. }
        | UserEvent::RecoveryCodeUsed { .. }
        | UserEvent::Mailed { .. }
        | UserEvent::Erased { .. } => None,
    }
}
