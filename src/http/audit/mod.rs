//! `/audit/`: what the log says of grants, tokens, clients and users, as JSON for programs, and the end of what it shows. For clients whose
//! own access token has the privileged scope `audit`; each read is remembered before it is answered.

mod diff;
mod grants;
mod list;
mod proof;
mod revoke;
mod story;
mod token;
mod who;

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
    response::Response,
};
pub(super) use diff::diff;
use domain::Scope;
pub(super) use grants::grants;
pub(super) use proof::proof;
pub(super) use revoke::revoke;
use serde::Serialize;
pub(super) use story::{client, grant, user};
pub(super) use token::{check_token, token};
use tokio::sync::OwnedSemaphorePermit;
pub(super) use who::who;

use crate::{
    audit::{self, AsOf, AuditError, Filter, FoundToken, Look, Place, resolve},
    log::{Actor, Unavailable},
    protocol::{
        OAuthError, Parameters,
        audit::{as_of, filter, may_ask},
    },
    state::App,
};

use super::{
    answer,
    bearer_auth::{self, challenged},
    error::Refused,
    sender::Sender,
};

/// The language of what programs are told.
const ENGLISH: &str = "en";

/// Who asks: a client with the scope for it.
pub(super) struct Auditor {
    by: Actor,
    scope: Scope,
}

impl FromRequestParts<App> for Auditor {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refused> {
        let Ok(sender) = Sender::from_request_parts(parts, app).await;
        let presented = bearer_auth::required(bearer_auth::presented(&parts.headers)?)?;
        let row = bearer_auth::active_here(app, presented, &sender).await?;
        let scope = may_ask(&row.scope, row.user_id.as_deref()).map_err(challenged)?;
        Ok(Self { by: Actor::Client(row.client_id.parse().map_err(|_| Unavailable)?), scope })
    }
}

impl From<AuditError> for Refused {
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::Unavailable(unavailable) => unavailable.into(),
            AuditError::Event { .. } | AuditError::Spill(_) => {
                tracing::error!(%error, "the log cannot be told");
                Unavailable.into()
            }
        }
    }
}

/// There is nothing of that name in the log.
fn nothing(what: &'static str) -> Refused {
    Refused::with_status(OAuthError::invalid_request("audit_nothing", format!("there is no such {what}")), StatusCode::NOT_FOUND)
}

fn told(value: &impl Serialize) -> Response {
    answer::json(serde_json::to_vec(value).expect("what is told has a JSON form"))
}

/// The only replay at a time of this node: each reads the whole log.
pub(in crate::http) fn turn(app: &App) -> Result<OwnedSemaphorePermit, Refused> {
    Ok(app.replays.clone().try_acquire_owned().map_err(|_| Unavailable)?)
}

/// Which grants are asked for, and up to where.
async fn asked(app: &App, parameters: &Parameters) -> Result<(Filter, Place), Refused> {
    let client = match parameters.get("client") {
        Some(identifier) => Some(app.dispatch.reads.client_id(identifier).await?.ok_or_else(|| nothing("client"))?),
        None => None,
    };
    let filter = Filter { client, ..filter(parameters)? };
    let as_of = as_of(parameters)?.unwrap_or_else(|| AsOf::Now(app.clock.now()));
    Ok((filter, resolve(&app.log, as_of).await?))
}

/// The code or token with this text, jti or digest. Where only the log knows, reading it takes its turn.
pub(in crate::http) async fn found(app: &App, text: &str) -> Result<Option<FoundToken>, Refused> {
    match audit::look(&app.dispatch, text).await? {
        Look::Found(found) => Ok(Some(*found)),
        Look::Nothing => Ok(None),
        Look::OnlyInTheLog(wanted) => {
            let _turn = turn(app)?;
            Ok(audit::scan(&app.dispatch, &wanted, &mut |_| {}).await?)
        }
    }
}
