//! `/sign-in/code/`: the second step of a sign-in, a code of the authenticator application or a recovery code; the page also asks for a
//! passkey of whoever has one. That the password was right travels sealed in the form, so that an abandoned sign-in writes nothing.

use askama::Template;
use axum::response::Response;
use domain::{Timestamp, UserId};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{
    Problem, again,
    purpose::{Carried, Purpose},
    send, welcome,
};
use crate::{
    dispatch::{Refusal, SecondStep},
    http::{
        error::Refused,
        form::Form,
        pages::{
            accounts::Accounts,
            frame::{Frame, Script},
            visitor::Visitor,
        },
        source::Source,
    },
    passkeys::Asked,
    state::App,
    vault,
};

/// For how long a right password waits for its code, in seconds.
const LIFETIME: u32 = 300;

#[derive(Template)]
#[template(path = "sign_in_code.html")]
struct CodePage<'a> {
    frame: Frame,
    problem: Option<String>,
    token: String,
    proven: String,
    carried: Carried<'a>,
    /// Whether they have an authenticator application: else a code is a recovery code.
    authenticator: bool,
    passkey: Option<Asked>,
}

/// Whose password was right.
#[derive(Serialize, Deserialize)]
pub(super) struct PasswordProven {
    pub(super) user_id: UserId,
    expires_at: Timestamp,
}

impl PasswordProven {
    fn seal(&self, app: &App) -> String {
        app.dispatch.keys.carry(vault::Carried::PasswordProven, self)
    }

    pub(super) fn open(app: &App, sealed: &str) -> Option<Self> {
        let proven: Self = app.dispatch.keys.carried(vault::Carried::PasswordProven, sealed)?;
        (proven.expires_at > app.clock.now()).then_some(proven)
    }

    /// The browser in which it was, for this user: a passkey's signature is asked for here and for them.
    pub(super) fn browser(&self, visitor: &Visitor) -> String {
        format!("{}/{}", visitor.sign_in_token(), self.user_id)
    }
}

/// Asks for the second factor of somebody whose password was right just now.
pub(super) async fn show(visitor: &Visitor, purpose: &Purpose, user_id: UserId) -> Result<Response, Refused> {
    let expires_at = visitor.app.clock.now().plus(LIFETIME);
    ask(visitor, purpose, &PasswordProven { user_id, expires_at }, None).await
}

pub(super) async fn ask(
    visitor: &Visitor,
    purpose: &Purpose,
    proven: &PasswordProven,
    problem: Option<&Problem>,
) -> Result<Response, Refused> {
    let dispatch = &visitor.app.dispatch;
    let passkey = dispatch.ask_for_passkey_of(proven.user_id, &proven.browser(visitor)).await?;
    let script = if passkey.is_some() { Script::Passkey } else { Script::None };
    let template = CodePage {
        frame: visitor.frame_with(script),
        problem: problem.map(|problem| problem.words(visitor)),
        token: visitor.sign_in_token(),
        proven: proven.seal(&visitor.app),
        carried: purpose.carried(&visitor.app),
        authenticator: dispatch.second_factors(proven.user_id).await?.authenticator,
        passkey,
    };
    Ok(send(visitor, purpose, (&template, script), problem))
}

pub(in crate::http) async fn post(visitor: Visitor, source: Source, Form(parameters): Form) -> Result<Response, Refused> {
    visitor.check_origin()?;
    let purpose = Purpose::read(&visitor.app, &parameters)?;
    let proven = PasswordProven::open(&visitor.app, parameters.get("proven").unwrap_or_default());
    let Some(proven) = proven.filter(|_| visitor.sent_sign_in_form(&parameters)) else {
        return again(&visitor, &purpose, String::new(), &Problem::FormExpired).await;
    };
    let code = SecretString::from(parameters.get("code").unwrap_or_default());
    let accounts = Accounts::of(&visitor).await?;
    let (agent, existing) = (visitor.agent().map(str::to_owned), accounts.sessions().cloned().collect());
    let step = SecondStep { user_id: proven.user_id, code, source: source.0, agent, existing };
    match visitor.app.dispatch.sign_in_with_code(step).await {
        Ok(done) => welcome(&visitor, purpose, (&accounts, done)).await,
        Err(Refusal::Unavailable(unavailable)) => Err(unavailable.into()),
        Err(Refusal::Rule(refusal)) => ask(&visitor, &purpose, &proven, Some(&Problem::from(refusal))).await,
    }
}
