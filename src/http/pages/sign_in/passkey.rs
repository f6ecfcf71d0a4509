//! `/sign-in/passkey/`: what a passkey signed, alone or after the password. Which of the two it was asked for is sealed into what the form
//! carries, and so is the browser.

use axum::response::Response;

use super::{
    Problem, again,
    purpose::Purpose,
    second_step::{self, PasswordProven},
    welcome,
};
use crate::{
    dispatch::{PasskeyStep, Refusal},
    http::{
        error::Refused,
        form::Form,
        pages::{accounts::Accounts, visitor::Visitor},
        source::Source,
    },
    passkeys::Ceremony,
    vault::Carried,
};

pub(in crate::http) async fn post(visitor: Visitor, source: Source, Form(parameters): Form) -> Result<Response, Refused> {
    visitor.check_origin()?;
    let app = &visitor.app;
    let purpose = Purpose::read(app, &parameters)?;
    let proven = parameters.get("proven").and_then(|sealed| PasswordProven::open(app, sealed));
    let (what, begun_by) = match &proven {
        Some(proven) => (Carried::PasskeySecondStep, proven.browser(&visitor)),
        None => (Carried::PasskeySignIn, visitor.sign_in_token()),
    };
    let sealed = parameters.get("ceremony").unwrap_or_default();
    let ceremony = Ceremony::open(&app.dispatch.keys, (what, sealed), &begun_by, app.clock.now());
    let Some(ceremony) = ceremony.filter(|_| visitor.sent_sign_in_form(&parameters)) else {
        return again(&visitor, &purpose, String::new(), &Problem::FormExpired).await;
    };
    let accounts = Accounts::of(&visitor).await?;
    let step = PasskeyStep {
        user_id: proven.as_ref().map(|proven| proven.user_id),
        ceremony,
        brought: parameters.get("brought").unwrap_or_default().to_owned(),
        source: source.0,
        agent: visitor.agent().map(str::to_owned),
        existing: accounts.sessions().cloned().collect(),
    };
    match app.dispatch.sign_in_with_passkey(step).await {
        Ok(done) => welcome(&visitor, purpose, (&accounts, done)).await,
        Err(Refusal::Unavailable(unavailable)) => Err(unavailable.into()),
        Err(Refusal::Rule(refusal)) => match &proven {
            Some(proven) => second_step::ask(&visitor, &purpose, proven, Some(&Problem::from(refusal))).await,
            None => again(&visitor, &purpose, String::new(), &Problem::from(refusal)).await,
        },
    }
}
