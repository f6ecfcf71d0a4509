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
    account_email::{EmailView, email_of},
    account_sessions::{SessionView, sessions_of},
    frame::Frame,
    language::Language,
    signed_in::{SignedIn, SignedInForm},
};

pub(super) const PATH: &str = "/account/";

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    frame: Frame,
    username: String,
    name: Option<String>,
    /// `None` where no mails go out.
    email: Option<EmailView>,
    email_problem: Option<String>,
    problem: Option<String>,
    token: String,
    sessions: Vec<SessionView>,
}

pub(in crate::http) async fn get(signed_in: SignedIn) -> Result<Response, Refused> {
    show(&signed_in, Problems::default()).await
}

/// What is said where a form of the page was not taken.
#[derive(Default)]
pub(super) struct Problems {
    pub(super) password: Option<String>,
    pub(super) email: Option<String>,
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
            None => {
                let password = Some(words(&signed_in, &refusal));
                show(&signed_in, Problems { password, email: None }).await
            }
        },
    }
}

pub(super) async fn show(signed_in: &SignedIn, problems: Problems) -> Result<Response, Refused> {
    let Problems { password: problem, email: email_problem } = problems;
    let (sessions, email) = (sessions_of(signed_in).await?, email_of(signed_in).await?);
    let status = if problem.is_some() || email_problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let (username, name) = (signed_in.person.username.clone(), signed_in.person.name.clone());
    let (frame, token) = (signed_in.frame(), signed_in.form_token());
    let template = AccountPage { frame, username, name, email, email_problem, problem, token, sessions };
    Ok(signed_in.visitor.page(status, &template, None))
}

/// What is answered to whoever guesses a password: `None` where that is not what was refused.
pub(super) fn too_many_tries(refusal: &UserRefusal) -> Option<Refused> {
    let UserRefusal::TooManyTries { retry_after } = *refusal else { return None };
    let error = OAuthError::new(ErrorCode::AccessDenied, "too_many_tries", "the current password was wrong too often");
    Some(Refused::with_status(OAuthError { retry_after: Some(retry_after), ..error }, StatusCode::TOO_MANY_REQUESTS))
}

pub(super) fn words(signed_in: &SignedIn, refusal: &UserRefusal) -> String {
    let language = signed_in.visitor.language;
    match refusal {
        UserRefusal::WrongPassword => language.say("account.wrong_password").to_owned(),
        UserRefusal::Password(refusal) => password_words(language, refusal),
        UserRefusal::BadEmail => language.say("email.bad").to_owned(),
        UserRefusal::Rule(_)
        | UserRefusal::TooManyTries { .. }
        | UserRefusal::NameTaken
        | UserRefusal::BadName
        | UserRefusal::SetupLink
        | UserRefusal::PasswordLink
        | UserRefusal::EmailLink => language.say("account.refused").to_owned(),
    }
}

/// Why a new password is not taken.
pub(super) fn password_words(language: &Language, refusal: &PasswordRefusal) -> String {
    match refusal {
        PasswordRefusal::TooShort(least) => language.fill("account.too_short", "count", least),
        PasswordRefusal::TooLong(most) => language.fill("account.too_long", "count", most),
        PasswordRefusal::UnknownDigest => language.say("account.refused").to_owned(),
    }
}
