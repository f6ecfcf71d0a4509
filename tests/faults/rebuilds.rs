//! kill -9 of a rebuild, a process of its own beside a server, again and again under traffic: the next goes on where it was, and nothing but its
//! work was touched.

use std::{
    process::Stdio,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use grantlog::{
    log::rebuild::{GenerationState, all_names, status},
    state::App,
};
use serde_json::Value;
use support::{
    Cluster, Kind, both_stores,
    chance::numbers,
    sizes::kills,
    traffic::{history, issue_many, refreshed},
};

use crate::GRANTLOG;

both_stores! {
    a_rebuild_that_was_killed_is_gone_on_with_by_the_next,
    a_rebuild_that_is_killed_at_any_moment_under_traffic_harms_nothing,
}

/// More than two batches of a rebuild.
const EVENTS: usize = 2_500;
/// So long after it was started it is killed at most.
const MOMENT: Duration = Duration::from_millis(600);

/// How far the generations have come that are being built; `None` also where some of them are live already, each by a transaction of its own:
/// those that are left are built anew with the others.
async fn built(app: &App) -> Option<i64> {
    let all = status(&app.log).await.unwrap();
    let building: Vec<i64> = all.iter().filter(|row| row.state == GenerationState::Building).map(|row| row.position).collect();
    if building.len() == all_names().len() { building.into_iter().max() } else { None }
}

async fn a_rebuild_that_was_killed_is_gone_on_with_by_the_next(kind: Kind) {
    let cluster = Cluster::new(kind, GRANTLOG).await;
    let (app, client) = (&cluster.app, cluster.app.ordinary_client().await);
    issue_many(&app.app, &client, EVENTS).await;
    let mut rebuild = cluster.command(&["projections", "rebuild", "--duty", "1"]);
    let mut rebuild = rebuild.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let left = loop {
        match built(&app.app).await {
            Some(position) if position > 0 => break position,
            Some(_) | None => assert!(rebuild.try_wait().unwrap().is_none(), "it ended before it was killed"),
        }
    };
    rebuild.kill().unwrap();
    rebuild.wait().unwrap();
    issue_many(&app.app, &client, 50).await;
    assert_goes_on_from(&cluster, left);
}

async fn a_rebuild_that_is_killed_at_any_moment_under_traffic_harms_nothing(kind: Kind) {
    let cluster = Cluster::new(kind, GRANTLOG).await;
    let app = &cluster.app;
    let mut first = history(app).await;
    issue_many(&app.app, &first.client, EVENTS).await;
    let (mut chance, mut left) = (numbers(), None);
    for _ in 0..kills() {
        let mut rebuild = cluster.command(&["projections", "rebuild", "--duty", "50"]);
        let mut rebuild = rebuild.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let killed = AtomicBool::new(false);
        let killing = async {
            tokio::time::sleep(Duration::from_micros(chance.u64(0..MOMENT.as_micros() as u64))).await;
            rebuild.kill().unwrap();
            rebuild.wait().unwrap();
            killed.store(true, Ordering::Release);
        };
        let going_on = async {
            let mut family = first.family.clone();
            while !killed.load(Ordering::Acquire) {
                issue_many(&app.app, &first.client, 20).await;
                family = refreshed(app, &first.client, &family).await;
                assert!(app.is_active(&first.client, &family.access).await);
            }
            family
        };
        ((), first.family) = tokio::join!(killing, going_on);
        left = built(&app.app).await;
        println!("killed at {left:?} of {}", app.app.log.known_head());
        for token in &first.dead {
            assert!(!app.is_active(&first.client, token).await);
        }
    }
    assert_goes_on_from(&cluster, left.unwrap_or_default());
}

/// The next rebuild is equal, as all read models are afterwards.
fn assert_goes_on_from(cluster: &Cluster, left: i64) {
    let next = cluster.run(&["projections", "rebuild", "--duty", "100", "--json"]);
    assert!(next.status.success(), "{}", String::from_utf8_lossy(&next.stderr));
    let next: Value = serde_json::from_slice(&next.stdout).unwrap();
    assert!(next["from"].as_i64().unwrap() >= left, "{next}");
    assert_eq!(next["equal"], true);
    let verified = cluster.run(&["projections", "verify", "--duty", "100"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}
