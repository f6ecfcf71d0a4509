//! `POST /audit/revoke/`: ends all that descends from a point, in one append; with `dry_run=true` it tells what would end.

use axum::{extract::State, response::Response};

use crate::{
    audit::{Descent, NotEnded, Point},
    protocol::{
        OAuthError,
        audit::{RevocationRequest, RevokeFrom, may_revoke, revocation},
    },
    state::App,
};

use super::{
    super::{answer::at_position, bearer_auth::challenged, form::Form},
    Auditor, Refused, nothing, told, turn,
};

pub(in crate::http) async fn revoke(
    State(app): State<App>,
    Auditor { by, scope }: Auditor,
    Form(parameters): Form,
) -> Result<Response, Refused> {
    let RevocationRequest { from, since, dry_run } = revocation(&parameters)?;
    if !dry_run {
        may_revoke(&scope).map_err(challenged)?;
    }
    let point = match from {
        RevokeFrom::Point(point) => point,
        RevokeFrom::Client(identifier) => {
            Point::Client(app.dispatch.reads.client_id(identifier).await?.ok_or_else(|| nothing("client"))?)
        }
    };
    let _turn = turn(&app)?;
    let descent = Descent { point, since };
    let grants = descent.living(&app.dispatch).await?.ok_or_else(|| nothing("point"))?;
    app.dispatch.remember_read(by, descent.read()).await?;
    if dry_run {
        return Ok(told(&descent.to_json(&grants, None)));
    }
    let ended = descent.end(&app.dispatch, by, &grants).await?;
    Ok(at_position(told(&descent.to_json(&grants, Some(ended))), ended.position))
}

impl From<NotEnded> for Refused {
    fn from(not_ended: NotEnded) -> Self {
        match not_ended {
            NotEnded::Unavailable(unavailable) => unavailable.into(),
            NotEnded::Refused(rule) => OAuthError::invalid_request("revocation_refused", rule).into(),
        }
    }
}
