//! `GET /admin/audit/clients/<id>/` and `/admin/audit/users/<id>/`: a history with what changed, and the grants that live.

use askama::Template;
use axum::{extract::Path, http::StatusCode, response::Response};
use cqrs_es::Aggregate;
use domain::{
    ClientId, Timestamp, UserId,
    audit::{Question, Read},
    client::Client,
    user::User,
};
use projections::standing::Ground;

use crate::{
    audit::{self, Chapter, Named, Names, Words, living_on, plain, tell},
    http::error::Refused,
};

use super::{
    super::{
        super::{
            applications::nothing_here, frame::Frame, language::Language, moment::Moment, shown::shown, signed_in::SignedIn,
        },
        Administrator,
    },
    MAX_TEXT, by,
};

/// Grants of a client or user that are listed, at most.
const MAX_GRANTS: usize = 100;

#[derive(Template)]
#[template(path = "admin_audit_story.html")]
struct StoryPage {
    frame: Frame,
    name: String,
    story: Vec<ChapterView>,
    grants: Vec<String>,
    more: bool,
    /// What a revocation begins from: its kind and its id.
    point: (&'static str, String),
}

/// Something that happened.
pub(super) struct ChapterView {
    pub(super) position: i64,
    pub(super) at: Moment,
    pub(super) by: String,
    pub(super) said: String,
    /// A member, what it was, and what it became.
    pub(super) changes: Vec<(String, String, String)>,
}

/// `GET /admin/audit/clients/<id>/`
pub(in crate::http) async fn client_story(
    Administrator(signed_in): Administrator,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let id: ClientId = id.parse().map_err(|_| nothing_here())?;
    let read = Read { client_id: Some(id), ..Read::of(Question::Client) };
    story(&signed_in, (Client::TYPE, id.uuid()), read, Ground::Client(&id.to_string())).await
}

/// `GET /admin/audit/users/<id>/`
pub(in crate::http) async fn user_story(
    Administrator(signed_in): Administrator,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let id: UserId = id.parse().map_err(|_| nothing_here())?;
    let read = Read { user_id: Some(id), ..Read::of(Question::User) };
    story(&signed_in, (User::TYPE, id.uuid()), read, Ground::User(&id.to_string())).await
}

async fn story(
    signed_in: &SignedIn,
    (stream, id): (&'static str, uuid::Uuid),
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
    let mut told = tell(&events, &names, Words::of(language.tag()));
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
        point: (stream, id.to_string()),
    };
    Ok(signed_in.visitor.page(StatusCode::OK, &template, None))
}

pub(super) fn chapters(story: Vec<Chapter>, language: &Language) -> Vec<ChapterView> {
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
