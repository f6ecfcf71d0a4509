//! The question to the user, and `POST /o/authorize/decision/`: what they decided. The request that lies sealed in the form is answered,
//! whatever else the form posts.

use askama::Template;
use axum::{http::StatusCode, response::Response};
use domain::{catalogue::Catalogue, client::Registration, consent::GivenBy};

use crate::{
    dispatch::{Consenting, CurrentSession},
    http::error::Refused,
    protocol::{ErrorCode, OAuthError},
};

use super::{
    application::Application,
    authorize::{answered, approve, check_session, client_as_checked, differences, refuse, registration},
    claim,
    differences::{self, Difference},
    frame::Frame,
    language::Language,
    pending::Pending,
    person::Person,
    resource::ResourceView,
    shown::shown,
    sign_in,
    signed_in::SignedInForm,
    visitor::Visitor,
};

/// The longest description of a scope and the longest place that are shown, in characters.
const MAX_WORDS: usize = 200;
const MAX_PLACE: usize = 120;

#[derive(Template)]
#[template(path = "consent.html")]
struct ConsentPage {
    frame: Frame,
    application: Application,
    /// Where they will be sent.
    place: String,
    person: Person,
    /// What is different from what they agreed to before.
    differences: Vec<Difference>,
    scopes: Vec<String>,
    claims: Vec<String>,
    resources: Vec<ResourceView>,
    token: String,
    request: String,
}

/// Asks the user.
pub(super) async fn ask(
    visitor: &Visitor,
    session: &CurrentSession,
    pending: Pending,
    client: &Registration,
) -> Result<Response, Refused> {
    let app = &visitor.app;
    let pending = pending.for_session(session.id);
    let catalogue = app.dispatch.catalogue().await?;
    let request = &pending.request;
    let beyond = request.claims.beyond(&request.scope, &catalogue);
    let elsewhere = request.reply.form_action();
    let changes = differences(app, session, request, client).await?.unwrap_or_default();
    let template = ConsentPage {
        frame: visitor.frame(),
        application: Application::new(request.client_id, client),
        place: shown(request.reply.place(), MAX_PLACE),
        person: Person::of(app, session).await?,
        differences: differences::in_words(changes, &catalogue, visitor.language),
        scopes: request.scope.names().map(|name| in_words(name, &catalogue, visitor.language)).collect(),
        claims: beyond.iter().map(|claim| claim::in_words(claim, visitor.language)).collect(),
        resources: ResourceView::all(&request.resources, &catalogue, visitor.language),
        token: visitor.form_token(session),
        request: pending.seal(app),
    };
    Ok(visitor.page(StatusCode::OK, &template, Some(&elsewhere)))
}

pub(in crate::http) async fn decide(form: SignedInForm) -> Result<Response, Refused> {
    let SignedInForm { signed_in, parameters } = form;
    let (visitor, app) = (&signed_in.visitor, &signed_in.visitor.app);
    let pending = Pending::open(app, parameters.required("request")?)?;
    let session = check_session(visitor, &pending)?;
    if app.dispatch.is_answered(&pending.answered()).await? {
        return Err(answered().into());
    }
    match parameters.get("decision") {
        Some("allow") => approve(visitor, &session, &pending, Consenting::Now(GivenBy::User)).await,
        Some("deny") => {
            app.dispatch.deny(&pending.answered()).await?;
            let error = OAuthError::new(ErrorCode::AccessDenied, "user_denied", "the user did not allow it");
            Ok(refuse(visitor, &pending.request.reply, &error).await?)
        }
        Some("switch") => {
            let client = client_as_checked(app, &pending.request).await?;
            sign_in::for_request(visitor, &pending, registration(&client)?).await
        }
        Some(_) | None => Err(OAuthError::invalid_request("no_decision", "decision must be allow, deny or switch").into()),
    }
}

/// What a scope lets an application do; its name, where nobody has described it.
pub(super) fn in_words(scope: &str, catalogue: &Catalogue, language: &Language) -> String {
    let entry = catalogue.scopes.iter().find(|entry| entry.name == scope);
    let words = entry.and_then(|entry| language.pick(&entry.descriptions)).unwrap_or(scope);
    shown(words, MAX_WORDS)
}
