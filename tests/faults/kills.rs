//! kill -9 of a server under load: nothing that was acknowledged is missing, and nothing that was not is there by half.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use futures_util::future::{join, join_all};
use grantlog::log::StoredEvent;
use support::{Kind, TestClient, both_stores};

use crate::{
    load::{Told, issue_and_revoke, refresh},
    nodes::{Cluster, Node},
    sizes::{ANSWERS, kills},
};

both_stores!(a_killed_server_has_lost_nothing_that_it_acknowledged);

/// Clients that issue and revoke, and clients that refresh, at once.
const CLIENTS: usize = 8;

async fn a_killed_server_has_lost_nothing_that_it_acknowledged(kind: Kind) {
    let cluster = Cluster::new(kind).await;
    let client = cluster.app.ordinary_client().await;
    for _ in 0..kills() {
        kill_once(&cluster, &client).await;
    }
    assert_log_is_whole(&cluster).await;
    let verified = cluster.run(&["projections", "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

async fn kill_once(cluster: &Cluster, client: &TestClient) {
    let app = &cluster.app;
    let Node { process, address } = cluster.start();
    let mut refreshing = Vec::new();
    let session = app.sign_in().await;
    for _ in 0..CLIENTS {
        let code = app.code_of(&app.approval(&session, client, "read").await).await;
        let tokens = app.redeem(client, &code).await.assert_status(200).tokens();
        refreshing.push(refresh(app, address, client, tokens.refresh_token().to_owned()));
    }
    let answers = AtomicUsize::new(0);
    let issuing = (0..CLIENTS).map(|_| issue_and_revoke(app, address, client, &answers));
    let killing = async {
        while answers.load(Ordering::Relaxed) < ANSWERS {
            tokio::task::yield_now().await;
        }
        tokio::task::spawn_blocking(|| process.kill()).await.unwrap();
    };
    let ((told, refreshed), ()) = join(join(join_all(issuing), join_all(refreshing)), killing).await;
    let node = cluster.start();
    assert_told(cluster, &node, client, &told).await;
    for (last_sent, active) in refreshed {
        assert_active(cluster, &node, client, &active).await;
        app.refresh_at(node.address, client, &last_sent).await.assert_status(200);
    }
}

async fn assert_told(cluster: &Cluster, node: &Node, client: &TestClient, told: &[Told]) {
    for told in told {
        assert_active(cluster, node, client, &told.active).await;
        for token in &told.revoked {
            let answer = cluster.app.introspect_at(node.address, client, token).await.assert_status(200);
            assert_eq!(answer.json()["active"], false, "a revoked token is active again");
        }
    }
}

async fn assert_active(cluster: &Cluster, node: &Node, client: &TestClient, tokens: &[String]) {
    for token in tokens {
        let answer = cluster.app.introspect_at(node.address, client, token).await.assert_status(200);
        assert_eq!(answer.json()["active"], true, "an issued token is missing");
    }
}

/// Positions and every stream's sequence have no gap, and the events of a command stand together.
async fn assert_log_is_whole(cluster: &Cluster) {
    let (mut position, mut sequences) = (0, HashMap::<(String, String), i64>::new());
    let mut commands = HashMap::<String, i64>::new();
    loop {
        let events: Vec<StoredEvent> = cluster.app.app.log.read(position, 1000).await.unwrap();
        let Some(last) = events.last() else { break };
        let end = last.position;
        for event in events {
            position += 1;
            assert_eq!(event.position, position);
            let sequence = sequences.entry((event.aggregate_type, event.aggregate_id)).or_default();
            *sequence += 1;
            assert_eq!(event.sequence, *sequence);
            if let Some(before) = commands.insert(event.command_id, position) {
                assert_eq!(before, position - 1, "a command's events stand together");
            }
        }
        assert_eq!(position, end);
    }
}
