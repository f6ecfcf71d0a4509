//! `/sign-in/`: a person proves who they are, for a client's request or for a page of ours.

mod passkey;
mod problem;
mod purpose;
mod second_step;

use askama::Template;
use axum::{
    http::{StatusCode, header},
    response::Response,
};
use domain::{SessionId, client::Registration};
pub(in crate::http) use passkey::post as post_passkey;
use problem::Problem;
use purpose::{Carried, Purpose, next_page};
pub(in crate::http) use second_step::post as post_code;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    dispatch::{CurrentSession, Done, FirstStep, Refusal, SignIn, SignedIn},
    http::{
        answer::at_position,
        error::Refused,
        form::{Form, Query},
        source::Source,
    },
    passkeys::Asked,
    protocol::interaction,
};

use super::{
    accounts::{Accounts, Offered, keep},
    application::Application,
    frame::{Frame, Script, see_other},
    pending::Pending,
    shown::shown,
    visitor::{Visitor, forbidden},
};

/// The longest name that is shown again, in characters.
const MAX_USERNAME: usize = 255;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'a> {
    frame: Frame,
    application: Option<Application>,
    username: String,
    problem: Option<String>,
    token: String,
    carried: Carried<'a>,
    /// A passkey's signature is asked for, where there can be any.
    passkey: Option<Asked>,
    /// Accounts of this browser that may be gone on with.
    accounts: Vec<Offered>,
    /// Whether a forgotten password can be replaced by a link in a mail.
    mails: bool,
}

/// What the page is filled in with.
#[derive(Default)]
struct Filled<'a> {
    /// The application that it is for.
    application: Option<Application>,
    username: String,
    problem: Option<&'a Problem>,
    accounts: Vec<Offered>,
}

/// Whoever is signed in goes on, unless they come to sign in with another account (`another`).
pub(in crate::http) async fn get(visitor: Visitor, Query(parameters): Query) -> Result<Response, Refused> {
    let next = next_page(&parameters);
    if visitor.session.is_some() && parameters.get("another").is_none() {
        return Ok(see_other(next.as_str()));
    }
    let accounts = Accounts::of(&visitor).await?.offered(&visitor, |_| true).await?;
    Ok(show(&visitor, &Purpose::Page(next), Filled { accounts, ..Filled::default() }))
}

/// `POST /sign-in/account/`: on with an account that is signed in in this browser.
pub(in crate::http) async fn choose(visitor: Visitor, Form(parameters): Form) -> Result<Response, Refused> {
    visitor.check_origin()?;
    if !visitor.sent_sign_in_form(&parameters) {
        return Err(forbidden("form_token", "the form is another browser's, or was not sent from here"));
    }
    let purpose = Purpose::read(&visitor.app, &parameters)?;
    let accounts = Accounts::of(&visitor).await?;
    let chosen = parameters.get("session").and_then(|id| id.parse().ok()).and_then(|id| accounts.with(id));
    let chosen = chosen.ok_or_else(|| forbidden("no_such_account", "nobody is signed in with this account here any more"))?;
    let mut response = match purpose {
        Purpose::Page(next) => see_other(next.as_str()),
        Purpose::Request(pending) if may_go_on(&visitor, &pending, chosen) => go_on(&visitor, *pending, chosen.id).await?,
        Purpose::Request(_) => return Err(forbidden("sign_in_needed", "the application wants you to sign in anew")),
    };
    keep(&mut response, accounts.after_choice(&visitor, chosen.id));
    Ok(response)
}

pub(in crate::http) async fn post(visitor: Visitor, source: Source, Form(parameters): Form) -> Result<Response, Refused> {
    visitor.check_origin()?;
    let purpose = Purpose::read(&visitor.app, &parameters)?;
    let accounts = Accounts::of(&visitor).await?;
    let username = parameters.get("username").unwrap_or_default().to_owned();
    let problem = if visitor.sent_sign_in_form(&parameters) {
        let password = SecretString::from(parameters.get("password").unwrap_or_default());
        let (agent, existing) = (visitor.agent().map(str::to_owned), accounts.sessions().cloned().collect());
        let request = SignIn { username: username.clone(), password, source: source.0, agent, existing };
        match visitor.app.dispatch.sign_in(request).await {
            Ok(FirstStep::SignedIn(done)) => return welcome(&visitor, purpose, (&accounts, done)).await,
            Ok(FirstStep::SecondFactor(user)) => return second_step::show(&visitor, &purpose, user).await,
            Err(Refusal::Unavailable(unavailable)) => return Err(unavailable.into()),
            Err(Refusal::Rule(refusal)) => Problem::from(refusal),
        }
    } else {
        Problem::FormExpired
    };
    again(&visitor, &purpose, username, &problem).await
}

/// The sign-in page once more, with what is wrong.
async fn again(visitor: &Visitor, purpose: &Purpose, username: String, problem: &Problem) -> Result<Response, Refused> {
    let application = match purpose {
        Purpose::Request(pending) => application(visitor, pending).await?,
        Purpose::Page(_) => None,
    };
    Ok(show(visitor, purpose, Filled { application, username, problem: Some(problem), accounts: Vec::new() }))
}

/// The sign-in page for a client's request, with the accounts of this browser that meet what it demands of a sign-in.
///
/// # Errors
/// `Unavailable` when the store does not answer.
pub(super) async fn for_request(visitor: &Visitor, pending: &Pending, client: &Registration) -> Result<Response, Refused> {
    let username = pending.request.login_hint.clone().unwrap_or_default();
    let expected = |session: &CurrentSession| {
        let subjects = &pending.request.subjects;
        subjects.is_empty() || subjects.contains(&visitor.app.dispatch.subject(client, session.user_id))
    };
    let may = |session: &CurrentSession| expected(session) && may_go_on(visitor, pending, session);
    let accounts = Accounts::of(visitor).await?.offered(visitor, may).await?;
    let application = Application::new(pending.request.client_id, client);
    let filled = Filled { application: Some(application), username, problem: None, accounts };
    Ok(show(visitor, &Purpose::Request(Box::new(pending.clone().for_nobody())), filled))
}

/// Whether a request can be answered in a session without a new sign-in.
fn may_go_on(visitor: &Visitor, pending: &Pending, session: &CurrentSession) -> bool {
    interaction::does(&pending.request, session.sign_in.auth_time, session.sign_in.context(), visitor.app.clock.now())
}

/// Sends the person on with their new session.
async fn welcome(
    visitor: &Visitor,
    purpose: Purpose,
    (accounts, done): (&Accounts, Done<SignedIn>),
) -> Result<Response, Refused> {
    let signed_in = done.answer;
    let mut response = match purpose {
        Purpose::Page(next) => see_other(next.as_str()),
        Purpose::Request(pending) => go_on(visitor, *pending, signed_in.session.id).await?,
    };
    keep(&mut response, accounts.after_sign_in(visitor, &signed_in));
    Ok(at_position(response, done.position))
}

/// On with a client's request, in this session.
async fn go_on(visitor: &Visitor, pending: Pending, session: SessionId) -> Result<Response, Refused> {
    let handle = pending.for_session(session).keep(&visitor.app).await?;
    Ok(see_other(&format!("/o/authorize/continue/?request={}", handle.expose_secret())))
}

fn show(visitor: &Visitor, purpose: &Purpose, filled: Filled<'_>) -> Response {
    let problem = filled.problem;
    let passkey = visitor.app.dispatch.ask_for_passkey(&visitor.sign_in_token());
    let script = if passkey.is_some() { Script::Passkey } else { Script::None };
    let template = SignInPage {
        frame: visitor.frame_with(script),
        application: filled.application,
        username: shown(&filled.username, MAX_USERNAME),
        problem: problem.map(|problem| problem.words(visitor)),
        token: visitor.sign_in_token(),
        carried: purpose.carried(&visitor.app),
        passkey,
        accounts: filled.accounts,
        mails: visitor.app.settings.mail.is_on(),
    };
    send(visitor, purpose, (&template, script), problem)
}

/// Sends a page of a sign-in.
fn send(
    visitor: &Visitor,
    purpose: &Purpose,
    (template, script): (&impl Template, Script<'_>),
    problem: Option<&Problem>,
) -> Response {
    let status = problem.map_or(StatusCode::OK, Problem::status);
    let mut response = visitor.page_with(script, (status, template), purpose.elsewhere().as_deref());
    if let Some(cookie) = visitor.browser_cookie() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    if let Some(Problem::TooMany { retry_after }) = problem {
        response.headers_mut().insert(header::RETRY_AFTER, (*retry_after).into());
    }
    response
}

/// The application that a sign-in is for, as long as it is there.
async fn application(visitor: &Visitor, pending: &Pending) -> Result<Option<Application>, Refused> {
    let id = pending.request.client_id;
    let client = visitor.app.dispatch.client_by_id(id).await?;
    Ok(client.state.registration().map(|client| Application::new(id, client)))
}
