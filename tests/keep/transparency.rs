//! The tree over the log: whatever was signed stays true, on several nodes, through crashes, and after a person was erased.

use std::time::Duration;

use futures_util::future::join_all;
use grantlog::{
    follow::{
        runner::Stopped,
        transparency::{Proof, ProveError, SealError, Step, Transparency, VerifierKey, follow, run},
    },
    log::Actor,
};
use support::{
    Kind, Store, TestApp, both_stores,
    chance::numbers,
    traffic::{all_events, history, issue_many},
};

use crate::{
    backup::{backed_up, restored},
    verifier::{Checkpoint, checkpoint, key, leaves, root_of, tile, verified},
};

both_stores! {
    every_checkpoint_extends_every_earlier_one,
    tiles_are_served_as_far_as_they_have_grown,
    a_proof_holds_and_one_with_any_byte_changed_does_not,
    a_proof_of_what_is_not_in_the_tree_yet_takes_it_in,
    erasing_a_person_leaves_every_proof_as_it_was,
    a_tree_that_is_cut_off_at_any_moment_goes_on_where_it_was,
    nodes_that_grow_it_at_once_grow_one_tree,
    every_node_knows_the_last_checkpoint,
    what_stands_in_the_store_is_signed_byte_for_byte,
    nothing_is_signed_over_a_store_that_is_not_what_was_signed,
    a_store_behind_the_checkpoint_in_the_file_is_noticed,
    a_restored_log_is_another_log_that_agrees_up_to_the_backup,
}

/// Takes in all that the log holds.
pub(crate) async fn grow(transparency: &Transparency) {
    loop {
        match transparency.turn().await.unwrap() {
            Step::Level => return,
            Step::Behind | Step::Elsewhere => {}
        }
    }
}

/// A checkpoint after all that the log holds, and its leaves.
async fn sealed(app: &TestApp) -> (Checkpoint, Vec<Vec<u8>>) {
    grow(&app.app.transparency).await;
    let checkpoint = checkpoint(app).await;
    assert_eq!(checkpoint.size, all_events(&app.app.log).await.len());
    let leaves = leaves(app, &checkpoint).await;
    (checkpoint, leaves)
}

async fn every_checkpoint_extends_every_earlier_one(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    app.get("/transparency/checkpoint").await.assert_error(404, "invalid_request");
    let (mut earlier, mut number) = (Vec::<Checkpoint>::new(), numbers());
    for _ in 0..8 {
        let (checkpoint, leaves) = sealed(&app).await;
        for before in &earlier {
            assert_eq!((&before.origin, root_of(&leaves[..before.size])), (&checkpoint.origin, before.root.clone()));
        }
        earlier.push(checkpoint);
        issue_many(&app.app, &client, number.usize(1..=180)).await;
    }
    assert!(earlier.is_sorted_by(|a, b| a.size < b.size));
}

async fn tiles_are_served_as_far_as_they_have_grown(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    issue_many(&app.app, &client, 300).await;
    let (checkpoint, leaves) = sealed(&app).await;
    let rest = checkpoint.size - 256;
    assert_eq!(tile(&app, "0/000").await.unwrap(), leaves[..256]);
    assert_eq!(tile(&app, "0/000.p/7").await.unwrap(), leaves[..7]);
    assert_eq!(tile(&app, &format!("0/001.p/{rest}")).await.unwrap(), leaves[256..]);
    assert_eq!(tile(&app, "1/000.p/1").await.unwrap(), [root_of(&leaves[..256])]);
    for missing in
        ["0/001", &format!("0/001.p/{}", rest + 1), "0/002", "1/000", "1/000.p/2", "2/000.p/1", "0/000.p/0", "70/000", "x"]
    {
        assert_eq!(tile(&app, missing).await, None, "{missing}");
    }
    for entries in ["entries/000", "data/000", "entries/000.p/1"] {
        app.get(&format!("/transparency/tile/{entries}")).await.assert_error(404, "invalid_request");
    }
}

async fn a_proof_holds_and_one_with_any_byte_changed_does_not(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    issue_many(&app.app, &client, 260).await;
    grow(&app.app.transparency).await;
    let key: VerifierKey = key(&app).await.parse().unwrap();
    let events = all_events(&app.app.log).await;
    for event in &events {
        let proof = app.app.transparency.prove(event.position).await.unwrap().to_string();
        assert_eq!(proof.parse::<Proof>().unwrap().verify(&key).unwrap().event, *event);
    }
    let proof = app.app.transparency.prove(7).await.unwrap().to_string();
    for at in 0..proof.len() {
        for flip in [0x01, 0x20, 0x80] {
            let mut changed = proof.clone().into_bytes();
            changed[at] ^= flip;
            let Ok(changed) = String::from_utf8(changed) else { continue };
            let held = changed.parse::<Proof>().is_ok_and(|proof| proof.verify(&key).is_ok());
            assert!(!held, "byte {at} can be changed:\n{changed}");
        }
    }
    let other: VerifierKey = TestApp::start(kind).await.app.transparency.verifier_key();
    assert!(proof.parse::<Proof>().unwrap().verify(&other).is_err());
    let nothing = i64::try_from(events.len()).unwrap() + 1;
    for position in [0, -1, i64::MIN, nothing, i64::MAX] {
        assert!(matches!(app.app.transparency.prove(position).await, Err(ProveError::NoEvent(_))), "{position}");
    }
}

async fn a_proof_of_what_is_not_in_the_tree_yet_takes_it_in(kind: Kind) {
    let app = TestApp::start(kind).await;
    let last = app.app.log.head().await.unwrap();
    let proof = app.app.transparency.prove(last).await.unwrap();
    assert_eq!(proof.verify(&app.app.transparency.verifier_key()).unwrap().event.position, last);
    assert_eq!(checkpoint(&app).await.size, usize::try_from(last).unwrap());
}

async fn erasing_a_person_leaves_every_proof_as_it_was(kind: Kind) {
    let app = TestApp::start(kind).await;
    history(&app).await;
    let (before, _) = sealed(&app).await;
    let key = app.app.transparency.verifier_key();
    let mut proofs = Vec::new();
    for event in all_events(&app.app.log).await {
        proofs.push(app.app.transparency.prove(event.position).await.unwrap());
    }
    app.app.dispatch.erase_user(Actor::Operator, app.user).await.unwrap();
    let (after, leaves) = sealed(&app).await;
    assert!(after.size > before.size);
    assert_eq!(root_of(&leaves[..before.size]), before.root);
    for (proof, position) in proofs.iter().zip(1..) {
        let proven = proof.verify(&key).unwrap();
        assert_eq!(app.app.transparency.prove(position).await.unwrap().verify(&key).unwrap().event, proven.event);
    }
    assert_eq!(app.app.transparency.verify_log(&[], &mut |_, _| {}).await.unwrap().count, 0);
}

async fn a_tree_that_is_cut_off_at_any_moment_goes_on_where_it_was(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    issue_many(&app.app, &client, 5_000).await;
    for microseconds in (0..20_000).step_by(400) {
        let node = app.another_node().await.transparency.clone();
        drop(tokio::time::timeout(Duration::from_micros(microseconds), node.turn()).await);
        drop(tokio::time::timeout(Duration::from_micros(microseconds), app.app.transparency.turn()).await);
        if microseconds % 2_000 == 0 {
            issue_many(&app.app, &client, 3).await;
        }
    }
    let (checkpoint, _) = sealed(&app).await;
    let report = app.app.transparency.verify_log(&[], &mut |_, _| {}).await.unwrap();
    assert_eq!((report.count, report.signed, report.unsigned), (0, i64::try_from(checkpoint.size).unwrap(), 0));
}

async fn nodes_that_grow_it_at_once_grow_one_tree(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let nodes = join_all((0..3).map(|_| app.another_node())).await;
    let growing = nodes.iter().map(|node| async {
        let mut seen = Vec::new();
        for _ in 0..60 {
            node.transparency.turn().await.unwrap();
            seen.extend(node.transparency.checkpoint().await.unwrap());
        }
        seen
    });
    let (seen, ()) = tokio::join!(join_all(growing), issue_many(&app.app, &client, 800));
    let (_, leaves) = sealed(&app).await;
    let key = key(&app).await;
    for note in seen.into_iter().flatten() {
        let checkpoint = verified(&note, &key);
        assert_eq!(checkpoint.root, root_of(&leaves[..checkpoint.size]));
    }
}

async fn every_node_knows_the_last_checkpoint(kind: Kind) {
    let app = TestApp::start(kind).await;
    let other = app.another_node().await.transparency.clone();
    let mut known = other.watch();
    grow(&app.app.transparency).await;
    grow(&other).await;
    let latest = known.borrow_and_update().clone().unwrap();
    assert_eq!(Some(&latest.note), app.app.transparency.checkpoint().await.unwrap().as_ref());
    assert_eq!(latest.size, app.app.log.head().await.unwrap().unsigned_abs());
    grow(&other).await;
    assert!(!known.has_changed().unwrap());
}

async fn what_stands_in_the_store_is_signed_byte_for_byte(kind: Kind) {
    let app = TestApp::start(kind).await;
    let written = r#"{"b" : 1.0e3,  "a":"\u00e9\n",   "a":2 }"#.to_owned();
    let row = format!(
        "INSERT INTO events (position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata, command_id, \
         recorded_at) SELECT position + 1, 'client', 'x', 1, 'client.odd', '1', '{written}', '{written}', 'c', recorded_at FROM log_head; \
         UPDATE log_head SET position = position + 1"
    );
    app.execute(&row).await;
    let last = app.app.log.head().await.unwrap();
    let proof = app.app.transparency.prove(last).await.unwrap();
    let event = proof.verify(&app.app.transparency.verifier_key()).unwrap().event;
    assert_eq!((event.payload, event.metadata), (written.clone(), written));
}

async fn nothing_is_signed_over_a_store_that_is_not_what_was_signed(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    issue_many(&app.app, &client, 20).await;
    grow(&app.app.transparency).await;
    let (head, signed) = (app.app.log.head().await.unwrap(), app.app.transparency.checkpoint().await.unwrap());
    issue_many(&app.app, &client, 3).await;
    let put_back = format!("UPDATE events SET recorded_at = recorded_at - 1 WHERE position = {head}");
    app.execute(&format!("UPDATE events SET recorded_at = recorded_at + 1 WHERE position = {head}")).await;
    assert!(matches!(app.app.transparency.turn().await, Err(SealError::Altered(position)) if position == head));
    app.execute(&put_back).await;
    app.execute(&format!("UPDATE events SET position = position + 1000 WHERE position = {}", head + 2)).await;
    // Another node has not what this one wrote in its memory.
    let second = app.another_node().await;
    assert!(matches!(second.transparency.turn().await, Err(SealError::Missing(position)) if position == head + 2));
    app.execute(&format!("UPDATE events SET position = {} WHERE position = {}", head + 2, head + 1002)).await;
    app.execute("UPDATE transparency_tile SET hashes = (SELECT hashes FROM transparency_tile WHERE level = 0) WHERE level = 0")
        .await;
    let other = app.another_node().await.transparency.clone();
    let flip = match kind {
        Kind::Sqlite => "UPDATE transparency_tile SET hashes = zeroblob(length(hashes))",
        Kind::Postgres => "UPDATE transparency_tile SET hashes = decode(repeat('00', length(hashes)), 'hex')",
    };
    app.execute(flip).await;
    assert!(matches!(other.turn().await, Err(SealError::Fork { .. })));
    assert!(matches!(follow(other, None).await, Stopped::Fatal(_)));
    assert_eq!(app.app.transparency.checkpoint().await.unwrap(), signed);
}

async fn a_store_behind_the_checkpoint_in_the_file_is_noticed(kind: Kind) {
    let app = TestApp::start(kind).await;
    let file = app.store.folder().join("checkpoint");
    let running = tokio::spawn(run(app.app.transparency.clone(), Some(file.clone())));
    while !file.exists() {
        tokio::task::yield_now().await;
    }
    running.abort();
    let kept = std::fs::read_to_string(&file).unwrap();
    assert_eq!(Some(&kept), app.app.transparency.checkpoint().await.unwrap().as_ref());
    app.execute("DELETE FROM transparency_checkpoint; DELETE FROM transparency_tile; DELETE FROM checkpoint").await;
    let other = app.another_node().await.transparency.clone();
    assert!(matches!(follow(other, Some(file.clone())).await, Stopped::Fatal(_)));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), kept);
    assert_eq!(app.app.transparency.checkpoint().await.unwrap(), None);
}

async fn a_restored_log_is_another_log_that_agrees_up_to_the_backup(kind: Kind) {
    let app = TestApp::start(kind).await;
    history(&app).await;
    let (before, _) = sealed(&app).await;
    let (path, _) = backed_up(&app).await;
    app.ordinary_client().await;
    let (beyond, _) = sealed(&app).await;
    let into = Store::new(kind).await;
    let epoch = restored(&into, &path, &app.master_key()).await.unwrap().epoch;
    let after = TestApp::over(into, app.master_key(), |_| {}).await;
    after.ordinary_client().await;
    let (restored, leaves) = sealed(&after).await;
    assert!(restored.origin.ends_with(&format!("/transparency/{epoch}")), "{}", restored.origin);
    assert_eq!(root_of(&leaves[..before.size]), before.root);
    assert!(restored.size >= beyond.size && root_of(&leaves[..beyond.size]) != beyond.root);
    assert_ne!(key(&after).await, key(&app).await);
}
