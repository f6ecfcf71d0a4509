//! `/audit/`: what the log says of grants, tokens, clients and users, as JSON for programs. For clients whose own access token has the
//! privileged scope `audit`; each read is remembered before it is answered.

use axum::{
    body::{Body, Bytes},
    extract::{FromRequestParts, Path, State},
    http::{StatusCode, request::Parts},
    response::Response,
};
use cqrs_es::Aggregate;
use domain::{
    GrantId, UserId,
    audit::{Question, Read},
    client::Client,
    user::User,
};
use futures_util::stream;
use serde::Serialize;
use serde_json::json;
use tokio::sync::OwnedSemaphorePermit;

use crate::{
    audit::{
        self, Accesses, AsOf, AuditError, Bounds, Filter, GrantAt, GrantState, Named, Names, Place, RecordsDigest, Replay,
        Replayed, TokenAt, Told, Words, resolve, tell,
    },
    log::{Actor, Unavailable},
    protocol::{
        OAuthError, Parameters,
        audit::{as_of, filter, may_ask},
        bearer::invalid_token,
        introspection::audience,
    },
    state::App,
};

use super::{
    answer,
    bearer_auth::{self, challenged},
    error::Refused,
    form::{Form, Query},
};

/// The language of what programs are told.
const ENGLISH: &str = "en";

/// Who asks: a client with the scope for it.
pub(super) struct Auditor(Actor);

impl FromRequestParts<App> for Auditor {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refused> {
        let token = bearer_auth::presented(&parts.headers)?;
        let token = token.ok_or_else(|| challenged(invalid_token("token_missing", "a bearer token is needed")))?;
        let row = bearer_auth::active(app, token).await?;
        if !audience(&row).iter().any(|resource| resource == app.settings.default_resource()) {
            return Err(challenged(invalid_token("token_for_another_resource", "the token is for another resource")));
        }
        may_ask(&row.scope, row.user_id.as_deref()).map_err(challenged)?;
        Ok(Self(Actor::Client(row.client_id.parse().map_err(|_| Unavailable)?)))
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

/// `GET /audit/grants/`: every grant that is asked for, as the log is read; with its digest at the end.
pub(super) async fn grants(State(app): State<App>, Auditor(by): Auditor, Query(parameters): Query) -> Result<Response, Refused> {
    let (filter, until) = asked(&app, &parameters).await?;
    let turn = turn(&app)?;
    let read = Read { client_id: filter.client, user_id: filter.user, ..Read::of(Question::Grants) };
    app.dispatch.remember_read(by, read).await?;
    let replayed = Replay::read(&app.log, until.position, Bounds::default(), &mut |_| {}).await?;
    let begin = format!("{{\"position\":{},\"grants\":[", until.position);
    let telling = Telling { app, filter, until, replayed, digest: RecordsDigest::default(), _turn: turn };
    let parts = stream::try_unfold((Some(telling), Some(begin)), |(telling, begin)| async {
        match (telling, begin) {
            (telling, Some(begin)) => Ok::<_, Refused>(Some((Bytes::from(begin), (telling, None)))),
            (Some(telling), None) => {
                let (text, telling) = telling.next().await?;
                Ok(Some((text, (telling, None))))
            }
            (None, None) => Ok(None),
        }
    });
    let parts = futures_util::TryStreamExt::map_err(parts, |refused| std::io::Error::other(refused.error.description));
    Ok(answer::json(Body::from_stream(parts)))
}

/// Grants on their way out. While they are, nobody else on this node replays the log.
struct Telling {
    app: App,
    filter: Filter,
    until: Place,
    replayed: Replayed,
    digest: RecordsDigest,
    _turn: OwnedSemaphorePermit,
}

impl Telling {
    /// The next part of the answer; nothing comes after the last.
    async fn next(mut self) -> Result<(Bytes, Option<Self>), Refused> {
        let Some(records) = self.replayed.next_grants()? else {
            let end = format!("],\"digest\":\"{}\"}}", self.digest.finish());
            return Ok((end.into(), None));
        };
        let records: Vec<_> = records.into_iter().filter(|record| self.filter.takes(record, self.until.at)).collect();
        let users: Vec<UserId> = records.iter().filter_map(|record| record.user_id).collect();
        let names = self.app.dispatch.usernames(&users).await?;
        let mut text = Vec::new();
        for record in &records {
            text.extend_from_slice(if self.digest.records() == 0 { b"" } else { b",\n" });
            self.digest.add(record);
            serde_json::to_writer(&mut text, &GrantAt::new(record, self.until.at, &names)).expect("a grant has a JSON form");
        }
        Ok((text.into(), Some(self)))
    }
}

/// The only replay at a time of this node: each reads the whole log.
fn turn(app: &App) -> Result<OwnedSemaphorePermit, Refused> {
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

/// `GET /audit/who/`: which clients can do something, and in whose name.
pub(super) async fn who(State(app): State<App>, Auditor(by): Auditor, Query(parameters): Query) -> Result<Response, Refused> {
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

/// `GET /audit/grants/<id>/`: its story, and its codes and tokens.
pub(super) async fn grant(State(app): State<App>, Auditor(by): Auditor, Path(id): Path<String>) -> Result<Response, Refused> {
    let id: GrantId = id.parse().map_err(|_| nothing("grant"))?;
    let file = audit::grant(&app.log, id).await?.ok_or_else(|| nothing("grant"))?;
    app.dispatch.remember_read(by, file.read(Question::Grant)).await?;
    let names = Names::open(&app.dispatch, Named::in_events(&file.events)).await?;
    let now = app.clock.now();
    let tokens: Vec<_> = file.tokens.iter().map(|token| TokenAt::new(token, now)).collect();
    let grant = GrantAt::new(&file.record, now, &names.users);
    Ok(told(&json!({"grant": grant, "tokens": tokens, "story": tell(&file.events, &names, Words::of(ENGLISH))})))
}

/// `POST /audit/tokens/`: the lineage of the code or token in the form's `token`: its text, its `jti` or its digest.
pub(super) async fn token(State(app): State<App>, Auditor(by): Auditor, Form(parameters): Form) -> Result<Response, Refused> {
    let text = parameters.required("token")?;
    let found = audit::token(&app.dispatch, text, &mut |_| {}).await?.ok_or_else(|| nothing("code or token"))?;
    app.dispatch.remember_read(by, found.file.read(Question::Token)).await?;
    let names = found.names(&app.dispatch).await?;
    Ok(told(&found.lineage(&names, Words::of(ENGLISH), app.clock.now())))
}

/// `GET /audit/clients/<client_id>/`
pub(super) async fn client(State(app): State<App>, Auditor(by): Auditor, Path(id): Path<String>) -> Result<Response, Refused> {
    let client = app.dispatch.client(&id).await?.ok_or_else(|| nothing("client"))?;
    let client_id = domain::ClientId::new(client.id);
    app.dispatch.remember_read(by, Read { client_id: Some(client_id), ..Read::of(Question::Client) }).await?;
    let events = audit::history(&app.log, &[Client::TYPE], client.id).await?;
    Ok(told(&json!({"client": {"id": client_id, "client_id": id}, "story": story(&app, &events).await?})))
}

/// `GET /audit/users/<sub>/`
pub(super) async fn user(State(app): State<App>, Auditor(by): Auditor, Path(id): Path<String>) -> Result<Response, Refused> {
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

async fn story(app: &App, events: &[Told]) -> Result<Vec<audit::Chapter>, Unavailable> {
    let names = Names::open(&app.dispatch, Named::in_events(events)).await?;
    Ok(tell(events, &names, Words::of(ENGLISH)))
}
