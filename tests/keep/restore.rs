//! A restored log goes on as a new epoch: what was issued before is dead, and everything else is there.

use domain::{Digest, key_set::KeySetEvent};
use grantlog::{
    dispatch::{Refusal, SignIn, SignInRefusal},
    log::{
        Actor, StoredEvent,
        rebuild::{OnDifference, Plan, verify},
    },
};
use projections::{
    Db, on_db,
    token::{self, Wanted},
};
use secrecy::ExposeSecret;
use support::{
    ADMINISTRATOR, Kind, PASSWORD, Store, TestApp, USER, both_stores,
    traffic::{HERE, all_events, grant, history, issue_many, refreshed, sign_in},
};

use crate::backup::{backed_up, restored};

both_stores! {
    a_backup_is_restored_into_either_store_byte_for_byte,
    nothing_that_was_issued_before_is_good_any_more,
    people_and_clients_go_on_with_new_sessions_and_tokens,
    whoever_was_erased_stays_erased_and_whoever_was_erased_later_is_reported,
    a_restored_log_can_be_backed_up_and_restored_again,
}

const BOTH: [Kind; 2] = [Kind::Sqlite, Kind::Postgres];

/// The heads of all streams but the one that the new epoch goes on with, the names that are taken, and the vault, a line a row.
async fn beside_the_events(db: &Db) -> Vec<String> {
    let sql = "SELECT 'head ' || aggregate_type || aggregate_id || version || state FROM stream_head WHERE aggregate_type <> 'key_set' \
         UNION ALL SELECT 'claim ' || name || stream FROM claim UNION ALL SELECT 'vault ' || kind || id || sealed FROM vault";
    let mut rows: Vec<String> = on_db!(db, pool => sqlx::query_scalar(sql).fetch_all(pool).await).unwrap();
    rows.sort();
    rows
}

async fn a_backup_is_restored_into_either_store_byte_for_byte(kind: Kind) {
    let app = TestApp::start(kind).await;
    let history = history(&app).await;
    issue_many(&app.app, &history.client, 1_500).await;
    let (path, backed_up) = backed_up(&app).await;
    let (events, beside) = (all_events(&app.app.log).await, beside_the_events(app.app.log.db()).await);
    for other in BOTH {
        let into = Store::new(other).await;
        let done = restored(&into, &path, &app.master_key()).await.unwrap();
        let log = into.open().await;
        let mut there: Vec<StoredEvent> = all_events(&log).await;
        let began = there.pop().unwrap();
        assert_eq!(there, events);
        assert_eq!(beside_the_events(log.db()).await, beside);
        assert_eq!((done.backup, done.counts, done.position), (backed_up.header.clone(), backed_up.counts, began.position));
        assert_eq!((log.epoch(), log.known_head()), (done.epoch, began.position));
        assert_ne!(done.epoch, app.app.log.epoch());
        let event: KeySetEvent = serde_json::from_str(&began.payload).unwrap();
        assert!(matches!(event, KeySetEvent::EpochBegun { epoch, .. } if epoch == done.epoch.to_string()));
        assert_eq!((began.event_type.as_str(), began.metadata.as_str()), ("key_set.epoch_begun", "{\"actor\":\"operator\"}"));
        assert!(began.recorded_at >= events.last().unwrap().recorded_at);
        let restarted = TestApp::over(into, app.master_key(), |_| {}).await;
        let plan = Plan { names: Vec::new(), duty: 100, differences: OnDifference::Refuse };
        verify(&restarted.app.log, &restarted.app.clock, &plan, &mut |_| {}).await.unwrap();
    }
}

async fn nothing_that_was_issued_before_is_good_any_more(kind: Kind) {
    let app = TestApp::start(kind).await;
    let history = history(&app).await;
    assert!(app.is_active(&history.client, &history.family.access).await);
    let (path, _) = backed_up(&app).await;
    let into = Store::new(kind).await;
    restored(&into, &path, &app.master_key()).await.unwrap();
    let after = TestApp::over(into, app.master_key(), |_| {}).await;
    for token in [&history.own.access, &history.family.access, history.family.refresh.as_ref().unwrap()] {
        assert!(!after.is_active(&history.client, token).await);
        let digest = Digest::of(token.as_bytes()).as_str().to_owned();
        assert!(token::find(after.app.log.db(), &[Wanted { digest, caller: None }]).await.unwrap()[0].token.cut_off);
    }
    after.refresh(&history.client, history.family.refresh.as_deref().unwrap()).await.assert_error(400, "invalid_grant");
    after.redeem(&history.client, &history.code).await.assert_error(400, "invalid_grant");
    let cookie = history.signed_in.cookie.expose_secret();
    assert!(app.app.dispatch.current_session(cookie).await.unwrap().is_some());
    assert!(after.app.dispatch.current_session(cookie).await.unwrap().is_none());
}

async fn people_and_clients_go_on_with_new_sessions_and_tokens(kind: Kind) {
    let app = TestApp::start(kind).await;
    let history = history(&app).await;
    let keys = app.get("/o/.well-known/jwks.json").await.assert_status(200).json();
    let (path, _) = backed_up(&app).await;
    for other in BOTH {
        let into = Store::new(other).await;
        restored(&into, &path, &app.master_key()).await.unwrap();
        let after = TestApp::over(into, app.master_key(), |_| {}).await;
        assert_eq!((after.user, after.administrator), (app.user, app.administrator));
        assert_eq!(after.get("/o/.well-known/jwks.json").await.assert_status(200).json(), keys);
        let session = sign_in(&after.app, USER).await.session;
        let tokens = grant(&after, &history.client, &session).await;
        let next = refreshed(&after, &history.client, &tokens).await;
        assert!(after.is_active(&history.client, &next.access).await);
        let own = after.token_of(&history.client, "read").await;
        assert!(after.is_active(&history.client, &own.access).await);
    }
}

async fn whoever_was_erased_stays_erased_and_whoever_was_erased_later_is_reported(kind: Kind) {
    let app = TestApp::start(kind).await;
    app.app.dispatch.erase_user(Actor::Operator, app.user).await.unwrap();
    let (path, backed_up) = backed_up(&app).await;
    app.app.dispatch.erase_user(Actor::Operator, app.administrator).await.unwrap();
    let into = Store::new(kind).await;
    let done = restored(&into, &path, &app.master_key()).await.unwrap();
    assert_eq!((done.subject_keys, done.backup.recorded_at), (1, backed_up.header.recorded_at));
    let log = into.open().await;
    let settings = app.app.settings.clone();
    let master = crate::backup::master(&app.master_key());
    let after = grantlog::state::App::open(log, settings, master, app.app.clock.clone()).await.unwrap();
    assert_eq!(after.dispatch.user_named(USER).await.unwrap(), None);
    assert_eq!(after.dispatch.user_named(ADMINISTRATOR).await.unwrap(), Some(app.administrator));
    let request =
        SignIn { username: USER.to_owned(), password: PASSWORD.into(), source: HERE, agent: None, existing: Vec::new() };
    assert!(matches!(after.dispatch.sign_in(request).await, Err(Refusal::Rule(SignInRefusal::WrongCredentials))));
    sign_in(&after, ADMINISTRATOR).await;
}

async fn a_restored_log_can_be_backed_up_and_restored_again(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (path, first) = backed_up(&app).await;
    let second = Store::new(kind).await;
    restored(&second, &path, &app.master_key()).await.unwrap();
    let second = TestApp::over(second, app.master_key(), |_| {}).await;
    let (path, again) = backed_up(&second).await;
    assert_eq!((again.counts.epochs, again.header.position), (first.counts.epochs + 1, first.header.position + 1));
    let third = Store::new(kind).await;
    restored(&third, &path, &app.master_key()).await.unwrap();
    let log = third.open().await;
    let sql = "SELECT from_position FROM log_epoch ORDER BY from_position";
    let epochs: Vec<i64> = on_db!(log.db(), pool => sqlx::query_scalar(sql).fetch_all(pool).await).unwrap();
    assert_eq!(epochs, [1, first.header.position + 1, first.header.position + 2]);
}
