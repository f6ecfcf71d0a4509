//! `/o/device/`: somebody enters the code that their device shows. One that stands in the address is filled in, and no more: whoever follows a
//! link still has to look.

use askama::Template;
use axum::{
    http::{StatusCode, header},
    response::Response,
};

use super::{Problem, confirm_path, find, status_path};
use crate::{
    dispatch::FoundDevice,
    http::{
        error::Refused,
        form::Query,
        pages::{
            frame::{Frame, see_other},
            shown::shown,
            signed_in::{SignedIn, SignedInForm},
        },
        source::Source,
    },
    user_code::UserCode,
};

/// The longest text that is shown again in the place of a code, in characters.
const MAX_CODE: usize = 20;

#[derive(Template)]
#[template(path = "device.html")]
struct EnterPage {
    frame: Frame,
    user_code: String,
    problem: Option<String>,
    token: String,
}

pub(in crate::http) async fn get(signed_in: SignedIn, Query(parameters): Query) -> Response {
    ask(&signed_in, parameters.get("user_code").unwrap_or_default(), None)
}

pub(in crate::http) async fn post(source: Source, form: SignedInForm) -> Result<Response, Refused> {
    let SignedInForm { signed_in, parameters } = form;
    let typed = parameters.get("user_code").unwrap_or_default();
    match find(&signed_in, source, typed).await? {
        Ok(found) => Ok(on_with(&signed_in, &found)),
        Err(problem) => Ok(ask(&signed_in, typed, Some(&problem))),
    }
}

/// On to the question, or to what they answered.
pub(super) fn on_with(signed_in: &SignedIn, found: &FoundDevice) -> Response {
    let Some(client) = found.client.state.usable() else { return ask(signed_in, "", Some(&Problem::Wrong)) };
    match found.state.decided_by() {
        None => see_other(&confirm_path(client, &found.user_code)),
        Some(user_id) if user_id == signed_in.session.user_id => see_other(&status_path(&client.identifier, &found.user_code)),
        Some(_) => ask(signed_in, "", Some(&Problem::Answered)),
    }
}

/// Asks for a code.
pub(super) fn ask(signed_in: &SignedIn, typed: &str, problem: Option<&Problem>) -> Response {
    let visitor = &signed_in.visitor;
    let template = EnterPage {
        frame: visitor.frame(),
        user_code: UserCode::read(typed).map_or_else(|| shown(typed, MAX_CODE), |code| code.shown()),
        problem: problem.map(|problem| match problem {
            Problem::Wrong => visitor.language.say("device.wrong").to_owned(),
            Problem::Answered => visitor.language.say("device.answered").to_owned(),
            Problem::TooMany { retry_after } => visitor.language.fill("sign_in.too_many", "minutes", retry_after.div_ceil(60)),
        }),
        token: signed_in.form_token(),
    };
    let status = match problem {
        None => StatusCode::OK,
        Some(Problem::Wrong | Problem::Answered) => StatusCode::BAD_REQUEST,
        Some(Problem::TooMany { .. }) => StatusCode::TOO_MANY_REQUESTS,
    };
    let mut response = visitor.page(status, &template, None);
    if let Some(Problem::TooMany { retry_after }) = problem {
        response.headers_mut().insert(header::RETRY_AFTER, (*retry_after).into());
    }
    response
}
