//! `GET` and `POST /o/authorize/` (RFC 6749 section 4.1.1): a client sends a browser to ask its user. The request is checked, and goes on
//! to whatever comes next: a sign-in, a question, or the answer.

use axum::{extract::State, response::Response};
use domain::{
    ClientId, Confirmation,
    client::{Client, Registration},
    consent::{ConsentTerms, GivenBy},
    session::ContextClass,
};
use secrecy::ExposeSecret;

use crate::{
    audit::Change,
    dispatch::{Approval, ApproveRefusal, Consenting, CurrentSession, Loaded, Refusal},
    http::{
        answer::at_position,
        authorization_request::{check, client_that_asks},
        error::Refused,
        form::{Form, Query},
        source::Source,
    },
    log::Unavailable,
    protocol::{
        OAuthError, Parameters,
        authorize::{AuthorizationRequest, Fault, Reply, Way},
        interaction::{self, Known, Standing, Step},
        pushed_request,
    },
    state::App,
};

use super::{
    answer::answer,
    consent,
    frame::see_other,
    pending::Pending,
    sign_in,
    visitor::{Visitor, forbidden},
};

/// The longest request that is sent on as a URL, in bytes.
const MAX_URL: usize = 6000;

pub(in crate::http) async fn get(visitor: Visitor, source: Source, Query(parameters): Query) -> Result<Response, Refused> {
    begin(visitor, source, &parameters).await
}

/// OpenID Connect Core section 3.1.2.1. A browser withholds our cookie when another site's page posts: it asks again with GET.
pub(in crate::http) async fn post(visitor: Visitor, source: Source, Form(parameters): Form) -> Result<Response, Refused> {
    let url = format!("/o/authorize/?{}", parameters.encode());
    if visitor.came_without_cookies() && url.len() <= MAX_URL {
        return Ok(see_other(&url));
    }
    begin(visitor, source, &parameters).await
}

/// `GET /o/authorize/continue/`: on with a request after a sign-in.
pub(in crate::http) async fn go_on(
    visitor: Visitor,
    State(app): State<App>,
    Query(parameters): Query,
) -> Result<Response, Refused> {
    let pending = Pending::find(&app, parameters.required("request")?).await?;
    check_session(&visitor, &pending)?;
    proceed(&visitor.speaking(pending.request.ui_locales.as_deref()), pending).await
}

async fn begin(visitor: Visitor, source: Source, parameters: &Parameters) -> Result<Response, Refused> {
    let app = &visitor.app;
    if let Some(handle) = parameters.get("request_uri").and_then(pushed_request::handle) {
        let pending = Pending::pushed(app, handle, parameters.required("client_id")?).await?;
        return proceed(&visitor.speaking(pending.request.ui_locales.as_deref()), pending).await;
    }
    let client = match parameters.get("client_id") {
        Some(identifier) => client_that_asks(app, identifier, source).await?,
        None => None,
    };
    let usable = client.as_ref().and_then(|client| Some((ClientId::new(client.id), client.state.usable()?)));
    match check(app, parameters, usable, Way::Browser).await? {
        Ok(request) => {
            let pending = Pending::new(app, request, app.settings.sessions.pending_request_lifetime);
            proceed(&visitor.speaking(pending.request.ui_locales.as_deref()), pending).await
        }
        Err(Fault::Page(error)) => Err(error.into()),
        Err(Fault::Redirect(error, reply)) => Ok(refuse(&visitor, &reply, &error).await?),
    }
}

/// Only the session that a request waits for may answer it.
pub(super) fn check_session(visitor: &Visitor, pending: &Pending) -> Result<CurrentSession, Refused> {
    let session = visitor.session.clone().filter(|session| pending.session == Some(session.id));
    session.ok_or_else(|| forbidden("other_session", "this request waits for another session"))
}

/// Takes a request one step on.
pub(super) async fn proceed(visitor: &Visitor, pending: Pending) -> Result<Response, Refused> {
    let app = &visitor.app;
    if app.dispatch.is_answered(&pending.answered()).await? {
        return Err(answered().into());
    }
    let client = client_as_checked(app, &pending.request).await?;
    let registration = registration(&client)?;
    let known = known(app, visitor.session.as_ref(), &pending.request, registration).await?;
    let standing = match &visitor.session {
        None => Standing::SignedOut,
        Some(session) => {
            let (subjects, contexts) = (&pending.request.subjects, &pending.request.contexts);
            let reachable = match contexts.wanted.is_empty() {
                true => ContextClass::OneFactor,
                false => app.dispatch.second_factors(session.user_id).await?.context(),
            };
            let subject = app.dispatch.subject(registration, session.user_id);
            Standing::SignedIn {
                auth_time: session.sign_in.auth_time,
                for_this: pending.session == Some(session.id),
                expected: subjects.is_empty() || subjects.contains(&subject),
                context: session.sign_in.context(),
                reachable,
            }
        }
    };
    match (interaction::next(&pending.request, standing, known, app.clock.now()), &visitor.session) {
        (Step::Ask, Some(session)) => consent::ask(visitor, session, pending, registration).await,
        (Step::Approve(given_by), Some(session)) => {
            let consent = if known == Known::Consent { Consenting::Before } else { Consenting::Now(given_by) };
            approve(visitor, session, &pending, consent).await
        }
        (Step::Refuse(error), _) => Ok(refuse(visitor, &pending.request.reply, &error).await?),
        (Step::SignIn | Step::Ask | Step::Approve(_), _) => sign_in::for_request(visitor, &pending, registration).await,
    }
}

/// Approves a request, and sends the code to the client.
pub(super) async fn approve(
    visitor: &Visitor,
    session: &CurrentSession,
    pending: &Pending,
    consent: Consenting,
) -> Result<Response, Refused> {
    let (app, request) = (&visitor.app, &pending.request);
    let approval = Approval {
        session: session.clone(),
        client_id: request.client_id,
        scope: request.scope.clone(),
        resources: request.resources.clone(),
        redirect_uri: request.redirect_uri.clone(),
        code_challenge: request.code_challenge.clone(),
        nonce: request.nonce.clone(),
        confirmation: request.dpop_jkt.clone().map(Confirmation::KeyThumbprint),
        claims: request.claims.clone(),
        consent,
        client_version: request.client_version,
        answers: pending.answered(),
    };
    let done = app.dispatch.approve(&approval).await.map_err(|refusal| not_approved(&refusal))?;
    let answer = answer(visitor, &request.reply, &[("code", done.answer.code.expose_secret())]).await?;
    Ok(at_position(answer, done.position))
}

/// Tells the client what is refused (RFC 6749 section 4.1.2.1).
pub(super) async fn refuse(visitor: &Visitor, reply: &Reply, error: &OAuthError) -> Result<Response, Unavailable> {
    let error_id = visitor.app.dispatch.error_id(error);
    tracing::debug!(rule = error.rule, code = error.code.as_str(), %error_id, "refused by redirect");
    let told = [("error", error.code.as_str()), ("error_description", &error.description), ("error_id", &error_id)];
    answer(visitor, reply, &told).await
}

/// The client of a request, as long as it is the one that the request was checked against.
pub(super) async fn client_as_checked(app: &App, request: &AuthorizationRequest) -> Result<Loaded<Client>, Refused> {
    let client = app.dispatch.client(&request.client_identifier).await?.ok_or_else(changed)?;
    match client.state.usable() {
        Some(registration) if registration.metadata_version == request.client_version => Ok(client),
        Some(_) | None => Err(changed().into()),
    }
}

pub(super) fn registration(client: &Loaded<Client>) -> Result<&Registration, OAuthError> {
    client.state.usable().ok_or_else(changed)
}

async fn known(
    app: &App,
    session: Option<&CurrentSession>,
    request: &AuthorizationRequest,
    client: &Registration,
) -> Result<Known, Refused> {
    if !client.has_proven_identity() {
        return Ok(Known::Nothing);
    }
    if client.metadata.skip_consent {
        return Ok(Known::FirstParty);
    }
    let Some(session) = session else { return Ok(Known::Nothing) };
    let differences = differences(app, session, request, client).await?;
    Ok(if differences.is_some_and(|differences| differences.is_empty()) { Known::Consent } else { Known::Nothing })
}

/// What is different from what the user agreed to before; `None` where they were never asked.
pub(super) async fn differences(
    app: &App,
    session: &CurrentSession,
    request: &AuthorizationRequest,
    client: &Registration,
) -> Result<Option<Vec<Change>>, Unavailable> {
    let catalogue = app.dispatch.catalogue().await?;
    let terms = ConsentTerms {
        user_id: session.user_id,
        client_id: request.client_id,
        scope: request.scope.clone(),
        resources: request.resources.clone(),
        client_version: request.client_version,
        catalogue_version: catalogue.version,
        given_by: GivenBy::User,
        claims: request.claims.beyond(&request.scope, &catalogue),
    };
    app.dispatch.differences_from_consent(&terms, (client, Some(&request.reply.redirect_uri))).await
}

fn not_approved(refusal: &Refusal<ApproveRefusal>) -> Refused {
    let refused = match refusal {
        Refusal::Unavailable(unavailable) => return (*unavailable).into(),
        Refusal::Rule(refused) => refused,
    };
    match refused {
        ApproveRefusal::ClientDisabled | ApproveRefusal::ClientChanged => changed().into(),
        ApproveRefusal::Answered => answered().into(),
        ApproveRefusal::SessionEnded => forbidden("session_ended", "the session ended meanwhile"),
        ApproveRefusal::Consent(_) | ApproveRefusal::Grant(_) => {
            OAuthError::invalid_request("not_approved", refused.to_string()).into()
        }
    }
}

/// What was shown no longer holds.
pub(super) fn changed() -> OAuthError {
    OAuthError::invalid_request("client_changed", "the application changed meanwhile: start again from there")
}

/// A request is answered once.
pub(super) fn answered() -> OAuthError {
    OAuthError::invalid_request("request_answered", "this request has been answered already: start again from the application")
}
