//! `/account/passkeys/`: a person makes a passkey, names it, or removes it. Making and removing begin with their password, or a sign-in with
//! two factors just now.

use askama::Template;
use axum::{extract::Path, http::StatusCode, response::Response};
use domain::PasskeyId;

use super::{
    applications::nothing_here,
    browser_name::browser_name,
    frame::{Frame, Script},
    language::Language,
    moment::Moment,
    second_factor::{self, PATH, without_password},
    shown::shown,
    signed_in::{SignedIn, SignedInForm},
};
use crate::{
    dispatch::{KnownPasskey, Refusal, SecondFactorRefusal},
    http::{answer::at_position, error::Refused},
    log::Actor,
    passkeys::{Asked, Ceremony},
    vault::Carried,
};

/// The longest name that is shown, in characters.
const MAX_NAME: usize = 60;

#[derive(Template)]
#[template(path = "passkey_new.html")]
struct NewPage {
    frame: Frame,
    problem: Option<String>,
    /// What the passkey is called, unless the person chooses better.
    name: String,
    asked: Asked,
    token: String,
}

#[derive(Template)]
#[template(path = "passkey.html")]
struct PasskeyPage {
    frame: Frame,
    problem: Option<String>,
    passkey: PasskeyView,
    username: String,
    /// Whether it is the last second factor.
    last: bool,
    recently: bool,
    token: String,
}

/// A passkey as pages show it.
pub(super) struct PasskeyView {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) backed_up: bool,
    pub(super) enrolled: Moment,
    pub(super) used: Option<Moment>,
    pub(super) went_back: Option<Moment>,
}

impl PasskeyView {
    pub(super) fn new(passkey: &KnownPasskey, language: &'static Language) -> Self {
        Self {
            id: passkey.id.to_string(),
            name: shown(&passkey.name, MAX_NAME),
            backed_up: passkey.backed_up,
            enrolled: Moment::new(passkey.enrolled_at.unix(), language),
            used: passkey.last_used_at.map(|at| Moment::new(at.unix(), language)),
            went_back: passkey.went_back_at.map(|at| Moment::new(at.unix(), language)),
        }
    }
}

/// `POST /account/passkeys/new/`: the page that asks the browser to make one.
pub(in crate::http) async fn begin(form: SignedInForm) -> Result<Response, Refused> {
    if let Some(response) = without_password(&form).await? {
        return Ok(response);
    }
    let name = form.signed_in.visitor.agent().map(browser_name).unwrap_or_default();
    ask(&form.signed_in, name, None).await
}

/// `POST /account/passkeys/`: what the browser made. Whoever has no second factor yet gets recovery codes with it.
pub(in crate::http) async fn enrol(form: SignedInForm) -> Result<Response, Refused> {
    let SignedInForm { signed_in, parameters } = form;
    let (app, session) = (&signed_in.visitor.app, &signed_in.session);
    let text = |name| parameters.get(name).unwrap_or_default();
    let sealed = (Carried::NewPasskey, text("ceremony"));
    let Some(ceremony) = Ceremony::open(&app.dispatch.keys, sealed, &session.id.to_string(), app.clock.now()) else {
        return Ok(second_factor::show(&signed_in, Some("second_factor.page_expired")).await?);
    };
    match app.dispatch.enrol_passkey(session.user_id, &ceremony, (text("name"), text("brought"))).await {
        Ok(done) => Ok(second_factor::enrolled(&signed_in, done)),
        Err(Refusal::Unavailable(unavailable)) => Err(unavailable.into()),
        Err(Refusal::Rule(refusal)) => ask(&signed_in, shown(text("name"), MAX_NAME), Some(words(&refusal))).await,
    }
}

/// `GET /account/passkeys/<id>/`
pub(in crate::http) async fn show(signed_in: SignedIn, Path(id): Path<String>) -> Result<Response, Refused> {
    show_one(&signed_in, &id, None).await
}

/// `POST /account/passkeys/<id>/rename/`
pub(in crate::http) async fn rename(Path(id): Path<String>, form: SignedInForm) -> Result<Response, Refused> {
    let SignedInForm { signed_in, parameters } = form;
    let (visitor, user) = (&signed_in.visitor, signed_in.session.user_id);
    let name = parameters.get("name").unwrap_or_default();
    match visitor.app.dispatch.rename_passkey(user, read(&id)?, name).await {
        Ok(done) => Ok(at_position(visitor.redirect_with_notice(PATH, "notice.passkey_renamed"), done.position)),
        Err(Refusal::Unavailable(unavailable)) => Err(unavailable.into()),
        Err(Refusal::Rule(refusal)) => show_one(&signed_in, &id, Some(words(&refusal))).await,
    }
}

/// `POST /account/passkeys/<id>/remove/`
pub(in crate::http) async fn remove(Path(id): Path<String>, form: SignedInForm) -> Result<Response, Refused> {
    if let Some(response) = without_password(&form).await? {
        return Ok(response);
    }
    let (visitor, user) = (&form.signed_in.visitor, form.signed_in.session.user_id);
    match visitor.app.dispatch.remove_passkey(Actor::User(user), user, read(&id)?).await {
        Ok(done) => Ok(at_position(visitor.redirect_with_notice(PATH, "notice.passkey_removed"), done.position)),
        Err(Refusal::Unavailable(unavailable)) => Err(unavailable.into()),
        Err(Refusal::Rule(_)) => Err(nothing_here()),
    }
}

async fn ask(signed_in: &SignedIn, name: String, problem: Option<&str>) -> Result<Response, Refused> {
    let (visitor, session) = (&signed_in.visitor, &signed_in.session);
    let username = &signed_in.person.username;
    let asked = visitor.app.dispatch.begin_passkey(session.user_id, username, &session.id.to_string()).await?;
    let Some(asked) = asked else { return Ok(second_factor::show(signed_in, Some("passkey.needs_name")).await?) };
    let template = NewPage {
        frame: signed_in.frame().with(Script::Passkey),
        problem: problem.map(|key| visitor.language.say(key).to_owned()),
        name,
        asked,
        token: signed_in.form_token(),
    };
    Ok(visitor.page_with(Script::Passkey, (second_factor::status(problem), &template), None))
}

async fn show_one(signed_in: &SignedIn, id: &str, problem: Option<&str>) -> Result<Response, Refused> {
    let (visitor, user, id) = (&signed_in.visitor, signed_in.session.user_id, read(id)?);
    let dispatch = &visitor.app.dispatch;
    let (factors, mut passkeys) = (dispatch.second_factors(user).await?, dispatch.passkeys(user).await?);
    let last = !factors.authenticator && passkeys.len() == 1;
    passkeys.retain(|passkey| passkey.id == id);
    let template = PasskeyPage {
        frame: signed_in.frame(),
        problem: problem.map(|key| visitor.language.say(key).to_owned()),
        passkey: PasskeyView::new(passkeys.first().ok_or_else(nothing_here)?, visitor.language),
        username: signed_in.person.username.clone(),
        last,
        recently: signed_in.recently_and_surely(),
        token: signed_in.form_token(),
    };
    let status = if problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    Ok(visitor.page(status, &template, None))
}

fn read(id: &str) -> Result<PasskeyId, Refused> {
    id.parse().map_err(|_| nothing_here())
}

const fn words(refusal: &SecondFactorRefusal) -> &'static str {
    match refusal {
        SecondFactorRefusal::BadName(_) => "passkey.bad_name",
        SecondFactorRefusal::Spent => "second_factor.page_expired",
        SecondFactorRefusal::Rule(_) => "passkey.too_many",
        SecondFactorRefusal::WrongPasskey | SecondFactorRefusal::WrongCode => "passkey.failed",
    }
}
