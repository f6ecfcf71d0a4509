//! `/forgotten-password/`: a link to a new password is asked for, with the same answer whoever is asked for. `/new-password/<link>/`: it is chosen. Only
//! sending the form uses the link up: mail programs open links to look at them.

use askama::Template;
use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::Response,
};
use secrecy::SecretString;

use crate::{
    dispatch::{Refusal, UserRefusal},
    http::{answer::at_position, error::Refused, form::Form, source::Source},
    protocol::OAuthError,
};

use super::{account::password_words, applications::nothing_here, frame::Frame, visitor::Visitor};

/// Where whoever has a new password goes on.
const NEXT: &str = "/sign-in/";

#[derive(Template)]
#[template(path = "forgotten.html")]
struct ForgottenPage {
    frame: Frame,
    problem: Option<String>,
    token: String,
}

#[derive(Template)]
#[template(path = "forgotten_asked.html")]
struct AskedPage {
    frame: Frame,
    within: String,
}

#[derive(Template)]
#[template(path = "new_password.html")]
struct NewPasswordPage<'a> {
    frame: Frame,
    link: &'a str,
    problem: Option<String>,
    token: String,
}

pub(in crate::http) async fn get(visitor: Visitor) -> Result<Response, Refused> {
    if !visitor.app.settings.mail.is_on() {
        return Err(nothing_here());
    }
    Ok(ask(&visitor, None))
}

pub(in crate::http) async fn post(visitor: Visitor, source: Source, Form(parameters): Form) -> Result<Response, Refused> {
    visitor.check_origin()?;
    if !visitor.app.settings.mail.is_on() {
        return Err(nothing_here());
    }
    if !visitor.sent_sign_in_form(&parameters) {
        return Ok(ask(&visitor, Some((StatusCode::FORBIDDEN, visitor.language.say("sign_in.form_expired").to_owned()))));
    }
    let asked = parameters.get("username").unwrap_or_default();
    match visitor.app.dispatch.forgot_password(asked, (source.0, visitor.language.tag())).await {
        Ok(()) => {
            let minutes = visitor.app.settings.mail.password_link_lifetime.div_ceil(60);
            let within = visitor.language.fill("forgotten.within", "minutes", minutes);
            Ok(visitor.page(StatusCode::OK, &AskedPage { frame: visitor.frame(), within }, None))
        }
        Err(Refusal::Unavailable(unavailable)) => Err(unavailable.into()),
        Err(Refusal::Rule(refusal)) => {
            let UserRefusal::TooManyTries { retry_after } = refusal else { return Err(nothing_here()) };
            let words = visitor.language.fill("sign_in.too_many", "minutes", retry_after.div_ceil(60));
            let mut response = ask(&visitor, Some((StatusCode::TOO_MANY_REQUESTS, words)));
            response.headers_mut().insert(header::RETRY_AFTER, retry_after.into());
            Ok(response)
        }
    }
}

pub(in crate::http) async fn choose(visitor: Visitor, Path(link): Path<String>) -> Result<Response, Refused> {
    if !visitor.app.dispatch.password_link_works(&link).await? {
        return Err(gone());
    }
    Ok(show(&visitor, &link, None))
}

pub(in crate::http) async fn set(
    visitor: Visitor,
    Path(link): Path<String>,
    Form(parameters): Form,
) -> Result<Response, Refused> {
    visitor.check_origin()?;
    if !visitor.sent_sign_in_form(&parameters) {
        let problem = (StatusCode::FORBIDDEN, visitor.language.say("sign_in.form_expired").to_owned());
        return Ok(show(&visitor, &link, Some(problem)));
    }
    let new = SecretString::from(parameters.get("new_password").unwrap_or_default());
    match visitor.app.dispatch.reset_password(&link, new).await {
        Ok(done) => Ok(at_position(visitor.redirect_with_notice(NEXT, "notice.password_changed"), done.position)),
        Err(Refusal::Unavailable(unavailable)) => Err(unavailable.into()),
        Err(Refusal::Rule(UserRefusal::Password(refusal))) => {
            let words = password_words(visitor.language, &refusal);
            Ok(show(&visitor, &link, Some((StatusCode::BAD_REQUEST, words))))
        }
        Err(Refusal::Rule(_)) => Err(gone()),
    }
}

/// A link that works no more, or never did.
fn gone() -> Refused {
    let error = OAuthError::invalid_request("link_gone", "the link has expired, or was used, or the password was changed since");
    Refused::with_status(error, StatusCode::NOT_FOUND)
}

fn ask(visitor: &Visitor, problem: Option<(StatusCode, String)>) -> Response {
    let (status, problem) = problem.map_or((StatusCode::OK, None), |(status, problem)| (status, Some(problem)));
    let template = ForgottenPage { frame: visitor.frame(), problem, token: visitor.sign_in_token() };
    visitor.page_with_form(status, &template)
}

fn show(visitor: &Visitor, link: &str, problem: Option<(StatusCode, String)>) -> Response {
    let (status, problem) = problem.map_or((StatusCode::OK, None), |(status, problem)| (status, Some(problem)));
    let template = NewPasswordPage { frame: visitor.frame(), link, problem, token: visitor.sign_in_token() };
    visitor.page_with_form(status, &template)
}
