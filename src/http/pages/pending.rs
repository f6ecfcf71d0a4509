//! A pending authorization request: it travels sealed in the form of the page that asks, so that an abandoned sign-in writes nothing.
//! After a sign-in it lies for a while under an unguessable handle, so that URLs stay short.

use domain::{Digest, SessionId, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::{
    credential::random_secret,
    dispatch::AnsweredRequest,
    ephemeral,
    http::error::Refused,
    log::Unavailable,
    protocol::{ErrorCode, OAuthError, Once, OnceKind, authorize::AuthorizationRequest},
    state::App,
    vault::Carried,
};

/// The ephemeral kinds of requests that wait under a handle: for the browser's next step, and for the browser to come at all.
const KIND: &str = "pending_request";
const PUSHED: &str = "pushed_request";

/// A checked authorization request that waits for its user.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::http) struct Pending {
    /// Unguessable; used up by the answer.
    id: String,
    pub(super) request: AuthorizationRequest,
    /// The session that may answer it: all that the request demands of the sign-in is met.
    pub(super) session: Option<SessionId>,
    expires_at: Timestamp,
}

impl Pending {
    /// A request that has just arrived, and waits for so many seconds.
    pub(in crate::http) fn new(app: &App, request: AuthorizationRequest, lifetime: u32) -> Self {
        let expires_at = app.clock.now().plus(lifetime);
        Self { id: random_secret().expose_secret().to_owned(), request, session: None, expires_at }
    }

    /// The same, to be answered in this session alone.
    pub(super) fn for_session(self, session: SessionId) -> Self {
        Self { session: Some(session), ..self }
    }

    /// The same, to be answered after another sign-in.
    pub(super) fn for_nobody(self) -> Self {
        Self { session: None, ..self }
    }

    /// What its answer uses up.
    pub(super) fn answered(&self) -> AnsweredRequest {
        AnsweredRequest { id: self.id.clone(), until: self.expires_at }
    }

    /// The value of a form's hidden field `request`.
    pub(super) fn seal(&self, app: &App) -> String {
        app.dispatch.keys.carry(Carried::Request, self)
    }

    /// Opens what `seal` gave.
    ///
    /// # Errors
    /// That it is none, or has expired.
    pub(super) fn open(app: &App, sealed: &str) -> Result<Self, Refused> {
        let pending: Option<Self> = app.dispatch.keys.carried(Carried::Request, sealed);
        let unknown =
            || OAuthError::invalid_request("unknown_pending_request", "the request that this page was for is not known");
        let pending = pending.ok_or_else(unknown)?;
        if pending.expires_at <= app.clock.now() {
            let description = "the request that this page was for has expired: start again from the application";
            return Err(OAuthError::invalid_request("pending_request_expired", description).into());
        }
        Ok(pending)
    }

    /// Lays it down under a handle.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub(super) async fn keep(&self, app: &App) -> Result<SecretString, Unavailable> {
        let handle = random_secret();
        let key = Digest::of(handle.expose_secret().as_bytes());
        ephemeral::put(app.log.db(), KIND, key.as_str(), &self.seal(app), self.expires_at).await?;
        Ok(handle)
    }

    /// Lays it down under a handle, for the browser that its client sends, and uses up what the client proved itself by; gives what of that
    /// was used before, if any.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub(in crate::http) async fn push(&self, app: &App, once: &[Once]) -> Result<Result<SecretString, OnceKind>, Unavailable> {
        let handle = random_secret();
        let key = Digest::of(handle.expose_secret().as_bytes());
        let waiting = ephemeral::New { kind: PUSHED, key: key.as_str(), value: &self.seal(app), expires_at: self.expires_at };
        Ok(app.dispatch.use_up_with(once, waiting).await?.map_or(Ok(handle), Err))
    }

    /// Takes up what this client pushed. It can be answered once, and is found until then: people reload pages (RFC 9126 section 4).
    ///
    /// # Errors
    /// That there is none, or not any more.
    pub(super) async fn pushed(app: &App, handle: &str, client_id: &str) -> Result<Self, Refused> {
        let key = Digest::of(handle.as_bytes());
        let now = app.clock.now();
        let sealed = ephemeral::get(app.log.db(), PUSHED, key.as_str(), now).await?;
        let found: Option<Self> = sealed.and_then(|sealed| app.dispatch.keys.carried(Carried::Request, &sealed));
        let found = found.filter(|found| found.request.client_identifier == client_id && found.expires_at > now);
        let refused = || {
            let description = "request_uri names no request that the application pushed, or not any more: start again from there";
            OAuthError::new(ErrorCode::InvalidRequestUri, "unknown_request_uri", description).saw("client_id", client_id)
        };
        let expires_at = now.plus(app.settings.sessions.pending_request_lifetime);
        let found = Self { expires_at, ..found.ok_or_else(refused)? };
        if app.dispatch.is_answered(&found.answered()).await? { Err(refused().into()) } else { Ok(found) }
    }

    /// Takes up what lies under a handle.
    ///
    /// # Errors
    /// That nothing does, or not any more.
    pub(super) async fn find(app: &App, handle: &str) -> Result<Self, Refused> {
        let key = Digest::of(handle.as_bytes());
        let sealed = ephemeral::get(app.log.db(), KIND, key.as_str(), app.clock.now()).await?;
        Self::open(app, sealed.as_deref().unwrap_or_default())
    }
}
