//! `POST /audit/tokens/` and `POST /audit/check-token/`: a code or token in a form, because a URL ends in logs.

use axum::{extract::State, response::Response};
use domain::audit::Question;

use crate::{
    audit::{self, Words},
    state::App,
};

use super::{super::form::Form, Auditor, ENGLISH, Refused, found, nothing, told};

/// The lineage of the code or token in `token`: its text, its `jti` or its digest.
pub(in crate::http) async fn token(
    State(app): State<App>,
    Auditor { by, .. }: Auditor,
    Form(parameters): Form,
) -> Result<Response, Refused> {
    let text = parameters.required("token")?;
    let found = found(&app, text).await?.ok_or_else(|| nothing("code or token"))?;
    app.dispatch.remember_read(by, found.file.read(Question::Token)).await?;
    let names = found.names(&app.dispatch).await?;
    Ok(told(&found.lineage(&names, Words::of(ENGLISH), app.clock.now())))
}

/// Whether the signed token in `token` was issued.
pub(in crate::http) async fn check_token(
    State(app): State<App>,
    Auditor { by, .. }: Auditor,
    Form(parameters): Form,
) -> Result<Response, Refused> {
    let checked = audit::check_token(&app.dispatch, parameters.required("token")?.trim()).await?;
    if let Some(read) = checked.read() {
        app.dispatch.remember_read(by, read).await?;
    }
    Ok(told(&checked.to_json()))
}
