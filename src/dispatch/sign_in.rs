//! A person signs in with name and password, and with a code or a passkey where they set that up; or with a passkey alone. Known and unknown names look and cost the same; guesses are counted per account and
//! per source, before they are tried.

use std::net::IpAddr;

use domain::{
    Decide, SessionId, StreamId, Timestamp, UserId,
    session::SessionError,
    user::{User, UserCommand, UserError},
};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    ephemeral,
    log::{Actor, Unavailable},
    passkeys::{Ceremony, Signing},
};

use super::{Browser, CurrentSession, Dispatch, Done, Refusal, UseCase, second_factor::Proof, work::Work};

/// The ephemeral kinds that count failures.
pub(super) const BY_ACCOUNT: &str = "sign_in_account";
const BY_SOURCE: &str = "sign_in_source";
const CODES: &str = "second_factor";

/// What a person enters.
pub struct SignIn {
    pub username: String,
    pub password: SecretString,
    pub source: IpAddr,
    /// As the browser calls itself.
    pub agent: Option<String>,
    /// The sessions that the browser has already, the one that it last used first.
    pub existing: Vec<CurrentSession>,
}

/// What a person enters whose password was right.
pub struct SecondStep {
    pub user_id: UserId,
    pub code: SecretString,
    pub source: IpAddr,
    /// As the browser calls itself.
    pub agent: Option<String>,
    /// The sessions that the browser has already, the one that it last used first.
    pub existing: Vec<CurrentSession>,
}

/// What a person's passkey signed.
pub struct PasskeyStep {
    /// Whose password was right; `None` where the passkey alone signs in.
    pub user_id: Option<UserId>,
    pub ceremony: Ceremony<Signing>,
    /// What the browser brings.
    pub brought: String,
    pub source: IpAddr,
    /// As the browser calls itself.
    pub agent: Option<String>,
    /// The sessions that the browser has already, the one that it last used first.
    pub existing: Vec<CurrentSession>,
}

/// What a right password leads to.
pub enum FirstStep {
    SignedIn(Done<SignedIn>),
    /// They have to prove a second factor.
    SecondFactor(UserId),
}

/// A session with its new cookie.
pub struct SignedIn {
    pub session: CurrentSession,
    /// The session cookie's value.
    pub cookie: SecretString,
    /// Those of the browser's sessions that ended, because it had too many.
    pub ended: Vec<SessionId>,
}

/// Why a sign-in is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInRefusal {
    #[error("the name or the password is wrong")]
    WrongCredentials,
    #[error("the code is wrong, or was used")]
    WrongCode,
    #[error("the passkey is not known, or did not sign what was asked")]
    WrongPasskey,
    /// It is remembered.
    #[error("the passkey's counter went back: there may be a copy of it")]
    PasskeyWentBack,
    #[error("what the passkey signed was used already")]
    Spent,
    #[error("the account is locked")]
    Locked,
    /// For so many seconds.
    #[error("too many tries")]
    TooManyTries { retry_after: u32 },
    #[error("{0}")]
    Session(SessionError),
}

struct BlockSignIns {
    user_id: UserId,
    until: Timestamp,
}

impl Dispatch {
    /// Signs a person in whose password is right, unless they have a second factor.
    ///
    /// # Errors
    /// Why not; or that the store does not answer.
    pub async fn sign_in(&self, request: SignIn) -> Result<FirstStep, Refusal<SignInRefusal>> {
        let account = self.keys.blind_index(&request.username).as_str().to_owned();
        let source = request.source.to_string();
        self.count_try(&account, &source, &request.username).await?;
        let user = self.user_named(&request.username).await?;
        if !self.password_is_right(user, request.password).await? {
            return Err(Refusal::Rule(SignInRefusal::WrongCredentials));
        }
        let user = user.ok_or(Refusal::Rule(SignInRefusal::WrongCredentials))?;
        ephemeral::forget(self.log.db(), BY_ACCOUNT, &account).await?;
        ephemeral::count_down(self.log.db(), BY_SOURCE, &source).await?;
        if !self.second_factors(user).await?.are_none() {
            return Ok(FirstStep::SecondFactor(user));
        }
        let browser = Browser::new(request.source, request.agent.as_deref());
        Ok(FirstStep::SignedIn(self.start_session(user, request.existing, (browser, Proof::Password)).await?))
    }

    /// Signs a person in whose password was right, with a code.
    ///
    /// # Errors
    /// Why not; or that the store does not answer.
    pub async fn sign_in_with_code(&self, step: SecondStep) -> Result<Done<SignedIn>, Refusal<SignInRefusal>> {
        let (account, source) = (step.user_id.to_string(), step.source.to_string());
        let over = self.count_for_account(CODES, &account).await?;
        self.count_for_source(&source, over > 0).await?;
        let proof = self.read_code(step.user_id, step.code.expose_secret()).await?;
        let proof = proof.ok_or(Refusal::Rule(SignInRefusal::WrongCode))?;
        let browser = Browser::new(step.source, step.agent.as_deref());
        let done = self.start_session(step.user_id, step.existing, (browser, proof)).await?;
        ephemeral::forget(self.log.db(), CODES, &account).await?;
        ephemeral::count_down(self.log.db(), BY_SOURCE, &source).await?;
        Ok(done)
    }

    /// Signs a person in with a passkey: after the password, or alone. A signature cannot be guessed: tries are counted for the source only, or
    /// strangers could keep somebody out.
    ///
    /// # Errors
    /// Why not; or that the store does not answer.
    pub async fn sign_in_with_passkey(&self, step: PasskeyStep) -> Result<Done<SignedIn>, Refusal<SignInRefusal>> {
        let source = step.source.to_string();
        self.count_for_source(&source, false).await?;
        let proven = self.read_signature(step.user_id, &step.ceremony, &step.brought).await?;
        let (user, proof) = proven.ok_or(Refusal::Rule(SignInRefusal::WrongPasskey))?;
        let browser = Browser::new(step.source, step.agent.as_deref());
        let done = self.start_session(user, step.existing, (browser, proof)).await?;
        ephemeral::count_down(self.log.db(), BY_SOURCE, &source).await?;
        Ok(done)
    }

    /// Counts the try before it is made, so that parallel tries are counted exactly.
    async fn count_try(&self, account: &str, source: &str, username: &str) -> Result<(), Refusal<SignInRefusal>> {
        let until = self.clock.now().plus(self.settings.limits.sign_in_window);
        let over_account = self.count_for_account(BY_ACCOUNT, account).await?;
        if over_account == 1
            && let Some(user_id) = self.user_named(username).await?
        {
            self.block_sign_ins(user_id, until).await?;
        }
        self.count_for_source(source, over_account > 0).await
    }

    /// Counts a try from a source. Whether the account had too many is known already.
    async fn count_for_source(&self, source: &str, over_account: bool) -> Result<(), Refusal<SignInRefusal>> {
        let limits = &self.settings.limits;
        let (now, window) = (self.clock.now(), limits.sign_in_window);
        let by_source = ephemeral::count_up(self.log.db(), BY_SOURCE, source, now.plus(window), now).await?;
        match over_account || by_source > i64::from(limits.sign_in_failures_per_source) {
            true => Err(Refusal::Rule(SignInRefusal::TooManyTries { retry_after: window })),
            false => Ok(()),
        }
    }

    /// Counts a try for an account; gives how many more that makes in the window than it is allowed.
    pub(super) async fn count_for_account(&self, kind: &str, account: &str) -> Result<i64, Unavailable> {
        let limits = &self.settings.limits;
        let now = self.clock.now();
        let tries = ephemeral::count_up(self.log.db(), kind, account, now.plus(limits.sign_in_window), now).await?;
        Ok(tries - i64::from(limits.sign_in_failures_per_account))
    }

    /// Remembers in the log that the threshold was reached: once, or strangers would fill it.
    async fn block_sign_ins(&self, user_id: UserId, until: Timestamp) -> Result<(), Unavailable> {
        match self.perform(Actor::System, &BlockSignIns { user_id, until }).await {
            Ok(_) | Err(Refusal::Rule(_)) => Ok(()),
            Err(Refusal::Unavailable(unavailable)) => Err(unavailable),
        }
    }
}

impl UseCase for BlockSignIns {
    type Answer = ();
    type Refusal = UserError;

    fn stream(&self) -> Option<StreamId> {
        Some(User::stream(self.user_id.uuid()))
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<(), Refusal<UserError>> {
        let user = work.load::<User>(self.user_id.uuid()).await?;
        work.decide(&user, UserCommand::BlockSignIns { until: self.until, at: work.now }).map_err(Refusal::Rule)?;
        Ok(())
    }
}
