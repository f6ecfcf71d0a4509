//! `/setup/<link>/`: the first administrator is made, through the one-time link that the server prints at its start.

use std::collections::BTreeMap;

use askama::Template;
use axum::{extract::Path, http::StatusCode, response::Response};
use secrecy::SecretString;

use crate::{
    dispatch::{NewUser, Profile, Refusal, UserRefusal},
    http::{answer::at_position, error::Refused, form::Form},
    protocol::OAuthError,
};

use super::{
    account::password_words,
    frame::{Frame, see_other},
    shown::shown,
    visitor::Visitor,
};

/// Where the new administrator goes on: through the sign-in page.
const NEXT: &str = "/sign-in/?next=%2Fadmin%2F";
/// The longest name that is shown again, in characters.
const MAX_USERNAME: usize = 255;

#[derive(Template)]
#[template(path = "setup.html")]
struct SetUpPage<'a> {
    frame: Frame,
    link: &'a str,
    username: String,
    problem: Option<String>,
    token: String,
}

pub(in crate::http) async fn get(visitor: Visitor, Path(link): Path<String>) -> Result<Response, Refused> {
    check(&visitor, &link).await?;
    Ok(show(&visitor, &link, "", None))
}

pub(in crate::http) async fn post(
    visitor: Visitor,
    Path(link): Path<String>,
    Form(parameters): Form,
) -> Result<Response, Refused> {
    visitor.check_origin()?;
    check(&visitor, &link).await?;
    let username = parameters.get("username").unwrap_or_default();
    if !visitor.sent_sign_in_form(&parameters) {
        let problem = (StatusCode::FORBIDDEN, visitor.language.say("sign_in.form_expired").to_owned());
        return Ok(show(&visitor, &link, username, Some(problem)));
    }
    let new = NewUser {
        profile: Profile { username: username.to_owned(), claims: BTreeMap::new() },
        password: Some(SecretString::from(parameters.get("password").unwrap_or_default())),
        password_digest: None,
        administrator: true,
    };
    match visitor.app.dispatch.set_up(&link, new).await {
        Ok(done) => Ok(at_position(see_other(NEXT), done.position)),
        Err(Refusal::Unavailable(unavailable)) => Err(unavailable.into()),
        Err(Refusal::Rule(UserRefusal::SetupLink)) => Err(gone()),
        Err(Refusal::Rule(refusal)) => {
            let problem = (StatusCode::BAD_REQUEST, words(&visitor, &refusal));
            Ok(show(&visitor, &link, username, Some(problem)))
        }
    }
}

async fn check(visitor: &Visitor, link: &str) -> Result<(), Refused> {
    if visitor.app.dispatch.setup_token_works(link).await? { Ok(()) } else { Err(gone()) }
}

fn gone() -> Refused {
    let error = OAuthError::invalid_request("setup_link_gone", "the set-up link has expired or was used");
    Refused::with_status(error, StatusCode::NOT_FOUND)
}

fn show(visitor: &Visitor, link: &str, username: &str, problem: Option<(StatusCode, String)>) -> Response {
    let (status, problem) = problem.map_or((StatusCode::OK, None), |(status, problem)| (status, Some(problem)));
    let (frame, token) = (visitor.frame(), visitor.sign_in_token());
    let template = SetUpPage { frame, link, username: shown(username, MAX_USERNAME), problem, token };
    visitor.page_with_form(status, &template)
}

fn words(visitor: &Visitor, refusal: &UserRefusal) -> String {
    let language = visitor.language;
    match refusal {
        UserRefusal::Password(refusal) => password_words(language, refusal),
        UserRefusal::NameTaken => language.say("set_up.name_taken").to_owned(),
        UserRefusal::BadName
        | UserRefusal::Rule(_)
        | UserRefusal::WrongPassword
        | UserRefusal::TooManyTries { .. }
        | UserRefusal::SetupLink
        | UserRefusal::PasswordLink
        | UserRefusal::EmailLink
        | UserRefusal::BadEmail => language.say("set_up.refused").to_owned(),
    }
}
