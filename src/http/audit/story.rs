//! `GET /audit/grants/<id>/`, `/audit/clients/<client_id>/` and `/audit/users/<sub>/`: what happened to one of them.

use axum::{
    extract::{Path, State},
    response::Response,
};
use cqrs_es::Aggregate;
use domain::{
    ClientId, GrantId, UserId,
    audit::{Question, Read},
    client::Client,
    user::User,
};
use serde_json::json;

use crate::{
    audit::{self, Chapter, GrantAt, Named, Names, TokenAt, Told, Words, tell},
    log::Unavailable,
    state::App,
};

use super::{Auditor, ENGLISH, Refused, nothing, told};

/// Its story, and its codes and tokens.
pub(in crate::http) async fn grant(
    State(app): State<App>,
    Auditor { by, .. }: Auditor,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let id: GrantId = id.parse().map_err(|_| nothing("grant"))?;
    let file = audit::grant(&app.log, id).await?.ok_or_else(|| nothing("grant"))?;
    app.dispatch.remember_read(by, file.read(Question::Grant)).await?;
    let names = Names::open(&app.dispatch, Named::in_events(&file.events)).await?;
    let now = app.clock.now();
    let tokens: Vec<_> = file.tokens.iter().map(|token| TokenAt::new(token, now)).collect();
    let grant = GrantAt::new(&file.record, now, &names.users);
    Ok(told(&json!({"grant": grant, "tokens": tokens, "story": tell(&file.events, &names, Words::of(ENGLISH))})))
}

pub(in crate::http) async fn client(
    State(app): State<App>,
    Auditor { by, .. }: Auditor,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let client = app.dispatch.client(&id).await?.ok_or_else(|| nothing("client"))?;
    let client_id = ClientId::new(client.id);
    app.dispatch.remember_read(by, Read { client_id: Some(client_id), ..Read::of(Question::Client) }).await?;
    let events = audit::history(&app.log, &[Client::TYPE], client.id).await?;
    Ok(told(&json!({"client": {"id": client_id, "client_id": id}, "story": story(&app, &events).await?})))
}

pub(in crate::http) async fn user(
    State(app): State<App>,
    Auditor { by, .. }: Auditor,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let id: UserId = id.parse().map_err(|_| nothing("user"))?;
    let events = audit::history(&app.log, &[User::TYPE], id.uuid()).await?;
    if events.is_empty() {
        return Err(nothing("user"));
    }
    app.dispatch.remember_read(by, Read { user_id: Some(id), ..Read::of(Question::User) }).await?;
    let mut story = story(&app, &events).await?;
    audit::with_profiles(&app.dispatch, &events, &mut story).await?;
    Ok(told(&json!({"user": {"id": id}, "story": story})))
}

async fn story(app: &App, events: &[Told]) -> Result<Vec<Chapter>, Unavailable> {
    let names = Names::open(&app.dispatch, Named::in_events(events)).await?;
    Ok(tell(events, &names, Words::of(ENGLISH)))
}
