//! Where people let devices in (RFC 8628 section 3.3), under django-oauth-toolkit's paths: `/o/device/` takes the code that the device shows,
//! `/o/device-confirm/` asks, `/o/device-grant-status/` tells what was decided.

mod confirm;
mod enter;
mod qr;
mod status;

pub(in crate::http) use confirm::{get as confirm, post as decide};
use domain::client::Registration;
pub(in crate::http) use enter::{get as enter, post as entered};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
pub(in crate::http) use qr::get as qr;
pub(in crate::http) use status::get as status;

use crate::{
    dispatch::{DeviceLookUp, DeviceRefusal, FoundDevice, Refusal},
    http::{error::Refused, source::Source},
    user_code::UserCode,
};

use super::signed_in::SignedIn;

/// What is written otherwise in a segment of a path (RFC 3986 section 2.3).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Why the page that takes the code is shown again.
enum Problem {
    Wrong,
    /// Somebody has decided already.
    Answered,
    TooMany {
        retry_after: u32,
    },
}

/// The device that shows this code.
async fn find(signed_in: &SignedIn, source: Source, typed: &str) -> Result<Result<FoundDevice, Problem>, Refused> {
    let look_up = DeviceLookUp { user_code: UserCode::read(typed), user_id: signed_in.session.user_id, source: source.0 };
    match signed_in.visitor.app.dispatch.find_device(&look_up).await {
        Ok(found) => Ok(Ok(found)),
        Err(Refusal::Unavailable(unavailable)) => Err(unavailable.into()),
        Err(Refusal::Rule(DeviceRefusal::WrongCode)) => Ok(Err(Problem::Wrong)),
        Err(Refusal::Rule(DeviceRefusal::TooManyTries { retry_after })) => Ok(Err(Problem::TooMany { retry_after })),
    }
}

/// The same, where its client is the one that the path names.
async fn find_of(
    signed_in: &SignedIn,
    source: Source,
    (client_id, typed): &(String, String),
) -> Result<Result<FoundDevice, Problem>, Refused> {
    let found = find(signed_in, source, typed).await?;
    let is_of = |found: &FoundDevice| found.client.state.registration().is_some_and(|own| own.identifier == *client_id);
    Ok(found.and_then(|found| if is_of(&found) { Ok(found) } else { Err(Problem::Wrong) }))
}

fn confirm_path(client: &Registration, user_code: &UserCode) -> String {
    path("device-confirm", &client.identifier, user_code)
}

fn status_path(client_identifier: &str, user_code: &UserCode) -> String {
    path("device-grant-status", client_identifier, user_code)
}

fn path(page: &str, client_identifier: &str, user_code: &UserCode) -> String {
    format!("/o/{page}/{}/{}", utf8_percent_encode(client_identifier, SEGMENT), user_code.shown())
}
