//! What the log tells of grants: every one, how it ended, at any moment, the same however little memory a replay has.

use domain::{GrantId, Timestamp, client::SigningAlgorithm, cutoff::Cause};
use grantlog::{
    audit::{
        self, AsOf, Bounds, CodeState, Descent, Filter, GrantKind, GrantRecord, GrantState, NotEnded, Point, RecordsDigest,
        Replay,
    },
    log::{Actor, Log},
};
use support::{
    Kind, TestApp, both_stores,
    traffic::{code, grant, history, issue_many, refreshed, sign_in},
};
use uuid::Uuid;

both_stores! {
    every_grant_is_told_and_how_it_ended,
    little_memory_gives_the_same_records,
    a_replay_to_an_earlier_place_knows_nothing_of_what_came_after,
    whatever_a_grant_stands_on_ends_it_and_is_named,
    a_retired_key_ends_what_has_nothing_but_its_token,
    one_grant_alone_is_told_as_in_the_replay,
    what_expired_was_not_ended_by_what_came_later,
    more_grants_than_one_append_takes_are_not_revoked_one_by_one,
}

/// So little that every bound is met.
const TIGHT: Bounds = Bounds { page: 3, grants: 2, waiting: 64, facts: 1 };

async fn replayed(log: &Log, until: i64, bounds: Bounds) -> Vec<GrantRecord> {
    let mut replayed = Replay::read(log, until, bounds, &mut |_| {}).await.unwrap();
    let mut records = Vec::new();
    while let Some(some) = replayed.next_grants().unwrap() {
        records.extend(some);
    }
    records
}

async fn all(app: &TestApp) -> Vec<GrantRecord> {
    replayed(&app.app.log, app.app.log.known_head(), Bounds::default()).await
}

fn digest(records: &[GrantRecord]) -> String {
    let mut digest = RecordsDigest::default();
    records.iter().for_each(|record| digest.add(record));
    digest.finish()
}

/// What ended each grant, in the order in which they began.
fn causes(records: &[GrantRecord]) -> Vec<Option<Cause>> {
    records.iter().map(|record| record.ended.as_ref().map(|end| end.cause)).collect()
}

async fn every_grant_is_told_and_how_it_ended(kind: Kind) {
    let app = TestApp::start(kind).await;
    let history = history(&app).await;
    let records = all(&app).await;
    let now = app.app.clock.now();
    let ended = [
        None,
        None,
        Some(Cause::RefreshReplayed),
        Some(Cause::RevokedByClient),
        Some(Cause::SignedOut),
        Some(Cause::ClientDisabled),
        None,
    ];
    assert_eq!(causes(&records), ended);
    let live = records.iter().filter(|record| record.state(now) == GrantState::Live).count();
    assert_eq!(live, 3, "the client's own, the refreshed family and the code that nobody has redeemed");
    let family = &records[1];
    assert_eq!((family.kind, family.code), (GrantKind::AuthorizationCode, Some(CodeState::Redeemed)));
    assert_eq!((family.user_id, family.session_id), (Some(app.user), Some(history.signed_in.session.id)));
    assert_eq!((family.access_tokens, family.refreshes), (3, 2));
    assert_eq!((family.client.client_id.as_str(), family.client.metadata_version), (history.client.identifier.as_str(), 1));
    assert_eq!((family.client.name.as_deref(), family.amr.as_slice()), (Some("Ordinary"), &["pwd".to_owned()][..]));
    assert_eq!(family.scope.to_string(), "read write");
    assert!(family.last_issued.position > family.begun.position && family.ends_at > now);
    assert_eq!(records[6].code, Some(CodeState::Issued));
    let by: Vec<_> = records.iter().filter_map(|record| record.ended.as_ref()).map(|end| end.by.clone()).collect();
    let (user, client) = (format!("user:{}", app.user), format!("client:{}", history.client.id));
    assert_eq!(by, [client.as_str(), client.as_str(), user.as_str(), "operator"]);
    let of_user = Filter { user: Some(app.user), scope: Some("write".to_owned()), ..Filter::default() };
    assert_eq!(records.iter().filter(|record| of_user.takes(record, now)).count(), 4);
    let of_nobody = Filter { to: Some(records[0].begun.at), ..Filter::default() };
    assert!(!records.iter().any(|record| of_nobody.takes(record, now)));
}

async fn little_memory_gives_the_same_records(kind: Kind) {
    let app = TestApp::start(kind).await;
    let first = history(&app).await;
    issue_many(&app.app, &first.client, 50).await;
    history(&app).await;
    let head = app.app.log.known_head();
    let (roomy, tight) = (all(&app).await, replayed(&app.app.log, head, TIGHT).await);
    assert!(roomy.len() > 60 && roomy.is_sorted_by_key(|record| record.grant_id));
    assert_eq!(tight, roomy);
    assert_eq!(digest(&tight), digest(&roomy));
    assert_ne!(digest(&roomy[1..]), digest(&roomy));
}

async fn a_replay_to_an_earlier_place_knows_nothing_of_what_came_after(kind: Kind) {
    let app = TestApp::start(kind).await;
    history(&app).await;
    let records = all(&app).await;
    for end in records.iter().filter_map(|record| record.ended.as_ref()) {
        let before = replayed(&app.app.log, end.place.position - 1, TIGHT).await;
        let then: Vec<_> = records.iter().filter(|record| record.begun.position < end.place.position).collect();
        assert_eq!(before.len(), then.len());
        let ended = |cause: Option<Cause>| cause.is_some();
        let ended_then = then.iter().filter(|record| record.ended.as_ref().is_some_and(|end_then| end_then.place < end.place));
        assert_eq!(causes(&before).into_iter().filter(|cause| ended(*cause)).count(), ended_then.count());
    }
    let last = records.last().unwrap().begun;
    let resolve = |as_of| audit::resolve(&app.app.log, as_of);
    assert_eq!(resolve(AsOf::Position(last.position)).await.unwrap(), last);
    assert!(resolve(AsOf::Moment(last.at)).await.unwrap().position >= last.position);
    let long_ago = Timestamp::from_unix(last.at.unix() - 86_400);
    assert_eq!(resolve(AsOf::Moment(long_ago)).await.unwrap().position, 0);
    let head = app.app.log.known_head();
    assert_eq!(resolve(AsOf::Position(i64::MAX)).await.unwrap().position, head);
    assert_eq!(resolve(AsOf::Now(app.app.clock.now())).await.unwrap().position, head);
}

async fn whatever_a_grant_stands_on_ends_it_and_is_named(kind: Kind) {
    let app = TestApp::start(kind).await;
    let dispatch = &app.app.dispatch;
    let (client, offline) = (
        app.ordinary_client().await,
        app.client(serde_json::json!({
            "client_name": "Offline", "redirect_uris": [support::REDIRECT_URI],
            "grant_types": ["authorization_code", "refresh_token"], "scope": "read offline_access",
        }))
        .await,
    );
    let session = app.sign_in().await;
    grant(&app, &client, &session).await;
    app.code_of(&app.approval(&session, &offline, "read offline_access").await).await;
    dispatch.sign_out(&session).await.unwrap();
    let session = app.sign_in().await;
    grant(&app, &client, &session).await;
    app.withdraw_consent(&client).await;
    grant(&app, &client, &session).await;
    dispatch.set_password(Actor::Operator, app.user, support::PASSWORD.into()).await.unwrap();
    let session = app.sign_in().await;
    code(&app, &client, &session).await;
    dispatch.lock_user(Actor::Administrator(app.administrator), app.user).await.unwrap();
    dispatch.unlock_user(Actor::Operator, app.user).await.unwrap();
    let session = app.sign_in().await;
    grant(&app, &client, &session).await;
    dispatch.erase_user(Actor::Operator, app.user).await.unwrap();
    let expected = [
        Some(Cause::SignedOut),
        Some(Cause::PasswordChanged),
        Some(Cause::ConsentWithdrawn),
        Some(Cause::PasswordChanged),
        Some(Cause::UserLocked),
        Some(Cause::UserErased),
    ];
    let records = replayed(&app.app.log, app.app.log.known_head(), TIGHT).await;
    assert_eq!(causes(&records), expected, "with offline access a grant outlives the sign-in");
    assert_eq!(records[4].ended.as_ref().unwrap().by, format!("administrator:{}", app.administrator));
}

async fn a_retired_key_ends_what_has_nothing_but_its_token(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let session = sign_in(&app.app, support::USER).await.session;
    app.token_of(&client, "read").await;
    let family = grant(&app, &client, &session).await;
    let keys = app.app.dispatch.key_set().await.unwrap();
    let kid = keys.active(SigningAlgorithm::ES256).unwrap().kid.clone();
    app.app.dispatch.rotate_keys(Actor::Operator, SigningAlgorithm::ES256).await.unwrap();
    app.app.dispatch.retire_key(Actor::Operator, &kid).await.unwrap();
    assert_eq!(causes(&all(&app).await), [Some(Cause::KeyRetired), None]);
    refreshed(&app, &client, &family).await;
    assert_eq!(causes(&all(&app).await), [Some(Cause::KeyRetired), None]);
}

async fn one_grant_alone_is_told_as_in_the_replay(kind: Kind) {
    let app = TestApp::start(kind).await;
    history(&app).await;
    for record in all(&app).await {
        let file = audit::grant(&app.app.log, record.grant_id).await.unwrap().unwrap();
        assert_eq!(file.record, record);
        assert!(file.events.is_sorted_by_key(|told| told.place));
    }
    let nobody = GrantId::new(Uuid::now_v7());
    assert!(audit::grant(&app.app.log, nobody).await.unwrap().is_none());
}

async fn what_expired_was_not_ended_by_what_came_later(kind: Kind) {
    let app = TestApp::start_with(kind, |settings| settings.tokens.access_token_lifetime = 1).await;
    let client = app.ordinary_client().await;
    app.app.clock.advance(-600);
    app.token_of(&client, "read").await;
    app.disable(client.id).await;
    let records = all(&app).await;
    assert_eq!(causes(&records), [None]);
    assert_eq!(records[0].state(Timestamp::from_unix(records[0].ends_at.unix())), GrantState::Expired);
}

async fn more_grants_than_one_append_takes_are_not_revoked_one_by_one(kind: Kind) {
    let app = TestApp::start(kind).await;
    let before = app.app.log.head().await.unwrap();
    let descent = Descent { point: Point::Issuer, since: Some(app.app.clock.now()) };
    let grants: Vec<_> = (0..20_001).map(|_| GrantId::new(Uuid::now_v7())).collect();
    let refused = descent.end(&app.app.dispatch, Actor::Operator, &grants).await.unwrap_err();
    assert!(matches!(&refused, NotEnded::Refused(why) if why.starts_with("20001 grants are more")), "{refused}");
    assert_eq!(app.app.log.head().await.unwrap(), before);
}
