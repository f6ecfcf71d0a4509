//! Searches the log for the ends of sign-ins, and finds whom to tell: the clients that learned in them who the user is, and want to be called.

use domain::{client::ClientMetadata, cutoff::Subject};
use projections::{
    Page, client, grant,
    query::PAGE_MAX,
    session::{self, SessionRow},
};

use super::NAME;
use crate::{
    follow::{relay::message::ReadEvent, search::Seeker},
    log::{Log, PendingNotice, Row, Unavailable},
};

/// The types of the events that end sign-ins. A restored log ends all of them, and tells nobody.
const TYPES: [&str; 4] = ["session.ended", "user.locked", "user.password_set", "user.erased"];
/// Events of a user that are read at a time.
const PAGE: u32 = 200;

/// Finds whom to tell of the ends of sign-ins.
pub(super) struct Ends;

impl Seeker for Ends {
    const FOLLOWER: &'static str = NAME;
    const TYPES: &'static [&'static str] = &TYPES;

    async fn rows(&self, log: &Log, read: &ReadEvent) -> Result<Vec<Row>, Unavailable> {
        Ok(notices_of(log, read).await?.into_iter().map(PendingNotice::row).collect())
    }
}

/// Whom to tell of what an event ended.
async fn notices_of(log: &Log, read: &ReadEvent) -> Result<Vec<PendingNotice>, Unavailable> {
    let mut notices = Vec::new();
    for session in ended_by(log, read).await? {
        for client_id in to_be_called(log, &session.id).await? {
            notices.push(PendingNotice {
                session_id: session.id.clone(),
                client_id,
                user_id: session.user_id.clone(),
                ended_at: read.stored.recorded().unix(),
                tries: 0,
                due_at: read.stored.recorded().unix(),
                problem: None,
            });
        }
    }
    Ok(notices)
}

/// The sign-ins that an event ended.
async fn ended_by(log: &Log, read: &ReadEvent) -> Result<Vec<SessionRow>, Unavailable> {
    let id = read.stored.aggregate_id.clone();
    match read.event.cutoff().map(|cutoff| cutoff.subject) {
        Some(Subject::Session) => Ok(session::find(log.db(), &[id]).await?),
        Some(Subject::User) => stood_before(log, &id, read).await,
        Some(Subject::Client | Subject::Consent | Subject::Grant { .. } | Subject::Key(_) | Subject::Issuer) | None => {
            Ok(Vec::new())
        }
    }
}

/// The sign-ins of a user that stood when an event cut them off: an earlier one may have done so before.
async fn stood_before(log: &Log, user_id: &str, read: &ReadEvent) -> Result<Vec<SessionRow>, Unavailable> {
    let (position, at) = (read.stored.position, read.stored.recorded().unix());
    let earlier = cut_off_before(log, read).await?;
    let stood =
        |row: &SessionRow| row.state == "started" && (earlier + 1..position).contains(&row.position) && row.expires_at > at;
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let page = session::of_user(log.db(), user_id, Page { after: after.as_deref(), limit: PAGE_MAX }).await?;
        let full = page.len() >= PAGE_MAX as usize;
        after = page.last().map(|row| row.id.clone());
        rows.extend(page.into_iter().filter(stood));
        if !full {
            return Ok(rows);
        }
    }
}

/// Where a user was cut off the last time before an event of theirs; 0 where they never were.
async fn cut_off_before(log: &Log, read: &ReadEvent) -> Result<i64, Unavailable> {
    let (mut earlier, mut after) = (0, 0);
    loop {
        let page = log.history(&[read.stream.aggregate_type], read.stream.aggregate_id, after, PAGE).await?;
        for event in &page {
            if event.position >= read.stored.position {
                return Ok(earlier);
            }
            after = event.position;
            if TYPES.contains(&event.event_type.as_str()) {
                earlier = event.position;
            }
        }
        if page.len() < PAGE as usize {
            return Ok(earlier);
        }
    }
}

/// The clients of a sign-in that want to be called and may act, by the ids of their streams.
async fn to_be_called(log: &Log, session_id: &str) -> Result<Vec<String>, Unavailable> {
    let clients = grant::clients_of_session(log.db(), session_id).await?;
    let rows = client::find(log.db(), &clients).await?;
    let wants = |row: &client::ClientRow| {
        let metadata = serde_json::from_str::<ClientMetadata>(&row.metadata);
        row.state == "enabled" && metadata.is_ok_and(|metadata| metadata.backchannel_logout_uri().is_some())
    };
    Ok(rows.into_iter().filter(wants).map(|row| row.id).collect())
}
