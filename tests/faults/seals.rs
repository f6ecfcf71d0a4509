//! kill -9 of a server while it grows the tree over the log: the next goes on where it was, and all that was ever signed stays true.

use std::time::Duration;

use serde_json::Value;
use support::{Cluster, Kind, both_stores, chance::numbers, sizes::kills, traffic::issue_many};

use crate::GRANTLOG;

both_stores!(a_killed_sealer_has_signed_nothing_that_is_not_so);

/// Events that are taken in around each kill.
const EVENTS: usize = 1_200;
/// So long after it began it is killed at most.
const MOMENT: Duration = Duration::from_millis(300);
const CHECKPOINT: &str = "kept";

async fn a_killed_sealer_has_signed_nothing_that_is_not_so(kind: Kind) {
    let cluster = Cluster::new(kind, GRANTLOG).await;
    let (app, client) = (&cluster.app, cluster.app.ordinary_client().await);
    let start = || cluster.start_with(&[("GRANTLOG_TRANSPARENCY__CHECKPOINT_FILE", CHECKPOINT)]);
    let file = app.store.folder().join(CHECKPOINT);
    let (mut chance, mut signed) = (numbers(), Vec::new());
    for _ in 0..kills() {
        issue_many(&app.app, &client, EVENTS).await;
        let pause = Duration::from_micros(chance.u64(0..MOMENT.as_micros() as u64));
        let node = start();
        tokio::time::sleep(pause).await;
        tokio::task::spawn_blocking(|| node.process.kill()).await.unwrap();
        let sealed = app.app.log.sealed().await.unwrap();
        println!("killed when {} of {} events were taken in", sealed.position, app.app.log.known_head());
        signed.extend(sealed.signed.map(|(_, note)| note));
        signed.extend(std::fs::read_to_string(&file).ok());
    }
    let node = start();
    while app.app.log.sealed().await.unwrap().signed.is_none_or(|(size, _)| size < app.app.log.known_head()) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(node.process.terminate(), 0);
    let (head, report) = (app.app.log.head().await.unwrap(), cluster.run(&["audit", "verify-log", "--json"]));
    assert!(report.status.success(), "{}", String::from_utf8_lossy(&report.stderr));
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    assert_eq!((&report["count"], &report["signed"]), (&0.into(), &head.into()));
    signed.push(std::fs::read_to_string(&file).unwrap());
    let report = app.app.transparency.verify_log(&signed, &mut |_, _| {}).await.unwrap();
    assert_eq!((report.count, report.unsigned), (0, 0));
}
