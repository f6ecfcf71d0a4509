//! Where a token came from and what came of it, told from its text, its `jti` or its digest; also long after its row was swept away.

use domain::{Digest, cutoff::Cause};
use grantlog::{
    audit::{self, FoundToken, Named, Names, TokenKind, TokenState, Words, came_of, led_to, tell},
    sweep::pass,
};
use support::{
    Kind, TestApp, both_stores,
    traffic::{code, history, refreshed, sign_in},
};

both_stores! {
    a_refresh_token_is_told_back_to_its_code_and_forward_to_what_lives,
    a_replay_ends_the_family_and_names_the_thief_or_the_victim,
    a_token_is_found_by_whatever_names_it,
    a_token_that_was_swept_is_found_in_the_log,
    the_story_of_a_grant_names_the_consent_the_sign_in_and_the_version,
}

async fn found(app: &TestApp, text: &str) -> Option<FoundToken> {
    audit::token(&app.app.dispatch, text, &mut |_| {}).await.unwrap()
}

async fn a_refresh_token_is_told_back_to_its_code_and_forward_to_what_lives(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let session = sign_in(&app.app, support::USER).await.session;
    let code = code(&app, &client, &session).await;
    let first = app.redeem(&client, &code).await.assert_status(200).tokens();
    let second = refreshed(&app, &client, &first).await;
    app.revoke(&client, &first.access).await.assert_status(200);
    let now = app.app.clock.now();

    let of_first = found(&app, first.refresh_token()).await.unwrap();
    let tokens = &of_first.file.tokens;
    let states: Vec<_> = tokens.iter().map(|token| (token.kind, token.state(now))).collect();
    let expected = [
        (TokenKind::CODE, TokenState::Used),
        (TokenKind::ACCESS, TokenState::Ended),
        (TokenKind::REFRESH, TokenState::Used),
        (TokenKind::ACCESS, TokenState::Live),
        (TokenKind::REFRESH, TokenState::Live),
    ];
    assert_eq!(states, expected);
    assert_eq!((of_first.place, of_first.scanned), (2, false));
    assert_eq!(came_of(tokens, 2), [&tokens[0]]);
    assert_eq!(led_to(tokens, 2), [&tokens[3], &tokens[4]]);
    assert_eq!(led_to(tokens, 0).len(), 4);
    assert_eq!(tokens[1].ended.as_ref().unwrap().cause, Cause::RevokedByClient);

    let of_second = found(&app, &second.access).await.unwrap();
    assert_eq!(came_of(&of_second.file.tokens, of_second.place).len(), 2);
    assert_eq!(found(&app, &code).await.unwrap().place, 0);
}

async fn a_replay_ends_the_family_and_names_the_thief_or_the_victim(kind: Kind) {
    let app = TestApp::start(kind).await;
    let dead = history(&app).await.dead;
    let of_replayed = found(&app, &dead[0]).await.unwrap();
    let now = app.app.clock.now();
    assert!(of_replayed.file.tokens.iter().all(|token| token.state(now) != TokenState::Live));
    let live_until_then = of_replayed.file.tokens.iter().filter(|token| token.state(now) == TokenState::Ended);
    assert!(live_until_then.clone().count() >= 2);
    assert!(live_until_then.into_iter().all(|token| token.ended.as_ref().unwrap().cause == Cause::RefreshReplayed));
    let causes = [Cause::RefreshReplayed, Cause::RevokedByClient, Cause::SignedOut, Cause::ClientDisabled];
    for (token, cause) in dead.iter().zip(causes) {
        let found = found(&app, token).await.unwrap();
        assert_eq!(found.file.tokens[found.place].ended.as_ref().unwrap().cause, cause);
    }
}

async fn a_token_is_found_by_whatever_names_it(kind: Kind) {
    let app = TestApp::start(kind).await;
    let history = history(&app).await;
    let opaque = app
        .client(serde_json::json!({"grant_types": ["client_credentials"], "scope": "read", "access_token_format": "opaque"}))
        .await;
    let opaque = app.token_of(&opaque, "read").await.access;
    for text in [&history.own.access, &opaque, &history.code, history.family.refresh_token()] {
        let by_text = found(&app, text).await.unwrap();
        let token = &by_text.file.tokens[by_text.place];
        assert!(token.digest.is(&Digest::of(text.as_bytes())));
        let by_digest = found(&app, token.digest.as_str()).await.unwrap();
        assert_eq!((by_digest.file.record, by_digest.place), (by_text.file.record.clone(), by_text.place));
        if let Some(jti) = token.jti {
            let by_jti = found(&app, &jti.to_string()).await.unwrap();
            assert_eq!((by_jti.place, by_jti.scanned), (by_text.place, false));
        }
        assert!(found(&app, &format!("{text}A")).await.is_none());
    }
    for nobody in ["", "x", "a.b.c", &uuid::Uuid::now_v7().to_string(), Digest::of(b"nothing").as_str()] {
        assert!(found(&app, nobody).await.is_none(), "{nobody}");
    }
}

async fn a_token_that_was_swept_is_found_in_the_log(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let token = app.token_of(&client, "read").await.access;
    let jti = found(&app, &token).await.map(|found| found.file.tokens[0].jti.unwrap().to_string()).unwrap();
    app.app.clock.advance(30 * 86_400);
    pass(&app.app.log, app.app.clock.now()).await.unwrap();
    let by_jti = found(&app, &jti).await.unwrap();
    assert!(!by_jti.scanned, "its jti tells when to look");
    assert_eq!(by_jti.file.tokens[0].state(app.app.clock.now()), TokenState::Expired);
    assert!(found(&app, Digest::of(token.as_bytes()).as_str()).await.unwrap().scanned);
    assert!(!found(&app, &token).await.unwrap().scanned, "its own text names its grant");
}

async fn the_story_of_a_grant_names_the_consent_the_sign_in_and_the_version(kind: Kind) {
    let app = TestApp::start(kind).await;
    let history = history(&app).await;
    let file = found(&app, &history.family.access).await.unwrap().file;
    let names = Names::open(&app.app.dispatch, Named::in_events(&file.events)).await.unwrap();
    let story = tell(&file.events, &names, Words::of("en"));
    let types: Vec<_> = story.iter().map(|chapter| chapter.r#type.as_str()).collect();
    let expected = [
        "key_set.key_added",
        "key_set.key_activated",
        "client.registered",
        "session.started",
        "consent.given",
        "grant.approved",
        "grant.code_redeemed",
        "grant.tokens_issued",
        "grant.refreshed",
        "grant.refreshed",
    ];
    assert_eq!(types, expected);
    assert_eq!(story[3].said, "mika signed in by pwd");
    assert_eq!(story[5].said, "mika let Ordinary act for them with read write; a code was sent");
    assert_eq!((story[5].by_name.as_str(), story[6].by_name.as_str()), ("user mika", "client Ordinary"));
    let japanese = tell(&file.events, &names, Words::of("ja"));
    assert!(japanese[3].said.contains("サインイン"));
    let text = serde_json::to_string(&story).unwrap();
    for token in &file.tokens {
        assert!(!text.contains(token.digest.as_str()), "a story holds no digest");
    }
}
