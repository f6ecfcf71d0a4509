//! kill -9 of the server that relays, in the middle of it: the stream is the log all the same.

use std::time::Duration;

use support::{
    Cluster, Kind, NatsServer, both_stores,
    chance::numbers,
    sizes::kills,
    traffic::{history, issue_many},
};

use crate::{
    GRANTLOG,
    stream::{assert_is_the_log, end_of},
};

both_stores!(a_killed_relay_has_left_out_nothing_and_repeated_nothing);

/// Tokens issued around each kill.
const TOKENS: usize = 400;
/// So long after a message it is killed at most: with others under way.
const MOMENT: Duration = Duration::from_millis(5);

async fn a_killed_relay_has_left_out_nothing_and_repeated_nothing(kind: Kind) {
    let nats = NatsServer::start();
    let cluster = Cluster::new(kind, GRANTLOG).await;
    let url = nats.url();
    let client = cluster.app.ordinary_client().await;
    let mut chance = numbers();
    for _ in 0..kills() {
        let until = end_of(&nats).await + chance.i64(1..=TOKENS as i64);
        let pause = Duration::from_micros(chance.u64(0..MOMENT.as_micros() as u64));
        let node = cluster.start_with(&[("NATS_URL", &url)]);
        // It relays while these come.
        let issuing = issue_many(&cluster.app.app, &client, TOKENS);
        let killing = async {
            while end_of(&nats).await < until {
                tokio::task::yield_now().await;
            }
            tokio::time::sleep(pause).await;
            tokio::task::spawn_blocking(|| node.process.kill()).await.unwrap();
            println!("killed at {} of {}", end_of(&nats).await, cluster.app.app.log.known_head());
        };
        tokio::join!(issuing, killing);
    }
    history(&cluster.app).await;
    let _node = cluster.start_with(&[("NATS_URL", &url)]);
    assert_is_the_log(&nats, &cluster.app.app).await;
}
