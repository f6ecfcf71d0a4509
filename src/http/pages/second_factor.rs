//! `/account/second-factor/`: what a person proves beside their password. They set an authenticator application up, get recovery codes, or
//! turn it off. Each begins with their password, or a sign-in with two factors just now: whoever finds an open browser changes nothing.

use askama::Template;
use axum::{http::StatusCode, response::Response};
use domain::{SessionId, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{
    account,
    frame::Frame,
    passkeys::PasskeyView,
    qr,
    signed_in::{SignedIn, SignedInForm},
};
use crate::{
    authenticator::{Authenticator, SECRET_BYTES},
    dispatch::{Done, Refusal, SecondFactorRefusal},
    http::{answer::at_position, error::Refused},
    log::Unavailable,
    state::App,
    vault::Carried,
};

pub(super) const PATH: &str = "/account/second-factor/";
/// For how long a new application waits for its first code, in seconds.
const LIFETIME: u32 = 900;

#[derive(Template)]
#[template(path = "second_factor.html")]
struct StandingPage {
    frame: Frame,
    username: String,
    problem: Option<String>,
    /// How many recovery codes are left; `None` where there is no second factor.
    codes_left: Option<usize>,
    authenticator: bool,
    passkeys: Vec<PasskeyView>,
    /// Whether there can be passkeys.
    possible: bool,
    /// Whether no password is asked for.
    recently: bool,
    token: String,
}

#[derive(Template)]
#[template(path = "second_factor_new.html")]
struct NewPage {
    frame: Frame,
    problem: Option<String>,
    picture: Option<String>,
    /// The secret in groups.
    secret: String,
    sealed: String,
    token: String,
}

#[derive(Template)]
#[template(path = "second_factor_codes.html")]
struct CodesPage {
    frame: Frame,
    codes: Vec<String>,
}

/// An application that is being set up, on its way through the browser.
#[derive(Serialize, Deserialize)]
struct NewAuthenticator {
    secret: [u8; SECRET_BYTES],
    session: SessionId,
    expires_at: Timestamp,
}

impl NewAuthenticator {
    fn seal(&self, app: &App) -> String {
        app.dispatch.keys.carry(Carried::NewAuthenticator, self)
    }

    fn open(app: &App, sealed: &str, session: SessionId) -> Option<Self> {
        let new: Self = app.dispatch.keys.carried(Carried::NewAuthenticator, sealed)?;
        (new.session == session && new.expires_at > app.clock.now()).then_some(new)
    }
}

pub(in crate::http) async fn get(signed_in: SignedIn) -> Result<Response, Refused> {
    Ok(show(&signed_in, None).await?)
}

/// `POST /account/second-factor/new/`: shows a new application what it has to know.
pub(in crate::http) async fn begin(form: SignedInForm) -> Result<Response, Refused> {
    if let Some(response) = without_password(&form).await? {
        return Ok(response);
    }
    let app = &form.signed_in.visitor.app;
    let (secret, session) = (Authenticator::generate(), form.signed_in.session.id);
    let new = NewAuthenticator { secret, session, expires_at: app.clock.now().plus(LIFETIME) };
    Ok(show_new(&form.signed_in, &new, None)?)
}

/// `POST /account/second-factor/`: the application shows its first code, and the person gets their recovery codes.
pub(in crate::http) async fn confirm(form: SignedInForm) -> Result<Response, Refused> {
    let SignedInForm { signed_in, parameters } = form;
    let (app, session) = (&signed_in.visitor.app, &signed_in.session);
    let sealed = parameters.get("new").unwrap_or_default();
    let Some(new) = NewAuthenticator::open(app, sealed, session.id) else {
        return Ok(show(&signed_in, Some("second_factor.page_expired")).await?);
    };
    let code = parameters.get("code").unwrap_or_default();
    match app.dispatch.enrol_authenticator(session.user_id, &new.secret, code).await {
        Ok(done) => Ok(enrolled(&signed_in, done)),
        Err(Refusal::Unavailable(unavailable)) => Err(unavailable.into()),
        Err(Refusal::Rule(SecondFactorRefusal::WrongCode)) => Ok(show_new(&signed_in, &new, Some("sign_in.wrong_code"))?),
        Err(Refusal::Rule(
            SecondFactorRefusal::Rule(_)
            | SecondFactorRefusal::WrongPasskey
            | SecondFactorRefusal::Spent
            | SecondFactorRefusal::BadName(_),
        )) => Ok(show(&signed_in, Some("second_factor.has_one")).await?),
    }
}

/// `POST /account/second-factor/codes/`: new recovery codes.
pub(in crate::http) async fn new_codes(form: SignedInForm) -> Result<Response, Refused> {
    if let Some(response) = without_password(&form).await? {
        return Ok(response);
    }
    let signed_in = &form.signed_in;
    match signed_in.visitor.app.dispatch.make_recovery_codes(signed_in.session.user_id).await {
        Ok(done) => Ok(enrolled(signed_in, done)),
        Err(Refusal::Unavailable(unavailable)) => Err(unavailable.into()),
        Err(Refusal::Rule(_)) => Ok(show(signed_in, None).await?),
    }
}

/// `POST /account/second-factor/off/`
pub(in crate::http) async fn turn_off(form: SignedInForm) -> Result<Response, Refused> {
    if let Some(response) = without_password(&form).await? {
        return Ok(response);
    }
    let (visitor, user_id) = (&form.signed_in.visitor, form.signed_in.session.user_id);
    match visitor.app.dispatch.remove_authenticator(user_id).await {
        Ok(done) => Ok(at_position(visitor.redirect_with_notice(PATH, "notice.second_factor_off"), done.position)),
        Err(Refusal::Unavailable(unavailable)) => Err(unavailable.into()),
        Err(Refusal::Rule(_)) => Ok(show(&form.signed_in, None).await?),
    }
}

/// What is answered where the form has not the person's password; `None` where it has, or need not.
pub(super) async fn without_password(form: &SignedInForm) -> Result<Option<Response>, Refused> {
    if form.signed_in.recently_and_surely() {
        return Ok(None);
    }
    let password = SecretString::from(form.parameters.get("current_password").unwrap_or_default());
    let signed_in = &form.signed_in;
    match signed_in.visitor.app.dispatch.prove_password(signed_in.session.user_id, password).await {
        Ok(()) => Ok(None),
        Err(Refusal::Unavailable(unavailable)) => Err(unavailable.into()),
        Err(Refusal::Rule(refusal)) => match account::too_many_tries(&refusal) {
            Some(refused) => Err(refused),
            None => Ok(Some(show(signed_in, Some("account.wrong_password")).await?)),
        },
    }
}

/// The page as it is now.
pub(super) async fn show(signed_in: &SignedIn, problem: Option<&str>) -> Result<Response, Unavailable> {
    let visitor = &signed_in.visitor;
    let (dispatch, user) = (&visitor.app.dispatch, signed_in.session.user_id);
    let factors = dispatch.second_factors(user).await?;
    let passkeys = dispatch.passkeys(user).await?;
    let template = StandingPage {
        frame: signed_in.frame(),
        username: signed_in.person.username.clone(),
        problem: problem.map(|key| visitor.language.say(key).to_owned()),
        codes_left: (!factors.are_none()).then_some(factors.recovery_codes.len()),
        authenticator: factors.authenticator,
        passkeys: passkeys.iter().map(|passkey| PasskeyView::new(passkey, visitor.language)).collect(),
        possible: dispatch.has_passkeys(),
        recently: signed_in.recently_and_surely(),
        token: signed_in.form_token(),
    };
    Ok(visitor.page(status(problem), &template, None))
}

fn show_new(signed_in: &SignedIn, new: &NewAuthenticator, problem: Option<&str>) -> Result<Response, Unavailable> {
    let visitor = &signed_in.visitor;
    let authenticator = visitor.app.dispatch.authenticator(&new.secret, &signed_in.person.username)?;
    let letters: Vec<char> = authenticator.to_base32().chars().collect();
    let template = NewPage {
        frame: signed_in.frame(),
        problem: problem.map(|key| visitor.language.say(key).to_owned()),
        picture: authenticator.to_uri().and_then(|uri| qr::svg(&uri)),
        secret: letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" "),
        sealed: new.seal(&visitor.app),
        token: signed_in.form_token(),
    };
    Ok(visitor.page(status(problem), &template, None))
}

/// The recovery codes that were made; where none were, the page that says that something was set up.
pub(super) fn enrolled(signed_in: &SignedIn, done: Done<Option<Vec<SecretString>>>) -> Response {
    let Some(codes) = done.answer else {
        return at_position(signed_in.visitor.redirect_with_notice(PATH, "notice.second_factor_set_up"), done.position);
    };
    let codes = codes.iter().map(|code| code.expose_secret().to_owned()).collect();
    let page = signed_in.visitor.page(StatusCode::OK, &CodesPage { frame: signed_in.frame(), codes }, None);
    at_position(page, done.position)
}

pub(super) const fn status(problem: Option<&str>) -> StatusCode {
    if problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK }
}
