//! `/o/device-confirm/<client_id>/<user_code>`: the question to the user, and what they decided. They are asked whatever they allowed the client
//! before, and warned: a code that somebody else sent lets somebody else in (RFC 8628 section 5.4).

use askama::Template;
use axum::{extract::Path, http::StatusCode, response::Response};
use domain::{
    ClientId, DeviceAuthorizationId, SessionId,
    catalogue::Catalogue,
    client::Registration,
    consent::{ConsentTerms, GivenBy},
    device_authorization::DeviceAuthorizationError,
};
use serde::{Deserialize, Serialize};
use url::form_urlencoded::byte_serialize;

use super::{Problem, confirm_path, enter, find_of, status_path};
use crate::{
    dispatch::{DecideOnDevice, DeviceDecisionRefusal, FoundDevice, Refusal},
    http::{
        answer::at_position,
        error::Refused,
        pages::{
            application::Application,
            authorize::changed,
            consent::in_words,
            differences::{self, Difference},
            frame::{Frame, see_other},
            resource::ResourceView,
            signed_in::{SignedIn, SignedInForm},
            visitor::forbidden,
        },
        source::Source,
    },
    protocol::OAuthError,
    user_code::UserCode,
    vault::Carried,
};

#[derive(Template)]
#[template(path = "device_confirm.html")]
struct ConfirmPage {
    frame: Frame,
    application: Application,
    account: String,
    user_code: String,
    /// What is different from what they agreed to before.
    differences: Vec<Difference>,
    scopes: Vec<String>,
    claims: Vec<String>,
    resources: Vec<ResourceView>,
    action: String,
    token: String,
    question: String,
    /// Where they enter the code with another account.
    another: String,
}

/// What somebody is asked: it travels sealed in the form, and what they see is what they decide on.
#[derive(Serialize, Deserialize)]
struct Question {
    id: DeviceAuthorizationId,
    session: SessionId,
    client_id: ClientId,
    client_identifier: String,
    client_version: u32,
    user_code: String,
}

pub(in crate::http) async fn get(
    signed_in: SignedIn,
    source: Source,
    Path(path): Path<(String, String)>,
) -> Result<Response, Refused> {
    let found = match find_of(&signed_in, source, &path).await? {
        Ok(found) => found,
        Err(problem) => return Ok(enter::ask(&signed_in, &path.1, Some(&problem))),
    };
    match found.client.state.usable() {
        Some(client) if found.state.decided_by().is_none() => ask(&signed_in, &found, client).await,
        Some(_) | None => Ok(enter::on_with(&signed_in, &found)),
    }
}

async fn ask(signed_in: &SignedIn, found: &FoundDevice, client: &Registration) -> Result<Response, Refused> {
    let (visitor, asked) = (&signed_in.visitor, found.asked());
    let catalogue = visitor.app.dispatch.catalogue().await?;
    let question = Question {
        id: found.id,
        session: signed_in.session.id,
        client_id: found.client_id(),
        client_identifier: client.identifier.clone(),
        client_version: client.metadata_version,
        user_code: found.user_code.shown(),
    };
    let again = format!("/o/device/?user_code={}", question.user_code);
    let template = ConfirmPage {
        frame: visitor.frame(),
        application: Application::new(question.client_id, client),
        account: signed_in.person.label(),
        user_code: question.user_code.clone(),
        differences: differences(signed_in, found, (client, &catalogue)).await?,
        scopes: asked.scope.names().map(|name| in_words(name, &catalogue, visitor.language)).collect(),
        claims: Vec::new(),
        resources: ResourceView::all(&asked.resources, &catalogue, visitor.language),
        action: confirm_path(client, &found.user_code),
        token: signed_in.form_token(),
        question: visitor.app.dispatch.keys.carry(Carried::Device, &question),
        another: format!("/sign-in/?another=yes&next={}", byte_serialize(again.as_bytes()).collect::<String>()),
    };
    Ok(visitor.page(StatusCode::OK, &template, None))
}

/// What is different from what they allowed the client before.
async fn differences(
    signed_in: &SignedIn,
    found: &FoundDevice,
    (client, catalogue): (&Registration, &Catalogue),
) -> Result<Vec<Difference>, Refused> {
    let terms = ConsentTerms {
        user_id: signed_in.session.user_id,
        client_id: found.client_id(),
        scope: found.asked().scope.clone(),
        resources: found.asked().resources.clone(),
        client_version: client.metadata_version,
        catalogue_version: catalogue.version,
        given_by: GivenBy::User,
        claims: [].into(),
    };
    let visitor = &signed_in.visitor;
    let changes = visitor.app.dispatch.differences_from_consent(&terms, (client, None)).await?;
    Ok(differences::in_words(changes.unwrap_or_default(), catalogue, visitor.language))
}

pub(in crate::http) async fn post(form: SignedInForm) -> Result<Response, Refused> {
    let SignedInForm { signed_in, parameters } = form;
    let dispatch = &signed_in.visitor.app.dispatch;
    let question: Option<Question> = dispatch.keys.carried(Carried::Device, parameters.required("question")?);
    let unknown = || OAuthError::invalid_request("unknown_device_question", "the question that this page was for is not known");
    let question = question.ok_or_else(unknown)?;
    if question.session != signed_in.session.id {
        return Err(forbidden("other_session", "this question was put to another session"));
    }
    let decision = DecideOnDevice {
        session: signed_in.session.clone(),
        id: question.id,
        client_id: question.client_id,
        client_version: question.client_version,
    };
    let decided = match parameters.get("decision") {
        Some("allow") => dispatch.approve_device(&decision).await,
        Some("deny") => dispatch.deny_device(&decision).await,
        Some(_) | None => return Err(OAuthError::invalid_request("no_decision", "decision must be allow or deny").into()),
    };
    let user_code = UserCode::read(&question.user_code).ok_or_else(unknown)?;
    match decided {
        Ok(done) => Ok(at_position(see_other(&status_path(&question.client_identifier, &user_code)), done.position)),
        Err(Refusal::Unavailable(unavailable)) => Err(unavailable.into()),
        Err(Refusal::Rule(refusal)) => refused(&signed_in, refusal),
    }
}

fn refused(signed_in: &SignedIn, refusal: DeviceDecisionRefusal) -> Result<Response, Refused> {
    match refusal {
        DeviceDecisionRefusal::Device(DeviceAuthorizationError::Expired | DeviceAuthorizationError::Unknown) => {
            Ok(enter::ask(signed_in, "", Some(&Problem::Wrong)))
        }
        DeviceDecisionRefusal::Device(DeviceAuthorizationError::Decided) => {
            Ok(enter::ask(signed_in, "", Some(&Problem::Answered)))
        }
        DeviceDecisionRefusal::ClientDisabled | DeviceDecisionRefusal::ClientChanged => Err(changed().into()),
        DeviceDecisionRefusal::SessionEnded => Err(forbidden("session_ended", "the session ended meanwhile")),
        DeviceDecisionRefusal::Consent(_) | DeviceDecisionRefusal::Device(_) => {
            Err(OAuthError::invalid_request("not_approved", refusal.to_string()).into())
        }
    }
}
