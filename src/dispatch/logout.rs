//! Word to a client that a sign-in has ended (OpenID Connect Back-Channel Logout 1.0): the token that says it, and what came of it.

use domain::{
    Decide, SessionId, StreamId, Timestamp, UserId,
    client::Registration,
    session::{LogoutNotice, Session, SessionCommand, SessionError},
};
use secrecy::SecretString;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    log::{Actor, Unavailable},
    signer::typ,
};

use super::{Dispatch, Refusal, UseCase, work::Work};

/// For so long a logout token may be taken for one (section 4 asks for two minutes at most).
const LIFETIME: u32 = 120;
/// What has happened (section 2.4).
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

#[derive(Serialize)]
struct Claims<'a> {
    iss: String,
    sub: String,
    aud: &'a str,
    iat: Timestamp,
    exp: Timestamp,
    jti: Uuid,
    /// It ends this sign-in alone: without it the client would end all that it has of the user.
    sid: SessionId,
    events: Value,
}

struct RecordNotice {
    session: SessionId,
    notice: LogoutNotice,
}

impl Dispatch {
    /// A logout token for a client, signed as its ID tokens are.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn logout_token(&self, client: &Registration, sid: SessionId, user: UserId) -> Result<SecretString, Unavailable> {
        let now = self.clock.now();
        let claims = Claims {
            iss: self.settings.issuer(),
            sub: self.subject(client, user),
            aud: &client.identifier,
            iat: now,
            exp: now.plus(LIFETIME),
            jti: Uuid::now_v7(),
            sid,
            events: json!({ EVENT: {} }),
        };
        let key = self.signer.active(self.key_set().await?.as_ref(), client.metadata.id_token_algorithm()).await?;
        Ok(self.signer.sign(&key, typ::LOGOUT_TOKEN, &claims).await?.into())
    }

    /// Lets the log tell what came of telling a client. Of a session that is not there nothing is told.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn record_notice(&self, session: SessionId, notice: LogoutNotice) -> Result<(), Unavailable> {
        match self.perform(Actor::System, &RecordNotice { session, notice }).await {
            Ok(_) => Ok(()),
            Err(Refusal::Rule(error)) => {
                tracing::error!(%session, %error, "what came of telling a client cannot be recorded");
                Ok(())
            }
            Err(Refusal::Unavailable(unavailable)) => Err(unavailable),
        }
    }
}

impl UseCase for RecordNotice {
    type Answer = ();
    type Refusal = SessionError;

    fn stream(&self) -> Option<StreamId> {
        Some(Session::stream(self.session.uuid()))
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<(), Refusal<SessionError>> {
        let session = work.load::<Session>(self.session.uuid()).await?;
        let command = SessionCommand::RecordNotice { notice: self.notice.clone(), at: work.now };
        work.decide(&session, command).map_err(Refusal::Rule)?;
        Ok(())
    }
}
