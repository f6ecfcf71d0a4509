//! How errors are told to people: on a page, in their language, with what an application's developer needs beneath.

use askama::Template;
use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::Response,
};

use crate::{http::error::Refused, protocol::ErrorCode, state::App};

use super::{
    frame::{Frame, page},
    language::Language,
    shown::shown,
    visitor::asked_language,
};

/// The longest description that is shown, in characters.
const MAX_DESCRIPTION: usize = 500;

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    frame: Frame,
    words: &'a str,
    code: &'a str,
    description: String,
    error_id: String,
}

/// Turns the error that a page's handler gave into a page.
pub(in crate::http) async fn tell(State(app): State<App>, request: Request, next: Next) -> Response {
    let language = asked_language(request.uri().query(), request.headers());
    let mut response = next.run(request).await;
    match response.extensions_mut().remove::<Refused>() {
        Some(refused) => problem_page(&app, language, &refused),
        None => response,
    }
}

fn problem_page(app: &App, language: &'static Language, refused: &Refused) -> Response {
    let error_id = app.dispatch.error_id(&refused.error);
    let error = &refused.error;
    tracing::debug!(rule = error.rule, code = error.code.as_str(), %error_id, "refused on a page");
    let status = refused.status();
    let template = ProblemPage {
        frame: Frame::bare(language),
        words: words(language, status, error.code),
        code: error.code.as_str(),
        description: shown(&error.description, MAX_DESCRIPTION),
        error_id,
    };
    let mut response = page(status, &template, None);
    if let Some(seconds) = error.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

fn words(language: &'static Language, status: StatusCode, code: ErrorCode) -> &'static str {
    match status {
        StatusCode::FORBIDDEN if code == ErrorCode::InsufficientScope => language.say("error.not_allowed"),
        StatusCode::FORBIDDEN => language.say("error.forbidden"),
        StatusCode::NOT_FOUND => language.say("error.not_found"),
        StatusCode::TOO_MANY_REQUESTS => language.say("error.too_many"),
        StatusCode::SERVICE_UNAVAILABLE => language.say("error.busy"),
        _ => language.say("error.bad_request"),
    }
}
