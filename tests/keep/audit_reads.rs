//! Whoever asks the log is remembered in the log, and nothing waits for it; grants that are revoked together die together.

use domain::{
    GrantId, Timestamp,
    audit::{Question, Read},
    client::SigningAlgorithm,
};
use grantlog::{audit::living_on, log::Actor};
use projections::standing::Ground;
use support::{
    Kind, TestApp, TestClient, Tokens, both_stores,
    traffic::{all_events, grant, history, issue_many, refreshed, sign_in},
};

both_stores! {
    a_read_is_remembered_without_moving_what_it_was_about,
    reads_of_many_at_once_are_all_remembered,
    grants_are_revoked_in_one_append_and_what_has_ended_stays_as_it_is,
    grants_in_use_all_the_time_are_revoked_together,
    what_was_issued_since_a_moment_is_found_by_what_it_stands_on,
    a_key_is_replaced_and_what_it_signed_is_dead,
    a_session_is_ended_by_an_operator,
}

async fn a_read_is_remembered_without_moving_what_it_was_about(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let session = sign_in(&app.app, support::USER).await.session;
    let family = grant(&app, &client, &session).await;
    let read = Read { user_id: Some(app.user), client_id: Some(client.id), ..Read::of(Question::User) };
    let before = app.app.log.known_head();
    let done = app.app.dispatch.remember_read(Actor::Administrator(app.administrator), read).await.unwrap();
    assert_eq!(done.position, before + 1);
    let event = app.app.log.read(before, 1).await.unwrap().remove(0);
    assert_eq!((event.event_type.as_str(), event.aggregate_type.as_str()), ("audit.read", "audit"));
    let payload: serde_json::Value = serde_json::from_str(&event.payload).unwrap();
    assert_eq!((&payload["question"], &payload["user_id"]), (&"user".into(), &app.user.to_string().into()));
    assert!(event.metadata.contains(&format!("administrator:{}", app.administrator)));
    refreshed(&app, &client, &family).await;
    assert!(app.is_active(&client, &family.access).await);
}

async fn reads_of_many_at_once_are_all_remembered(kind: Kind) {
    let app = TestApp::start(kind).await;
    let node = app.another_node().await;
    let before = app.app.log.known_head();
    let reads = (0..40).map(|n| {
        let dispatch = if n % 2 == 0 { &app.app.dispatch } else { &node.dispatch };
        dispatch.remember_read(Actor::Operator, Read::of(Question::Grants))
    });
    futures_util::future::try_join_all(reads).await.unwrap();
    let after = app.app.log.read(before, 100).await.unwrap();
    assert_eq!(after.iter().filter(|event| event.event_type == "audit.read").count(), 40);
}

async fn grants_are_revoked_in_one_append_and_what_has_ended_stays_as_it_is(kind: Kind) {
    let app = TestApp::start(kind).await;
    let history = history(&app).await;
    issue_many(&app.app, &history.client, 300).await;
    let all: Vec<GrantId> = all_events(&app.app.log)
        .await
        .iter()
        .filter(|event| event.aggregate_type == "grant" && event.sequence == 1)
        .map(|event| event.aggregate_id.parse().unwrap())
        .chain([GrantId::new(uuid::Uuid::now_v7())])
        .collect();
    let before = app.app.log.known_head();
    let done = app.app.dispatch.revoke_grants(Actor::Operator, &all).await.unwrap();
    let events = app.app.log.read(before, 1_000).await.unwrap();
    assert_eq!(events.len(), done.answer);
    assert!(done.answer >= 303 && done.answer < all.len(), "{}", done.answer);
    assert!(events.iter().all(|event| event.event_type == "grant.revoked" && event.command_id == events[0].command_id));
    for token in [&history.own.access, &history.family.access] {
        assert!(!app.is_active(&history.client, token).await);
    }
    app.refresh(&history.client, history.family.refresh_token()).await.assert_error(400, "invalid_grant");
    assert_eq!(app.app.dispatch.revoke_grants(Actor::Operator, &all).await.unwrap().answer, 0);
}

/// Refreshes until that is refused; gives how often it was not.
async fn use_it(app: &TestApp, client: &TestClient, mut tokens: Tokens) -> usize {
    for refreshes in 0.. {
        let answer = app.refresh(client, tokens.refresh_token()).await;
        if answer.status != 200 {
            answer.assert_error(400, "invalid_grant");
            return refreshes;
        }
        tokens = answer.tokens();
    }
    unreachable!("it ends with a refusal");
}

async fn grants_in_use_all_the_time_are_revoked_together(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, node) = (app.ordinary_client().await, app.another_node().await);
    let session = sign_in(&app.app, support::USER).await.session;
    let mut families = Vec::new();
    for _ in 0..64 {
        families.push(grant(&app, &client, &session).await);
    }
    let grants = living_on(app.app.log.db(), Ground::Issuer, Timestamp::default(), app.app.clock.now()).await.unwrap();
    let before = app.app.log.known_head();
    let using = futures_util::future::join_all(families.into_iter().map(|tokens| use_it(&app, &client, tokens)));
    let revoking = async {
        // All of them are in use by now.
        assert!(app.app.log.wait_for(before + 200, std::time::Duration::from_secs(60)).await);
        node.dispatch.revoke_grants(Actor::Operator, &grants).await.unwrap()
    };
    let (refreshes, done) = futures_util::future::join(using, revoking).await;
    assert!(refreshes.iter().all(|refreshes| *refreshes > 0), "{refreshes:?}");
    assert_eq!(done.answer, 64);
    let events = app.app.log.read(done.position - 64, 1_000).await.unwrap();
    assert!(events.len() == 64 && events.iter().all(|event| event.event_type == "grant.revoked"), "nothing came after them");
    assert!(events.iter().all(|event| event.command_id == events[0].command_id));
}

async fn what_was_issued_since_a_moment_is_found_by_what_it_stands_on(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (client, other) = (app.ordinary_client().await, app.ordinary_client().await);
    let session = sign_in(&app.app, support::USER).await.session;
    let family = grant(&app, &client, &session).await;
    app.token_of(&other, "read").await;
    app.app.clock.advance(100);
    let since = app.app.clock.now();
    let living = async |ground: Ground<'_>, since: Timestamp| {
        living_on(app.app.log.db(), ground, since, app.app.clock.now()).await.unwrap().len()
    };
    let (client_id, other_id) = (client.id.to_string(), other.id.to_string());
    let (user_id, session_id) = (app.user.to_string(), session.id.to_string());
    let always = Timestamp::default();
    assert_eq!(living(Ground::Issuer, always).await, 2);
    assert_eq!(living(Ground::Issuer, since).await, 0);
    refreshed(&app, &client, &family).await;
    app.token_of(&other, "read").await;
    assert_eq!(living(Ground::Issuer, since).await, 2, "what was refreshed was issued since");
    for (ground, count) in [
        (Ground::Client(&client_id), 1),
        (Ground::Client(&other_id), 2),
        (Ground::User(&user_id), 1),
        (Ground::Session(&session_id), 1),
        (Ground::Consent(&client_id), 0),
    ] {
        assert_eq!(living(ground, always).await, count, "{ground:?}");
    }
    app.disable(other.id).await;
    assert_eq!(living(Ground::Client(&other_id), always).await, 0);
    app.app.clock.advance(400 * 86_400);
    assert_eq!(living(Ground::Issuer, always).await, 0);
}

async fn a_key_is_replaced_and_what_it_signed_is_dead(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let token = app.token_of(&client, "read").await;
    let keys = app.app.dispatch.key_set().await.unwrap();
    let kid = keys.active(SigningAlgorithm::ES256).unwrap().kid.clone();
    assert_eq!(living_on(app.app.log.db(), Ground::Key(&kid), Timestamp::default(), app.app.clock.now()).await.unwrap().len(), 1);
    app.app.dispatch.replace_key(Actor::Operator, &kid).await.unwrap();
    assert!(!app.is_active(&client, &token.access).await);
    let token = app.token_of(&client, "read").await;
    assert!(app.is_active(&client, &token.access).await);
    let keys = app.app.dispatch.key_set().await.unwrap();
    assert_ne!(keys.active(SigningAlgorithm::ES256).unwrap().kid, kid);
    app.app.dispatch.replace_key(Actor::Operator, "nothing").await.unwrap_err();
}

async fn a_session_is_ended_by_an_operator(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let session = sign_in(&app.app, support::USER).await.session;
    let family = grant(&app, &client, &session).await;
    app.app.dispatch.end_session(Actor::Operator, session.id).await.unwrap();
    assert!(!app.is_active(&client, &family.access).await);
    let nobody = domain::SessionId::new(uuid::Uuid::now_v7());
    app.app.dispatch.end_session(Actor::Operator, nobody).await.unwrap_err();
}
