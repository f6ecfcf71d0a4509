//! `GET /o/device/qr/?user_code=...`: a picture that a device can show beside the code (RFC 8628 section 3.3.1), on a screen or in a terminal. It leads to our own page and
//! nowhere else, whatever is asked for, and tells nothing of whether there is such a code.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};

use crate::{
    http::{
        error::{Refused, no_store},
        form::Query,
        pages::qr,
    },
    protocol::{OAuthError, device::verification_uri_complete},
    state::App,
    user_code::UserCode,
};

pub(in crate::http) async fn get(
    State(app): State<App>,
    headers: HeaderMap,
    Query(parameters): Query,
) -> Result<Response, Refused> {
    let user_code = UserCode::read(parameters.required("user_code")?);
    let malformed = || OAuthError::invalid_request("malformed_user_code", "user_code is none that is given here");
    let uri = verification_uri_complete(&app.settings.issuer(), &user_code.ok_or_else(malformed)?);
    let for_a_terminal = headers.get(header::ACCEPT).is_some_and(|accepted| accepted == "text/plain");
    let (media_type, picture) = match for_a_terminal {
        true => ("text/plain; charset=utf-8", qr::letters(&uri).map(|picture| picture + "\n")),
        false => ("image/svg+xml", qr::svg(&uri)),
    };
    let too_long = || OAuthError::invalid_request("picture_too_large", "the address is too long for a picture");
    let mut response = picture.ok_or_else(too_long)?.into_response();
    let headers = response.headers_mut();
    no_store(headers);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    Ok(response)
}
