//! `/admin/audit/revoke/`: GET shows what descends from a point, POST ends it in one append.

use askama::Template;
use axum::{http::StatusCode, response::Response};
use domain::GrantId;

use crate::{
    audit::{self, Besides, Descent, GrantAt, Point, moment},
    http::{answer::at_position, audit::turn, error::Refused, form::Query},
    protocol::{OAuthError, Parameters},
    state::App,
};

use super::{
    super::{
        super::{frame::Frame, language::Language, moment::Moment, shown::shown, signed_in::SignedIn},
        Administrator, AdministratorForm, MAX_SEARCH,
    },
    MAX_TEXT, PATH, by, client_named,
};

/// Grants that are shown before they are revoked: the others are counted.
const SHOWN: usize = 50;
/// The kinds of points, as the form names them.
const KINDS: [&str; 6] = ["client", "user", "grant", "session", "key", "all"];

#[derive(Template)]
#[template(path = "admin_audit_revoke.html")]
struct RevokePage {
    frame: Frame,
    /// Each kind of point: its name, its words, and whether it is chosen.
    kinds: Vec<(&'static str, &'static str, bool)>,
    of: String,
    since: String,
    /// What is wrong with what was entered.
    problem: Option<&'static str>,
    preview: Option<Preview>,
}

/// What would end.
struct Preview {
    kind: String,
    of: String,
    since: String,
    count: usize,
    besides: Option<&'static str>,
    grants: Vec<GrantView>,
    more: usize,
    token: String,
}

struct GrantView {
    id: String,
    client: String,
    user: String,
    scope: String,
    begun: Moment,
    issued: Moment,
}

/// Why nothing is shown.
enum Wrong {
    Unknown,
    Since,
    Own,
}

impl Wrong {
    const fn key(&self) -> &'static str {
        match self {
            Self::Unknown => "audit.no_point",
            Self::Since => "audit.bad_since",
            Self::Own => "audit.own_account",
        }
    }
}

/// `GET /admin/audit/revoke/` with `point`, `of` and `since`
pub(in crate::http) async fn ask(Administrator(signed_in): Administrator, Query(parameters): Query) -> Result<Response, Refused> {
    let language = signed_in.visitor.language;
    let outcome = match parameters.get("point") {
        Some(_) => asked_for(&signed_in, &parameters).await?.map(Some),
        None => Ok(None),
    };
    let (preview, wrong) = match outcome {
        Ok(Some(descent)) => match preview(&signed_in, &parameters, &descent).await? {
            Some(preview) => (Some(preview), None),
            None => (None, Some(Wrong::Unknown)),
        },
        Ok(None) => (None, None),
        Err(wrong) => (None, Some(wrong)),
    };
    let entered = |name| shown(parameters.get(name).unwrap_or_default(), MAX_SEARCH);
    let chosen = parameters.get("point").unwrap_or(KINDS[0]);
    let template = RevokePage {
        frame: signed_in.frame(),
        kinds: KINDS.into_iter().map(|kind| (kind, words_of(kind, language), kind == chosen)).collect(),
        of: entered("of"),
        since: entered("since"),
        problem: wrong.as_ref().map(|wrong| language.say(wrong.key())),
        preview,
    };
    let status = if wrong.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    Ok(signed_in.visitor.page(status, &template, None))
}

fn words_of(kind: &str, language: &'static Language) -> &'static str {
    language.say(match kind {
        "client" => "audit.client",
        "user" => "audit.user",
        "grant" => "audit.grant",
        "session" => "audit.session",
        "key" => "audit.key",
        _ => "audit.everything",
    })
}

/// `POST /admin/audit/revoke/`
pub(in crate::http) async fn revoke(form: AdministratorForm) -> Result<Response, Refused> {
    let signed_in = &form.0.signed_in;
    let app = &signed_in.visitor.app;
    let descent = asked_for(signed_in, &form.0.parameters).await?.map_err(|wrong| match wrong {
        Wrong::Own => OAuthError::invalid_request("own_account", "an administrator cannot lock their own account"),
        Wrong::Unknown | Wrong::Since => OAuthError::invalid_request("revocation_refused", "there is nothing of that name"),
    })?;
    let _turn = turn(app)?;
    let gone = || OAuthError::invalid_request("revocation_refused", "there is nothing of that name");
    let grants = descent.living(&app.dispatch).await?.ok_or_else(gone)?;
    let done = descent.end(&app.dispatch, form.actor(), &grants).await?;
    let path = match &descent.point {
        Point::Grant(id) => format!("{PATH}grants/{id}/"),
        Point::Client(id) => format!("{PATH}clients/{id}/"),
        Point::User(id) => format!("{PATH}users/{id}/"),
        Point::Session(_) | Point::Key(_) | Point::Issuer => PATH.to_owned(),
    };
    Ok(at_position(signed_in.visitor.redirect_with_notice(&path, "notice.revoked"), done.position))
}

/// What is asked for; an error of the inner kind is what was entered. Nobody locks themselves out.
async fn asked_for(signed_in: &SignedIn, parameters: &Parameters) -> Result<Result<Descent, Wrong>, Refused> {
    let Ok(since) = parameters.get("since").map(moment).transpose() else { return Ok(Err(Wrong::Since)) };
    let (kind, of) = (parameters.get("point").unwrap_or_default(), parameters.get("of").unwrap_or_default().trim());
    let Some(point) = point(&signed_in.visitor.app, kind, of).await? else { return Ok(Err(Wrong::Unknown)) };
    let descent = Descent { since: since.filter(|_| !matches!(point, Point::Grant(_))), point };
    let own = Point::User(signed_in.session.user_id);
    Ok(match (&descent.point, descent.since) {
        (Point::Issuer, None) => Err(Wrong::Since),
        (point, None) if *point == own => Err(Wrong::Own),
        (_, _) => Ok(descent),
    })
}

async fn point(app: &App, kind: &str, of: &str) -> Result<Option<Point>, Refused> {
    Ok(match kind {
        "grant" => of.parse().ok().map(Point::Grant),
        "session" => of.parse().ok().map(Point::Session),
        "key" => Some(Point::Key(of.to_owned())),
        "all" => Some(Point::Issuer),
        "client" => match of.parse() {
            Ok(id) if app.dispatch.client_by_id(id).await?.state.registration().is_some() => Some(Point::Client(id)),
            Ok(_) | Err(_) => client_named(app, of).await?.map(Point::Client),
        },
        "user" => match of.parse() {
            Ok(id) => Some(Point::User(id)),
            Err(_) => app.dispatch.user_named(of).await?.map(Point::User),
        },
        _ => None,
    })
}

/// What would end; `None` where there is no such point.
async fn preview(signed_in: &SignedIn, parameters: &Parameters, descent: &Descent) -> Result<Option<Preview>, Refused> {
    let (app, language) = (&signed_in.visitor.app, signed_in.visitor.language);
    let _turn = turn(app)?;
    let Some(grants) = descent.living(&app.dispatch).await? else { return Ok(None) };
    app.dispatch.remember_read(by(signed_in), descent.read()).await?;
    let besides = descent.besides().map(|besides| match besides {
        Besides::ClientDisabled => "audit.client_disabled",
        Besides::UserLocked => "audit.user_locked",
        Besides::SessionEnded => "audit.session_ended",
        Besides::KeyReplaced => "audit.key_replaced",
    });
    let text = |name| parameters.get(name).unwrap_or_default().to_owned();
    Ok(Some(Preview {
        kind: text("point"),
        of: match &descent.point {
            Point::User(id) => id.to_string(),
            Point::Client(id) => id.to_string(),
            Point::Grant(_) | Point::Session(_) | Point::Key(_) | Point::Issuer => text("of"),
        },
        since: text("since"),
        count: grants.len(),
        besides: besides.map(|key| language.say(key)),
        more: grants.len().saturating_sub(SHOWN),
        grants: views(app, &grants[..grants.len().min(SHOWN)], language).await?,
        token: signed_in.form_token(),
    }))
}

async fn views(app: &App, grants: &[GrantId], language: &'static Language) -> Result<Vec<GrantView>, Refused> {
    let mut views = Vec::with_capacity(grants.len());
    for id in grants {
        let Some(file) = audit::grant(&app.log, *id).await? else { continue };
        let record = &file.record;
        let names = app.dispatch.usernames(&record.user_id.into_iter().collect::<Vec<_>>()).await?;
        let at = GrantAt::new(record, app.clock.now(), &names);
        views.push(GrantView {
            id: id.to_string(),
            client: shown(at.client(), MAX_TEXT),
            user: shown(&at.user(), MAX_TEXT),
            scope: shown(&record.scope.to_string(), MAX_TEXT),
            begun: Moment::new(record.begun.at.unix(), language),
            issued: Moment::new(record.last_issued.at.unix(), language),
        });
    }
    Ok(views)
}
