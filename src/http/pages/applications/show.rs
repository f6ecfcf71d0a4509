//! `GET /o/applications/<id>/`: one of mine, with what its developer needs; and its new secret, this once.

use askama::Template;
use axum::{
    extract::Path,
    http::{Method, StatusCode},
    response::Response,
};
use projections::client;

use crate::{http::error::Refused, log::Unavailable};

use super::{
    super::{client_view::ClientView, frame::Frame, signed_in::SignedIn},
    Owned,
    change::OVERLAPS,
    new_secret,
};

#[derive(Template)]
#[template(path = "application.html")]
struct ShowPage {
    frame: Frame,
    id: String,
    client: ClientView,
    /// Shown this once.
    new_secret: Option<String>,
    issuer: String,
    /// For how long the secrets that there are go on working: the form's value, and words.
    overlaps: Vec<(u32, &'static str)>,
    token: String,
}

pub(in crate::http) async fn show(method: Method, signed_in: SignedIn, Path(id): Path<String>) -> Result<Response, Refused> {
    let owned = Owned::find(&signed_in, &id).await?;
    let (app, language) = (&signed_in.visitor.app, signed_in.visitor.language);
    let row = client::find(app.log.db(), &[owned.id().to_string()]).await.map_err(Unavailable::from)?.pop();
    let registered_at = row.map_or(0, |row| row.created_at);
    let catalogue = app.dispatch.catalogue().await?;
    // Whoever asks with HEAD sees no page: the secret waits on.
    let new_secret = match method == Method::GET {
        true => new_secret::take(app, (signed_in.session.id, owned.id())).await?,
        false => None,
    };
    let template = ShowPage {
        frame: signed_in.frame(),
        id: owned.id().to_string(),
        client: ClientView::new(owned.registration(), registered_at, app.clock.now(), (&catalogue, language)),
        new_secret,
        issuer: app.settings.issuer(),
        overlaps: OVERLAPS.into_iter().map(|(seconds, key)| (seconds, language.say(key))).collect(),
        token: signed_in.form_token(),
    };
    Ok(signed_in.visitor.page(StatusCode::OK, &template, None))
}
