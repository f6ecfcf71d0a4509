//! The answer to a client: a redirect, or a page whose form posts itself (OAuth 2.0 Form Post Response Mode).

use std::sync::LazyLock;

use askama::Template;
use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    http::{StatusCode, header},
    response::Response,
};
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    log::Unavailable,
    protocol::authorize::{Reply, ResponseMode},
};

use super::{
    frame::{Frame, Script, policy, see_other},
    shown::shown,
    visitor::Visitor,
};

/// Without it the person presses the button.
const SCRIPT: &str = "document.forms[0].submit()";
static SCRIPT_DIGEST: LazyLock<String> = LazyLock::new(|| STANDARD.encode(digest(&SHA256, SCRIPT.as_bytes())));
/// The longest place that is shown, in characters.
const MAX_PLACE: usize = 120;

#[derive(Template)]
#[template(path = "answer.html")]
struct AnswerPage<'a> {
    frame: Frame,
    redirect_uri: &'a str,
    place: String,
    parameters: Vec<(String, String)>,
    script: &'static str,
}

/// Sends the browser to the client with the answer's parameters.
pub(super) async fn answer(visitor: &Visitor, reply: &Reply, parameters: &[(&str, &str)]) -> Result<Response, Unavailable> {
    let app = &visitor.app;
    let mut parameters = reply.parameters(&app.settings.issuer(), parameters);
    if let Some(signed) = &reply.signed {
        parameters = vec![("response".to_owned(), app.dispatch.sign_answer(signed, parameters).await?)];
    }
    Ok(match reply.mode {
        ResponseMode::Query | ResponseMode::Fragment => see_other(&reply.url(&parameters)),
        ResponseMode::FormPost => {
            let template = AnswerPage {
                frame: visitor.frame(),
                redirect_uri: &reply.redirect_uri,
                place: shown(reply.place(), MAX_PLACE),
                parameters,
                script: SCRIPT,
            };
            let mut response = visitor.page(StatusCode::OK, &template, None);
            // Where the client redirects to after it got the form is its own affair.
            let elsewhere = format!("{} https:", reply.form_action());
            response
                .headers_mut()
                .insert(header::CONTENT_SECURITY_POLICY, policy(Some(&elsewhere), Script::Inline(&SCRIPT_DIGEST)));
            response
        }
    })
}
