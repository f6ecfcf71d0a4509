//! A forgotten password: somebody asks for a link, and whoever reads the mail chooses a new password by it. The request looks for nobody, so that it
//! costs the same whoever is asked for; the link dies with the next password, and sets nothing but that: a second factor is asked for as before.

use std::net::IpAddr;

use domain::{
    Decide, StreamId, UserId,
    sealed::BlindIndex,
    user::{MailPurpose, PasswordProof, User, UserCommand},
};
use projections::{account, cutoff};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    ephemeral,
    log::{Actor, Unavailable},
    vault::Carried,
};

use super::{
    Dispatch, Done, Inner, Refusal, UseCase, UserRefusal,
    link::{Link, PASSWORD},
    sign_in,
    work::Work,
};

/// The longest name or address that is looked for, in characters.
const MAX_ASKED: usize = 320;
/// So many accounts of one address get a mail at most.
const MAX_ACCOUNTS: u32 = 5;

/// What is kept with a link.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Forgetful {
    user_id: UserId,
    /// The log's end when it was made: a later cutoff of the user's kills it.
    pos: i64,
}

struct Reset {
    link: Link,
    forgetful: Forgetful,
    phc: String,
}

impl Dispatch {
    /// Takes in that somebody forgot their password: `asked` is a sign-in name or a mail address.
    ///
    /// # Errors
    /// That there were too many such requests for this person, whether there is one or not, or from this source.
    pub async fn forgot_password(&self, asked: &str, (source, language): (IpAddr, &str)) -> Result<(), Refusal<UserRefusal>> {
        let asked: String = asked.trim().chars().take(MAX_ASKED).collect();
        self.count_asked(&asked, source).await?;
        let sealed = self.keys.carry(Carried::Forgetful, &asked);
        let id = Uuid::now_v7().to_string();
        let mail = (id.as_str(), MailPurpose::PasswordLink);
        Ok(self.log.queue_asked_mail(mail, (&sealed, language), self.clock.now()).await?)
    }

    /// Who is meant by a name or address that somebody entered, as it waited sealed.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn who_forgot(&self, sealed: &str) -> Result<Vec<UserId>, Unavailable> {
        let Some(asked) = self.keys.carried::<String>(Carried::Forgetful, sealed) else { return Ok(Vec::new()) };
        let mut found: Vec<UserId> = self.user_named(&asked).await?.into_iter().collect();
        let address = self.keys.address_index(&asked);
        for row in account::by_verified_email(self.reads.db(), address.as_str(), MAX_ACCOUNTS).await? {
            let id = row.id.parse().map_err(|_| Unavailable)?;
            if !found.contains(&id) {
                found.push(id);
            }
        }
        Ok(found)
    }

    /// The token of a new link by which this user chooses another password.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn password_link(&self, user_id: UserId) -> Result<SecretString, Unavailable> {
        let forgetful = Forgetful { user_id, pos: self.log.known_head() };
        let value = serde_json::to_string(&forgetful).map_err(|_| Unavailable)?;
        self.make_link(PASSWORD, &value, self.settings.mail.password_link_lifetime).await
    }

    /// Whether a link still works by which somebody chooses another password.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn password_link_works(&self, token: &str) -> Result<bool, Unavailable> {
        match self.opened_forgetful(token).await? {
            Some((_, forgetful)) => self.stands(&forgetful).await,
            None => Ok(false),
        }
    }

    /// Sets the password of whoever the link was sent to, and uses the link up: all that was issued to them before is dead, and so is every other link.
    ///
    /// # Errors
    /// That the link does not work any more, or the password is refused.
    pub async fn reset_password(&self, token: &str, new: SecretString) -> Result<Done<()>, Refusal<UserRefusal>> {
        let gone = Refusal::Rule(UserRefusal::PasswordLink);
        let (link, forgetful) = self.opened_forgetful(token).await?.ok_or(gone)?;
        let phc = self.new_password(new).await?;
        let user_id = forgetful.user_id;
        let done = self.perform(Actor::User(user_id), &Reset { link, forgetful, phc }).await?;
        ephemeral::forget(self.log.db(), sign_in::BY_ACCOUNT, done.answer.as_str()).await?;
        Ok(Done { answer: (), position: done.position })
    }

    async fn opened_forgetful(&self, token: &str) -> Result<Option<(Link, Forgetful)>, Unavailable> {
        let link = self.link(PASSWORD, token).await?;
        Ok(link.and_then(|link| serde_json::from_str(&link.value).ok().map(|forgetful| (link, forgetful))))
    }
}

impl Inner {
    /// Whether nothing cut the user off since a link was made for them: another password, a lock, their erasure.
    async fn stands(&self, forgetful: &Forgetful) -> Result<bool, Unavailable> {
        let cut_off = cutoff::find(self.reads.db(), &[forgetful.user_id.to_string()]).await?;
        Ok(cut_off.iter().all(|cutoff| cutoff.position <= forgetful.pos))
    }
}

impl UseCase for Reset {
    /// By what they are found who sign in.
    type Answer = BlindIndex;
    type Refusal = UserRefusal;

    fn stream(&self) -> Option<StreamId> {
        Some(User::stream(self.forgetful.user_id.uuid()))
    }

    fn name_taken(&self, name: &str) -> Option<UserRefusal> {
        self.link.claims(name).then_some(UserRefusal::PasswordLink)
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<BlindIndex, Refusal<UserRefusal>> {
        let gone = || Refusal::Rule(UserRefusal::PasswordLink);
        let user = work.load::<User>(self.forgetful.user_id.uuid()).await?;
        let User::Present { sign_in_name, locked: false, .. } = user.state.as_ref() else { return Err(gone()) };
        // After the user was loaded: what cuts them off later finds this append's version of them taken.
        if !work.inner.stands(&self.forgetful).await? {
            return Err(gone());
        }
        work.put_password(self.forgetful.user_id, &self.phc);
        work.use_up(&self.link, work.inner.settings.mail.password_link_lifetime);
        let proof = Some(PasswordProof::MailedLink);
        let command = UserCommand::SetPassword { by_themselves: true, proof, at: work.now };
        work.decide(&user, command).map_err(|_| gone())?;
        Ok(sign_in_name.clone())
    }
}
