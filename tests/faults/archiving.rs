//! kill -9 of the process that moves old events into the archive, again and again under traffic: the next goes on where it was, and no reader
//! ever misses an event.

use std::{
    process::{Child, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use serde_json::Value;
use support::{
    Cluster, Kind,
    archive::{archived_server, grow_tree},
    both_stores,
    chance::numbers,
    sizes::kills,
    traffic::{all_events, history, issue_many},
};

use crate::{
    GRANTLOG,
    readers::{assert_log_begins_with, replayed},
};

both_stores! {
    a_killed_archiver_has_lost_nothing_and_the_next_goes_on,
    of_several_archivers_at_once_one_does_it,
}

/// Events that become old around each kill: some segments.
const EVENTS: usize = 700;
/// It is killed when it has made so many files at most, three a segment, and so long after the last of them.
const FILES: usize = 9;
const MOMENT: Duration = Duration::from_millis(60);

fn archiver(cluster: &Cluster) -> Child {
    cluster.command(&["log", "archive"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// How many files there are in the archive.
fn files(cluster: &Cluster) -> usize {
    std::fs::read_dir(cluster.app.store.folder().join("archive")).map_or(0, Iterator::count)
}

async fn a_killed_archiver_has_lost_nothing_and_the_next_goes_on(kind: Kind) {
    let cluster = Cluster::over(archived_server(kind, 0, |_| {}).await, GRANTLOG);
    let (log, first) = (&cluster.app.app.log, history(&cluster.app).await);
    let (head, replay) = (log.known_head(), replayed(&cluster.app, log.known_head()).await);
    let mut chance = numbers();
    for _ in 0..kills() {
        issue_many(&cluster.app.app, &first.client, EVENTS).await;
        grow_tree(&cluster.app.app).await;
        let events = all_events(log).await;
        let mut archiver = archiver(&cluster);
        let killed = AtomicBool::new(false);
        let killing = async {
            let until = files(&cluster) + chance.usize(0..=FILES);
            while archiver.try_wait().unwrap().is_none() && files(&cluster) < until {
                tokio::task::yield_now().await;
            }
            tokio::time::sleep(Duration::from_micros(chance.u64(0..MOMENT.as_micros() as u64))).await;
            let ended = archiver.try_wait().unwrap();
            archiver.kill().unwrap();
            archiver.wait().unwrap();
            killed.store(true, Ordering::Release);
            ended
        };
        let reading = async {
            while !killed.load(Ordering::Acquire) {
                issue_many(&cluster.app.app, &first.client, 10).await;
                assert_log_begins_with(log, &events).await;
            }
        };
        let (ended, ()) = tokio::join!(killing, reading);
        let segments = log.segments().await.unwrap().len();
        println!("killed with {segments} segments of {} events, ended before: {}", events.len(), ended.is_some());
        assert_log_begins_with(&cluster.app.another_node().await.log, &events).await;
    }
    grow_tree(&cluster.app.app).await;
    let (events, archived) = (all_events(log).await, cluster.run(&["log", "archive", "--json"]));
    assert!(archived.status.success(), "{}", String::from_utf8_lossy(&archived.stderr));
    let last = log.segments().await.unwrap().last().unwrap().last;
    assert!(last > log.known_head() - 300, "{last} of {} are archived", log.known_head());
    assert_log_begins_with(&cluster.app.another_node().await.log, &events).await;
    assert_eq!(replayed(&cluster.app, head).await, replay);
    let proven = cluster.run(&["audit", "prove", &head.to_string()]);
    assert!(proven.status.success(), "{}", String::from_utf8_lossy(&proven.stderr));
    let verifications =
        [&["audit", "verify-log"][..], &["log", "segments", "--verify"], &["projections", "verify", "--duty", "100"]];
    for verifying in verifications {
        let verified = cluster.run(verifying);
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    }
}

async fn of_several_archivers_at_once_one_does_it(kind: Kind) {
    let cluster = Cluster::over(archived_server(kind, 0, |_| {}).await, GRANTLOG);
    let (log, client) = (&cluster.app.app.log, cluster.app.ordinary_client().await);
    issue_many(&cluster.app.app, &client, 2_500).await;
    grow_tree(&cluster.app.app).await;
    let events = all_events(log).await;
    let archiving: Vec<_> = (0..3)
        .map(|_| cluster.command(&["log", "archive", "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
        .collect();
    let mut firsts = Vec::new();
    for archiver in archiving {
        let done = archiver.wait_with_output().unwrap();
        if done.status.success() {
            let done: Value = serde_json::from_slice(&done.stdout).unwrap();
            firsts.extend(done["segments"].as_array().unwrap().iter().map(|segment| segment["first"].as_i64().unwrap()));
        } else {
            let said = String::from_utf8(done.stderr).unwrap();
            assert!(done.status.code() == Some(3) && said.contains("try again"), "{said}");
        }
    }
    firsts.sort_unstable();
    let segments = log.segments().await.unwrap();
    assert_eq!(firsts, segments.iter().map(|segment| segment.first).collect::<Vec<_>>());
    assert!(segments.len() == 10, "{}", segments.len());
    assert_log_begins_with(&cluster.app.another_node().await.log, &events).await;
}
