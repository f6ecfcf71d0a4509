//! `/o/logout/`: signing out of this browser, of one's own accord or for a client (OpenID Connect RP-Initiated Logout 1.0). A person is
//! asked, unless the client shows that it knows this very sign-in.

use askama::Template;
use axum::{http::StatusCode, response::Response};
use domain::{SessionId, client::Client};

use crate::{
    dispatch::{CurrentSession, Loaded},
    http::{
        answer::at_position,
        error::Refused,
        form::{Form, Query},
    },
    protocol::{
        OAuthError, Parameters,
        logout::{self, Asker, Back, LogoutRequest},
    },
    state::App,
    vault::Carried,
};

use super::{
    accounts::{Accounts, keep},
    application::name_of,
    frame::{Frame, see_other},
    person::Person,
    signed_out,
    visitor::Visitor,
};

/// The longest request that is sent on as a URL, in bytes.
const MAX_URL: usize = 6000;

#[derive(Template)]
#[template(path = "sign_out.html")]
struct SignOutPage {
    frame: Frame,
    person: Person,
    /// The application that asks for it.
    application: Option<String>,
    token: String,
    request: String,
    /// Whether other accounts are signed in in this browser.
    others: bool,
}

pub(in crate::http) async fn get(visitor: Visitor, Query(parameters): Query) -> Result<Response, Refused> {
    begin(visitor, &parameters).await
}

/// A browser withholds our cookie when another site's page posts: it asks again with GET.
pub(in crate::http) async fn post(visitor: Visitor, Form(parameters): Form) -> Result<Response, Refused> {
    if !visitor.came_without_cookies() {
        return begin(visitor, &parameters).await;
    }
    let url = format!("/o/logout/?{}", parameters.encode());
    if url.len() > MAX_URL {
        return Err(OAuthError::invalid_request("logout_too_long", "the request is too long to come from another site").into());
    }
    Ok(see_other(&url))
}

/// `POST /o/logout/decision/`: whoever was asked wants it.
pub(in crate::http) async fn decide(visitor: Visitor, Form(parameters): Form) -> Result<Response, Refused> {
    let session = visitor.session.clone();
    if let Some(session) = &session {
        visitor.check_form(session, &parameters)?;
    }
    let request = open(&visitor.app, parameters.get("request").unwrap_or_default())?;
    let accounts = Accounts::of(&visitor).await?;
    match session {
        Some(_) if parameters.get("all").is_some() => end(&visitor, &accounts, (accounts.sessions().collect(), &request)).await,
        Some(session) => end(&visitor, &accounts, (vec![&session], &request)).await,
        None => Ok(signed_out::without_session(&visitor.speaking(request.ui_locales.as_deref()), &request)),
    }
}

async fn begin(visitor: Visitor, parameters: &Parameters) -> Result<Response, Refused> {
    let (request, client) = checked(&visitor.app, parameters).await?;
    let visitor = visitor.speaking(request.ui_locales.as_deref());
    let accounts = Accounts::of(&visitor).await?;
    if let Some(proven) = accounts.sessions().find(|session| request.proves(session.id)) {
        return end(&visitor, &accounts, (vec![proven], &request)).await;
    }
    match &visitor.session {
        None => Ok(signed_out::without_session(&visitor, &request)),
        Some(session) => ask(&visitor, (session, !accounts.others.is_empty()), &request, client.as_ref()).await,
    }
}

async fn checked(app: &App, parameters: &Parameters) -> Result<(LogoutRequest, Option<Loaded<Client>>), Refused> {
    let hint = match parameters.get("id_token_hint") {
        Some(text) => Some(app.dispatch.id_token_hint(text).await?.map_err(logout::not_a_hint)?),
        None => None,
    };
    let client = match logout::client_named(parameters, hint.as_ref())? {
        Some(identifier) => app.dispatch.client(identifier).await?,
        None => None,
    };
    let usable = client.as_ref().and_then(|client| client.state.usable());
    let request = logout::check(parameters, Asker { hint: hint.as_ref(), client: usable })?;
    Ok((request, client))
}

async fn ask(
    visitor: &Visitor,
    (session, others): (&CurrentSession, bool),
    request: &LogoutRequest,
    client: Option<&Loaded<Client>>,
) -> Result<Response, Refused> {
    let template = SignOutPage {
        frame: visitor.frame(),
        person: Person::of(&visitor.app, session).await?,
        application: client.and_then(|client| client.state.registration()).map(name_of),
        token: visitor.form_token(session),
        request: seal(&visitor.app, request),
        others,
    };
    let elsewhere = request.back.as_ref().map(Back::form_action);
    Ok(visitor.page(StatusCode::OK, &template, elsewhere.as_deref()))
}

/// Ends sessions of this browser: what was granted in them without offline access is dead.
async fn end(
    visitor: &Visitor,
    accounts: &Accounts,
    (sessions, request): (Vec<&CurrentSession>, &LogoutRequest),
) -> Result<Response, Refused> {
    let mut position = visitor.app.log.known_head();
    for session in &sessions {
        position = visitor.app.dispatch.sign_out(session).await?.position;
    }
    let ended: Vec<SessionId> = sessions.iter().map(|session| session.id).collect();
    let mut response = signed_out::after(&visitor.app, &ended, request).await?;
    keep(&mut response, accounts.after_ends(visitor, &ended));
    Ok(at_position(response, position))
}

fn seal(app: &App, request: &LogoutRequest) -> String {
    app.dispatch.keys.carry(Carried::Logout, request)
}

fn open(app: &App, sealed: &str) -> Result<LogoutRequest, OAuthError> {
    let unknown = || OAuthError::invalid_request("unknown_logout", "the request that this page was for is not known");
    app.dispatch.keys.carried(Carried::Logout, sealed).ok_or_else(unknown)
}
