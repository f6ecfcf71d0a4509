//! What an authorization request is checked against, whether a browser brings it or its client pushes it.

use axum::http::StatusCode;
use domain::{
    ClientId,
    client::{Client, Registration},
};

use crate::{
    dispatch::{DocumentRefusal, Loaded, Refusal},
    log::Unavailable,
    protocol::{
        Parameters,
        authorize::{self, AuthorizationRequest, Fault, Issuer, Object, Way},
        registration::too_many,
    },
    state::App,
};

use super::{error::Refused, source::Source};

/// The client that asks; one that comes by a document is registered first.
pub(super) async fn client_that_asks(app: &App, identifier: &str, source: Source) -> Result<Option<Loaded<Client>>, Refused> {
    app.dispatch.client_that_asks(identifier, source.0).await.map_err(|refusal| match refusal {
        Refusal::Unavailable(unavailable) => unavailable.into(),
        Refusal::Rule(DocumentRefusal::Document(error)) => error.into(),
        Refusal::Rule(DocumentRefusal::TooMany { retry_after }) => {
            Refused::with_status(too_many(retry_after), StatusCode::TOO_MANY_REQUESTS)
        }
    })
}

/// Checks a request of `client`: the enabled client that it names, if there is one.
pub(super) async fn check(
    app: &App,
    parameters: &Parameters,
    client: Option<(ClientId, &Registration)>,
    way: Way,
) -> Result<Result<AuthorizationRequest, Fault>, Unavailable> {
    let (signed, object) = match client {
        None => (None, Object::None),
        // A reference within a pushed request is refused, and not followed.
        Some(_) if way == Way::Pushed && parameters.get("request_uri").is_some() => (None, Object::None),
        Some((_, registration)) => match app.dispatch.signed_request(parameters, registration).await? {
            Ok(None) => (None, Object::None),
            Ok(Some(signed)) => (Some(signed), Object::Signed),
            Err(refused) => (None, Object::Refused(refused)),
        },
    };
    let parameters = signed.as_ref().unwrap_or(parameters);
    let catalogue = app.dispatch.catalogue().await?;
    let keys = match parameters.get("id_token_hint") {
        Some(_) => Some(app.dispatch.key_set().await?),
        None => None,
    };
    let issuer = Issuer {
        identifier: &app.settings.issuer(),
        catalogue: &catalogue,
        default_resource: app.settings.default_resource(),
        keys: keys.as_deref(),
    };
    Ok(authorize::check(parameters, client, &issuer, (way, &object)))
}
