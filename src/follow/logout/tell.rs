//! Tells clients what they are to be told: several at a time, so that one that does not answer holds up none but itself, each again and again
//! with longer and longer rests.

use std::{collections::HashSet, convert::Infallible, time::Duration};

use domain::{
    ClientId, SessionId, Timestamp, UserId,
    client::Registration,
    session::{LogoutNotice, NoticeOutcome},
};
use futures_util::{TryStreamExt, stream};
use secrecy::ExposeSecret;
use tokio::{sync::Notify, task::JoinSet};
use url::Url;

use super::LogoutError;
use crate::{
    follow::retry::rest,
    log::{PendingNotice, Unavailable},
    state::App,
};

/// Clients that are told at a time, and sign-ins that one is told of at a time.
const CLIENTS: usize = 32;
const AT_A_TIME: usize = 4;
/// What is read of a client's at a time.
const PAGE: u32 = 64;
/// The longest rest after a try, in seconds.
const LONGEST_REST: u32 = 3600;
/// How often it is looked whether something is due: the clock may be set. And the net, where nothing waits.
const LOOK: Duration = Duration::from_secs(1);
const NET: Duration = Duration::from_secs(5);

/// Why a client was not told.
struct Failure {
    problem: String,
    status: Option<u16>,
    /// Whether it would not be told anything else either.
    silent: bool,
}

/// Tells clients as long as it is awaited.
pub(super) async fn tell(app: &App, found: &Notify) -> Result<Infallible, LogoutError> {
    let waiting = metrics::gauge!("grantlog_logout_notices_pending");
    // What is under way ends with this function.
    let (mut tellers, mut busy) = (JoinSet::new(), HashSet::new());
    loop {
        let now = app.clock.now();
        for client in app.log.clients_to_notify(now).await? {
            if busy.len() < CLIENTS && busy.insert(client.clone()) {
                let app = app.clone();
                tellers.spawn(async move { (client.clone(), tell_client(&app, &client).await) });
            }
        }
        waiting.set(app.log.count_notices().await? as f64);
        let rest = if app.log.next_notice_due(now).await?.is_some() { LOOK } else { NET };
        tokio::select! {
            Some(done) = tellers.join_next() => {
                let (client, outcome) = done.map_err(|_| LogoutError::Defect)?;
                busy.remove(&client);
                outcome?;
            }
            () = found.notified() => {}
            () = tokio::time::sleep(rest) => {}
        }
    }
}

/// Tells one client all that it is to be told now.
async fn tell_client(app: &App, client_id: &str) -> Result<(), Unavailable> {
    let id: ClientId = client_id.parse().map_err(|_| Unavailable)?;
    loop {
        let now = app.clock.now();
        let due = app.log.due_notices(client_id, now, PAGE).await?;
        let Some(first) = due.first() else { return Ok(()) };
        let tries = first.tries;
        let client = app.dispatch.client_by_id(id).await?;
        let told = stream::iter(due.into_iter().map(Ok)).try_for_each_concurrent(AT_A_TIME, |notice| {
            let registration = client.state.usable();
            async move { tell_one(app, registration, &notice).await }
        });
        match told.await {
            Ok(()) => {}
            Err(Ended::Unavailable(unavailable)) => return Err(unavailable),
            Err(Ended::Silent(problem)) => {
                let again_in = rest(tries, LONGEST_REST);
                tracing::warn!(client = client_id, problem, again_in, "a client does not hear that sign-ins have ended");
                return app.log.put_off_notices_of(client_id, now, (app.clock.now().plus(again_in), &problem)).await;
            }
        }
    }
}

/// Why a client is not told the rest.
enum Ended {
    Unavailable(Unavailable),
    /// It does not answer.
    Silent(String),
}

impl From<Unavailable> for Ended {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable)
    }
}

async fn tell_one(app: &App, client: Option<&Registration>, notice: &PendingNotice) -> Result<(), Ended> {
    let over = Timestamp::from_unix(notice.ended_at).plus(app.settings.sessions.logout_patience) <= app.clock.now();
    let callable = client.and_then(|client| Some((client, client.metadata.backchannel_logout_uri()?.parse::<Url>().ok()?)));
    let tries = notice.tries.unsigned_abs().try_into().unwrap_or(u32::MAX);
    let (Some((client, url)), false) = (callable, over && tries > 0) else {
        return Ok(record(app, notice, NoticeOutcome::GivenUp, (tries, None)).await?);
    };
    match post(app, (client, &url), notice).await? {
        Ok(status) => Ok(record(app, notice, NoticeOutcome::Acknowledged, (tries + 1, Some(status))).await?),
        Err(failure) if over => Ok(record(app, notice, NoticeOutcome::GivenUp, (tries + 1, failure.status)).await?),
        Err(failure) => {
            metrics::counter!("grantlog_logout_notices_total", "outcome" => "failed").increment(1);
            if failure.silent {
                return Err(Ended::Silent(failure.problem));
            }
            let (again_in, problem) = (rest(notice.tries, LONGEST_REST), failure.problem);
            tracing::warn!(client = notice.client_id, problem, again_in, "a client does not take that a sign-in has ended");
            Ok(app.log.put_off_notice(notice, app.clock.now().plus(again_in), &problem).await?)
        }
    }
}

/// Section 2.5. Any answer but success is a failure, and no redirect is followed.
async fn post(
    app: &App,
    (client, url): (&Registration, &Url),
    notice: &PendingNotice,
) -> Result<Result<u16, Failure>, Unavailable> {
    let (session, user): (SessionId, UserId) = ids(notice)?;
    let token = app.dispatch.logout_token(client, session, user).await?;
    Ok(match app.dispatch.fetcher.post_form(url, &[("logout_token", token.expose_secret())]).await {
        Ok(answer) if matches!(answer.status, 200..=299) => Ok(answer.status),
        Ok(answer) => {
            let (status, silent) = (answer.status, answer.status == 429 || answer.status >= 500);
            Err(Failure { problem: format!("it answered with status {status}"), status: Some(status), silent })
        }
        Err(error) => Err(Failure { problem: error.to_string(), status: None, silent: true }),
    })
}

/// Lets the log tell what came of it; then it is no longer pending.
async fn record(
    app: &App,
    notice: &PendingNotice,
    outcome: NoticeOutcome,
    (tries, status): (u32, Option<u16>),
) -> Result<(), Unavailable> {
    let (session, _): (SessionId, UserId) = ids(notice)?;
    let client_id = notice.client_id.parse().map_err(|_| Unavailable)?;
    app.dispatch.record_notice(session, LogoutNotice { client_id, outcome, tries, status }).await?;
    app.log.forget_notice(notice).await?;
    let outcome = match outcome {
        NoticeOutcome::Acknowledged => "acknowledged",
        NoticeOutcome::GivenUp => {
            tracing::error!(client = notice.client_id, session = notice.session_id, tries, "a client was not told of an end");
            "given_up"
        }
    };
    metrics::counter!("grantlog_logout_notices_total", "outcome" => outcome).increment(1);
    Ok(())
}

fn ids(notice: &PendingNotice) -> Result<(SessionId, UserId), Unavailable> {
    let unreadable = |_| {
        tracing::error!(session = notice.session_id, "the row of a notice holds an id that is none");
        Unavailable
    };
    Ok((notice.session_id.parse().map_err(unreadable)?, notice.user_id.parse().map_err(unreadable)?))
}
