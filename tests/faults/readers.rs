//! What the log tells those who read it.

use grantlog::{
    audit::{Bounds, RecordsDigest, Replay},
    log::{Log, StoredEvent},
};
use support::{TestApp, traffic::all_events};

/// The log holds these events, and after them others without a gap.
pub(crate) async fn assert_log_begins_with(log: &Log, events: &[StoredEvent]) {
    let found = all_events(log).await;
    assert!(found.len() >= events.len() && found[..events.len()] == *events);
    assert!((1..).zip(&found).all(|(position, event)| event.position == position));
}

/// The digest of all grants, as they were at a position.
pub(crate) async fn replayed(app: &TestApp, position: i64) -> String {
    let mut replayed = Replay::read(&app.app.log, position, Bounds::default(), &mut |_| {}).await.unwrap();
    let mut digest = RecordsDigest::default();
    while let Some(records) = replayed.next_grants().unwrap() {
        records.iter().for_each(|record| digest.add(record));
    }
    digest.finish()
}
