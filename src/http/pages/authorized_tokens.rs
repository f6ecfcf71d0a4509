//! `/o/authorized_tokens/`: which applications have access to the signed-in person's account, since when and for what; taking it back.
//! The path is DOT's; what is listed are consents, one an application, not tokens.

use askama::Template;
use axum::{extract::Path, http::StatusCode, response::Response};
use domain::{ConsentId, Scope, catalogue::Catalogue, consent::ConsentError};
use projections::{
    Page, client,
    consent::{self, ConsentRow},
    grant::{self, GrantRow},
};

use crate::{
    dispatch::Refusal,
    http::{answer::at_position, error::Refused, form::Query},
    log::Unavailable,
    state::App,
};

use super::{
    application::{called, initial},
    applications::nothing_here,
    claim,
    consent::in_words,
    frame::Frame,
    language::Language,
    moment::Moment,
    paging::Paging,
    resource::ResourceView,
    signed_in::{SignedIn, SignedInForm},
};

const PATH: &str = "/o/authorized_tokens/";
/// How many of an application's grants are shown.
const MAX_GRANTS: u32 = 20;

#[derive(Template)]
#[template(path = "authorized_tokens.html")]
struct ListPage {
    frame: Frame,
    all: Vec<Access>,
    next: Option<String>,
    further: bool,
    token: String,
}

#[derive(Template)]
#[template(path = "authorized_token_withdraw.html")]
struct WithdrawPage {
    frame: Frame,
    id: String,
    name: String,
    token: String,
}

/// What one application may do.
pub(super) struct Access {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) initial: String,
    /// Its people are not asked.
    pub(super) first_party: bool,
    pub(super) disabled: bool,
    pub(super) scopes: Vec<String>,
    /// What it may know beside.
    pub(super) claims: Vec<String>,
    pub(super) resources: Vec<ResourceView>,
    pub(super) since: Moment,
    pub(super) grants: Vec<GrantView>,
}

/// One time that it was let in, and that has not ended.
pub(super) struct GrantView {
    pub(super) since: Moment,
    /// The latest that it ends.
    pub(super) until: Moment,
    /// Whether it outlives the sign-in.
    pub(super) offline: bool,
}

pub(in crate::http) async fn list(signed_in: SignedIn, Query(parameters): Query) -> Result<Response, Refused> {
    let app = &signed_in.visitor.app;
    let paging = Paging::read(&parameters, &app.settings.limits)?;
    let user = signed_in.session.user_id.to_string();
    let mut rows = consent::of_user(app.log.db(), &user, paging.page()).await.map_err(Unavailable::from)?;
    let next = paging.next(&mut rows, PATH, |row| &row.id);
    let all = all_of(app, rows, signed_in.visitor.language).await?;
    let (frame, token) = (signed_in.frame(), signed_in.form_token());
    let template = ListPage { frame, all, next, further: paging.is_further(), token };
    Ok(signed_in.visitor.page(StatusCode::OK, &template, None))
}

/// Consents with what stands on them.
pub(super) async fn all_of(app: &App, rows: Vec<ConsentRow>, language: &'static Language) -> Result<Vec<Access>, Unavailable> {
    let catalogue = app.dispatch.catalogue().await?;
    let clients: Vec<String> = rows.iter().map(|row| row.client_id.clone()).collect();
    let clients = client::find(app.log.db(), &clients).await?;
    let mut all = Vec::new();
    for row in rows {
        let page = Page { after: None, limit: MAX_GRANTS };
        let grants = grant::live_of_consent(app.log.db(), &row.id, app.clock.now(), page).await?;
        let disabled = clients.iter().any(|client| client.id == row.client_id && client.state != "enabled");
        all.push(Access { disabled, ..Access::new(row, grants, (&catalogue, language)) });
    }
    Ok(all)
}

impl Access {
    fn new(row: ConsentRow, grants: Vec<GrantRow>, (catalogue, language): (&Catalogue, &'static Language)) -> Self {
        let name = name_of(&row);
        let resources: Vec<String> = serde_json::from_str(&row.resources).unwrap_or_default();
        let claims: Vec<String> = serde_json::from_str(&row.claims).unwrap_or_default();
        Self {
            id: row.id,
            initial: initial(&name),
            name,
            first_party: row.given_by == "first_party",
            disabled: false,
            scopes: row.scope.split(' ').filter(|own| !own.is_empty()).map(|own| in_words(own, catalogue, language)).collect(),
            claims: claims.iter().map(|claim| claim::in_words(claim, language)).collect(),
            resources: ResourceView::all(&resources, catalogue, language),
            since: Moment::new(row.given_at, language),
            grants: grants.into_iter().map(|row| GrantView::new(&row, language)).collect(),
        }
    }
}

impl GrantView {
    fn new(row: &GrantRow, language: &'static Language) -> Self {
        Self {
            since: Moment::new(row.started_at, language),
            until: Moment::new(row.ends_at, language),
            offline: row.scope.split(' ').any(|own| own == Scope::OFFLINE_ACCESS),
        }
    }
}

fn name_of(row: &ConsentRow) -> String {
    called(row.client_name.as_deref().unwrap_or_default(), row.client_identifier.as_deref().unwrap_or(&row.client_id))
}

/// `GET .../<id>/delete/`
pub(in crate::http) async fn ask_to_withdraw(signed_in: SignedIn, Path(id): Path<String>) -> Result<Response, Refused> {
    let id: ConsentId = id.parse().map_err(|_| nothing_here())?;
    let rows = consent::find(signed_in.visitor.app.log.db(), &[id.to_string()]).await.map_err(Unavailable::from)?;
    let user = signed_in.session.user_id.to_string();
    let mine = rows.into_iter().find(|row| row.user_id == user && row.state == "given").ok_or_else(nothing_here)?;
    let (frame, token) = (signed_in.frame(), signed_in.form_token());
    let template = WithdrawPage { frame, id: id.to_string(), name: name_of(&mine), token };
    Ok(signed_in.visitor.page(StatusCode::OK, &template, None))
}

/// `POST .../<id>/delete/`: all that was issued under it is dead.
pub(in crate::http) async fn withdraw(Path(id): Path<String>, form: SignedInForm) -> Result<Response, Refused> {
    let id: ConsentId = id.parse().map_err(|_| nothing_here())?;
    let (visitor, user) = (&form.signed_in.visitor, form.signed_in.session.user_id);
    match visitor.app.dispatch.withdraw_consent(user, id).await {
        Ok(done) => Ok(at_position(visitor.redirect_with_notice(PATH, "notice.access_withdrawn"), done.position)),
        Err(Refusal::Unavailable(unavailable)) => Err(unavailable.into()),
        Err(Refusal::Rule(ConsentError::Unknown | ConsentError::OtherParties)) => Err(nothing_here()),
    }
}
