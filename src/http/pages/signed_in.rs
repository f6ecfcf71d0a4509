//! Pages for signed-in people: whoever is not is sent to the sign-in page and back; a form counts only with its token.

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::{Method, request::Parts},
    response::{IntoResponse, Response},
};
use domain::session::ContextClass;
use url::form_urlencoded::byte_serialize;

use crate::{
    dispatch::CurrentSession,
    http::{error::Refused, form::Form},
    protocol::Parameters,
    state::App,
};

use super::{
    frame::{Frame, see_other},
    person::Person,
    visitor::{Visitor, forbidden},
};

/// For how long a sign-in with two factors counts as the password that changes to them ask for, in seconds.
const RECENTLY: u32 = 300;

/// A signed-in person who looks at a page.
pub(in crate::http) struct SignedIn {
    pub(super) visitor: Visitor,
    pub(super) session: CurrentSession,
    pub(super) person: Person,
}

impl SignedIn {
    /// The frame of their page, with the navigation.
    pub(super) fn frame(&self) -> Frame {
        self.visitor.frame_for(&self.person)
    }

    /// Whether they proved with two factors who they are, just now.
    pub(super) fn recently_and_surely(&self) -> bool {
        let sign_in = &self.session.sign_in;
        sign_in.context() == Some(ContextClass::TwoFactors) && sign_in.auth_time.plus(RECENTLY) > self.visitor.app.clock.now()
    }

    /// The token that each form on their page carries as `csrf_token`.
    pub(super) fn form_token(&self) -> String {
        self.visitor.form_token(&self.session)
    }
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let visitor = Visitor::from_request_parts(parts, app).await.map_err(IntoResponse::into_response)?;
        let Some(session) = visitor.session.clone() else {
            let asked = parts.uri.path_and_query().map_or("/", |asked| asked.as_str());
            let back = if parts.method == Method::GET { asked } else { parts.uri.path() };
            return Err(see_other(&sign_in_path(back)));
        };
        let person = Person::of(app, &session).await.map_err(|unavailable| Refused::from(unavailable).into_response())?;
        Ok(Self { visitor, session, person })
    }
}

/// The sign-in page that leads back to a path.
fn sign_in_path(back: &str) -> String {
    format!("/sign-in/?next={}", byte_serialize(back.as_bytes()).collect::<String>())
}

/// A form that a signed-in person sent from our page: its token is theirs, and no other site sent it.
pub(in crate::http) struct SignedInForm {
    pub(super) signed_in: SignedIn,
    pub(super) parameters: Parameters,
}

impl FromRequest<App> for SignedInForm {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::from_request_parts(&mut parts, app).await.map_err(IntoResponse::into_response)?;
        let Some(session) = visitor.session.clone() else {
            return Err(forbidden("signed_out", "nobody is signed in here any more").into_response());
        };
        let form = Form::from_request(Request::from_parts(parts, body), app).await;
        let Form(parameters) = form.map_err(IntoResponse::into_response)?;
        visitor.check_form(&session, &parameters).map_err(IntoResponse::into_response)?;
        let person = Person::of(app, &session).await.map_err(|unavailable| Refused::from(unavailable).into_response())?;
        Ok(Self { signed_in: SignedIn { visitor, session, person }, parameters })
    }
}
