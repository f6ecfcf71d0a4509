//! `/admin/`: all clients and all users, and what the log says, for administrators alone. Whoever is not signed in goes to the sign-in page and comes back;
//! whoever is not an administrator gets 403.

mod audit;
mod clients;
mod second_factors;
mod users;

pub(in crate::http) use audit::{ask_to_revoke, changes, client_story, grant, revoke, search, search_form, user_story};
use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::request::Parts,
    response::{IntoResponse, Response},
};
pub(in crate::http) use clients::{client, clients, disable_client, enable_client};
pub(in crate::http) use second_factors::remove_second_factors;
pub(in crate::http) use users::{lock_user, unlock_user, user, users};

use crate::{
    http::error::Refused,
    log::Actor,
    protocol::{ErrorCode, OAuthError, Parameters},
    state::App,
};

use super::{
    shown::shown,
    signed_in::{SignedIn, SignedInForm},
};

/// The longest search that is shown again, in characters.
const MAX_SEARCH: usize = 200;

/// An administrator who looks at a page.
pub(in crate::http) struct Administrator(SignedIn);

impl FromRequestParts<App> for Administrator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let signed_in = SignedIn::from_request_parts(parts, app).await?;
        check(&signed_in).map_err(IntoResponse::into_response)?;
        Ok(Self(signed_in))
    }
}

/// A form that an administrator sent.
pub(in crate::http) struct AdministratorForm(SignedInForm);

impl FromRequest<App> for AdministratorForm {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let form = SignedInForm::from_request(request, app).await?;
        check(&form.signed_in).map_err(IntoResponse::into_response)?;
        Ok(Self(form))
    }
}

impl AdministratorForm {
    const fn actor(&self) -> Actor {
        Actor::Administrator(self.0.signed_in.session.user_id)
    }
}

fn check(signed_in: &SignedIn) -> Result<(), Refused> {
    if signed_in.session.administrator {
        return Ok(());
    }
    Err(OAuthError::new(ErrorCode::InsufficientScope, "not_an_administrator", "only administrators see this page").into())
}

/// The search of a list, as its form shows it again.
fn searched(parameters: &Parameters) -> String {
    shown(parameters.get("q").unwrap_or_default(), MAX_SEARCH)
}
