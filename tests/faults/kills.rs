//! kill -9 of a server under load: nothing that was acknowledged is missing, and nothing that was not is there by half.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use futures_util::future::{join, join_all};
use grantlog::log::StoredEvent;
use projections::on_db;
use support::{
    Cluster, Kind, Node, TestClient, both_stores,
    sizes::{ANSWERS, kills},
};

use crate::{
    GRANTLOG,
    load::{Told, issue_and_revoke, issue_until, refresh},
};

both_stores!(a_killed_server_has_lost_nothing_that_it_acknowledged);

/// Clients that issue and revoke, and clients that refresh, at once.
const CLIENTS: usize = 8;

async fn a_killed_server_has_lost_nothing_that_it_acknowledged(kind: Kind) {
    let cluster = Cluster::new(kind, GRANTLOG).await;
    let client = cluster.app.ordinary_client().await;
    for _ in 0..kills() {
        kill_once(&cluster, &client).await;
    }
    assert_log_is_whole(&cluster).await;
    let verified = cluster.run(&["projections", "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

async fn kill_once(cluster: &Cluster, client: &TestClient) {
    let acknowledged = kill_under_load(cluster, client, cluster.start()).await;
    assert_acknowledged(cluster, &cluster.start(), client, &acknowledged).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_one_of_two_servers_is_killed_the_other_goes_on_and_holds_what_both_acknowledged() {
    let cluster = Cluster::new(Kind::Postgres, GRANTLOG).await;
    let client = cluster.app.ordinary_client().await;
    let other = cluster.start();
    for _ in 0..kills() {
        let (killed, node) = (AtomicBool::new(false), cluster.start());
        let killing = async {
            let acknowledged = kill_under_load(&cluster, &client, node).await;
            killed.store(true, Ordering::Release);
            acknowledged
        };
        let going_on = join_all((0..CLIENTS).map(|_| issue_until(&cluster.app, other.address, &client, &killed)));
        let (acknowledged, of_other) = join(killing, going_on).await;
        assert_acknowledged(&cluster, &other, &client, &acknowledged).await;
        assert_active(&cluster, &other, &client, &of_other.concat()).await;
    }
    assert_log_is_whole(&cluster).await;
}

/// What clients were told until their server was killed: what was issued and revoked, and by each that refreshed, its last request and
/// its access tokens.
type Acknowledged = (Vec<Told>, Vec<(String, Vec<String>)>);

async fn kill_under_load(cluster: &Cluster, client: &TestClient, node: Node) -> Acknowledged {
    let (app, Node { process, address }) = (&cluster.app, node);
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
    join(join(join_all(issuing), join_all(refreshing)), killing).await.0
}

/// A node knows all of it, and a refresh whose answer was lost can be had from it.
async fn assert_acknowledged(cluster: &Cluster, node: &Node, client: &TestClient, (told, refreshed): &Acknowledged) {
    assert_told(cluster, node, client, told).await;
    for (last_sent, active) in refreshed {
        assert_active(cluster, node, client, active).await;
        cluster.app.refresh_at(node.address, client, last_sent).await.assert_status(200);
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

/// Positions and every stream's sequence have no gap, every stream's head is at its last event, and the events of a command stand together.
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
    let sql = "SELECT aggregate_type, aggregate_id, version FROM stream_head";
    let heads: Vec<(String, String, i64)> =
        on_db!(cluster.app.app.log.db(), pool => sqlx::query_as(sql).fetch_all(pool).await.unwrap());
    assert_eq!(heads.into_iter().map(|(kind, id, version)| ((kind, id), version)).collect::<HashMap<_, _>>(), sequences);
}
