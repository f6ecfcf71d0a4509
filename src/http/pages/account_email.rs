//! The part of the account page that tells somebody's mail address, changes it, and lets a mail go out that checks it; and `/verify-email/<link>/`, where
//! the mail's link leads. Only the button there uses the link up: mail programs open links to look at them.

use askama::Template;
use axum::{extract::Path, http::StatusCode, response::Response};
use secrecy::SecretString;

use crate::{
    dispatch::Refusal,
    http::{answer::at_position, error::Refused, form::Form},
    log::Unavailable,
    protocol::OAuthError,
};

use super::{
    account::{self, PATH, Problems, too_many_tries},
    applications::nothing_here,
    frame::Frame,
    shown::shown,
    signed_in::{SignedIn, SignedInForm},
    visitor::{Visitor, forbidden},
};

/// The longest address that is shown, in characters.
const MAX_ADDRESS: usize = 254;

/// Somebody's mail address.
pub(super) struct EmailView {
    /// Empty where they have none.
    pub(super) address: String,
    pub(super) verified: bool,
}

#[derive(Template)]
#[template(path = "verify_email.html")]
struct VerifyPage<'a> {
    frame: Frame,
    link: &'a str,
    token: String,
}

/// The mail address of whoever looks; `None` where no mails go out.
pub(super) async fn email_of(signed_in: &SignedIn) -> Result<Option<EmailView>, Unavailable> {
    let app = &signed_in.visitor.app;
    if !app.settings.mail.is_on() {
        return Ok(None);
    }
    let addressee = app.dispatch.addressee(signed_in.session.user_id).await?;
    let profile = addressee.map(|addressee| addressee.profile);
    let address = profile.as_ref().and_then(|profile| profile.email()).unwrap_or_default();
    let verified = profile.as_ref().is_some_and(|profile| profile.verified_email().is_some());
    Ok(Some(EmailView { address: shown(address, MAX_ADDRESS), verified }))
}

/// `POST /account/email/`: another address, which a mail checks at once.
pub(in crate::http) async fn change(form: SignedInForm) -> Result<Response, Refused> {
    let SignedInForm { signed_in, parameters } = form;
    let (visitor, user) = (&signed_in.visitor, signed_in.session.user_id);
    if !visitor.app.settings.mail.is_on() {
        return Err(nothing_here());
    }
    let current = SecretString::from(parameters.get("current_password").unwrap_or_default());
    let address = parameters.get("email").unwrap_or_default();
    match visitor.app.dispatch.change_email(user, current, address).await {
        Ok(done) => Ok(at_position(send_check(&signed_in).await?, done.position)),
        Err(Refusal::Unavailable(unavailable)) => Err(unavailable.into()),
        Err(Refusal::Rule(refusal)) => match too_many_tries(&refusal) {
            Some(refused) => Err(refused),
            None => {
                let email = Some(account::words(&signed_in, &refusal));
                account::show(&signed_in, Problems { password: None, email }).await
            }
        },
    }
}

/// `POST /account/email/check/`: a mail that checks the address.
pub(in crate::http) async fn check(form: SignedInForm) -> Result<Response, Refused> {
    if !form.signed_in.visitor.app.settings.mail.is_on() {
        return Err(nothing_here());
    }
    send_check(&form.signed_in).await
}

async fn send_check(signed_in: &SignedIn) -> Result<Response, Refused> {
    let visitor = &signed_in.visitor;
    match visitor.app.dispatch.check_email(signed_in.session.user_id, visitor.language.tag()).await {
        Ok(()) => Ok(visitor.redirect_with_notice(PATH, "notice.email_check_sent")),
        Err(Refusal::Unavailable(unavailable)) => Err(unavailable.into()),
        Err(Refusal::Rule(refusal)) => Err(too_many_tries(&refusal).unwrap_or_else(nothing_here)),
    }
}

/// `GET /verify-email/<link>/`
pub(in crate::http) async fn ask(visitor: Visitor, Path(link): Path<String>) -> Result<Response, Refused> {
    if !visitor.app.dispatch.email_link_works(&link).await? {
        return Err(gone());
    }
    let template = VerifyPage { frame: visitor.frame(), link: &link, token: visitor.sign_in_token() };
    Ok(visitor.page_with_form(StatusCode::OK, &template))
}

/// `POST /verify-email/<link>/`
pub(in crate::http) async fn verify(
    visitor: Visitor,
    Path(link): Path<String>,
    Form(parameters): Form,
) -> Result<Response, Refused> {
    visitor.check_origin()?;
    if !visitor.sent_sign_in_form(&parameters) {
        return Err(forbidden("form_token", "the form is another browser's, or was not sent from here"));
    }
    match visitor.app.dispatch.verify_email(&link).await {
        Ok(done) => Ok(at_position(visitor.redirect_with_notice(PATH, "notice.email_verified"), done.position)),
        Err(Refusal::Unavailable(unavailable)) => Err(unavailable.into()),
        Err(Refusal::Rule(_)) => Err(gone()),
    }
}

/// A link that works no more, or never did.
fn gone() -> Refused {
    let error = OAuthError::invalid_request("link_gone", "the link has expired, or was used, or the address was changed since");
    Refused::with_status(error, StatusCode::NOT_FOUND)
}
