//! `/account/`: who is signed in here, where else, and a new password.

use askama::Template;
use axum::{http::StatusCode, response::Response};
use secrecy::SecretString;

use crate::{
    dispatch::{PasswordRefusal, Refusal, UserRefusal},
    http::{answer::at_position, error::Refused},
    protocol::{ErrorCode, OAuthError},
};

use super::{
    account_sessions::{SessionView, sessions_of},
    frame::Frame,
    signed_in::{SignedIn, SignedInForm},
};

pub(super) const PATH: &str = "/account/";

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    frame: Frame,
    username: String,
    name: Option<String>,
    problem: Option<String>,
    token: String,
    sessions: Vec<SessionView>,
}

pub(in crate::http) async fn get(signed_in: SignedIn) -> Result<Response, Refused> {
    show(&signed_in, None).await
}

/// Changes the password: every session and token of the person ends, this one too.
pub(in crate::http) async fn change_password(form: SignedInForm) -> Result<Response, Refused> {
    let SignedInForm { signed_in, parameters } = form;
    let secret = |name| SecretString::from(parameters.get(name).unwrap_or_default());
    let (current, new) = (secret("current_password"), secret("new_password"));
    let visitor = &signed_in.visitor;
    match visitor.app.dispatch.change_password(signed_in.session.user_id, current, new).await {
        Ok(done) => Ok(at_position(visitor.redirect_with_notice(PATH, "notice.password_changed"), done.position)),
        Err(Refusal::Unavailable(unavailable)) => Err(unavailable.into()),
        Err(Refusal::Rule(refusal)) => match too_many_tries(&refusal) {
            Some(refused) => Err(refused),
            None => show(&signed_in, Some(words(&signed_in, &refusal))).await,
        },
    }
}

async fn show(signed_in: &SignedIn, problem: Option<String>) -> Result<Response, Refused> {
    let sessions = sessions_of(signed_in).await?;
    let status = if problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let (username, name) = (signed_in.person.username.clone(), signed_in.person.name.clone());
    let template = AccountPage { frame: signed_in.frame(), username, name, problem, token: signed_in.form_token(), sessions };
    Ok(signed_in.visitor.page(status, &template, None))
}

/// What is answered to whoever guesses a password: `None` where that is not what was refused.
pub(super) fn too_many_tries(refusal: &UserRefusal) -> Option<Refused> {
    let UserRefusal::TooManyTries { retry_after } = *refusal else { return None };
    let error = OAuthError::new(ErrorCode::AccessDenied, "too_many_tries", "the current password was wrong too often");
    Some(Refused::with_status(OAuthError { retry_after: Some(retry_after), ..error }, StatusCode::TOO_MANY_REQUESTS))
}

fn words(signed_in: &SignedIn, refusal: &UserRefusal) -> String {
    let language = signed_in.visitor.language;
    match refusal {
        UserRefusal::WrongPassword => language.say("account.wrong_password").to_owned(),
        UserRefusal::Password(PasswordRefusal::TooShort(least)) => language.fill("account.too_short", "count", least),
        UserRefusal::Password(PasswordRefusal::TooLong(most)) => language.fill("account.too_long", "count", most),
        UserRefusal::Password(PasswordRefusal::UnknownDigest)
        | UserRefusal::Rule(_)
        | UserRefusal::TooManyTries { .. }
        | UserRefusal::NameTaken
        | UserRefusal::BadName
        | UserRefusal::SetupLink => language.say("account.refused").to_owned(),
    }
}
