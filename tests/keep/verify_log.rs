//! Whatever is changed in the log behind the program's back is found, and its position is named.

use grantlog::follow::transparency::{Difference, Difference::*, Report, VerifyError};
use support::{Kind, TestApp, both_stores, traffic::issue_many};

use crate::transparency::grow;

both_stores! {
    a_log_that_nobody_touched_is_what_was_signed,
    a_changed_column_is_found_at_its_position,
    what_is_changed_before_it_is_in_the_tree_is_found,
    a_deleted_row_is_found_at_its_position,
    a_deleted_row_is_found_though_all_after_it_were_moved_up,
    an_inserted_row_is_found_though_all_after_it_were_moved_down,
    several_changes_are_told_apart,
    rows_outside_of_the_log_are_found,
    a_damaged_tile_is_no_fault_of_the_events,
    changing_the_tiles_as_well_does_not_hide_it,
    a_checkpoint_that_was_kept_elsewhere_finds_a_rewritten_log,
    without_a_checkpoint_nothing_is_compared,
}

/// Further than any position.
const AWAY: i64 = 1_000_000;

async fn signed(kind: Kind) -> (TestApp, i64) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    issue_many(&app.app, &client, 600).await;
    grow(&app.app.transparency).await;
    let head = app.app.log.head().await.unwrap();
    (app, head)
}

async fn report(app: &TestApp) -> Report {
    app.app.transparency.verify_log(&[], &mut |_, _| {}).await.unwrap()
}

async fn differences(app: &TestApp) -> Vec<Difference> {
    let report = report(app).await;
    assert_eq!(report.count, report.differences.len() as u64);
    report.differences
}

/// Moves the rows from a position on.
async fn shift(app: &TestApp, from: i64, by: i64) {
    app.execute(&format!("UPDATE events SET position = position + {AWAY} WHERE position >= {from}")).await;
    app.execute(&format!("UPDATE events SET position = position - {} WHERE position > {AWAY}", AWAY - by)).await;
    app.execute(&format!("UPDATE log_head SET position = position + {by}")).await;
}

/// Copies a row to a position.
async fn copy(app: &TestApp, from: i64, to: i64) {
    let columns = "aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata, command_id, recorded_at";
    app.execute(&format!("INSERT INTO events (position, {columns}) SELECT {to}, {columns} FROM events WHERE position = {from}"))
        .await;
}

async fn a_log_that_nobody_touched_is_what_was_signed(kind: Kind) {
    let (app, head) = signed(kind).await;
    assert_eq!(report(&app).await, Report { signed: head, ..Report::default() });
    let client = app.ordinary_client().await;
    issue_many(&app.app, &client, 5).await;
    let unsigned = app.app.log.head().await.unwrap() - head;
    assert_eq!(report(&app).await, Report { signed: head, unsigned, ..Report::default() });
    let mut positions = Vec::new();
    app.app.transparency.verify_log(&[], &mut |position, last| positions.push((position, last))).await.unwrap();
    assert!(positions.iter().map(|(position, _)| *position).eq(1..=head) && positions.iter().all(|(_, last)| *last == head));
}

async fn a_changed_column_is_found_at_its_position(kind: Kind) {
    let (app, head) = signed(kind).await;
    let (text, json) = match kind {
        Kind::Sqlite => ("", ""),
        Kind::Postgres => ("::text", "::json"),
    };
    for (position, column, change, back) in [
        (1, "recorded_at", "recorded_at + 1".to_owned(), "recorded_at - 1".to_owned()),
        (256, "sequence", "sequence + 1".to_owned(), "sequence - 1".to_owned()),
        (257, "event_version", "'2'".to_owned(), "'1'".to_owned()),
        (300, "payload", format!("(payload{text} || ' '){json}"), format!("rtrim(payload{text}){json}")),
        (301, "metadata", format!("(metadata{text} || ' '){json}"), format!("rtrim(metadata{text}){json}")),
        (head, "command_id", "command_id || ' '".to_owned(), "rtrim(command_id)".to_owned()),
    ] {
        app.execute(&format!("UPDATE events SET {column} = {change} WHERE position = {position}")).await;
        assert_eq!(differences(&app).await, [Altered(position)], "{column}");
        app.execute(&format!("UPDATE events SET {column} = {back} WHERE position = {position}")).await;
        assert_eq!(differences(&app).await, [], "{column}");
    }
}

async fn what_is_changed_before_it_is_in_the_tree_is_found(kind: Kind) {
    let (app, head) = signed(kind).await;
    let client = app.ordinary_client().await;
    issue_many(&app.app, &client, 5).await;
    app.execute(&format!("UPDATE events SET recorded_at = recorded_at + 1 WHERE position = {}", head + 2)).await;
    grow(&app.app.transparency).await;
    assert_eq!(differences(&app).await, [Altered(head + 2)], "its own process signs what it wrote");
}

async fn a_deleted_row_is_found_at_its_position(kind: Kind) {
    let (app, head) = signed(kind).await;
    app.execute(&format!("DELETE FROM events WHERE position IN (1, 100, 101, {head})")).await;
    assert_eq!(differences(&app).await, [Removed(1), Removed(100), Removed(101), Removed(head)]);
}

async fn a_deleted_row_is_found_though_all_after_it_were_moved_up(kind: Kind) {
    let (app, _) = signed(kind).await;
    app.execute("DELETE FROM events WHERE position IN (250, 251)").await;
    shift(&app, 252, -2).await;
    assert_eq!(differences(&app).await, [Removed(250), Removed(251)]);
    let client = app.ordinary_client().await;
    app.token_of(&client, "read").await;
    assert_eq!(differences(&app).await, [Removed(250), Removed(251)]);
}

async fn an_inserted_row_is_found_though_all_after_it_were_moved_down(kind: Kind) {
    let (app, _) = signed(kind).await;
    shift(&app, 255, 2).await;
    copy(&app, 20, 255).await;
    copy(&app, 21, 256).await;
    assert_eq!(differences(&app).await, [Inserted(255), Inserted(256)]);
}

async fn several_changes_are_told_apart(kind: Kind) {
    let (app, head) = signed(kind).await;
    app.execute("UPDATE events SET sequence = sequence + 1 WHERE position = 50").await;
    app.execute("DELETE FROM events WHERE position = 100").await;
    shift(&app, 101, -1).await;
    shift(&app, 300, 1).await;
    copy(&app, 20, 300).await;
    app.execute("DELETE FROM events WHERE position = 400").await;
    copy(&app, 500, 400).await;
    app.execute(&format!("DELETE FROM events WHERE position = {head}")).await;
    assert_eq!(differences(&app).await, [Altered(50), Removed(100), Inserted(300), Altered(400), Removed(head)]);
    app.execute("UPDATE events SET sequence = sequence + 7").await;
    let report = report(&app).await;
    assert_eq!(report.differences.len(), 100);
    assert!(report.count >= 600, "{}", report.count);
}

async fn rows_outside_of_the_log_are_found(kind: Kind) {
    let (app, head) = signed(kind).await;
    copy(&app, 20, 0).await;
    copy(&app, 21, head + 3).await;
    let found = differences(&app).await;
    assert_eq!(found, [Inserted(0), Removed(head + 1), Removed(head + 2), Inserted(head + 3)]);
}

async fn a_damaged_tile_is_no_fault_of_the_events(kind: Kind) {
    let (app, _) = signed(kind).await;
    let zero = match kind {
        Kind::Sqlite => "zeroblob(length(hashes))",
        Kind::Postgres => "decode(repeat('00', length(hashes)), 'hex')",
    };
    app.execute("CREATE TABLE kept AS SELECT * FROM transparency_tile").await;
    for (level, number) in [(0, 1), (1, 0)] {
        app.execute(&format!("UPDATE transparency_tile SET hashes = {zero} WHERE level = {level} AND number = {number}")).await;
        let number = u64::try_from(number).unwrap();
        assert_eq!(differences(&app).await.first(), Some(&Tile { level: u8::try_from(level).unwrap(), number }));
        assert!(report(&app).await.differences.iter().all(|difference| matches!(difference, Tile { .. })));
        app.execute("DELETE FROM transparency_tile; INSERT INTO transparency_tile SELECT * FROM kept").await;
    }
    app.execute("DELETE FROM transparency_tile WHERE level = 1").await;
    assert_eq!(differences(&app).await, [Tile { level: 1, number: 0 }]);
}

async fn changing_the_tiles_as_well_does_not_hide_it(kind: Kind) {
    let (app, head) = signed(kind).await;
    let note = app.app.transparency.checkpoint().await.unwrap().unwrap();
    app.execute("UPDATE events SET sequence = sequence + 1 WHERE position = 50").await;
    app.execute("CREATE TABLE kept AS SELECT * FROM transparency_checkpoint").await;
    // The tiles are grown anew over what was changed, with the checkpoint out of the way.
    app.execute("DELETE FROM transparency_checkpoint; DELETE FROM transparency_tile; DELETE FROM checkpoint").await;
    grow(&app.another_node().await.transparency).await;
    app.execute("DELETE FROM transparency_checkpoint; INSERT INTO transparency_checkpoint SELECT * FROM kept").await;
    let size = u64::try_from(head).unwrap();
    assert_eq!(differences(&app).await, [Checkpoint { size }]);
    let forged = note.replace(&format!("\n{head}\n"), &format!("\n{}\n", head - 1));
    app.execute(&format!("UPDATE transparency_checkpoint SET note = '{forged}'")).await;
    let outcome = app.app.transparency.verify_log(&[], &mut |_, _| {}).await;
    assert!(matches!(outcome, Err(VerifyError::Checkpoint(_))), "{outcome:?}");
}

async fn a_checkpoint_that_was_kept_elsewhere_finds_a_rewritten_log(kind: Kind) {
    let (app, head) = signed(kind).await;
    let kept = app.app.transparency.checkpoint().await.unwrap().unwrap();
    let client = app.ordinary_client().await;
    issue_many(&app.app, &client, 300).await;
    grow(&app.app.transparency).await;
    let verify = |given: &str| {
        let (given, transparency) = ([given.to_owned()], app.app.transparency.clone());
        async move { transparency.verify_log(&given, &mut |_, _| {}).await }
    };
    assert_eq!(verify(&kept).await.unwrap().count, 0);
    assert!(matches!(verify("x").await, Err(VerifyError::Given(_))));
    // Somebody with the program and its keys changes an event and lets all of it be signed anew.
    app.execute("UPDATE events SET sequence = sequence + 1 WHERE position = 50").await;
    app.execute("DELETE FROM transparency_checkpoint; DELETE FROM transparency_tile; DELETE FROM checkpoint").await;
    grow(&app.another_node().await.transparency).await;
    assert_eq!(report(&app).await.count, 0);
    assert_eq!(verify(&kept).await.unwrap().differences, [Checkpoint { size: u64::try_from(head).unwrap() }]);
}

async fn without_a_checkpoint_nothing_is_compared(kind: Kind) {
    let app = TestApp::start(kind).await;
    let outcome = app.app.transparency.verify_log(&[], &mut |_, _| {}).await;
    assert!(matches!(outcome, Err(VerifyError::NothingSigned)), "{outcome:?}");
}
