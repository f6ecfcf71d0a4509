//! A backup is one file, taken while the server serves; what is not a whole one is refused.

use std::{
    os::unix::fs::PermissionsExt,
    panic::{AssertUnwindSafe, resume_unwind},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use futures_util::FutureExt;
use grantlog::{
    clock::Clock,
    log::{
        Log,
        backup::{BackedUp, BackupError, FileError, Progress, RestoreError, Restored, backup, restore},
        whole_file::WriteFileError,
    },
    vault::{MasterKey, MasterKeys},
};
use secrecy::SecretString;
use support::{
    Kind, Store, TestApp, both_stores,
    traffic::{all_events, history, issue_many},
};

both_stores! {
    a_backup_under_load_holds_the_log_up_to_one_position,
    a_backup_is_its_owners_alone_and_appears_whole,
    a_backup_that_was_given_up_leaves_nothing,
    a_file_that_was_cut_short_or_changed_is_refused,
    a_store_that_holds_something_is_left_alone,
    another_master_key_is_refused_before_anything_is_written,
}

pub(crate) async fn backed_up(app: &TestApp) -> (PathBuf, BackedUp) {
    let path = app.store.folder().join("backup");
    let done = backup(&app.app.log, &path, &mut |_| {}).await.unwrap();
    (path, done)
}

pub(crate) fn master(key: &SecretString) -> MasterKeys {
    MasterKeys::new(MasterKey::parse(key).unwrap(), Vec::new())
}

pub(crate) async fn restored(store: &Store, path: &Path, key: &SecretString) -> Result<Restored, RestoreError> {
    restore(&store.settings, path, master(key), &Clock::default(), &mut |_| {}).await
}

async fn a_backup_under_load_holds_the_log_up_to_one_position(kind: Kind) {
    let app = TestApp::start(kind).await;
    let history = history(&app).await;
    issue_many(&app.app, &history.client, 3_000).await;
    let done = AtomicBool::new(false);
    let backing_up = async {
        let backed_up = backed_up(&app).await;
        done.store(true, Ordering::Release);
        backed_up
    };
    let issuing = async {
        while !done.load(Ordering::Acquire) {
            issue_many(&app.app, &history.client, 10).await;
        }
    };
    let ((path, backed_up), ()) = tokio::join!(backing_up, issuing);
    let position = backed_up.header.position;
    assert!(app.app.log.known_head() > position);
    assert_eq!(backed_up.counts.events, position.unsigned_abs());
    let into = Store::new(kind).await;
    restored(&into, &path, &app.master_key()).await.unwrap();
    let (mut from, log) = (all_events(&app.app.log).await, into.open().await);
    from.truncate(usize::try_from(position).unwrap());
    assert_eq!(all_events(&log).await[..from.len()], from);
}

async fn a_backup_is_its_owners_alone_and_appears_whole(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (path, backed_up) = backed_up(&app).await;
    let metadata = std::fs::metadata(&path).unwrap();
    assert_eq!((metadata.permissions().mode() & 0o777, metadata.len()), (0o600, backed_up.bytes));
    let again = backup(&app.app.log, &path, &mut |_| {}).await;
    assert!(matches!(again, Err(BackupError::File(FileError::Write(WriteFileError::Exists(name)))) if name == path));
    assert!(!path.with_extension("partial").exists());
}

async fn a_backup_that_was_given_up_leaves_nothing(kind: Kind) {
    let app = TestApp::start(kind).await;
    let history = history(&app).await;
    issue_many(&app.app, &history.client, 3_000).await;
    let path = app.store.folder().join("backup");
    let mut give_up = |_: Progress| resume_unwind(Box::new("given up"));
    let outcome = AssertUnwindSafe(backup(&app.app.log, &path, &mut give_up)).catch_unwind().await;
    assert!(outcome.is_err());
    while path.with_extension("partial").exists() {
        tokio::task::yield_now().await;
    }
    assert!(!path.exists());
    backed_up(&app).await;
}

async fn a_file_that_was_cut_short_or_changed_is_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    history(&app).await;
    let (path, _) = backed_up(&app).await;
    let (whole, into) = (std::fs::read(&path).unwrap(), Store::new(kind).await);
    let mut spoilt = vec![Vec::new(), b"grantlog backup\n".to_vec(), [&whole[..], b"x"].concat()];
    spoilt.extend([whole.len() - 1, whole.len() - 32, whole.len() / 2, 20].map(|length| whole[..length].to_vec()));
    spoilt.extend([0, 16, whole.len() / 2, whole.len() - 40, whole.len() - 1].map(|place| {
        let mut changed = whole.clone();
        changed[place] ^= 1;
        changed
    }));
    for bytes in spoilt {
        std::fs::write(&path, bytes).unwrap();
        let outcome = restored(&into, &path, &app.master_key()).await;
        assert!(matches!(outcome, Err(RestoreError::File(FileError::Damaged(_) | FileError::NotABackup))), "{outcome:?}");
    }
    assert_eq!(into.open().await.known_head(), 0);
    std::fs::write(&path, whole).unwrap();
    restored(&into, &path, &app.master_key()).await.unwrap();
}

async fn a_store_that_holds_something_is_left_alone(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (path, _) = backed_up(&app).await;
    let before = all_events(&app.app.log).await;
    assert!(matches!(restored(&app.store, &path, &app.master_key()).await, Err(RestoreError::NotEmpty)));
    assert_eq!(all_events(&app.app.log).await, before);
    let unmigrated = Store::unmigrated(kind).await;
    assert!(matches!(restored(&unmigrated, &path, &app.master_key()).await, Err(RestoreError::Migrate(_))));
}

async fn another_master_key_is_refused_before_anything_is_written(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (path, _) = backed_up(&app).await;
    let into = Store::new(kind).await;
    let outcome = restored(&into, &path, &MasterKey::generate()).await;
    assert!(matches!(outcome, Err(RestoreError::WrongMasterKey)), "{outcome:?}");
    let log: Log = into.open().await;
    assert_eq!((log.known_head(), all_events(&log).await), (0, Vec::new()));
    restored(&into, &path, &app.master_key()).await.unwrap();
}
