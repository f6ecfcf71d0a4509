//! What clients do while a server is killed, and what each of them was told.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use support::{Answer, TestApp, TestClient};

/// What was acknowledged, token by token.
#[derive(Default)]
pub(crate) struct Told {
    /// Issued, and nobody asked for their end.
    pub(crate) active: Vec<String>,
    /// Their revocation was acknowledged.
    pub(crate) revoked: Vec<String>,
}

/// Gets tokens for the client itself and revokes every other, until the server is gone. What was asked for and not answered is in neither
/// list: it may have come about or not.
pub(crate) async fn issue_and_revoke(app: &TestApp, node: SocketAddr, client: &TestClient, answers: &AtomicUsize) -> Told {
    let mut told = Told::default();
    for number in 0.. {
        let form = [("grant_type", "client_credentials"), ("scope", "read")];
        let Some(answer) = app.try_post_to(node, client, ("/o/token/", &form)).await else { break };
        let token = issued(&answer);
        answers.fetch_add(1, Ordering::Relaxed);
        if number % 2 == 0 {
            told.active.push(token);
            continue;
        }
        let Some(answer) = app.try_post_to(node, client, ("/o/revoke_token/", &[("token", &token)])).await else { break };
        answer.assert_status(200);
        answers.fetch_add(1, Ordering::Relaxed);
        told.revoked.push(token);
    }
    told
}

/// Gets tokens for the client itself until `enough`, and one more: every one of them is issued.
pub(crate) async fn issue_until(app: &TestApp, node: SocketAddr, client: &TestClient, enough: &AtomicBool) -> Vec<String> {
    let mut tokens = Vec::new();
    loop {
        let last = enough.load(Ordering::Acquire);
        let form = [("grant_type", "client_credentials"), ("scope", "read")];
        tokens.push(issued(&app.post_to(node, client, ("/o/token/", &form)).await));
        if last {
            return tokens;
        }
    }
}

/// Refreshes one token after the other until the server is gone; gives the one that was sent last, and the access tokens.
pub(crate) async fn refresh(app: &TestApp, node: SocketAddr, client: &TestClient, first: String) -> (String, Vec<String>) {
    let (mut token, mut active) = (first, Vec::new());
    loop {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
        let Some(answer) = app.try_post_to(node, client, ("/o/token/", &form)).await else { return (token, active) };
        active.push(issued(&answer));
        answer.tokens().refresh_token().clone_into(&mut token);
    }
}

fn issued(answer: &Answer) -> String {
    answer.clone().assert_status(200).tokens().access
}
