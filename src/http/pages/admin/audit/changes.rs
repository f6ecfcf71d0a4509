//! `GET /admin/audit/changes/`: which grants began, ended and expired between two places in the log.

use askama::Template;
use axum::{http::StatusCode, response::Response};
use domain::{
    Timestamp, UserId,
    audit::{Question, Read},
};

use crate::{
    audit::{AsOf, Became, Between, Bounds, GrantAt, GrantRecord, Names, Replay, resolve},
    http::{audit::turn, error::Refused, form::Query},
    protocol::{
        OAuthError, Parameters,
        audit::{between, in_order},
    },
};

use super::{
    super::{
        super::{frame::Frame, language::Language, moment::Moment, shown::shown, signed_in::SignedIn},
        Administrator, MAX_SEARCH,
    },
    MAX_TEXT, by, why,
};

/// Changes that are listed, at most.
const MAX_CHANGES: usize = 200;

#[derive(Template)]
#[template(path = "admin_audit_changes.html")]
struct ChangesPage {
    frame: Frame,
    from: String,
    to: String,
    problem: bool,
    /// `None` before anything was asked for.
    found: Option<Found>,
}

/// What was found.
#[derive(Default)]
struct Found {
    changes: Vec<ChangeView>,
    more: bool,
}

struct ChangeView {
    what: &'static str,
    at: Moment,
    grant: String,
    client: String,
    user: String,
    scope: String,
    why: Option<String>,
}

pub(in crate::http) async fn changes(
    Administrator(signed_in): Administrator,
    Query(parameters): Query,
) -> Result<Response, Refused> {
    let asked = |name| parameters.get(name).is_some();
    let outcome = match asked("from") || asked("to") {
        true => asked_for(&signed_in, &parameters).await?.map(Some),
        false => Ok(None),
    };
    let entered = |name| shown(parameters.get(name).unwrap_or_default(), MAX_SEARCH);
    let problem = outcome.is_err();
    let template = ChangesPage {
        frame: signed_in.frame(),
        from: entered("from"),
        to: entered("to"),
        problem,
        found: match outcome {
            Ok(Some(between)) => Some(find(&signed_in, between).await?),
            Ok(None) | Err(_) => None,
        },
    };
    let status = if problem { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    Ok(signed_in.visitor.page(status, &template, None))
}

/// The part of the log that is asked for; an error of the inner kind is what was entered.
async fn asked_for(signed_in: &SignedIn, parameters: &Parameters) -> Result<Result<Between, OAuthError>, Refused> {
    let app = &signed_in.visitor.app;
    let (from, to) = match between(parameters) {
        Ok(places) => places,
        Err(error) => return Ok(Err(error)),
    };
    let from = resolve(&app.log, from).await?;
    let to = resolve(&app.log, to.unwrap_or_else(|| AsOf::Now(app.clock.now()))).await?;
    Ok(in_order(from, to))
}

async fn find(signed_in: &SignedIn, between: Between) -> Result<Found, Refused> {
    let (app, language) = (&signed_in.visitor.app, signed_in.visitor.language);
    let _turn = turn(app)?;
    app.dispatch.remember_read(by(signed_in), Read::of(Question::Changes)).await?;
    let mut replayed = Replay::read(&app.log, between.to.position, Bounds::default(), &mut |_| {}).await?;
    let mut found = Found::default();
    while let Some(records) = replayed.next_grants()?
        && !found.more
    {
        let changed: Vec<_> = records.into_iter().filter(|record| between.changes(record).next().is_some()).collect();
        let users: Vec<UserId> = changed.iter().filter_map(|record| record.user_id).collect();
        let names = Names { users: app.dispatch.usernames(&users).await?, ..Names::default() };
        for record in &changed {
            for change in between.changes(record) {
                found.changes.push(view(record, change, (between, &names, language)));
            }
        }
        found.more = found.changes.len() > MAX_CHANGES;
    }
    found.changes.truncate(MAX_CHANGES);
    Ok(found)
}

fn view(
    record: &GrantRecord,
    (change, at): (Became, Timestamp),
    (between, names, language): (Between, &Names, &'static Language),
) -> ChangeView {
    let grant = GrantAt::new(record, between.to.at, &names.users);
    ChangeView {
        what: language.say(match change {
            Became::Began => "audit.began",
            Became::Ended => "audit.ended",
            Became::Expired => "audit.expired",
        }),
        at: Moment::new(at.unix(), language),
        grant: record.grant_id.to_string(),
        client: shown(grant.client(), MAX_TEXT),
        user: shown(&grant.user(), MAX_TEXT),
        scope: shown(&record.scope.to_string(), MAX_TEXT),
        why: record.ended.as_ref().filter(|_| change == Became::Ended).map(|end| why(end, names)),
    }
}
