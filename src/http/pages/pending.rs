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
    protocol::{OAuthError, authorize::AuthorizationRequest},
    state::App,
    vault::Carried,
};

/// The ephemeral kind of requests that wait under a handle.
const KIND: &str = "pending_request";

/// A checked authorization request that waits for its user.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Pending {
    /// Unguessable; used up by the answer.
    id: String,
    pub(super) request: AuthorizationRequest,
    /// The session that may answer it: all that the request demands of the sign-in is met.
    pub(super) session: Option<SessionId>,
    expires_at: Timestamp,
}

impl Pending {
    /// A request that has just arrived.
    pub(super) fn new(app: &App, request: AuthorizationRequest) -> Self {
        let expires_at = app.clock.now().plus(app.settings.sessions.pending_request_lifetime);
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
