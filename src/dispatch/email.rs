//! Mail addresses: a person changes theirs, and shows by a link in a mail that it is theirs.

use domain::{
    Decide, Sealed, StreamId, UserId,
    claim::check_claim,
    sealed::BlindIndex,
    user::{MailPurpose, User, UserCommand, UserError},
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{
    log::{Actor, Unavailable},
    mail::is_address,
};

use super::{
    Dispatch, Done, Inner, Profile, Refusal, UseCase, UserRefusal,
    link::{EMAIL, Link},
    profile::PROFILE,
    work::{Loaded, Work},
};

const EMAIL_CLAIM: &str = "email";
const VERIFIED_CLAIM: &str = "email_verified";
/// What is kept with a link that checks an address.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Checked {
    user_id: UserId,
    address: BlindIndex,
}

/// A person has another address.
struct ChangeEmail {
    id: UserId,
    address: String,
    /// Whether it is known to be theirs.
    verified: bool,
}

/// An address is known to be somebody's.
struct VerifyEmail {
    link: Link,
    checked: Checked,
}

impl Profile {
    /// Their mail address, whether it is known to be theirs or not.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        self.claims.get(EMAIL_CLAIM)?.as_str().filter(|address| !address.is_empty())
    }

    /// Their mail address, where it is known to be theirs.
    #[must_use]
    pub fn verified_email(&self) -> Option<&str> {
        let verified = self.claims.get(VERIFIED_CLAIM).is_some_and(|verified| verified == true);
        self.email().filter(|_| verified)
    }
}

impl Inner {
    /// By which somebody is found who has this profile, where their address is known to be theirs.
    pub(super) fn verified_email(&self, profile: &Profile) -> Option<BlindIndex> {
        profile.verified_email().map(|address| self.keys.address_index(address))
    }
}

impl Dispatch {
    /// A person changes their mail address. It is not known to be theirs then.
    ///
    /// # Errors
    /// That the current password is wrong, or was guessed at too often, or nothing can be sent there.
    pub async fn change_email(&self, id: UserId, current: SecretString, address: &str) -> Result<Done<()>, Refusal<UserRefusal>> {
        self.prove_password(id, current).await?;
        self.set_email(Actor::User(id), id, (address, false)).await
    }

    /// Sets a person's mail address, and whether it is known to be theirs.
    ///
    /// # Errors
    /// That nothing can be sent there, or there is no such user.
    pub async fn set_email(
        &self,
        actor: Actor,
        id: UserId,
        (address, verified): (&str, bool),
    ) -> Result<Done<()>, Refusal<UserRefusal>> {
        let address = address.trim().to_owned();
        if !is_address(&address) || check_claim(EMAIL_CLAIM, &address.as_str().into()).is_err() {
            return Err(Refusal::Rule(UserRefusal::BadEmail));
        }
        self.perform(actor, &ChangeEmail { id, address, verified }).await
    }

    /// Lets a mail go out to a person's address, by which they show that it is theirs.
    ///
    /// # Errors
    /// That too many went out.
    pub async fn check_email(&self, id: UserId, language: &str) -> Result<(), Refusal<UserRefusal>> {
        self.count_mail_to(id).await?;
        Ok(self.queue_mail(id, MailPurpose::EmailCheck, language).await?)
    }

    /// The token of a new link that checks this address of a user's.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn email_link(&self, user_id: UserId, address: &str) -> Result<SecretString, Unavailable> {
        let checked = Checked { user_id, address: self.keys.address_index(address) };
        let value = serde_json::to_string(&checked).map_err(|_| Unavailable)?;
        self.make_link(EMAIL, &value, self.settings.mail.email_link_lifetime).await
    }

    /// Whether a link still works that checks an address.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn email_link_works(&self, token: &str) -> Result<bool, Unavailable> {
        let Some((_, checked)) = self.opened(token).await? else { return Ok(false) };
        let profile = self.profile_of_user(checked.user_id).await?;
        let address = profile.as_ref().and_then(Profile::email).map(|address| self.keys.address_index(address));
        Ok(address == Some(checked.address))
    }

    /// Takes a link for proof that its address is the user's, and uses it up.
    ///
    /// # Errors
    /// That it does not work any more.
    pub async fn verify_email(&self, token: &str) -> Result<Done<()>, Refusal<UserRefusal>> {
        let (link, checked) = self.opened(token).await?.ok_or(Refusal::Rule(UserRefusal::EmailLink))?;
        self.perform(Actor::User(checked.user_id), &VerifyEmail { link, checked }).await
    }

    async fn opened(&self, token: &str) -> Result<Option<(Link, Checked)>, Unavailable> {
        let link = self.link(EMAIL, token).await?;
        Ok(link.and_then(|link| serde_json::from_str(&link.value).ok().map(|checked| (link, checked))))
    }
}

/// A user and their profile of the same moment: where it changed since, the append finds the user changed too.
async fn with_profile(work: &mut Work<'_>, id: UserId) -> Result<Option<(Loaded<User>, Profile)>, Unavailable> {
    let user = work.load::<User>(id.uuid()).await?;
    Ok(work.inner.profile_of_user(id).await?.map(|profile| (user, profile)))
}

impl UseCase for ChangeEmail {
    type Answer = ();
    type Refusal = UserRefusal;

    fn stream(&self) -> Option<StreamId> {
        Some(User::stream(self.id.uuid()))
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<(), Refusal<UserRefusal>> {
        let unknown = || Refusal::Rule(UserRefusal::Rule(UserError::Unknown));
        let (user, mut profile) = with_profile(work, self.id).await?.ok_or_else(unknown)?;
        if profile.email() == Some(&self.address) && (!self.verified || profile.verified_email().is_some()) {
            return Ok(());
        }
        profile.claims.insert(EMAIL_CLAIM.to_owned(), self.address.as_str().into());
        profile.claims.insert(VERIFIED_CLAIM.to_owned(), self.verified.into());
        let verified_email = work.inner.verified_email(&profile);
        let profile = work.sealed_profile(self.id, profile).await?;
        let sign_in_name = match user.state.as_ref() {
            User::Present { sign_in_name, .. } => sign_in_name.clone(),
            User::Absent | User::Erased => return Err(unknown()),
        };
        let command = UserCommand::UpdateProfile { sign_in_name, profile, verified_email, at: work.now };
        work.decide(&user, command).map_err(|error| Refusal::Rule(UserRefusal::Rule(error)))?;
        Ok(())
    }
}

impl UseCase for VerifyEmail {
    type Answer = ();
    type Refusal = UserRefusal;

    fn stream(&self) -> Option<StreamId> {
        Some(User::stream(self.checked.user_id.uuid()))
    }

    fn name_taken(&self, name: &str) -> Option<UserRefusal> {
        self.link.claims(name).then_some(UserRefusal::EmailLink)
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<(), Refusal<UserRefusal>> {
        let gone = || Refusal::Rule(UserRefusal::EmailLink);
        let id = self.checked.user_id;
        let (user, mut profile) = with_profile(work, id).await?.ok_or_else(gone)?;
        let address = profile.email().map(|address| work.inner.keys.address_index(address));
        if address.as_ref() != Some(&self.checked.address) {
            return Err(gone());
        }
        profile.claims.insert(VERIFIED_CLAIM.to_owned(), true.into());
        let profile = work.sealed_profile(id, profile).await?;
        work.use_up(&self.link, work.inner.settings.mail.email_link_lifetime);
        let command = UserCommand::VerifyEmail { address: self.checked.address.clone(), profile, at: work.now };
        work.decide(&user, command).map_err(|_| gone())?;
        Ok(())
    }
}

impl Work<'_> {
    /// A changed profile as the log keeps it.
    async fn sealed_profile(&self, id: UserId, mut profile: Profile) -> Result<Sealed, Unavailable> {
        profile.claims.insert("updated_at".to_owned(), self.now.unix().into());
        let key = self.inner.subject_key(id).await?.ok_or(Unavailable)?;
        key.seal(PROFILE, &profile).map_err(|_| Unavailable)
    }
}
