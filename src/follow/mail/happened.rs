//! Searches the log for what people are told of that happened to their account, whoever did it.

use domain::{
    Event, UserId,
    user::{MailPurpose, UserEvent},
};
use uuid::Uuid;

use super::NAME;
use crate::{
    dispatch::{Dispatch, Profile},
    follow::{relay::message::ReadEvent, search::Seeker},
    log::{Log, QueuedMail, Row, Unavailable},
};

/// Finds what people are told of.
pub(super) struct Happened<'a>(pub(super) &'a Dispatch);

impl Seeker for Happened<'_> {
    const FOLLOWER: &'static str = NAME;
    const TYPES: &'static [&'static str] =
        &["user.password_set", "user.authenticator_removed", "user.passkey_removed", "user.profile_updated"];

    async fn rows(&self, _log: &Log, read: &ReadEvent) -> Result<Vec<Row>, Unavailable> {
        let (user_id, position) = (UserId::new(read.stream.aggregate_id), read.stored.position);
        let Event::User(event) = &read.event else { return Ok(Vec::new()) };
        let purpose = match event {
            UserEvent::PasswordSet { .. } => MailPurpose::PasswordSet,
            UserEvent::AuthenticatorRemoved { .. } | UserEvent::PasskeyRemoved { .. } => MailPurpose::SecondFactorRemoved,
            UserEvent::ProfileUpdated { profile, .. } => {
                let before = self.0.verified_email_before(user_id, position).await?;
                let after = self.0.profile(user_id, profile.as_str()).await?;
                if before.is_none() || before.as_deref() == after.as_ref().and_then(Profile::email) {
                    return Ok(Vec::new());
                }
                MailPurpose::EmailChanged
            }
            UserEvent::Created { .. }
            | UserEvent::Locked { .. }
            | UserEvent::Unlocked { .. }
            | UserEvent::AdministratorSet { .. }
            | UserEvent::SignInsBlocked { .. }
            | UserEvent::AuthenticatorEnrolled { .. }
            | UserEvent::PasskeyEnrolled { .. }
            | UserEvent::PasskeyRenamed { .. }
            | UserEvent::PasskeyUsed { .. }
            | UserEvent::PasskeyCounterWentBack { .. }
            | UserEvent::RecoveryCodesMade { .. }
            | UserEvent::RecoveryCodeUsed { .. }
            | UserEvent::EmailVerified { .. }
            | UserEvent::Mailed { .. }
            | UserEvent::Erased { .. } => return Ok(Vec::new()),
        };
        let (id, made_at) = (Uuid::now_v7().to_string(), read.stored.recorded());
        Ok(vec![QueuedMail { id, purpose, user_id, position, language: String::new(), made_at }.row()])
    }
}
