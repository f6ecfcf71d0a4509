//! The SQL of the live projections, over both stores: the same events, the same answers.
#![cfg(test)]

mod events;
mod store;

use domain::{
    Digest, Timestamp,
    client::{ClientEvent, SigningAlgorithm},
    consent::ConsentEvent,
    grant::{ClientAuthentication, GrantEvent, RevocationReason},
    key_set::{KeySetEvent, PublicKey},
    session::{SessionEnd, SessionEvent},
    user::UserEvent,
};
use projections::{Db, Dialect, Page, account, client, consent, cutoff, grant, session, signing_key, token, token::TokenKind};

use events::{
    ALICE, APP, AT, CONSENT, GRANT, LATER, SESSION, access, approved, created, given, id, issued, on, refresh, registered,
    started,
};
use store::{Store, projected};

/// Runs each sentence over both stores.
macro_rules! over_both_stores {
    ($($sentence:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test] async fn $sentence() { super::$sentence(super::Store::sqlite().await).await; })+
        }
        mod postgres {
            $(#[tokio::test] async fn $sentence() { super::$sentence(super::Store::postgres().await).await; })+
        }
    };
}

over_both_stores! {
    a_batch_written_twice_leaves_the_same_rows,
    of_many_rows_at_once_each_gets_its_own_values,
    rows_are_found_by_key_by_name_and_by_owner,
    a_page_goes_on_where_the_last_one_ended,
    an_erased_users_name_can_be_taken_in_the_same_batch,
    the_first_moment_of_a_consent_stays_through_later_batches,
    each_wide_revocation_kills_what_was_issued_before_it_and_nothing_later,
    a_used_code_and_a_rotated_refresh_token_are_dead_and_their_successors_live,
    a_session_is_cut_off_with_its_user_and_with_the_issuer,
    the_last_activated_key_of_an_algorithm_signs,
    the_view_shows_the_generation_it_was_switched_to,
    look_ups_and_writes_go_by_the_key,
}

const PAGE: Page<'_> = Page { after: None, limit: 10 };

async fn a_batch_written_twice_leaves_the_same_rows(mut store: Store) {
    let events =
        [registered(APP, None), created(ALICE, "alice"), started(SESSION), given("read", AT), approved(), issued("a", 0)];
    store.write(&events).await;
    let once = store.token("a").await;
    store.head = 0;
    store.write(&events).await;
    assert_eq!(store.token("a").await, once);
    assert_eq!((once.position, once.client_identifier.as_deref(), once.profile.as_deref()), (6, Some("app-2"), Some("sealed 3")));
    assert!(once.is_active(TokenKind::Access, LATER));
}

async fn of_many_rows_at_once_each_gets_its_own_values(mut store: Store) {
    const MANY: i64 = 150;
    let name = |n: i64| format!("a {n}");
    let tokens: Vec<_> = (0..MANY).map(|n| issued(&name(n), n)).collect();
    store.write(&tokens).await;
    let revoked = |n: i64| {
        let (token, digest) = (id(9).parse().unwrap(), Digest::of(name(n).as_bytes()));
        on("grant", GRANT, GrantEvent::AccessTokenRevoked { token, digest, expires_at: LATER, at: LATER })
    };
    let odd: Vec<_> = (0..MANY).filter(|n| n % 2 == 1).map(revoked).collect();
    let base = store.head;
    store.write(&odd).await;
    for n in 0..MANY {
        let row = store.token(&name(n)).await;
        let expected = if n % 2 == 1 { ("revoked", n, base + n / 2 + 1) } else { ("live", n, n + 1) };
        assert_eq!((row.state.as_str(), row.pos, row.position), expected);
    }
}

async fn rows_are_found_by_key_by_name_and_by_owner(mut store: Store) {
    store
        .write(&[created(ALICE, "alice"), registered(APP, Some(ALICE)), registered(7, None), approved(), given("read", AT)])
        .await;
    let db = &store.db;
    assert_eq!(client::find(db, &[id(APP), id(7), id(8)]).await.unwrap().len(), 2);
    assert_eq!(client::find(db, &[]).await.unwrap(), []);
    assert_eq!(client::by_identifier(db, &["app-7".to_owned()]).await.unwrap()[0].id, id(7));
    assert_eq!(client::of_owner(db, &id(ALICE), PAGE).await.unwrap()[0].id, id(APP));
    let alice = account::by_sign_in_name(db, &["alice".to_owned()]).await.unwrap().remove(0);
    assert_eq!(account::find(db, &[id(ALICE)]).await.unwrap(), std::slice::from_ref(&alice));
    assert!(alice.administrator);
    assert_eq!(grant::find(db, &[id(GRANT)]).await.unwrap()[0].state, "live");
    assert_eq!(grant::of_consent(db, &id(CONSENT), PAGE).await.unwrap().len(), 1);
    let consent = consent::of_user_and_client(db, &id(ALICE), &id(APP)).await.unwrap().unwrap();
    assert_eq!(consent.client_name.as_deref(), Some("App 2"));
    assert_eq!(consent::find(db, &[id(CONSENT)]).await.unwrap(), std::slice::from_ref(&consent));
    assert_eq!(consent::of_user(db, &id(ALICE), PAGE).await.unwrap(), [consent]);
    assert_eq!(consent::of_user_and_client(db, &id(ALICE), &id(7)).await.unwrap(), None);
}

async fn a_page_goes_on_where_the_last_one_ended(mut store: Store) {
    store.write(&(1..=5).map(|n| registered(n, None)).collect::<Vec<_>>()).await;
    let first = client::list(&store.db, Page { after: None, limit: 3 }).await.unwrap();
    let second = client::list(&store.db, Page { after: Some(&first[2].id), limit: 3 }).await.unwrap();
    let ids: Vec<String> = first.into_iter().chain(second).map(|client| client.id).collect();
    assert_eq!(ids, (1..=5).map(id).collect::<Vec<_>>());
    assert_eq!(account::list(&store.db, PAGE).await.unwrap(), []);
}

async fn an_erased_users_name_can_be_taken_in_the_same_batch(mut store: Store) {
    store.write(&[created(ALICE, "alice")]).await;
    store.write(&[on("user", ALICE, UserEvent::Erased { at: LATER }), created(8, "alice")]).await;
    let found = account::by_sign_in_name(&store.db, &["alice".to_owned(), id(ALICE)]).await.unwrap();
    assert_eq!(found.iter().map(|account| account.id.as_str()).collect::<Vec<_>>(), [id(8)]);
    assert_eq!(account::find(&store.db, &[id(ALICE)]).await.unwrap()[0].state, "erased");
}

async fn the_first_moment_of_a_consent_stays_through_later_batches(mut store: Store) {
    store.write(&[given("read", AT)]).await;
    store.write(&[given("read write", LATER)]).await;
    let consent = consent::find(&store.db, &[id(CONSENT)]).await.unwrap().remove(0);
    assert_eq!((consent.scope.as_str(), consent.given_at, consent.updated_at), ("read write", 100, 200));
    store.write(&[on("consent", CONSENT, ConsentEvent::Withdrawn { by: None, at: LATER })]).await;
    assert_eq!(consent::of_user(&store.db, &id(ALICE), PAGE).await.unwrap(), []);
}

async fn each_wide_revocation_kills_what_was_issued_before_it_and_nothing_later(mut store: Store) {
    let cutoffs = [
        on("client", APP, ClientEvent::Disabled { by: None, at: LATER }),
        on("user", ALICE, UserEvent::Locked { at: LATER }),
        on("user", ALICE, UserEvent::PasswordSet { by_themselves: true, proof: None, at: LATER }),
        on("session", SESSION, SessionEvent::Ended { reason: SessionEnd::SignedOut, at: LATER }),
        on("consent", CONSENT, ConsentEvent::Withdrawn { by: None, at: LATER }),
        on("grant", GRANT, GrantEvent::Revoked { reason: RevocationReason::RevokedByClient, ends_at: LATER, at: LATER }),
        on("key_set", 1, KeySetEvent::Retired { kid: "key".to_owned(), at: LATER }),
        on("key_set", 1, KeySetEvent::EpochBegun { epoch: "2".to_owned(), at: LATER }),
    ];
    for (n, cutoff) in cutoffs.into_iter().enumerate() {
        let (before, after) = (format!("before {n}"), format!("after {n}"));
        store.write(&[issued(&before, store.head)]).await;
        assert!(store.token(&before).await.is_active(TokenKind::Access, LATER), "{cutoff:?}");
        store.write(std::slice::from_ref(&cutoff)).await;
        store.write(&[issued(&after, store.head)]).await;
        assert!(!store.token(&before).await.is_active(TokenKind::Access, LATER), "{cutoff:?}");
        assert!(store.token(&after).await.is_active(TokenKind::Access, LATER), "{cutoff:?}");
    }
    assert_eq!(cutoff::find(&store.db, &[id(APP), cutoff::ISSUER.to_owned(), id(99)]).await.unwrap().len(), 2);
}

async fn a_used_code_and_a_rotated_refresh_token_are_dead_and_their_successors_live(mut store: Store) {
    const BY: ClientAuthentication = ClientAuthentication::None;
    store.write(&[approved()]).await;
    assert!(store.token("code").await.is_active(TokenKind::Code, Timestamp::from_unix(159)));
    let redeemed = GrantEvent::CodeRedeemed { code: Digest::of(b"code"), authentication: BY, at: AT };
    let tokens = GrantEvent::TokensIssued { access: access("a", 1), refresh: Some(refresh("r", 1, 1)), at: AT };
    store.write(&[on("grant", GRANT, redeemed), on("grant", GRANT, tokens)]).await;
    let refreshed = GrantEvent::Refreshed {
        predecessor: Digest::of(b"r"),
        access: access("a2", 3),
        refresh: refresh("r2", 2, 3),
        authentication: BY,
        at: AT,
    };
    store.write(&[on("grant", GRANT, refreshed)]).await;
    assert_eq!(store.token("code").await.state, "used");
    assert_eq!((store.token("r").await.state.as_str(), store.token("r").await.position), ("used", 4));
    assert!(store.token("r2").await.is_active(TokenKind::Refresh, LATER));
    assert!(store.token("a").await.is_active(TokenKind::Access, LATER));
    let (token, digest) = (id(9).parse().unwrap(), Digest::of(b"a"));
    store.write(&[on("grant", GRANT, GrantEvent::AccessTokenRevoked { token, digest, expires_at: LATER, at: LATER })]).await;
    assert_eq!(store.token("a").await.state, "revoked");
    assert!(store.token("a2").await.is_active(TokenKind::Access, LATER));
}

async fn a_session_is_cut_off_with_its_user_and_with_the_issuer(mut store: Store) {
    store.write(&[started(SESSION)]).await;
    assert!(session::find(&store.db, &[id(SESSION)]).await.unwrap()[0].is_active(LATER));
    store.write(&[on("user", ALICE, UserEvent::PasswordSet { by_themselves: false, proof: None, at: LATER }), started(10)]).await;
    let sessions = session::of_user(&store.db, &id(ALICE), PAGE).await.unwrap();
    assert_eq!(sessions.iter().map(|session| session.is_active(LATER)).collect::<Vec<_>>(), [false, true]);
    store.write(&[on("key_set", 1, KeySetEvent::EpochBegun { epoch: "2".to_owned(), at: LATER })]).await;
    assert!(!session::find(&store.db, &[id(10)]).await.unwrap()[0].is_active(LATER));
}

async fn the_last_activated_key_of_an_algorithm_signs(mut store: Store) {
    let added = |kid: &str, alg, at| {
        let key = PublicKey { kid: kid.to_owned(), alg, jwk: serde_json::json!({}) };
        on("key_set", 1, KeySetEvent::Added { key, at: Timestamp::from_unix(at) })
    };
    let activated = |kid: &str| on("key_set", 1, KeySetEvent::Activated { kid: kid.to_owned(), at: AT });
    store
        .write(&[added("a", SigningAlgorithm::ES256, 1), activated("a"), added("r", SigningAlgorithm::RS256, 2), activated("r")])
        .await;
    store.write(&[added("b", SigningAlgorithm::ES256, 3), activated("b"), added("c", SigningAlgorithm::ES256, 4)]).await;
    let keys = signing_key::all(&store.db).await.unwrap();
    let states: Vec<(&str, &str)> = keys.iter().map(|key| (key.kid.as_str(), key.state.as_str())).collect();
    assert_eq!(states, [("a", "superseded"), ("r", "active"), ("b", "active"), ("c", "added")]);
}

async fn the_view_shows_the_generation_it_was_switched_to(mut store: Store) {
    store.write(&[registered(APP, None)]).await;
    store.run(&client::TABLE.create_generation(store.db.dialect(), 2)).await;
    let changes = projected(&[registered(APP, None), registered(7, None)]);
    store.write_changes(&client::TABLE, 2, &changes).await;
    assert_eq!(client::list(&store.db, PAGE).await.unwrap().len(), 1);
    store.run(&client::TABLE.create_view(store.db.dialect(), 2)).await;
    assert_eq!(client::list(&store.db, PAGE).await.unwrap().len(), 2);
    store.run(&client::TABLE.drop_generation(store.db.dialect(), 1)).await;
    assert_eq!(client::list(&store.db, PAGE).await.unwrap().len(), 2);
}

/// A scan of the tokens for a write or a look-up would show in the plan already.
async fn look_ups_and_writes_go_by_the_key(store: Store) {
    match &store.db {
        Db::Sqlite(sqlite) => {
            let find = token::select_wanted(Dialect::Sqlite);
            let redeemed = GrantEvent::CodeRedeemed {
                code: Digest::of(b"code"),
                authentication: ClientAuthentication::ClientSecretBasic,
                at: AT,
            };
            let changes = projected(&[on("grant", GRANT, redeemed)]);
            let sets = changes.sets(&token::TABLE);
            let sets = sets.flat_map(|row| [token::TABLE.sqlite_set(1, row), token::TABLE.sqlite_set_many(1, row, 64)]);
            for sql in sets.chain([token::TABLE.sqlite_put(1, 1), find]) {
                let sql = format!("EXPLAIN QUERY PLAN {sql}");
                let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(&sql).fetch_all(sqlite.pool()).await.unwrap();
                assert!(plan.iter().all(|step| !step.3.starts_with("SCAN t")), "{plan:?}");
            }
        }
        Db::Postgres(pool) => {
            let settings = "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off";
            let mut connection = pool.acquire().await.unwrap();
            sqlx::raw_sql(settings).execute(&mut *connection).await.unwrap();
            let find = format!("EXPLAIN SELECT t.kind FROM token AS t WHERE t.digest IN {}", Dialect::Postgres.keys(1));
            let plan: Vec<(String,)> = sqlx::query_as(&find).bind("[\"a\"]").fetch_all(&mut *connection).await.unwrap();
            assert!(plan.iter().all(|line| !line.0.contains("Seq Scan")), "{plan:?}");
        }
    }
}
