//! Races over two server processes on one PostgreSQL: one success, one successor, and nothing that outlives its end.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use futures_util::future::{join, join_all};
use grantlog::{dispatch::CurrentSession, log::Actor};
use serde_json::json;
use support::{
    Answer, Cluster, Kind, TestApp, TestClient,
    sizes::{AT_ONCE, rounds},
};

use crate::GRANTLOG;

/// What ends all that a client holds of a user.
#[derive(Clone, Copy, Debug)]
enum End {
    ClientDisabled,
    UserLocked,
    ConsentWithdrawn,
    SignedOut,
    PasswordSet,
}

/// Chains of a code and its refreshes that are under way while something ends.
const CHAINS: usize = 4;
/// Answers that a race waits for before it ends what they stand on.
const ANSWERS: usize = 12;
/// The longest that they may take.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_redemptions_of_a_code_one_succeeds_and_the_replays_revoke_it() {
    let cluster = Cluster::new(Kind::Postgres, GRANTLOG).await;
    let (app, nodes) = (&cluster.app, [cluster.start(), cluster.start()]);
    let (client, session) = (app.ordinary_client().await, app.sign_in().await);
    for round in 0..rounds() {
        let code = app.code_of(&app.approval(&session, &client, "read").await).await;
        let uses = (0..AT_ONCE).map(|number| app.redeem_at(nodes[number % 2].address, &client, &code));
        let (succeeded, refused): (Vec<_>, Vec<_>) = join_all(uses).await.into_iter().partition(|answer| answer.status == 200);
        assert_eq!(succeeded.len(), 1, "round {round}");
        for answer in refused {
            answer.assert_error(400, "invalid_grant");
        }
        let tokens = succeeded[0].tokens();
        for node in &nodes {
            assert_inactive(app, node.address, &client, &tokens.access).await;
            assert_inactive(app, node.address, &client, tokens.refresh_token()).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_polls_of_a_device_that_was_let_in_one_succeeds_and_nothing_is_revoked() {
    let cluster = Cluster::new(Kind::Postgres, GRANTLOG).await;
    let (app, nodes) = (&cluster.app, [cluster.start(), cluster.start()]);
    let client = app.device_client().await;
    for round in 0..rounds() {
        let device = app.device(&client, "read").await;
        app.let_in(&device).await;
        let polls = (0..AT_ONCE).map(|number| app.poll_at(nodes[number % 2].address, &client, &device));
        let (succeeded, refused): (Vec<_>, Vec<_>) = join_all(polls).await.into_iter().partition(|answer| answer.status == 200);
        assert_eq!(succeeded.len(), 1, "round {round}");
        for answer in refused {
            answer.assert_error(400, "invalid_grant");
        }
        let tokens = succeeded[0].tokens();
        assert!(app.is_active(&client, &tokens.access).await, "round {round}");
        app.refresh_at(nodes[round % 2].address, &client, tokens.refresh_token()).await.assert_status(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_refreshes_of_a_token_all_give_the_same_successor() {
    let cluster = Cluster::new(Kind::Postgres, GRANTLOG).await;
    let (app, nodes) = (&cluster.app, [cluster.start(), cluster.start()]);
    let (client, session) = (app.ordinary_client().await, app.sign_in().await);
    for round in 0..rounds() {
        let code = app.code_of(&app.approval(&session, &client, "read").await).await;
        let tokens = app.redeem(&client, &code).await.assert_status(200).tokens();
        let tries = (0..AT_ONCE).map(|number| app.refresh_at(nodes[number % 2].address, &client, tokens.refresh_token()));
        let answers: Vec<_> = join_all(tries).await.into_iter().map(|answer| answer.assert_status(200)).collect();
        assert!(answers.iter().all(|answer| answer.body == answers[0].body), "round {round}: there is one successor");
        let successor = answers[0].tokens();
        app.refresh_at(nodes[round % 2].address, &client, successor.refresh_token()).await.assert_status(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn once_an_end_is_acknowledged_no_token_is_active_whenever_it_was_issued() {
    let cluster = Cluster::new(Kind::Postgres, GRANTLOG).await;
    let (app, nodes) = (&cluster.app, [cluster.start(), cluster.start()]);
    let addresses = [nodes[0].address, nodes[1].address];
    let server = app.client(json!({"grant_types": ["client_credentials"], "scope": "introspection"})).await;
    for _ in 0..rounds() {
        for end in [End::ClientDisabled, End::UserLocked, End::ConsentWithdrawn, End::SignedOut, End::PasswordSet] {
            let (client, session) = (app.ordinary_client().await, app.sign_in().await);
            let tokens = race(app, addresses, (&client, &session), end).await;
            assert!(tokens.len() >= ANSWERS, "{end:?}: there was something to race against");
            for (number, token) in tokens.iter().enumerate() {
                assert_inactive(app, addresses[number % 2], &server, token).await;
                assert_inactive(app, addresses[(number + 1) % 2], &server, token).await;
            }
        }
    }
}

/// Lets chains run on both nodes until `end` is acknowledged in their midst; gives every access token that was issued.
async fn race(app: &TestApp, nodes: [SocketAddr; 2], (client, session): (&TestClient, &CurrentSession), end: End) -> Vec<String> {
    let (issued, ended) = (tokio::sync::Mutex::new(Vec::new()), AtomicBool::new(false));
    let mut chains = Vec::new();
    for number in 0..CHAINS {
        let code = app.code_of(&app.approval(session, client, "read").await).await;
        chains.push(chain(app, nodes, client, (number, code), (&issued, &ended)));
    }
    let ending = async {
        let begun = Instant::now();
        while issued.lock().await.len() < ANSWERS {
            assert!(begun.elapsed() < PATIENCE, "nothing is under way");
            tokio::task::yield_now().await;
        }
        carry_out(app, (client, session), end).await;
        ended.store(true, Ordering::Release);
    };
    join(join_all(chains), ending).await;
    issued.into_inner()
}

/// Redeems a code and refreshes, on one node after the other, until it is refused or all has ended.
async fn chain(
    app: &TestApp,
    nodes: [SocketAddr; 2],
    client: &TestClient,
    (number, code): (usize, String),
    (issued, ended): (&tokio::sync::Mutex<Vec<String>>, &AtomicBool),
) {
    let mut answer = app.redeem_at(nodes[number % 2], client, &code).await;
    for step in number.. {
        if answer.status != 200 {
            assert_refused(&answer);
            return;
        }
        let tokens = answer.tokens();
        issued.lock().await.push(tokens.access.clone());
        if ended.load(Ordering::Acquire) {
            return;
        }
        answer = app.refresh_at(nodes[step % 2], client, tokens.refresh_token()).await;
    }
}

fn assert_refused(answer: &Answer) {
    let error = answer.json()["error"].as_str().map(str::to_owned);
    assert!(matches!(error.as_deref(), Some("invalid_grant" | "invalid_client")), "{answer:?}");
}

async fn carry_out(app: &TestApp, (client, session): (&TestClient, &CurrentSession), end: End) {
    let dispatch = &app.app.dispatch;
    match end {
        End::ClientDisabled => app.disable(client.id).await,
        End::UserLocked => {
            dispatch.lock_user(Actor::Operator, app.user).await.unwrap();
            // Nothing is revived by it; the next round signs in again.
            dispatch.unlock_user(Actor::Operator, app.user).await.unwrap();
        }
        End::ConsentWithdrawn => app.withdraw_consent(client).await,
        End::SignedOut => drop(dispatch.sign_out(session).await.unwrap()),
        End::PasswordSet => drop(dispatch.set_password(Actor::Operator, app.user, support::PASSWORD.into()).await.unwrap()),
    }
}

async fn assert_inactive(app: &TestApp, node: SocketAddr, caller: &TestClient, token: &str) {
    let answer = app.introspect_at(node, caller, token).await.assert_status(200);
    assert_eq!(answer.body, r#"{"active":false}"#);
}
