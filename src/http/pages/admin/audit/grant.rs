//! `GET /admin/audit/grants/<id>/`: its timeline and its tokens; with `token`, a place among them, the lineage of that one.

use askama::Template;
use axum::{extract::Path, http::StatusCode, response::Response};
use domain::{GrantId, Timestamp, audit::Question};

use projections::token::TokenKind as Opens;

use crate::{
    audit::{self, GrantAt, GrantState, Named, Names, Token, TokenKind, TokenState, Words, came_of, led_to, tell},
    http::{error::Refused, form::Query},
};

use super::{
    super::{
        super::{applications::nothing_here, frame::Frame, language::Language, moment::Moment, shown::shown},
        Administrator,
    },
    MAX_TEXT, by,
    story::{ChapterView, chapters},
    why,
};

#[derive(Template)]
#[template(path = "admin_audit_grant.html")]
struct GrantPage {
    frame: Frame,
    id: String,
    client: (String, String),
    user: Option<(String, String)>,
    session: Option<String>,
    scope: String,
    state: &'static str,
    ends: Moment,
    why: Option<String>,
    tokens: Vec<TokenView>,
    story: Vec<ChapterView>,
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
        session: record.session_id.map(|session| session.to_string()),
        scope: shown(&record.scope.to_string(), MAX_TEXT),
        state: language.say(match at.state {
            GrantState::Live => "audit.live",
            GrantState::Expired => "audit.expired",
            GrantState::Ended => "audit.ended",
        }),
        ends: Moment::new(record.ended.as_ref().map_or(record.ends_at, |end| end.place.at).unix(), language),
        why: record.ended.as_ref().map(|end| why(end, &names)),
        tokens: tokens(&file.tokens, chosen, (now, language, &names)),
        story: chapters(tell(&file.events, &names, Words::of(language.tag())), language),
    };
    Ok(signed_in.visitor.page(StatusCode::OK, &template, None))
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
            TokenKind::Opens(Opens::Code) => "audit.code",
            TokenKind::Opens(Opens::Access) => "audit.access",
            TokenKind::Opens(Opens::Refresh) => "audit.refresh",
            TokenKind::IdToken => "audit.id_token",
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
