//! `GET /o/applications/`: all of mine.

use askama::Template;
use axum::{http::StatusCode, response::Response};
use domain::client::ClientMetadata;
use projections::client::{self, ClientRow};

use crate::{
    http::{error::Refused, form::Query},
    log::Unavailable,
};

use super::{
    super::{
        application::{called, initial},
        client_view::ClientKind,
        frame::Frame,
        language::Language,
        moment::Moment,
        paging::Paging,
        signed_in::SignedIn,
    },
    PATH,
};

#[derive(Template)]
#[template(path = "applications.html")]
struct ListPage {
    frame: Frame,
    rows: Vec<Row>,
    next: Option<String>,
    further: bool,
}

/// An application in a list.
struct Row {
    id: String,
    name: String,
    initial: String,
    kind: &'static str,
    enabled: bool,
    registered: Moment,
}

pub(in crate::http) async fn list(signed_in: SignedIn, Query(parameters): Query) -> Result<Response, Refused> {
    let app = &signed_in.visitor.app;
    let paging = Paging::read(&parameters, &app.settings.limits)?;
    let owner = signed_in.session.user_id.to_string();
    let mut rows = client::of_owner(app.log.db(), &owner, paging.page()).await.map_err(Unavailable::from)?;
    let next = paging.next(&mut rows, PATH, |row| &row.id);
    let language = signed_in.visitor.language;
    let rows = rows.into_iter().map(|row| Row::new(row, language)).collect();
    let template = ListPage { frame: signed_in.frame(), rows, next, further: paging.is_further() };
    Ok(signed_in.visitor.page(StatusCode::OK, &template, None))
}

impl Row {
    fn new(row: ClientRow, language: &'static Language) -> Self {
        let name = called(&row.name, &row.client_id);
        let metadata: ClientMetadata = serde_json::from_str(&row.metadata).unwrap_or_default();
        Self {
            id: row.id,
            initial: initial(&name),
            name,
            kind: language.say(ClientKind::of(&metadata).key()),
            enabled: row.state == "enabled",
            registered: Moment::new(row.created_at, language),
        }
    }
}
