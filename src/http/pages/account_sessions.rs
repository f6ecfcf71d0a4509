//! The part of the account page that shows where somebody is signed in, and ends it: one sign-in, or all.

use axum::{extract::Path, response::Response};
use domain::{SessionId, UserId};
use projections::{grant, session::SessionRow};

use crate::{
    http::{answer::at_position, error::Refused},
    log::Unavailable,
    protocol::logout::LogoutRequest,
    state::App,
};

use super::{
    account::PATH,
    accounts::{Accounts, keep},
    browser_name::browser_name,
    language::Language,
    moment::Moment,
    signed_in::{SignedIn, SignedInForm},
    signed_out,
};

/// Sign-ins that are shown at most: the latest.
const SHOWN: usize = 50;

/// One sign-in.
pub(super) struct SessionView {
    pub(super) id: String,
    /// What the browser is called; `None` where that is not known.
    pub(super) browser: Option<String>,
    pub(super) address: Option<String>,
    pub(super) since: Moment,
    /// When somebody last proved who they are in it, or let an application in.
    pub(super) used: Moment,
    /// Whether it is the one of this browser.
    pub(super) here: bool,
}

/// The sign-ins of whoever looks.
pub(super) async fn sessions_of(signed_in: &SignedIn) -> Result<Vec<SessionView>, Unavailable> {
    let (app, user) = (&signed_in.visitor.app, signed_in.session.user_id);
    let mut rows = app.dispatch.live_sessions(user).await?;
    rows.truncate(SHOWN);
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let used = grant::last_in_sessions(app.log.db(), &ids).await?;
    let mut views = Vec::new();
    for row in rows {
        let last = used.iter().find(|(id, _)| *id == row.id).map_or(row.auth_time, |(_, last)| row.auth_time.max(*last));
        let here = row.id == signed_in.session.id.to_string();
        views.push(view(app, (user, row), (last, here), signed_in.visitor.language).await?);
    }
    Ok(views)
}

async fn view(
    app: &App,
    (user, row): (UserId, SessionRow),
    (last, here): (i64, bool),
    language: &'static Language,
) -> Result<SessionView, Unavailable> {
    let browser = match &row.browser {
        Some(sealed) => app.dispatch.browser(user, sealed).await?,
        None => None,
    };
    Ok(SessionView {
        id: row.id,
        browser: browser.as_ref().and_then(|browser| browser.agent.as_deref()).map(browser_name).filter(|name| !name.is_empty()),
        address: browser.map(|browser| browser.address.to_string()),
        since: Moment::new(row.started_at, language),
        used: Moment::new(last, language),
        here,
    })
}

/// `POST /account/sessions/{id}/end/`.
pub(in crate::http) async fn end_one(Path(id): Path<String>, form: SignedInForm) -> Result<Response, Refused> {
    let SignedIn { visitor, session, .. } = &form.signed_in;
    let Ok(id) = id.parse::<SessionId>() else { return Ok(visitor.redirect_with_notice(PATH, "notice.session_gone")) };
    let done = visitor.app.dispatch.end_own_session(session.user_id, id).await?;
    let response = match done.answer {
        true if id == session.id => {
            let mut response = signed_out::after(&visitor.app, &[id], &LogoutRequest::default()).await?;
            keep(&mut response, Accounts::of(visitor).await?.after_ends(visitor, &[id]));
            response
        }
        true => visitor.redirect_with_notice(PATH, "notice.session_ended"),
        false => visitor.redirect_with_notice(PATH, "notice.session_gone"),
    };
    Ok(at_position(response, done.position))
}

/// `POST /account/sessions/end/`: all of them, this one too.
pub(in crate::http) async fn end_all(form: SignedInForm) -> Result<Response, Refused> {
    let SignedIn { visitor, session, .. } = &form.signed_in;
    let accounts = Accounts::of(visitor).await?;
    let done = visitor.app.dispatch.end_own_sessions(session.user_id).await?;
    let mut response = signed_out::after(&visitor.app, &[session.id], &LogoutRequest::default()).await?;
    keep(&mut response, accounts.after_ends(visitor, &[session.id]));
    Ok(at_position(response, done.position))
}
