//! `/o/device-grant-status/<client_id>/<user_code>`: what somebody decided, told to them alone.

use askama::Template;
use axum::{extract::Path, http::StatusCode, response::Response};
use domain::device_authorization::DeviceAuthorization;

use super::{enter, find_of};
use crate::http::{
    error::Refused,
    pages::{application::name_of, frame::Frame, signed_in::SignedIn},
    source::Source,
};

#[derive(Template)]
#[template(path = "device_status.html")]
struct StatusPage {
    frame: Frame,
    application: String,
    allowed: bool,
}

pub(in crate::http) async fn get(
    signed_in: SignedIn,
    source: Source,
    Path(path): Path<(String, String)>,
) -> Result<Response, Refused> {
    let found = match find_of(&signed_in, source, &path).await? {
        Ok(found) => found,
        Err(problem) => return Ok(enter::ask(&signed_in, &path.1, Some(&problem))),
    };
    let (Some(client), true) = (found.client.state.registration(), found.state.decided_by() == Some(signed_in.session.user_id))
    else {
        return Ok(enter::on_with(&signed_in, &found));
    };
    let allowed = match found.state.as_ref() {
        DeviceAuthorization::Approved { .. } | DeviceAuthorization::Redeemed { .. } => true,
        DeviceAuthorization::Absent | DeviceAuthorization::Requested(_) | DeviceAuthorization::Denied { .. } => false,
    };
    let template = StatusPage { frame: signed_in.visitor.frame(), application: name_of(client), allowed };
    Ok(signed_in.visitor.page(StatusCode::OK, &template, None))
}
