//! `/admin/`: all clients, searched by name or `client_id`; one of them at `/admin/clients/<id>/`, to disable or enable it.

use askama::Template;
use axum::{extract::Path, http::StatusCode, response::Response};
use domain::ClientId;
use projections::client::{self, ClientRow};

use crate::{
    http::{answer::at_position, error::Refused, form::Query},
    log::Unavailable,
};

use super::{
    super::{
        application::{called, initial},
        applications::{nothing_here, refused},
        client_view::ClientView,
        frame::Frame,
        language::Language,
        moment::Moment,
        paging::Paging,
        person::names,
        shown::shown,
    },
    Administrator, AdministratorForm, searched,
};

const PATH: &str = "/admin/";
/// The longest `client_id` that a list shows, in characters.
const MAX_IDENTIFIER: usize = 80;

#[derive(Template)]
#[template(path = "admin_clients.html")]
struct ListPage {
    frame: Frame,
    rows: Vec<Row>,
    search: String,
    next: Option<String>,
    further: bool,
}

/// A client in the list.
struct Row {
    id: String,
    name: String,
    initial: String,
    identifier: String,
    enabled: bool,
    registered: Moment,
}

#[derive(Template)]
#[template(path = "admin_client.html")]
struct ClientPage {
    frame: Frame,
    id: String,
    client: ClientView,
    /// The user who registered it: their id and what they are called.
    owner: Option<(String, String)>,
    token: String,
}

pub(in crate::http) async fn clients(
    Administrator(signed_in): Administrator,
    Query(parameters): Query,
) -> Result<Response, Refused> {
    let (app, language) = (&signed_in.visitor.app, signed_in.visitor.language);
    let paging = Paging::read(&parameters, &app.settings.limits)?;
    let found = match &paging.search {
        Some(text) => client::search(app.log.db(), text, paging.page()).await,
        None => client::list(app.log.db(), paging.page()).await,
    };
    let mut rows = found.map_err(Unavailable::from)?;
    let next = paging.next(&mut rows, PATH, |row| &row.id);
    let rows = rows.into_iter().map(|row| Row::new(row, language)).collect();
    let (frame, search, further) = (signed_in.frame(), searched(&parameters), paging.is_further());
    Ok(signed_in.visitor.page(StatusCode::OK, &ListPage { frame, rows, search, next, further }, None))
}

impl Row {
    fn new(row: ClientRow, language: &Language) -> Self {
        let name = called(&row.name, &row.client_id);
        Self {
            id: row.id,
            initial: initial(&name),
            name,
            identifier: shown(&row.client_id, MAX_IDENTIFIER),
            enabled: row.state == "enabled",
            registered: Moment::new(row.created_at, language),
        }
    }
}

/// `GET /admin/clients/<id>/`
pub(in crate::http) async fn client(
    Administrator(signed_in): Administrator,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let id: ClientId = id.parse().map_err(|_| nothing_here())?;
    let (app, language) = (&signed_in.visitor.app, signed_in.visitor.language);
    let client = app.dispatch.client_by_id(id).await?;
    let registration = client.state.registration().ok_or_else(nothing_here)?;
    let row = client::find(app.log.db(), &[id.to_string()]).await.map_err(Unavailable::from)?.pop();
    let owner = match registration.owner {
        Some(owner) => Some((owner.to_string(), names(app, owner).await?.0)),
        None => None,
    };
    let catalogue = app.dispatch.catalogue().await?;
    let registered_at = row.map_or(0, |row| row.created_at);
    let template = ClientPage {
        frame: signed_in.frame(),
        id: id.to_string(),
        client: ClientView::new(registration, registered_at, app.clock.now(), (&catalogue, language)),
        owner: owner.map(|(id, name)| if name.is_empty() { (id.clone(), id) } else { (id, name) }),
        token: signed_in.form_token(),
    };
    Ok(signed_in.visitor.page(StatusCode::OK, &template, None))
}

/// `POST /admin/clients/<id>/disable/`: its owner cannot undo it.
pub(in crate::http) async fn disable_client(Path(id): Path<String>, form: AdministratorForm) -> Result<Response, Refused> {
    let id: ClientId = id.parse().map_err(|_| nothing_here())?;
    let visitor = &form.0.signed_in.visitor;
    let done = visitor.app.dispatch.disable_client(form.actor(), id).await.map_err(refused)?;
    Ok(at_position(visitor.redirect_with_notice(&path_of(id), "notice.application_disabled"), done.position))
}

/// `POST /admin/clients/<id>/enable/`
pub(in crate::http) async fn enable_client(Path(id): Path<String>, form: AdministratorForm) -> Result<Response, Refused> {
    let id: ClientId = id.parse().map_err(|_| nothing_here())?;
    let visitor = &form.0.signed_in.visitor;
    let done = visitor.app.dispatch.enable_client(form.actor(), id).await.map_err(refused)?;
    Ok(at_position(visitor.redirect_with_notice(&path_of(id), "notice.application_enabled"), done.position))
}

fn path_of(id: ClientId) -> String {
    format!("{PATH}clients/{id}/")
}
