//! All that descends from a point, and its end: found first, so that it can be shown, then ended in one append.

use cqrs_es::Aggregate;
use domain::{
    ClientId, GrantId, SessionId, Timestamp, UserId,
    audit::{Question, Read},
    client::Client,
    session::Session,
    user::User,
};
use projections::standing::Ground;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    dispatch::{Dispatch, Refusal},
    log::{Actor, Unavailable},
};

use super::{AuditError, GrantState, grant, history, living_on};

/// The most grants that are revoked one by one: more would keep everybody else's appends waiting for longer than they wait.
const MOST: usize = 20_000;

/// Where something descends from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Point {
    Grant(GrantId),
    Client(ClientId),
    User(UserId),
    /// A sign-in.
    Session(SessionId),
    /// A signing key, by its kid.
    Key(String),
    Issuer,
}

/// All that descends from a point; with a moment, the grants of it of which something was issued then or later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descent {
    pub point: Point,
    pub since: Option<Timestamp>,
}

/// What ends with the grants, so that nothing new can come of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Besides {
    ClientDisabled,
    UserLocked,
    SessionEnded,
    KeyReplaced,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndedAt {
    pub position: i64,
    /// Grants that ended.
    pub count: usize,
}

/// Why it was not ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotEnded {
    #[error("{0}")]
    Unavailable(#[from] Unavailable),
    /// A rule refuses it, in words.
    #[error("{0}")]
    Refused(String),
}

impl<E: ToString> From<Refusal<E>> for NotEnded {
    fn from(refusal: Refusal<E>) -> Self {
        match refusal {
            Refusal::Rule(rule) => Self::Refused(rule.to_string()),
            Refusal::Unavailable(unavailable) => unavailable.into(),
        }
    }
}

impl Descent {
    /// The grants that live at present and end with it; `None` where there is no such point.
    ///
    /// # Errors
    /// That the store does not answer, or an event cannot be read.
    pub async fn living(&self, dispatch: &Dispatch) -> Result<Option<Vec<GrantId>>, AuditError> {
        let now = dispatch.clock.now();
        let (stream, id) = match &self.point {
            Point::Grant(id) => {
                let Some(file) = grant(&dispatch.log, *id).await? else { return Ok(None) };
                let lives = file.record.state(now) == GrantState::Live;
                return Ok(Some(if lives { vec![*id] } else { vec![] }));
            }
            Point::Client(id) => (Some((Client::TYPE, id.uuid())), id.to_string()),
            Point::User(id) => (Some((User::TYPE, id.uuid())), id.to_string()),
            Point::Session(id) => (Some((Session::TYPE, id.uuid())), id.to_string()),
            Point::Key(kid) if dispatch.key_set().await?.algorithm_of(kid).is_err() => return Ok(None),
            Point::Key(kid) => (None, kid.clone()),
            Point::Issuer => (None, String::new()),
        };
        if let Some((stream, id)) = stream
            && history(&dispatch.log, &[stream], id).await?.is_empty()
        {
            return Ok(None);
        }
        let living = living_on(dispatch.log.db(), self.point.ground(&id), self.since.unwrap_or_default(), now);
        Ok(Some(living.await?))
    }

    /// What ends with the grants. With a moment, and for a single grant, they end alone.
    #[must_use]
    pub const fn besides(&self) -> Option<Besides> {
        match (&self.point, self.since) {
            (_, Some(_)) | (Point::Grant(_) | Point::Issuer, None) => None,
            (Point::Client(_), None) => Some(Besides::ClientDisabled),
            (Point::User(_), None) => Some(Besides::UserLocked),
            (Point::Session(_), None) => Some(Besides::SessionEnded),
            (Point::Key(_), None) => Some(Besides::KeyReplaced),
        }
    }

    /// What is remembered of whoever is shown it.
    #[must_use]
    pub const fn read(&self) -> Read {
        let read = Read::of(Question::Revocation);
        match &self.point {
            Point::Grant(id) => Read { grant_id: Some(*id), ..read },
            Point::Client(id) => Read { client_id: Some(*id), ..read },
            Point::User(id) => Read { user_id: Some(*id), ..read },
            Point::Session(_) | Point::Key(_) | Point::Issuer => read,
        }
    }

    /// Ends it, in one append. `grants` are those that were found.
    ///
    /// # Errors
    /// That a rule refuses it, or the store does not answer: then nothing has ended.
    pub async fn end(&self, dispatch: &Dispatch, by: Actor, grants: &[GrantId]) -> Result<EndedAt, NotEnded> {
        let position = match (&self.point, self.since) {
            (_, Some(_)) | (Point::Grant(_) | Point::Issuer, None) => {
                if grants.len() > MOST {
                    return Err(NotEnded::Refused(format!(
                        "{} grants are more than the {MOST} that one append revokes: a client, a user, a sign-in or a key ends with all that \
                         stands on it",
                        grants.len()
                    )));
                }
                let done = dispatch.revoke_grants(by, grants).await?;
                return Ok(EndedAt { position: done.position, count: done.answer });
            }
            (Point::Client(id), None) => dispatch.disable_client(by, *id).await?.position,
            (Point::User(id), None) => dispatch.lock_user(by, *id).await?.position,
            (Point::Session(id), None) => dispatch.end_session(by, *id).await?.position,
            (Point::Key(kid), None) => dispatch.replace_key(by, kid).await?.position,
        };
        Ok(EndedAt { position, count: grants.len() })
    }

    /// As programs are told it; without `ended` it has only been shown.
    #[must_use]
    pub fn to_json(&self, grants: &[GrantId], ended: Option<EndedAt>) -> Value {
        let mut told = json!({"grants": grants, "besides": self.besides(), "revoked": ended.is_some()});
        if let Some(EndedAt { position, count }) = ended {
            told["count"] = count.into();
            told["position"] = position.into();
        }
        told
    }
}

impl Point {
    const fn ground<'a>(&self, id: &'a str) -> Ground<'a> {
        match self {
            Self::Grant(_) | Self::Issuer => Ground::Issuer,
            Self::Client(_) => Ground::Client(id),
            Self::User(_) => Ground::User(id),
            Self::Session(_) => Ground::Session(id),
            Self::Key(_) => Ground::Key(id),
        }
    }
}
