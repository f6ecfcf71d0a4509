//! Clients are told of the ends of sign-ins (OpenID Connect Back-Channel Logout 1.0), whatever is killed while it tells them, and by one node of
//! several.

use std::{
    fs,
    time::{Duration, Instant},
};

use domain::SessionId;
use serde_json::{Value, json};
use support::{Cluster, Kind, LogoutReceiver, Node, REDIRECT_URI, TestClient, both_stores, sizes::kills};

use crate::GRANTLOG;

both_stores!(what_a_killed_server_was_telling_is_told_by_the_next);

/// Sign-ins that end while two servers run.
const ENDS: usize = 20;

async fn cluster(kind: Kind, receiver: &LogoutReceiver) -> (Cluster, TestClient) {
    let cluster = Cluster::new(kind, GRANTLOG).await;
    fs::write(cluster.app.store.folder().join("fetch.toml"), "[fetch]\nprivate_hosts = [\"127.0.0.1\"]\n").unwrap();
    let metadata = json!({"redirect_uris": [REDIRECT_URI], "scope": "openid", "backchannel_logout_uri": receiver.url});
    let client = cluster.app.client(metadata).await;
    (cluster, client)
}

fn start(cluster: &Cluster) -> Node {
    cluster.start_with(&[("GRANTLOG_CONFIG", "fetch.toml")])
}

/// Somebody signs in, lets the client know who they are, and signs out.
async fn sign_in_and_out(cluster: &Cluster, client: &TestClient) -> SessionId {
    let app = &cluster.app;
    let session = app.sign_in().await;
    let code = app.code_of(&app.approval(&session, client, "openid").await).await;
    app.redeem(client, &code).await.assert_status(200);
    app.app.dispatch.sign_out(&session).await.unwrap();
    session.id
}

/// Waits until the log says that the client acknowledged the end of a sign-in.
async fn acknowledged(cluster: &Cluster, session: SessionId) -> usize {
    let begun = Instant::now();
    loop {
        let events = cluster.app.app.log.history(&["session"], session.uuid(), 0, 100).await.unwrap();
        let notices: Vec<_> = events.iter().filter(|event| event.event_type == "session.client_notified").collect();
        if !notices.is_empty() {
            let told = |payload: &str| serde_json::from_str::<Value>(payload).unwrap()["notice"]["outcome"] == "acknowledged";
            assert!(notices.iter().all(|event| told(&event.payload)));
            return notices.len();
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "the client is not told");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn what_a_killed_server_was_telling_is_told_by_the_next(kind: Kind) {
    let receiver = LogoutReceiver::start().await;
    let (cluster, client) = cluster(kind, &receiver).await;
    let mut node = start(&cluster);
    for _ in 0..kills() {
        let told = receiver.told().len();
        let held = receiver.hold().await;
        let session = sign_in_and_out(&cluster, &client).await;
        receiver.wait_for(told + 1).await;
        // It was told, and nobody knows that it heard.
        node.process.kill();
        drop(held);
        node = start(&cluster);
        receiver.wait_for(told + 2).await;
        acknowledged(&cluster, session).await;
    }
    // A row goes a moment after its event has come.
    let begun = Instant::now();
    while !cluster.app.app.log.pending_notices(1).await.unwrap().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(60), "something is still pending");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_servers_one_tells_and_the_other_goes_on_where_it_is_killed() {
    let receiver = LogoutReceiver::start().await;
    let (cluster, client) = cluster(Kind::Postgres, &receiver).await;
    let (first, second) = (start(&cluster), start(&cluster));
    for _ in 0..ENDS {
        let session = sign_in_and_out(&cluster, &client).await;
        assert_eq!(acknowledged(&cluster, session).await, 1);
    }
    assert_eq!(receiver.told().len(), ENDS, "each once");
    first.process.kill();
    let session = sign_in_and_out(&cluster, &client).await;
    acknowledged(&cluster, session).await;
    drop(second);
}
