//! A broker that has nothing yet, and a log whose beginning is archived: the stream is the log; where a file of the archive is not what it was, it
//! ends there, and goes on when the file is put back.

use std::fs;

use grantlog::follow::relay::Relay;
use support::{
    Kind, NatsServer,
    archive::{SEGMENT, archive_all, archived_server},
    both_stores,
    traffic::{history, issue_many},
};

use crate::stream::{assert_is_the_log, end_of, relay_to};

both_stores!(a_log_that_is_archived_is_relayed_as_far_as_its_files_are_what_they_were);

async fn a_log_that_is_archived_is_relayed_as_far_as_its_files_are_what_they_were(kind: Kind) {
    let nats = NatsServer::start();
    let app = archived_server(kind, 0, relay_to(&nats)).await;
    let first = history(&app).await;
    issue_many(&app.app, &first.client, 2_000).await;
    let done = archive_all(&app.app).await;
    assert!(done.segments.len() > 6 && done.dropped > 0);
    let damaged = 2 * i64::from(SEGMENT);
    let file = app.store.folder().join(format!("archive/{:020}.jsonl.zst", damaged + 1));
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();

    let relay = tokio::spawn(Relay::new(app.another_node().await).run());
    while end_of(&nats).await < damaged {
        tokio::task::yield_now().await;
    }
    issue_many(&app.app, &first.client, 20).await;
    assert_eq!(end_of(&nats).await, damaged);
    fs::write(&file, &whole).unwrap();
    assert_is_the_log(&nats, &app.app).await;
    relay.abort();
}
