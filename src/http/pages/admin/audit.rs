//! `/admin/audit/`: what the log says of a grant, a token, a client or a user, for administrators. What is searched for is sent in a
//! form: it may be a token, and stands in no URL. Each read is remembered before it is shown.

use askama::Template;
use axum::{extract::Path, http::StatusCode, response::Response};
use cqrs_es::Aggregate;
use domain::{
    ClientId, GrantId, Timestamp, UserId,
    audit::{Question, Read},
    client::Client,
    user::User,
};
use projections::{client, standing::Ground};

use crate::{
    audit::{self, Chapter, GrantAt, Named, Names, Token, TokenState, Words, came_of, led_to, living_on, plain, tell},
    http::{error::Refused, form::Query},
    log::{Actor, Unavailable},
    state::App,
};

use super::{
    super::{
        applications::nothing_here,
        frame::{Frame, see_other},
        language::Language,
        moment::Moment,
        shown::shown,
        signed_in::SignedIn,
    },
    Administrator, AdministratorForm,
};

const PATH: &str = "/admin/audit/";
/// The longest text that is shown, in characters.
const MAX_TEXT: usize = 400;
/// Grants of a client or user that are listed, at most.
const MAX_GRANTS: usize = 100;

#[derive(Template)]
#[template(path = "admin_audit.html")]
struct SearchPage {
    frame: Frame,
    token: String,
    nothing: bool,
}

#[derive(Template)]
#[template(path = "admin_audit_grant.html")]
struct GrantPage {
    frame: Frame,
    id: String,
    client: (String, String),
    user: Option<(String, String)>,
    scope: String,
    state: &'static str,
    ends: Moment,
    why: Option<String>,
    tokens: Vec<TokenView>,
    story: Vec<ChapterView>,
}

#[derive(Template)]
#[template(path = "admin_audit_story.html")]
struct StoryPage {
    frame: Frame,
    name: String,
    story: Vec<ChapterView>,
    grants: Vec<String>,
    more: bool,
}

/// Something that happened.
struct ChapterView {
    position: i64,
    at: Moment,
    by: String,
    said: String,
    /// A member, what it was, and what it became.
    changes: Vec<(String, String, String)>,
}

/// A code or token of a grant.
struct TokenView {
    place: usize,
    kind: &'static str,
    name: String,
    issued: Moment,
    until: Moment,
    state: &'static str,
    why: Option<String>,
    /// Its relation to the token whose lineage is shown; empty where there is none.
    relation: &'static str,
}

/// `GET /admin/audit/`
pub(in crate::http) async fn search_form(Administrator(signed_in): Administrator) -> Response {
    search_page(&signed_in, StatusCode::OK)
}

fn search_page(signed_in: &SignedIn, status: StatusCode) -> Response {
    let (frame, token, nothing) = (signed_in.frame(), signed_in.form_token(), status == StatusCode::NOT_FOUND);
    signed_in.visitor.page(status, &SearchPage { frame, token, nothing }, None)
}

/// `POST /admin/audit/`: leads to the page of what was found.
pub(in crate::http) async fn search(form: AdministratorForm) -> Result<Response, Refused> {
    let text = form.0.parameters.get("q").unwrap_or_default().trim();
    match found(&form.0.signed_in.visitor.app, text).await? {
        Some(path) => Ok(see_other(&path)),
        None => Ok(search_page(&form.0.signed_in, StatusCode::NOT_FOUND)),
    }
}

/// The page of a user, a client, a grant, or a code or token: by name, id, text or digest.
async fn found(app: &App, text: &str) -> Result<Option<String>, Refused> {
    if text.is_empty() {
        return Ok(None);
    }
    if let Some(user) = app.dispatch.user_named(text).await? {
        return Ok(Some(format!("{PATH}users/{user}/")));
    }
    if let Some(client) = app.dispatch.client(text).await? {
        return Ok(Some(format!("{PATH}clients/{}/", client.id)));
    }
    if let [only] = client::by_name(app.log.db(), &[text.to_owned()]).await.map_err(Unavailable::from)?.as_slice() {
        return Ok(Some(format!("{PATH}clients/{}/", only.id)));
    }
    if let Ok(id) = text.parse::<GrantId>() {
        if audit::grant(&app.log, id).await?.is_some() {
            return Ok(Some(format!("{PATH}grants/{id}/")));
        }
        if !audit::history(&app.log, &[User::TYPE], id.uuid()).await?.is_empty() {
            return Ok(Some(format!("{PATH}users/{id}/")));
        }
    }
    let Ok(_turn) = app.replays.clone().try_acquire_owned() else { return Err(Unavailable.into()) };
    let found = audit::token(&app.dispatch, text, &mut |_| {}).await?;
    Ok(found.map(|found| format!("{PATH}grants/{}/?token={}", found.file.record.grant_id, found.place)))
}

/// `GET /admin/audit/grants/<id>/`: its timeline and its tokens; with `token`, a place among them, the lineage of that one.
pub(in crate::http) async fn grant(
    Administrator(signed_in): Administrator,
    Path(id): Path<String>,
    Query(parameters): Query,
) -> Result<Response, Refused> {
    let id: GrantId = id.parse().map_err(|_| nothing_here())?;
    let (app, language) = (&signed_in.visitor.app, signed_in.visitor.language);
    let file = audit::grant(&app.log, id).await?.ok_or_else(nothing_here)?;
    let chosen = parameters.get("token").and_then(|place| place.parse().ok()).filter(|place| *place < file.tokens.len());
    let question = if chosen.is_some() { Question::Token } else { Question::Grant };
    app.dispatch.remember_read(by(&signed_in), file.read(question)).await?;
    let names = Names::open(&app.dispatch, Named::in_events(&file.events)).await?;
    let now = app.clock.now();
    let (record, at) = (&file.record, GrantAt::new(&file.record, now, &names.users));
    let client_id = record.client.id.map(|id| id.to_string()).unwrap_or_default();
    let template = GrantPage {
        frame: signed_in.frame(),
        id: id.to_string(),
        client: (client_id, shown(at.client(), MAX_TEXT)),
        user: record.user_id.map(|user| (user.to_string(), shown(&at.user(), MAX_TEXT))),
        scope: shown(&record.scope.to_string(), MAX_TEXT),
        state: language.say(match at.state {
            audit::GrantState::Live => "audit.live",
            audit::GrantState::Expired => "audit.expired",
            audit::GrantState::Ended => "audit.ended",
        }),
        ends: Moment::new(record.ended.as_ref().map_or(record.ends_at, |end| end.place.at).unix(), language),
        why: record.ended.as_ref().map(|end| why(end, &names)),
        tokens: tokens(&file.tokens, chosen, (now, language, &names)),
        story: chapters(tell(&file.events, &names, Words::of(language.tag)), language),
    };
    Ok(signed_in.visitor.page(StatusCode::OK, &template, None))
}

/// `GET /admin/audit/clients/<id>/`
pub(in crate::http) async fn client_story(
    Administrator(signed_in): Administrator,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let id: ClientId = id.parse().map_err(|_| nothing_here())?;
    let read = Read { client_id: Some(id), ..Read::of(Question::Client) };
    let ground = Ground::Client(&id.to_string());
    story(&signed_in, (Client::TYPE, id.uuid()), read, ground).await
}

/// `GET /admin/audit/users/<id>/`
pub(in crate::http) async fn user_story(
    Administrator(signed_in): Administrator,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let id: UserId = id.parse().map_err(|_| nothing_here())?;
    let read = Read { user_id: Some(id), ..Read::of(Question::User) };
    let ground = Ground::User(&id.to_string());
    story(&signed_in, (User::TYPE, id.uuid()), read, ground).await
}

async fn story(
    signed_in: &SignedIn,
    (stream, id): (&str, uuid::Uuid),
    read: Read,
    ground: Ground<'_>,
) -> Result<Response, Refused> {
    let (app, language) = (&signed_in.visitor.app, signed_in.visitor.language);
    let events = audit::history(&app.log, &[stream], id).await?;
    if events.is_empty() {
        return Err(nothing_here());
    }
    app.dispatch.remember_read(by(signed_in), read.clone()).await?;
    let names = Names::open(&app.dispatch, Named::in_events(&events)).await?;
    let mut told = tell(&events, &names, Words::of(language.tag));
    audit::with_profiles(&app.dispatch, &events, &mut told).await?;
    let mut grants = living_on(app.log.db(), ground, Timestamp::default(), app.clock.now()).await?;
    let more = grants.len() > MAX_GRANTS;
    grants.truncate(MAX_GRANTS);
    let client = read.client_id.map(|id| names.client(id));
    let name = client.or_else(|| read.user_id.map(|id| names.user(id))).unwrap_or_default();
    let template = StoryPage {
        frame: signed_in.frame(),
        name: shown(&name, MAX_TEXT),
        story: chapters(told, language),
        grants: grants.iter().map(ToString::to_string).collect(),
        more,
    };
    Ok(signed_in.visitor.page(StatusCode::OK, &template, None))
}

const fn by(signed_in: &SignedIn) -> Actor {
    Actor::Administrator(signed_in.session.user_id)
}

/// What ended something, and by whom.
fn why(end: &audit::End, names: &Names) -> String {
    let cause = serde_json::to_value(end.cause).map(|cause| plain(&cause)).unwrap_or_default();
    shown(&format!("{cause} ({})", names.actor(&end.by)), MAX_TEXT)
}

fn chapters(story: Vec<Chapter>, language: &Language) -> Vec<ChapterView> {
    let text = |value: &serde_json::Value| shown(&plain(value), MAX_TEXT);
    let view = |chapter: Chapter| ChapterView {
        position: chapter.place.position,
        at: Moment::new(chapter.place.at.unix(), language),
        by: shown(&chapter.by_name, MAX_TEXT),
        said: shown(&chapter.said, MAX_TEXT),
        changes: chapter
            .changes
            .iter()
            .map(|change| (shown(&change.member, MAX_TEXT), text(&change.before), text(&change.after)))
            .collect(),
    };
    story.into_iter().map(view).collect()
}

fn tokens(
    tokens: &[Token],
    chosen: Option<usize>,
    (now, language, names): (Timestamp, &'static Language, &Names),
) -> Vec<TokenView> {
    let before: Vec<&Token> = chosen.map(|chosen| came_of(tokens, chosen)).unwrap_or_default();
    let after: Vec<&Token> = chosen.map(|chosen| led_to(tokens, chosen)).unwrap_or_default();
    let relation = |place: usize, token: &Token| match chosen {
        Some(chosen) if chosen == place => language.say("audit.this_one"),
        Some(_) if before.contains(&token) => language.say("audit.came_of"),
        Some(_) if after.contains(&token) => language.say("audit.led_to"),
        Some(_) | None => "",
    };
    let view = |(place, token): (usize, &Token)| TokenView {
        place,
        kind: language.say(match token.kind {
            projections::token::TokenKind::Code => "audit.code",
            projections::token::TokenKind::Access => "audit.access",
            projections::token::TokenKind::Refresh => "audit.refresh",
        }),
        name: token.jti.map(|jti| jti.to_string()).or(token.generation.map(|n| n.to_string())).unwrap_or_default(),
        issued: Moment::new(token.issued.at.unix(), language),
        until: Moment::new(token.expires_at.unix(), language),
        state: language.say(match token.state(now) {
            TokenState::Live => "audit.live",
            TokenState::Used => "audit.used",
            TokenState::Expired => "audit.expired",
            TokenState::Ended => "audit.ended",
        }),
        why: token.ended.as_ref().map(|end| why(end, names)),
        relation: relation(place, token),
    };
    tokens.iter().enumerate().map(view).collect()
}
