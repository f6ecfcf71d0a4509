//! Mails to people: they are let go out, counted, and what came of each is remembered. None waits for the mail server: `follow/mail` sends them.

use std::net::IpAddr;

use domain::{
    Decide, StreamId, UserId,
    user::{MailNotice, MailPurpose, User, UserCommand, UserError},
};
use uuid::Uuid;

use crate::{
    ephemeral,
    log::{Actor, QueuedMail, Unavailable},
};

use super::{Dispatch, Inner, Profile, Refusal, UseCase, UserRefusal, work::Work};

/// The ephemeral kinds that count mails that were asked for: for a person, as they are known or as somebody called them, and from a source.
const TO_PERSON: &str = "mail_person";
const BY_SOURCE: &str = "mail_source";

/// Whom a mail is for.
#[derive(Clone, Debug)]
pub struct Addressee {
    pub profile: Profile,
    pub locked: bool,
}

struct RecordMail {
    user: UserId,
    mail: MailNotice,
}

impl Dispatch {
    /// Whom a mail to a user is for; `None` where they are not there any more.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn addressee(&self, id: UserId) -> Result<Option<Addressee>, Unavailable> {
        let locked = match self.load_fresh::<User>(id.uuid()).await?.state.as_ref() {
            User::Present { locked, .. } => *locked,
            User::Absent | User::Erased => return Ok(None),
        };
        Ok(self.profile_of_user(id).await?.map(|profile| Addressee { profile, locked }))
    }

    /// Lets the log tell what came of a mail. Of a user who is not there nothing is told.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn record_mail(&self, user: UserId, mail: MailNotice) -> Result<(), Unavailable> {
        match self.perform(Actor::System, &RecordMail { user, mail }).await {
            Ok(_) | Err(Refusal::Rule(_)) => Ok(()),
            Err(Refusal::Unavailable(unavailable)) => Err(unavailable),
        }
    }

    /// Counts a mail to a user before it is made.
    ///
    /// # Errors
    /// That there were too many.
    pub async fn count_mail_to(&self, id: UserId) -> Result<(), Refusal<UserRefusal>> {
        self.count_mail(TO_PERSON, &id.to_string(), self.settings.limits.mails_per_account).await
    }
}

impl Inner {
    /// Lets a mail go out that somebody asked for, in a language that they understand.
    pub(super) async fn queue_mail(&self, user_id: UserId, purpose: MailPurpose, language: &str) -> Result<(), Unavailable> {
        let (id, made_at) = (Uuid::now_v7().to_string(), self.clock.now());
        self.log.queue_mail(&QueuedMail { id, purpose, user_id, position: 0, language: language.to_owned(), made_at }).await
    }

    /// Counts a mail that somebody asks for in another's name, before anybody knows whether there is such a person: by what they call them, and by
    /// where they are.
    pub(super) async fn count_asked(&self, asked: &str, source: IpAddr) -> Result<(), Refusal<UserRefusal>> {
        let limits = &self.settings.limits;
        self.count_mail(BY_SOURCE, &source.to_string(), limits.mails_per_source).await?;
        self.count_mail(TO_PERSON, self.keys.blind_index(asked).as_str(), limits.mails_per_account).await
    }

    async fn count_mail(&self, kind: &str, key: &str, most: u32) -> Result<(), Refusal<UserRefusal>> {
        let (now, window) = (self.clock.now(), self.settings.limits.mails_window);
        let count = ephemeral::count_up(self.log.db(), kind, key, now.plus(window), now).await?;
        match count > i64::from(most) {
            true => Err(Refusal::Rule(UserRefusal::TooManyTries { retry_after: window })),
            false => Ok(()),
        }
    }
}

impl UseCase for RecordMail {
    type Answer = ();
    type Refusal = UserError;

    fn stream(&self) -> Option<StreamId> {
        Some(User::stream(self.user.uuid()))
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<(), Refusal<UserError>> {
        let user = work.load::<User>(self.user.uuid()).await?;
        work.decide(&user, UserCommand::RecordMail { mail: self.mail, at: work.now }).map_err(Refusal::Rule)?;
        Ok(())
    }
}
