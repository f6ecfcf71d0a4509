//! kill -9 of the server that relays, in the middle of it: the stream is the log all the same.

use std::time::Duration;

use support::{
    Cluster, Kind, NatsServer, both_stores,
    sizes::kills,
    traffic::{history, issue_many},
};

use crate::{GRANTLOG, stream::assert_is_the_log};

both_stores!(a_killed_relay_has_left_out_nothing_and_repeated_nothing);

/// Tokens issued around each kill.
const TOKENS: usize = 400;

async fn a_killed_relay_has_left_out_nothing_and_repeated_nothing(kind: Kind) {
    let nats = NatsServer::start();
    let cluster = Cluster::new(kind, GRANTLOG).await;
    let url = nats.url();
    let client = cluster.app.ordinary_client().await;
    for kill in 0..kills() {
        let node = cluster.start_with(&[("NATS_URL", &url)]);
        // It relays while these come; where it is killed among them changes from one time to the next.
        let issuing = issue_many(&cluster.app.app, &client, TOKENS);
        let killing = async {
            tokio::time::sleep(Duration::from_millis(20 + 13 * (kill as u64 % 17))).await;
            tokio::task::spawn_blocking(|| node.process.kill()).await.unwrap();
        };
        tokio::join!(issuing, killing);
    }
    history(&cluster.app).await;
    let _node = cluster.start_with(&[("NATS_URL", &url)]);
    assert_is_the_log(&nats, &cluster.app.app).await;
}
