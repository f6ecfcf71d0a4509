//! What an owner does with an application but edit it: a new secret, disabling it (after a question; DOT's path `delete/`), enabling it.

use crate::{
    dispatch::Done,
    http::{answer::at_position, error::Refused},
    log::Actor,
    protocol::OAuthError,
    state::App,
};
use askama::Template;
use axum::{extract::Path, http::StatusCode, response::Response};

use super::{
    super::{
        application::name_of,
        frame::Frame,
        signed_in::{SignedIn, SignedInForm},
    },
    Owned, new_secret, path_of, refused,
};

/// For how long the secrets that there are go on working after a rotation: in seconds, and the key of the words.
pub(super) const OVERLAPS: [(u32, &str); 4] = [
    (0, "application.overlap_none"),
    (3_600, "application.overlap_hour"),
    (86_400, "application.overlap_day"),
    (604_800, "application.overlap_week"),
];

#[derive(Template)]
#[template(path = "application_disable.html")]
struct DisablePage {
    frame: Frame,
    id: String,
    name: String,
    token: String,
}

/// `GET .../delete/`
pub(in crate::http) async fn ask_to_disable(signed_in: SignedIn, Path(id): Path<String>) -> Result<Response, Refused> {
    let owned = Owned::find(&signed_in, &id).await?;
    let (id, name) = (owned.id().to_string(), name_of(owned.registration()));
    let template = DisablePage { frame: signed_in.frame(), id, name, token: signed_in.form_token() };
    Ok(signed_in.visitor.page(StatusCode::OK, &template, None))
}

/// `POST .../delete/`: all that it holds is dead.
pub(in crate::http) async fn disable(Path(id): Path<String>, form: SignedInForm) -> Result<Response, Refused> {
    let form = OwnedForm::of(form, &id).await?;
    let done = form.app().dispatch.disable_client(form.actor(), form.owned.id()).await.map_err(refused)?;
    Ok(form.done(&done, "notice.application_disabled"))
}

/// `POST .../enable/`: nothing is revived.
pub(in crate::http) async fn enable(Path(id): Path<String>, form: SignedInForm) -> Result<Response, Refused> {
    let form = OwnedForm::of(form, &id).await?;
    let done = form.app().dispatch.enable_client(form.actor(), form.owned.id()).await.map_err(refused)?;
    Ok(form.done(&done, "notice.application_enabled"))
}

/// `POST .../secret/`: the next page shows it once.
pub(in crate::http) async fn rotate(Path(id): Path<String>, form: SignedInForm) -> Result<Response, Refused> {
    let form = OwnedForm::of(form, &id).await?;
    let asked = form.form.parameters.required("overlap")?;
    let overlap = OVERLAPS.iter().map(|(seconds, _)| *seconds).find(|seconds| seconds.to_string() == asked);
    let overlap = overlap.ok_or_else(|| OAuthError::invalid_request("unknown_overlap", "overlap is none of the choices"))?;
    let id = form.owned.id();
    let done = form.app().dispatch.rotate_client_secret(form.actor(), id, overlap).await.map_err(refused)?;
    if let Some(secret) = &done.answer.secret {
        new_secret::keep(form.app(), (form.form.signed_in.session.id, id), secret).await?;
    }
    Ok(form.done(&done, "notice.secret_rotated"))
}

/// A form about an application of the signed-in person.
pub(super) struct OwnedForm {
    pub(super) form: SignedInForm,
    pub(super) owned: Owned,
}

impl OwnedForm {
    /// Takes a form, and what stands in its path.
    pub(super) async fn of(form: SignedInForm, id: &str) -> Result<Self, Refused> {
        let owned = Owned::find(&form.signed_in, id).await?;
        Ok(Self { form, owned })
    }

    /// The server.
    pub(super) const fn app(&self) -> &App {
        &self.form.signed_in.visitor.app
    }

    /// The owner, as the log names them.
    pub(super) const fn actor(&self) -> Actor {
        Actor::User(self.form.signed_in.session.user_id)
    }

    /// Back to the application's page, which says what was done.
    pub(super) fn done<T>(&self, done: &Done<T>, notice: &str) -> Response {
        let response = self.form.signed_in.visitor.redirect_with_notice(&path_of(self.owned.id()), notice);
        at_position(response, done.position)
    }
}
