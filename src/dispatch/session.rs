//! Browser sessions: who the cookie belongs to now, starting one, ending one.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    Decide, Digest, SessionId, StreamId, UserId,
    session::{Session, SessionCommand, SessionEnd, SessionError, SignIn},
    user::User,
};
use projections::session;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::{
    credential::random_secret,
    log::{Actor, Unavailable},
};

use super::{
    Browser, Dispatch, Done, Refusal, SignInRefusal, SignedIn, UseCase,
    second_factor::{Proof, Used},
    work::{Loaded, Work},
};

/// Accounts that are signed in in one browser at most.
pub const ACCOUNTS: usize = 5;

/// A cookie's session, and its user.
#[derive(Clone, Debug)]
pub struct CurrentSession {
    pub id: SessionId,
    pub user_id: UserId,
    pub sign_in: SignIn,
    pub administrator: bool,
}

/// Begins or renews a session for a user who has just proved who they are.
pub(super) struct StartSession {
    pub(super) user_id: UserId,
    /// The sessions that the browser has already, the one that it last used first.
    pub(super) existing: Vec<CurrentSession>,
    pub(super) browser: Browser,
    pub(super) proof: Proof,
    pub(super) secret: SecretString,
}

pub(super) struct EndSession {
    pub(super) id: SessionId,
    pub(super) reason: SessionEnd,
}

impl Dispatch {
    /// The session of a cookie, if it lives: it has not ended or expired, and neither it nor its user was cut off since.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn current_session(&self, cookie: &str) -> Result<Option<CurrentSession>, Unavailable> {
        let Some((id, secret)) = read_cookie(cookie) else {
            return Ok(None);
        };
        let loaded = self.load_fresh::<Session>(id.uuid()).await?;
        let Session::Started(sign_in) = loaded.state.as_ref() else {
            return Ok(None);
        };
        let digest = Digest::of(secret.as_bytes());
        let same = verify_slices_are_equal(digest.as_str().as_bytes(), sign_in.cookie.as_str().as_bytes()).is_ok();
        if !same {
            return Ok(None);
        }
        let now = self.clock.now();
        let stands = session::find(self.reads.db(), &[id.to_string()]).await?.pop().is_some_and(|row| row.is_active(now));
        let user = self.load_fresh::<User>(sign_in.user_id.uuid()).await?;
        let User::Present { administrator, locked: false, .. } = user.state.as_ref() else {
            return Ok(None);
        };
        let current = CurrentSession { id, user_id: sign_in.user_id, sign_in: sign_in.clone(), administrator: *administrator };
        Ok(stands.then_some(current))
    }

    /// Ends a session: what was granted in it without offline access is dead.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn sign_out(&self, session: &CurrentSession) -> Result<Done<()>, Unavailable> {
        let end = EndSession { id: session.id, reason: SessionEnd::SignedOut };
        match self.perform(Actor::User(session.user_id), &end).await {
            Ok(done) => Ok(done),
            Err(Refusal::Rule(_)) => Ok(Done { answer: (), position: self.log.known_head() }),
            Err(Refusal::Unavailable(unavailable)) => Err(unavailable),
        }
    }

    /// Somebody who runs the issuer ends a session: what was granted in it without offline access is dead.
    ///
    /// # Errors
    /// That there is no such session.
    pub async fn end_session(&self, actor: Actor, id: SessionId) -> Result<Done<()>, Refusal<SessionError>> {
        self.perform(actor, &EndSession { id, reason: SessionEnd::EndedByOperator }).await
    }

    /// Starts a session, or renews the one that the same user has in this browser.
    pub(super) async fn start_session(
        &self,
        user_id: UserId,
        existing: Vec<CurrentSession>,
        (browser, proof): (Browser, Proof),
    ) -> Result<Done<SignedIn>, Refusal<SignInRefusal>> {
        let secret = random_secret();
        let done = self.perform(Actor::User(user_id), &StartSession { user_id, existing, browser, proof, secret }).await?;
        Ok(Done { answer: done.answer.map_err(Refusal::Rule)?, position: done.position })
    }
}

impl UseCase for StartSession {
    /// Or the refusal that is remembered.
    type Answer = Result<SignedIn, SignInRefusal>;
    type Refusal = SignInRefusal;

    fn name_taken(&self, name: &str) -> Option<SignInRefusal> {
        self.proof.claim_taken(self.user_id, name)
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<Result<SignedIn, SignInRefusal>, Refusal<SignInRefusal>> {
        let user = match self.proof.use_up(work, self.user_id).await? {
            Used::Enough(user) => user,
            Used::Refused(refusal) => return Err(Refusal::Rule(refusal)),
            Used::RefusedForTheRecord(refusal) => return Ok(Err(refusal)),
        };
        match user.as_ref() {
            User::Present { locked: false, .. } => {}
            User::Present { locked: true, .. } => return Err(Refusal::Rule(SignInRefusal::Locked)),
            User::Absent | User::Erased => return Err(Refusal::Rule(SignInRefusal::WrongCredentials)),
        }
        let sign_in = SignIn {
            user_id: self.user_id,
            cookie: Digest::of(self.secret.expose_secret().as_bytes()),
            auth_time: work.now,
            amr: self.proof.methods(),
            acr: Some(self.proof.context().as_str().to_owned()),
            expires_at: work.now.plus(work.inner.settings.sessions.lifetime),
        };
        let renewed = match self.existing.iter().find(|existing| existing.user_id == self.user_id) {
            Some(existing) => self.renew(work, existing.id, &sign_in).await?,
            None => None,
        };
        let id = match renewed {
            Some(id) => id,
            None => start(work, &sign_in, &self.browser).await?,
        };
        let others = self.existing.iter().map(|existing| existing.id).filter(|other| *other != id);
        let ended: Vec<SessionId> = others.skip(ACCOUNTS - 1).collect();
        for other in &ended {
            end(work, *other, SessionEnd::Replaced).await?;
        }
        let cookie = format!("{}.{}", URL_SAFE_NO_PAD.encode(id.uuid()), self.secret.expose_secret()).into();
        let session = CurrentSession { id, user_id: self.user_id, sign_in, administrator: user.is_administrator() };
        Ok(Ok(SignedIn { session, cookie, ended }))
    }
}

impl StartSession {
    async fn renew(&self, work: &mut Work<'_>, id: SessionId, sign_in: &SignIn) -> Result<Option<SessionId>, Unavailable> {
        let session = work.load::<Session>(id.uuid()).await?;
        let command = SessionCommand::Reauthenticate { sign_in: sign_in.clone(), at: work.now };
        Ok(work.decide(&session, command).is_ok().then_some(id))
    }
}

async fn start(work: &mut Work<'_>, sign_in: &SignIn, browser: &Browser) -> Result<SessionId, Refusal<SignInRefusal>> {
    let session = Loaded::<Session>::new_stream(Uuid::now_v7());
    let browser = work.inner.sealed_browser(sign_in.user_id, Some(browser)).await?;
    let command = SessionCommand::Start { sign_in: sign_in.clone(), browser, at: work.now };
    work.decide(&session, command).map_err(|error| Refusal::Rule(SignInRefusal::Session(error)))?;
    Ok(SessionId::new(session.id))
}

async fn end(work: &mut Work<'_>, id: SessionId, reason: SessionEnd) -> Result<(), Unavailable> {
    let session = work.load::<Session>(id.uuid()).await?;
    let ended = work.decide(&session, SessionCommand::End { reason, at: work.now });
    if let Err(error) = ended {
        tracing::debug!(%error, session = %id, "there was no session to end");
    }
    Ok(())
}

impl UseCase for EndSession {
    type Answer = ();
    type Refusal = SessionError;

    fn stream(&self) -> Option<StreamId> {
        Some(Session::stream(self.id.uuid()))
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<(), Refusal<SessionError>> {
        let session = work.load::<Session>(self.id.uuid()).await?;
        let command = SessionCommand::End { reason: self.reason, at: work.now };
        work.decide(&session, command).map_err(Refusal::Rule)?;
        Ok(())
    }
}

/// A cookie's two halves: the session's id and the secret.
fn read_cookie(cookie: &str) -> Option<(SessionId, &str)> {
    let (id, secret) = cookie.split_once('.')?;
    let id = Uuid::from_slice(&URL_SAFE_NO_PAD.decode(id).ok()?).ok()?;
    Some((SessionId::new(id), secret))
}
