//! `/admin/audit/`: what the log says of a grant, a token, a client or a user, what changed, and the end of what it shows, for
//! administrators. What is searched for is sent in a form: it may be a token, and stands in no URL. Each read is remembered before it is
//! shown.

mod changes;
mod grant;
mod revoke;
mod story;

use askama::Template;
use axum::{http::StatusCode, response::Response};
pub(in crate::http) use changes::changes;
use cqrs_es::Aggregate;
use domain::{ClientId, GrantId, user::User};
pub(in crate::http) use grant::grant;
use projections::client;
pub(in crate::http) use revoke::{ask as ask_to_revoke, revoke};
pub(in crate::http) use story::{client_story, user_story};

use crate::{
    audit::{self, Names, plain},
    http::{audit::found, error::Refused},
    log::{Actor, Unavailable},
    state::App,
};

use super::{
    super::{
        frame::{Frame, see_other},
        shown::shown,
        signed_in::SignedIn,
    },
    Administrator, AdministratorForm,
};

const PATH: &str = "/admin/audit/";
/// The longest text that is shown, in characters.
const MAX_TEXT: usize = 400;

#[derive(Template)]
#[template(path = "admin_audit.html")]
struct SearchPage {
    frame: Frame,
    token: String,
    nothing: bool,
}

/// `GET /admin/audit/`
pub(in crate::http) async fn search_form(Administrator(signed_in): Administrator) -> Response {
    search_page(&signed_in, StatusCode::OK)
}

fn search_page(signed_in: &SignedIn, status: StatusCode) -> Response {
    let (frame, token, nothing) = (signed_in.frame(), signed_in.form_token(), status == StatusCode::NOT_FOUND);
    signed_in.visitor.page(status, &SearchPage { frame, token, nothing }, None)
}

/// `POST /admin/audit/`: leads to the page of what was found.
pub(in crate::http) async fn search(form: AdministratorForm) -> Result<Response, Refused> {
    let text = form.0.parameters.get("q").unwrap_or_default().trim();
    match page_of(&form.0.signed_in.visitor.app, text).await? {
        Some(path) => Ok(see_other(&path)),
        None => Ok(search_page(&form.0.signed_in, StatusCode::NOT_FOUND)),
    }
}

/// The page of a user, a client, a grant, or a code or token: by name, id, text or digest.
async fn page_of(app: &App, text: &str) -> Result<Option<String>, Refused> {
    if text.is_empty() {
        return Ok(None);
    }
    if let Some(user) = app.dispatch.user_named(text).await? {
        return Ok(Some(format!("{PATH}users/{user}/")));
    }
    if let Some(client) = client_named(app, text).await? {
        return Ok(Some(format!("{PATH}clients/{client}/")));
    }
    if let Ok(id) = text.parse::<GrantId>() {
        if audit::grant(&app.log, id).await?.is_some() {
            return Ok(Some(format!("{PATH}grants/{id}/")));
        }
        if !audit::history(&app.log, &[User::TYPE], id.uuid()).await?.is_empty() {
            return Ok(Some(format!("{PATH}users/{id}/")));
        }
    }
    let found = found(app, text).await?;
    Ok(found.map(|found| format!("{PATH}grants/{}/?token={}", found.file.record.grant_id, found.place)))
}

/// The client with this `client_id`, or the only one of this name.
async fn client_named(app: &App, text: &str) -> Result<Option<ClientId>, Unavailable> {
    if let Some(client) = app.dispatch.client(text).await? {
        return Ok(Some(ClientId::new(client.id)));
    }
    match client::by_name(app.log.db(), &[text.to_owned()]).await?.as_slice() {
        [only] => Ok(Some(only.id.parse().map_err(|_| Unavailable)?)),
        [] | [_, _, ..] => Ok(None),
    }
}

const fn by(signed_in: &SignedIn) -> Actor {
    Actor::Administrator(signed_in.session.user_id)
}

/// What ended something, and by whom.
fn why(end: &audit::End, names: &Names) -> String {
    let cause = serde_json::to_value(end.cause).map(|cause| plain(&cause)).unwrap_or_default();
    shown(&format!("{cause} ({})", names.actor(&end.by)), MAX_TEXT)
}
