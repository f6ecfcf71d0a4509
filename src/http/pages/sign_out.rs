//! `/o/logout/`: signing out of this browser, after a question.

use askama::Template;
use axum::{
    http::{StatusCode, header},
    response::Response,
};

use crate::http::{answer::at_position, error::Refused};

use super::{
    cookies::Cookie,
    frame::{Frame, see_other},
    person::Person,
    signed_in::SignedInForm,
    visitor::Visitor,
};

#[derive(Template)]
#[template(path = "sign_out.html")]
struct SignOutPage {
    frame: Frame,
    person: Person,
    token: String,
}

#[derive(Template)]
#[template(path = "signed_out.html")]
struct SignedOutPage {
    frame: Frame,
}

/// Asks whoever is signed in; tells whoever is not that they are not.
pub(in crate::http) async fn get(visitor: Visitor) -> Result<Response, Refused> {
    let frame = visitor.frame();
    let Some(session) = &visitor.session else {
        return Ok(visitor.page(StatusCode::OK, &SignedOutPage { frame }, None));
    };
    let person = Person::of(&visitor.app, session).await?;
    let template = SignOutPage { frame, person, token: visitor.form_token(session) };
    Ok(visitor.page(StatusCode::OK, &template, None))
}

/// Ends the session: what was granted in it without offline access is dead.
pub(in crate::http) async fn post(form: SignedInForm) -> Result<Response, Refused> {
    let visitor = &form.signed_in.visitor;
    let done = visitor.app.dispatch.sign_out(&form.signed_in.session).await?;
    let mut response = see_other("/o/logout/");
    response.headers_mut().append(header::SET_COOKIE, Cookie::Session.clear(visitor.https()));
    Ok(at_position(response, done.position))
}
