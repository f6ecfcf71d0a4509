//! kill -9 of a rebuild, a process of its own beside a server: the next goes on where it was, and nothing but its work was touched.

use std::process::Stdio;

use grantlog::log::rebuild::{GenerationState, status};
use serde_json::Value;
use support::{Cluster, Kind, both_stores, traffic::issue_many};

use crate::GRANTLOG;

both_stores!(a_rebuild_that_was_killed_is_gone_on_with_by_the_next);

/// More than two batches of a rebuild.
const EVENTS: usize = 2_500;

async fn a_rebuild_that_was_killed_is_gone_on_with_by_the_next(kind: Kind) {
    let cluster = Cluster::new(kind, GRANTLOG).await;
    let (app, client) = (&cluster.app, cluster.app.ordinary_client().await);
    issue_many(&app.app, &client, EVENTS).await;
    let mut rebuild = cluster.command(&["projections", "rebuild", "--duty", "1"]);
    let mut rebuild = rebuild.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let left = loop {
        let all = status(&app.app.log).await.unwrap();
        let built = all.iter().filter(|row| row.state == GenerationState::Building).map(|row| row.position).max();
        match built {
            Some(position) if position > 0 => break position,
            Some(_) | None => assert!(rebuild.try_wait().unwrap().is_none(), "it ended before it was killed"),
        }
    };
    rebuild.kill().unwrap();
    rebuild.wait().unwrap();
    issue_many(&app.app, &client, 50).await;
    let next = cluster.run(&["projections", "rebuild", "--duty", "100", "--json"]);
    assert!(next.status.success(), "{}", String::from_utf8_lossy(&next.stderr));
    let next: Value = serde_json::from_slice(&next.stdout).unwrap();
    assert!(next["from"].as_i64().unwrap() >= left, "{next}");
    assert_eq!(next["equal"], true);
    let verified = cluster.run(&["projections", "verify", "--duty", "100"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}
