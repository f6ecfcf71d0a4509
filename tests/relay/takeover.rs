//! Two servers relay over one store: whichever is killed, or held past its lease, each message is in the stream once and at its place.

use std::{net::SocketAddr, time::Duration};

use projections::on_db;
use support::{
    Cluster, Kind, NatsServer, Node, both_stores,
    chance::numbers,
    sizes::kills,
    traffic::{history, issue_many},
};

use crate::{
    GRANTLOG,
    stream::{assert_is_the_log, end_of},
};

both_stores!(of_two_relaying_servers_either_may_be_killed);

/// Tokens issued around each kill.
const TOKENS: usize = 300;
/// Ends the connection that holds the relay's lease, as a store does that takes a node for dead.
const TAKE_LEASE: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_locks \
     WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND objid::bigint = hashtext('relay')::bigint & 4294967295 \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// Waits until the stream ends at a position, or later.
async fn ends_at(nats: &NatsServer, position: i64) {
    while end_of(nats).await < position {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn of_two_relaying_servers_either_may_be_killed(kind: Kind) {
    let nats = NatsServer::start();
    let cluster = Cluster::new(kind, GRANTLOG).await;
    let url = nats.url();
    let client = cluster.app.ordinary_client().await;
    let mut chance = numbers();
    let start = || cluster.start_with(&[("NATS_URL", &url)]);
    let mut nodes = vec![start(), start()];
    for _ in 0..kills() {
        let (killed, until) = (nodes.swap_remove(chance.usize(0..2)), end_of(&nats).await + chance.i64(1..=TOKENS as i64));
        let issuing = issue_many(&cluster.app.app, &client, TOKENS);
        let killing = async {
            ends_at(&nats, until).await;
            tokio::task::spawn_blocking(|| killed.process.kill()).await.unwrap();
        };
        tokio::join!(issuing, killing);
        nodes.push(start());
    }
    history(&cluster.app).await;
    assert_is_the_log(&nats, &cluster.app.app).await;
}

/// The one of two that relays, once both know which.
async fn leader(cluster: &Cluster, nodes: &[Node; 2]) -> usize {
    loop {
        match (leads(cluster, nodes[0].address).await, leads(cluster, nodes[1].address).await) {
            (true, false) => return 0,
            (false, true) => return 1,
            (true, true) | (false, false) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn leads(cluster: &Cluster, address: SocketAddr) -> bool {
    let metrics = cluster.app.http.get(format!("http://{address}/metrics")).send().await.unwrap().text().await.unwrap();
    metrics.lines().any(|line| line == "grantlog_follower_leads{follower=\"relay\"} 1")
}

async fn until_it_leads(cluster: &Cluster, address: SocketAddr) {
    while !leads(cluster, address).await {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_was_held_past_its_lease_finds_the_broker_further_and_gives_way() {
    let nats = NatsServer::start();
    let cluster = Cluster::new(Kind::Postgres, GRANTLOG).await;
    let url = nats.url();
    let client = cluster.app.ordinary_client().await;
    let mut chance = numbers();
    let nodes = [(); 2].map(|()| cluster.start_with(&[("NATS_URL", &url)]));
    let mut taken = 0;
    for _ in 0..kills() {
        let (leader, until) = (leader(&cluster, &nodes).await, end_of(&nats).await + chance.i64(1..=TOKENS as i64));
        let issuing = issue_many(&cluster.app.app, &client, TOKENS);
        let holding = async {
            ends_at(&nats, until).await;
            // What it has read and not sent goes out when it wakes: too late.
            nodes[leader].process.hold();
        };
        tokio::join!(issuing, holding);
        let ended: i64 = on_db!(cluster.app.app.log.db(), pool => sqlx::query_scalar(TAKE_LEASE).fetch_one(pool).await).unwrap();
        // None where the leader gave it up by itself just then: what one sent that woke from being held was in its way.
        taken += ended;
        ends_at(&nats, cluster.app.app.log.head().await.unwrap()).await;
        // The held one may have sent all that there was: then the other is not its heir yet.
        until_it_leads(&cluster, nodes[1 - leader].address).await;
        let going_on = issue_many(&cluster.app.app, &client, TOKENS);
        let waking = async { nodes[leader].process.go_on() };
        tokio::join!(waking, going_on);
        ends_at(&nats, cluster.app.app.log.head().await.unwrap()).await;
    }
    assert!(taken > 0);
    history(&cluster.app).await;
    assert_is_the_log(&nats, &cluster.app.app).await;
}
