//! `GET /audit/proof/`: the proof (C2SP tlog-proof) that the event at a `position`, or the one that issued the access token with a `jti`, is
//! in the log.

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::audit::{Question, Read};

use crate::{
    audit,
    follow::transparency::ProveError,
    protocol::{
        OAuthError, Parameters,
        audit::{EventNamed, event_named},
    },
    state::App,
};

use super::{
    super::{error::no_store, form::Query},
    Auditor, Refused, found, nothing,
};

pub(in crate::http) async fn proof(
    State(app): State<App>,
    Auditor { by, .. }: Auditor,
    Query(parameters): Query,
) -> Result<Response, Refused> {
    let (position, read) = find(&app, &parameters).await?;
    app.dispatch.remember_read(by, read).await?;
    let proof = app.transparency.prove(position).await?;
    let mut response = proof.to_string().into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    no_store(response.headers_mut());
    Ok(response)
}

/// The position of the event, and what is told with it.
async fn find(app: &App, parameters: &Parameters) -> Result<(i64, Read), Refused> {
    match event_named(parameters)? {
        EventNamed::Position(position) => {
            let read = audit::proof_read(&app.log, position).await?;
            Ok((position, read.ok_or_else(|| nothing("event"))?))
        }
        EventNamed::Jti(jti) => {
            let found = found(app, &jti.to_string()).await?.ok_or_else(|| nothing("access token"))?;
            Ok((found.token().issued.position, found.file.read(Question::Proof)))
        }
    }
}

impl From<ProveError> for Refused {
    fn from(error: ProveError) -> Self {
        match error {
            ProveError::Unavailable(unavailable) => unavailable.into(),
            ProveError::NoEvent(_) => nothing("event"),
            ProveError::Seal(_) | ProveError::Differs { .. } => {
                tracing::error!(%error, "an event cannot be proven");
                let description = "the log is not what was signed: grantlog audit verify-log tells more";
                Self::with_status(OAuthError::invalid_request("audit_not_as_signed", description), StatusCode::CONFLICT)
            }
        }
    }
}
