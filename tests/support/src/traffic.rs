//! What happens at a provider, so that there is something to keep.

use std::net::{IpAddr, Ipv4Addr};

use crate::{PASSWORD, TestApp, TestClient, Tokens, USER};
use domain::Scope;
use futures_util::{StreamExt, stream};
use grantlog::{
    dispatch::{CurrentSession, FirstStep, IssueForClient, Presented, SignIn, SignedIn},
    log::{Actor, Log, StoredEvent},
    protocol::client_authentication::{ClientCredentials, ClientProof},
    state::App,
};
use serde_json::Value;

/// The address that tests come from.
pub const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A scope out of its text.
#[must_use]
pub fn scope(text: &str) -> Scope {
    text.parse().expect("the test's scope can be read")
}

/// A user signs in with `PASSWORD`.
pub async fn sign_in(app: &App, username: &str) -> SignedIn {
    let (username, password) = (username.to_owned(), PASSWORD.into());
    let request = SignIn { username, password, source: HERE, agent: None, existing: Vec::new() };
    match app.dispatch.sign_in(request).await.expect("the store answers") {
        FirstStep::SignedIn(done) => done.answer,
        FirstStep::SecondFactor(user) => panic!("{user} has a second factor"),
    }
}

/// A code for the client, approved in a session.
pub async fn code(app: &TestApp, client: &TestClient, session: &CurrentSession) -> String {
    app.code_of(&app.approval(session, client, "read write").await).await
}

/// Tokens of a new grant of the user's.
pub async fn grant(app: &TestApp, client: &TestClient, session: &CurrentSession) -> Tokens {
    let code = code(app, client, session).await;
    app.redeem(client, &code).await.assert_status(200).tokens()
}

/// The next tokens of a family.
pub async fn refreshed(app: &TestApp, client: &TestClient, tokens: &Tokens) -> Tokens {
    app.refresh(client, tokens.refresh_token()).await.assert_status(200).tokens()
}

/// What the log holds of this type of event, the first first.
pub async fn payloads(app: &TestApp, event_type: &str) -> Vec<Value> {
    let events = app.app.log.read(0, 1_000).await.expect("the store answers");
    let of_type = events.iter().filter(|event| event.event_type == event_type);
    of_type.map(|event| serde_json::from_str(&event.payload).expect("an event has a JSON form")).collect()
}

/// Many tokens for the client itself, some at a time.
pub async fn issue_many(app: &App, client: &TestClient, count: usize) {
    let proof = ClientProof::Basic(client.secret.clone());
    let credentials = ClientCredentials { identifier: client.identifier.clone(), proof };
    let client = app
        .dispatch
        .authenticate_client(&Presented { credentials, source: HERE, certificate: None })
        .await
        .expect("the store answers");
    let request = IssueForClient { client, scope: scope("read"), resource: None };
    stream::iter(0..count)
        .for_each_concurrent(64, |_| async {
            app.dispatch.client_credentials(&request).await.expect("the store answers");
        })
        .await;
}

/// What a store holds that was kept or ended in every way.
pub struct History {
    /// Enabled.
    pub client: TestClient,
    /// Of `USER`.
    pub signed_in: SignedIn,
    /// Active.
    pub own: Tokens,
    /// Active, refreshed twice.
    pub family: Tokens,
    /// The code is not redeemed.
    pub code: String,
    /// Inactive.
    pub dead: Vec<String>,
}

/// Issues, refreshes, revokes, disables and signs out.
pub async fn history(app: &TestApp) -> History {
    let (client, other) = (app.ordinary_client().await, app.ordinary_client().await);
    let signed_in = sign_in(&app.app, USER).await;
    let session = &signed_in.session;
    let own = app.token_of(&client, "read").await;
    let first = grant(app, &client, session).await;
    let second = refreshed(app, &client, &first).await;
    let family = refreshed(app, &client, &second).await;
    let mut dead = Vec::new();
    let replayed = grant(app, &client, session).await;
    refreshed(app, &client, &refreshed(app, &client, &replayed).await).await;
    app.refresh(&client, replayed.refresh_token()).await.assert_error(400, "invalid_grant");
    let revoked = app.token_of(&client, "read").await;
    app.revoke(&client, &revoked.access).await.assert_status(200);
    let ended = sign_in(&app.app, USER).await;
    let of_ended = grant(app, &client, &ended.session).await;
    app.app.dispatch.sign_out(&ended.session).await.expect("the store answers");
    let of_other = app.token_of(&other, "read").await;
    app.disable(other.id).await;
    dead.extend([replayed.access, revoked.access, of_ended.access, of_other.access]);
    app.app.dispatch.invite(Actor::Operator, 1, 3_600).await.expect("an application can be invited");
    let code = code(app, &client, session).await;
    History { client, signed_in, own, family, code, dead }
}

/// Every event of the log.
pub async fn all_events(log: &Log) -> Vec<StoredEvent> {
    let mut events: Vec<StoredEvent> = Vec::new();
    loop {
        let page = log.read(i64::try_from(events.len()).expect("a test's log is short"), 1000).await.expect("the store answers");
        if page.is_empty() {
            return events;
        }
        events.extend(page);
    }
}
