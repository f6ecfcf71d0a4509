//! The whole log travels as a stream from one store to the other and back: the same events at the same positions, the same digest, and all that
//! was issued stays good.

use std::{io::Cursor, path::PathBuf};

use grantlog::{
    dispatch::SignIn,
    log::{
        Log,
        backup::{Exported, FileError, Imported, RestoreError, export, import},
        rebuild::{OnDifference, Plan, verify},
    },
    state::App,
};
use secrecy::SecretString;
use support::{
    Kind, PASSWORD, Store, TestApp, USER, both_stores,
    traffic::{HERE, all_events, history, issue_many},
};

use crate::backup::master;

both_stores! {
    a_log_goes_to_either_store_and_back_with_its_positions_and_its_digest,
    what_was_issued_stays_good_where_the_vault_came_along,
    a_log_without_its_vault_can_be_read,
    a_stream_that_was_cut_short_or_changed_leaves_nothing,
    an_import_that_is_given_up_leaves_nothing_that_serves,
    the_vault_of_another_moment_is_refused,
}

async fn exported(log: &Log, compressed: bool, vault: Option<&PathBuf>) -> (Vec<u8>, Exported) {
    export(log, (Vec::new(), compressed), vault.map(PathBuf::as_path), &mut |_| {}).await.unwrap()
}

async fn imported(store: &Store, bytes: &[u8], vault: Option<(PathBuf, &SecretString)>) -> Result<Imported, RestoreError> {
    let vault = vault.map(|(path, key)| (path, master(key)));
    import(&store.settings, Cursor::new(bytes.to_vec()), vault, &mut |_| {}).await
}

async fn a_log_goes_to_either_store_and_back_with_its_positions_and_its_digest(kind: Kind) {
    let app = TestApp::start(kind).await;
    let history = history(&app).await;
    issue_many(&app.app, &history.client, 1_200).await;
    let (bytes, out) = exported(&app.app.log, false, None).await;
    let events = all_events(&app.app.log).await;
    for other in [Kind::Sqlite, Kind::Postgres] {
        let there = Store::new(other).await;
        let done = imported(&there, &bytes, None).await.unwrap();
        assert_eq!((&done.digest, done.events, &done.header), (&out.digest, out.counts.events, &out.header));
        let log = there.open().await;
        assert_eq!((log.epoch(), log.known_head()), (app.app.log.epoch(), app.app.log.known_head()));
        assert_eq!(log.epochs().await.unwrap(), app.app.log.epochs().await.unwrap());
        assert_eq!(all_events(&log).await, events);
        let plan = Plan { names: Vec::new(), duty: 100, differences: OnDifference::Refuse };
        verify(&log, &app.app.clock, &plan, &mut |_| {}).await.unwrap();
        let (compressed, back) = exported(&log, true, None).await;
        assert!(compressed.len() < bytes.len() / 2);
        assert_eq!(back.digest, out.digest);
        let home = Store::new(kind).await;
        imported(&home, &compressed, None).await.unwrap();
        assert_eq!(exported(&home.open().await, false, None).await, (bytes.clone(), out.clone()));
    }
}

async fn what_was_issued_stays_good_where_the_vault_came_along(kind: Kind) {
    let app = TestApp::start(kind).await;
    let history = history(&app).await;
    let vault = app.store.folder().join("vault");
    let (bytes, out) = exported(&app.app.log, true, Some(&vault)).await;
    let there = Store::new(kind).await;
    let done = imported(&there, &bytes, Some((vault, &app.master_key()))).await.unwrap();
    assert!(done.vault > 0 && done.vault == out.vault);
    let log = there.open().await;
    let app = App::open(log, app.app.settings.clone(), master(&app.master_key()), app.app.clock.clone()).await.unwrap();
    let token = grantlog_digest(&history.own.access);
    let found =
        projections::token::find(app.log.db(), &[projections::token::Wanted { digest: token, caller: None }]).await.unwrap();
    assert!(found[0].token.is_active(projections::token::TokenKind::Access, app.clock.now()));
    let request =
        SignIn { username: USER.to_owned(), password: PASSWORD.into(), source: HERE, agent: None, existing: Vec::new() };
    app.dispatch.sign_in(request).await.unwrap();
    issue_many(&app, &history.client, 3).await;
}

fn grantlog_digest(token: &str) -> String {
    domain::Digest::of(token.as_bytes()).as_str().to_owned()
}

async fn a_log_without_its_vault_can_be_read(kind: Kind) {
    let app = TestApp::start(kind).await;
    history(&app).await;
    let (bytes, _) = exported(&app.app.log, false, None).await;
    let there = Store::new(kind).await;
    assert_eq!(imported(&there, &bytes, None).await.unwrap().vault, 0);
    assert_eq!(all_events(&there.open().await).await, all_events(&app.app.log).await);
}

async fn a_stream_that_was_cut_short_or_changed_leaves_nothing(kind: Kind) {
    let app = TestApp::start(kind).await;
    history(&app).await;
    let (bytes, _) = exported(&app.app.log, false, None).await;
    let text = String::from_utf8(bytes).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (event, count) = (lines.iter().position(|line| line.starts_with("{\"event\"")).unwrap(), lines.len());
    let without = |left_out: usize| [&lines[..left_out], &lines[left_out + 1..]].concat().concat();
    let changed = text.replacen("\"recorded_at\":1", "\"recorded_at\":2", 2);
    let into = Store::new(kind).await;
    for spoilt in [without(event), without(count - 1), without(count - 2), changed, lines[1..].concat(), String::new()] {
        let outcome = imported(&into, spoilt.as_bytes(), None).await;
        let damaged = matches!(outcome, Err(RestoreError::File(FileError::Damaged(_)) | RestoreError::NotTheNext(_)));
        assert!(damaged, "{outcome:?}");
        assert_eq!(into.open().await.known_head(), 0);
    }
    imported(&into, text.as_bytes(), None).await.unwrap();
    assert!(matches!(imported(&into, text.as_bytes(), None).await, Err(RestoreError::NotEmpty)));
}

async fn an_import_that_is_given_up_leaves_nothing_that_serves(kind: Kind) {
    let app = TestApp::start(kind).await;
    let history = history(&app).await;
    issue_many(&app.app, &history.client, 3_000).await;
    let (bytes, _) = exported(&app.app.log, false, None).await;
    let into = Store::new(kind).await;
    {
        let reached = tokio::sync::Notify::new();
        let mut progress = |at: grantlog::log::backup::Progress| {
            if at.position > 500 {
                reached.notify_one();
            }
        };
        tokio::select! {
            biased;
            () = reached.notified() => {}
            outcome = import(&into.settings, Cursor::new(bytes.clone()), None, &mut progress) => panic!("{outcome:?}"),
        }
    }
    let log = into.open().await;
    assert_eq!((log.known_head(), all_events(&log).await.len()), (0, 0));
    imported(&into, &bytes, None).await.unwrap();
}

async fn the_vault_of_another_moment_is_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    let history = history(&app).await;
    let vault = app.store.folder().join("vault");
    exported(&app.app.log, false, Some(&vault)).await;
    issue_many(&app.app, &history.client, 1).await;
    let (bytes, _) = exported(&app.app.log, false, None).await;
    let into = Store::new(kind).await;
    let outcome = imported(&into, &bytes, Some((vault, &app.master_key()))).await;
    assert!(matches!(outcome, Err(RestoreError::OtherVault)), "{outcome:?}");
    assert_eq!(into.open().await.known_head(), 0);
}
