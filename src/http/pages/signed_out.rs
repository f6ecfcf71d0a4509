//! Where a person goes who has signed out, and what they see.

use askama::Template;
use axum::{http::StatusCode, response::Response};

use crate::protocol::logout::{Back, LogoutRequest};

use super::{
    frame::{Frame, see_other},
    shown::shown,
    visitor::Visitor,
};

/// The page that says so.
const PATH: &str = "/o/logout/done/";
/// The longest place that is shown, in characters.
const MAX_PLACE: usize = 120;

#[derive(Template)]
#[template(path = "signed_out.html")]
struct SignedOutPage {
    frame: Frame,
    onward: Option<Onward>,
}

/// Where they may go on to.
struct Onward {
    url: String,
    place: String,
}

/// `GET /o/logout/done/`.
pub(in crate::http) async fn done(visitor: Visitor) -> Response {
    show(&visitor, None)
}

/// The session has ended just now: on to where the client wants them, or to the page that says so.
pub(super) fn after(request: &LogoutRequest) -> Response {
    match &request.back {
        Some(back) => see_other(&back.url()),
        None => see_other(PATH),
    }
}

/// Nobody is signed in. Whoever only names a client, and shows nothing of it, does not send people on: they go by themselves.
pub(super) fn without_session(visitor: &Visitor, request: &LogoutRequest) -> Response {
    match &request.back {
        Some(back) if request.hinted => see_other(&back.url()),
        back => show(visitor, back.as_ref()),
    }
}

fn show(visitor: &Visitor, back: Option<&Back>) -> Response {
    let onward = back.map(|back| Onward { url: back.url(), place: shown(back.place(), MAX_PLACE) });
    visitor.page(StatusCode::OK, &SignedOutPage { frame: visitor.frame(), onward }, None)
}
