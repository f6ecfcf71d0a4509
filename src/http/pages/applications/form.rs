//! The form of an application: `GET` and `POST /o/applications/register/` and `/o/applications/<id>/update/`.

use std::sync::Arc;

use askama::Template;
use axum::{extract::Path, http::StatusCode, response::Response};
use domain::{
    catalogue::Catalogue,
    client::{ClientError, ClientMetadata, Registration},
};

use crate::{
    dispatch::{Refusal, RegisterClient, SecretChoice},
    http::{answer::at_position, error::Refused},
    log::Actor,
};

use super::{
    super::{
        frame::Frame,
        signed_in::{SignedIn, SignedInForm},
    },
    Owned, PATH,
    change::OwnedForm,
    entered::{Entered, Problem},
    fields::{self, Choice, FieldProblem},
    new_secret, path_of, refused,
};

#[derive(Template)]
#[template(path = "application_form.html")]
struct FormPage {
    frame: Frame,
    /// The application that is edited, and the version of its metadata; `None` for a new one.
    id: Option<String>,
    version: u32,
    action: String,
    entered: Entered,
    kinds: Vec<Choice>,
    grants: Vec<Choice>,
    scopes: Vec<Choice>,
    formats: Vec<Choice>,
    algorithms: Vec<Choice>,
    methods: Vec<Choice>,
    policies: Vec<Choice>,
    /// Only administrators give these.
    privileged: Vec<Choice>,
    by_administrator: bool,
    problem: Option<FieldProblem>,
    token: String,
}

impl FormPage {
    /// Whether the problem is with this field.
    fn is_at_fault(&self, field: &str) -> bool {
        self.problem.as_ref().is_some_and(|problem| problem.field == field)
    }

    /// Whether the part with what few need is open: where the problem is in it.
    fn shows_more(&self) -> bool {
        ["post_logout_redirect_uris", "client_uri", "logo_uri", "policy_uri", "tos_uri"]
            .iter()
            .any(|field| self.is_at_fault(field))
    }
}

/// What of the form is the same before and after it was sent.
struct Form<'a> {
    signed_in: &'a SignedIn,
    catalogue: Arc<Catalogue>,
    edited: Option<&'a Owned>,
}

impl<'a> Form<'a> {
    async fn new(signed_in: &'a SignedIn, edited: Option<&'a Owned>) -> Result<Self, Refused> {
        Ok(Self { signed_in, catalogue: signed_in.visitor.app.dispatch.catalogue().await?, edited })
    }

    fn show(self, entered: Entered, problem: Option<Problem>) -> Response {
        let (language, person) = (self.signed_in.visitor.language, &self.signed_in.person);
        let status = if problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
        let id = self.edited.map(|owned| owned.id().to_string());
        let action = id.as_ref().map_or_else(|| format!("{PATH}register/"), |id| format!("{PATH}{id}/update/"));
        let privileged =
            if person.administrator { fields::scopes(&entered, &self.catalogue, language, true) } else { Vec::new() };
        let template = FormPage {
            frame: self.signed_in.frame(),
            id,
            version: self.edited.map_or(0, |owned| owned.registration().metadata_version),
            action,
            kinds: fields::kinds(&entered, language),
            grants: fields::grants(&entered, language, person.administrator),
            scopes: fields::scopes(&entered, &self.catalogue, language, false),
            formats: fields::formats(&entered, language),
            algorithms: fields::algorithms(&entered),
            methods: fields::methods(&entered, language),
            policies: fields::policies(&entered, language),
            privileged,
            by_administrator: person.administrator,
            problem: problem.map(|problem| FieldProblem::new(problem, language)),
            entered,
            token: self.signed_in.form_token(),
        };
        self.signed_in.visitor.page(status, &template, None)
    }
}

/// `GET .../register/`
pub(in crate::http) async fn register_form(signed_in: SignedIn) -> Result<Response, Refused> {
    Ok(Form::new(&signed_in, None).await?.show(Entered::nothing(), None))
}

/// `POST .../register/`: the next page shows the new secret, once.
pub(in crate::http) async fn register(form: SignedInForm) -> Result<Response, Refused> {
    let SignedInForm { signed_in, parameters } = form;
    let (app, owner) = (&signed_in.visitor.app, signed_in.session.user_id);
    let form = Form::new(&signed_in, None).await?;
    let entered = Entered::read(&parameters, &form.catalogue)?;
    let metadata = match entered.metadata(&ClientMetadata::default(), &form.catalogue, signed_in.person.administrator) {
        Ok(metadata) => metadata,
        Err(problem) => return Ok(form.show(entered, Some(problem))),
    };
    let request = RegisterClient { identifier: None, owner: Some(owner), metadata, secret: SecretChoice::Generated };
    let done = match app.dispatch.register_client(Actor::User(owner), request).await {
        Ok(done) => done,
        Err(refusal) => return Ok(form.show(entered, Some(problem_of(refusal)?))),
    };
    let id = done.answer.id;
    if let Some(secret) = &done.answer.secret {
        new_secret::keep(app, (signed_in.session.id, id), secret).await?;
    }
    let response = signed_in.visitor.redirect_with_notice(&path_of(id), "notice.application_registered");
    Ok(at_position(response, done.position))
}

/// `GET .../<id>/update/`
pub(in crate::http) async fn edit(signed_in: SignedIn, Path(id): Path<String>) -> Result<Response, Refused> {
    let owned = Owned::find(&signed_in, &id).await?;
    let entered = Entered::of(&owned.registration().metadata);
    Ok(Form::new(&signed_in, Some(&owned)).await?.show(entered, None))
}

/// `POST .../<id>/update/`
pub(in crate::http) async fn update(Path(id): Path<String>, form: SignedInForm) -> Result<Response, Refused> {
    let sent = OwnedForm::of(form, &id).await?;
    let (signed_in, id) = (&sent.form.signed_in, sent.owned.id());
    let form = Form::new(signed_in, Some(&sent.owned)).await?;
    let entered = Entered::read(&sent.form.parameters, &form.catalogue)?;
    let Registration { metadata: before, metadata_version, .. } = sent.owned.registration();
    if sent.form.parameters.get("metadata_version").is_some_and(|shown| shown != metadata_version.to_string()) {
        return Ok(form.show(entered, Some(Problem::Changed)));
    }
    let metadata = match entered.metadata(before, &form.catalogue, signed_in.person.administrator) {
        Ok(metadata) => metadata,
        Err(problem) => return Ok(form.show(entered, Some(problem))),
    };
    match sent.app().dispatch.update_client(sent.actor(), id, metadata).await {
        Ok(done) => Ok(sent.done(&done, "notice.application_saved")),
        Err(refusal) => Ok(form.show(entered, Some(problem_of(refusal)?))),
    }
}

/// What a rule refuses is shown beside the form; anything else is an error.
fn problem_of(refusal: Refusal<ClientError>) -> Result<Problem, Refused> {
    match refusal {
        Refusal::Rule(error @ (ClientError::InvalidRedirectUri(_) | ClientError::InvalidMetadata(_))) => {
            Ok(Problem::Refused(error))
        }
        other => Err(refused(other)),
    }
}
