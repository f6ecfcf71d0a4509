//! `POST /o/revoke_token/` (RFC 7009): a client gives a token back. A wrong `token_type_hint` does no harm: every kind is looked for.

use axum::{extract::State, http::HeaderMap, response::Response};

use crate::{
    dispatch::{RevokeToken, Revoked},
    log::Unavailable,
    state::App,
};

use super::{
    answer::{at_position, json},
    client_auth::{Purpose, authenticate, replayed, use_up, used_up_if_refused},
    error::Refused,
    form::Form,
    sender::Sender,
};

pub(super) async fn post(
    State(app): State<App>,
    sender: Sender,
    headers: HeaderMap,
    Form(parameters): Form,
) -> Result<Response, Refused> {
    let client = authenticate(&app, &headers, &parameters, (&sender, Purpose::Command)).await?;
    let token = parameters.required("token").map_err(Refused::from);
    let token = used_up_if_refused(&app, &client, token).await?.into();
    let request = RevokeToken { client, token };
    let revoked = app.dispatch.revoke(&request).await?;
    match revoked.answer {
        Revoked::Done => {}
        Revoked::UsedBefore(kind) => return Err(replayed(&request.client, kind).into()),
        Revoked::Nothing => {
            let client = authenticate(&app, &headers, &parameters, (&sender, Purpose::Now)).await?;
            use_up(&app, &client).await?;
        }
        Revoked::Disbelieved => {
            authenticate(&app, &headers, &parameters, (&sender, Purpose::Now)).await?;
            // It is believed again: it may come again.
            return Err(Unavailable.into());
        }
    }
    Ok(at_position(json("{}"), revoked.position))
}
