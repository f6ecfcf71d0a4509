//! `/o/userinfo/` (OpenID Connect Core section 5.3): what the scopes of an access token tell of its user, by GET and POST.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use domain::Scope;

use crate::{
    dispatch::UserInfo,
    protocol::{ErrorCode, OAuthError, bearer},
    state::App,
};

use super::{
    answer,
    bearer_auth::{self, challenged, token_not_active},
    error::Refused,
    form::Form,
    sender::Sender,
};

pub(super) async fn get(State(app): State<App>, headers: HeaderMap, sender: Sender) -> Result<Response, Refused> {
    userinfo(&app, (&headers, &sender), None).await
}

pub(super) async fn post(
    State(app): State<App>,
    headers: HeaderMap,
    sender: Sender,
    form: Option<Form>,
) -> Result<Response, Refused> {
    let in_form = form.as_ref().and_then(|Form(parameters)| parameters.get("access_token"));
    userinfo(&app, (&headers, &sender), in_form).await
}

async fn userinfo(app: &App, (headers, sender): (&HeaderMap, &Sender), in_form: Option<&str>) -> Result<Response, Refused> {
    let in_header = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    let presented = bearer_auth::required(bearer::read_either(in_header, in_form).map_err(challenged)?)?;
    let row = bearer_auth::active_here(app, presented, sender).await?;
    bearer_auth::with_scope(&row, Scope::OPENID)?;
    if row.user_id.is_none() {
        let error = OAuthError::new(ErrorCode::InsufficientScope, "token_without_user", "the token is a client's own");
        return Err(challenged(error));
    }
    Ok(match app.dispatch.userinfo(&row).await?.ok_or_else(token_not_active)? {
        UserInfo::Plain(claims) => answer::json(serde_json::to_vec(&claims).expect("claims have a JSON form")),
        UserInfo::Signed(jwt) => answer::jwt(jwt),
    })
}
