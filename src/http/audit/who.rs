//! `GET /audit/who/`: which clients can do something, and in whose name.

use axum::{extract::State, response::Response};
use domain::audit::{Question, Read};
use serde_json::json;

use crate::{
    audit::{Accesses, Bounds, Filter, GrantState, Replay},
    state::App,
};

use super::{super::form::Query, Auditor, Refused, asked, told, turn};

pub(in crate::http) async fn who(
    State(app): State<App>,
    Auditor { by, .. }: Auditor,
    Query(parameters): Query,
) -> Result<Response, Refused> {
    parameters.required("scope")?;
    let (filter, until) = asked(&app, &parameters).await?;
    let filter = Filter { state: Some(GrantState::Live), ..filter };
    let _turn = turn(&app)?;
    let read = Read { client_id: filter.client, user_id: filter.user, ..Read::of(Question::Who) };
    app.dispatch.remember_read(by, read).await?;
    let mut replayed = Replay::read(&app.log, until.position, Bounds::default(), &mut |_| {}).await?;
    let mut accesses = Accesses::default();
    while let Some(records) = replayed.next_grants()? {
        records.into_iter().filter(|record| filter.takes(record, until.at)).for_each(|record| accesses.take(record));
    }
    let names = app.dispatch.usernames(&accesses.users()).await?;
    let all: Vec<_> = accesses.named(&names).collect();
    Ok(told(&json!({"position": until.position, "access": all})))
}
