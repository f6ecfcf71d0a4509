//! Witnesses: what is signed is cosigned by whoever saw all that was signed before, and a log that is not what they saw is told loudly.

use std::{collections::BTreeMap, time::Duration};

use grantlog::{
    config,
    fetch::Fetcher,
    follow::transparency::{NotCosigned, Proof, ProofError, ProveError, SignedCheckpoint, Transparency, Witnesses},
};
use support::{Kind, TestApp, Witness, both_stores, traffic::issue_many};

use crate::{transparency::grow, verifier::key};

both_stores! {
    every_checkpoint_is_cosigned_by_all_witnesses,
    a_witness_that_is_away_holds_nobody_up_and_is_asked_again,
    what_a_witness_knows_is_learnt_from_it,
    after_an_answer_the_last_checkpoint_is_next,
    a_log_that_is_not_what_a_witness_saw_is_told_and_signed_all_the_same,
    a_log_behind_what_a_witness_saw_is_told,
    what_a_witness_that_is_gone_cosigned_is_forgotten,
    a_proof_carries_the_checkpoint_that_most_witnesses_cosigned,
}

/// Two witnesses of a log.
async fn two(app: &TestApp) -> (Witness, Witness) {
    let key = key(app).await;
    (Witness::start("one.example/w", &key).await, Witness::start("two.example/w", &key).await)
}

/// A node begins to ask these witnesses.
async fn asking(transparency: &Transparency, witnesses: &[&Witness]) -> Witnesses {
    let settings = witnesses.iter().map(|witness| (witness.settings.key.name().to_owned(), witness.settings.clone()));
    let settings: BTreeMap<_, _> = settings.collect();
    let fetcher = Fetcher::of_settings(&config::Fetch::default()).unwrap();
    Witnesses::open(transparency.clone(), &settings, &fetcher).await.unwrap()
}

/// The log grows by a few events, and is signed.
async fn more(app: &TestApp) -> u64 {
    issue_many(&app.app, &app.ordinary_client().await, 3).await;
    grow(&app.app.transparency).await;
    app.app.log.head().await.unwrap().unsigned_abs()
}

async fn every_checkpoint_is_cosigned_by_all_witnesses(kind: Kind) {
    let app = TestApp::start(kind).await;
    app.get("/transparency/cosigned").await.assert_error(404, "invalid_request");
    let (one, two) = two(&app).await;
    let mut witnesses = asking(&app.app.transparency, &[&one, &two]).await;
    assert!(witnesses.round().await.unwrap().is_empty() && one.asked() == 0);
    let (mut sizes, mut before) = (Vec::new(), 0);
    for _ in 0..4 {
        let size = more(&app).await;
        assert!(witnesses.round().await.unwrap().is_empty());
        sizes.push((before, size));
        before = size;
        let cosigned = app.get("/transparency/cosigned").await.assert_status(200);
        assert_eq!(cosigned.header("cache-control"), "no-cache");
        for witness in [&one, &two] {
            assert!(witness.settings.key.cosignature(&cosigned.body).is_ok(), "{}", cosigned.body);
        }
        assert_eq!(app.get("/transparency/checkpoint").await.assert_status(200).body, cosigned.body);
        assert_eq!(cosigned.body.lines().nth(1).unwrap(), size.to_string());
    }
    assert_eq!((one.cosigned(), two.cosigned()), (sizes.clone(), sizes));
    let asked = one.asked();
    assert!(witnesses.round().await.unwrap().is_empty());
    assert_eq!(one.asked(), asked);
    grow(&app.app.transparency).await;
    more(&app).await;
    let newest = app.get("/transparency/checkpoint").await.assert_status(200).body;
    assert!(one.settings.key.cosignature(&newest).is_err());
    assert_ne!(app.get("/transparency/cosigned").await.assert_status(200).body, newest);
}

async fn a_witness_that_is_away_holds_nobody_up_and_is_asked_again(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (one, two) = two(&app).await;
    let mut witnesses = asking(&app.app.transparency, &[&one, &two]).await;
    let both = more(&app).await;
    assert!(witnesses.round().await.unwrap().is_empty());
    two.refuse(Some(503));
    let alone = more(&app).await;
    let refusals = witnesses.round().await.unwrap();
    assert!(matches!(refusals.as_slice(), [(name, NotCosigned::Status(503))] if name == "two.example/w"), "{refusals:?}");
    let kept: Vec<SignedCheckpoint> = app.app.transparency.cosigned().await.unwrap();
    assert_eq!(kept.iter().map(|kept| kept.size).collect::<Vec<_>>(), [both, alone]);
    assert!(two.settings.key.cosignature(&kept[0].note).is_ok() && two.settings.key.cosignature(&kept[1].note).is_err());

    two.refuse(None);
    while two.cosigned().len() < 2 {
        witnesses.round().await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let [kept] = app.app.transparency.cosigned().await.unwrap().try_into().unwrap();
    assert_eq!(kept.size, alone);
    for witness in [&one, &two] {
        assert!(witness.settings.key.cosignature(&kept.note).is_ok());
    }
    assert_eq!(one.cosigned().len(), 2);
}

async fn what_a_witness_knows_is_learnt_from_it(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (one, _) = two(&app).await;
    let first = more(&app).await;
    assert!(asking(&app.app.transparency, &[&one]).await.round().await.unwrap().is_empty());
    // Another process knows it from the store.
    let second = more(&app).await;
    assert!(asking(&app.app.transparency, &[&one]).await.round().await.unwrap().is_empty());
    assert_eq!((one.cosigned(), one.asked()), (vec![(0, first), (first, second)], 2));
    // And where the store does not know, the witness says it.
    app.execute("DELETE FROM transparency_cosigned").await;
    let third = more(&app).await;
    assert!(asking(&app.app.transparency, &[&one]).await.round().await.unwrap().is_empty());
    assert_eq!((one.cosigned()[2], one.asked()), ((second, third), 4));
    // A cosignature that was lost on its way is given again.
    app.execute("DELETE FROM transparency_cosigned").await;
    assert!(asking(&app.app.transparency, &[&one]).await.round().await.unwrap().is_empty());
    assert_eq!((one.cosigned()[3], one.asked()), ((third, third), 6));
    one.forget();
    let fourth = more(&app).await;
    assert!(asking(&app.app.transparency, &[&one]).await.round().await.unwrap().is_empty());
    assert_eq!((one.cosigned()[4], one.asked()), ((0, fourth), 8));
}

async fn after_an_answer_the_last_checkpoint_is_next(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (one, _) = two(&app).await;
    let mut witnesses = asking(&app.app.transparency, &[&one]).await;
    let first = more(&app).await;
    let held = one.hold().await;
    let (witnesses, last) = tokio::join!(
        async {
            witnesses.round().await.unwrap();
            witnesses
        },
        async {
            while one.asked() == 0 {
                tokio::task::yield_now().await;
            }
            more(&app).await;
            let last = more(&app).await;
            drop(held);
            last
        }
    );
    let mut witnesses = witnesses;
    witnesses.round().await.unwrap();
    assert_eq!((one.cosigned(), one.asked()), (vec![(0, first), (first, last)], 2));
}

/// The log is another from its first event on, and signed as if it had always been so.
async fn forked(app: &TestApp) -> Transparency {
    app.execute("DELETE FROM transparency_checkpoint; DELETE FROM transparency_tile; DELETE FROM checkpoint").await;
    app.execute("UPDATE events SET recorded_at = recorded_at - 1 WHERE position = 1").await;
    let forked = app.another_node().await.transparency.clone();
    grow(&forked).await;
    forked
}

async fn a_log_that_is_not_what_a_witness_saw_is_told_and_signed_all_the_same(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (one, two) = two(&app).await;
    let size = more(&app).await;
    assert!(asking(&app.app.transparency, &[&one]).await.round().await.unwrap().is_empty());
    let forked = forked(&app).await;
    for forget in ["SELECT 1", "DELETE FROM transparency_cosigned"] {
        app.execute(forget).await;
        let refusals = asking(&forked, &[&one]).await.round().await.unwrap();
        assert!(matches!(refusals.as_slice(), [(_, NotCosigned::Fork(at))] if *at == size), "{refusals:?}");
    }
    issue_many(&app.app, &app.ordinary_client().await, 3).await;
    grow(&forked).await;
    let refusals = asking(&forked, &[&one, &two]).await.round().await.unwrap();
    assert!(
        matches!(refusals.as_slice(), [(name, NotCosigned::Fork(at))] if name == "one.example/w" && *at == size),
        "{refusals:?}"
    );
    assert_eq!((one.cosigned().len(), two.cosigned().len()), (1, 1));
    let signed = app.get("/transparency/checkpoint").await.assert_status(200).body;
    assert_eq!(signed.lines().nth(1).unwrap(), app.app.log.head().await.unwrap().to_string());
}

async fn a_log_behind_what_a_witness_saw_is_told(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (one, _) = two(&app).await;
    let before = more(&app).await;
    app.execute("CREATE TABLE kept AS SELECT * FROM transparency_checkpoint").await;
    let after = more(&app).await;
    assert!(asking(&app.app.transparency, &[&one]).await.round().await.unwrap().is_empty());
    app.execute("DELETE FROM transparency_checkpoint; INSERT INTO transparency_checkpoint SELECT * FROM kept").await;
    for forget in ["SELECT 1", "DELETE FROM transparency_cosigned"] {
        app.execute(forget).await;
        let refusals = asking(&app.app.transparency, &[&one]).await.round().await.unwrap();
        assert!(
            matches!(refusals.as_slice(), [(_, NotCosigned::Ahead { known, asked })] if (*known, *asked) == (after, before)),
            "{refusals:?}"
        );
    }
    assert_eq!(one.cosigned().len(), 1);
}

async fn what_a_witness_that_is_gone_cosigned_is_forgotten(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (one, two) = two(&app).await;
    let mut witnesses = asking(&app.app.transparency, &[&one, &two]).await;
    more(&app).await;
    witnesses.round().await.unwrap();
    let last = more(&app).await;
    asking(&app.app.transparency, &[&one]).await.round().await.unwrap();
    let [kept] = app.app.transparency.cosigned().await.unwrap().try_into().unwrap();
    assert_eq!(kept.size, last);
}

async fn a_proof_carries_the_checkpoint_that_most_witnesses_cosigned(kind: Kind) {
    let app = TestApp::start(kind).await;
    let transparency = &app.app.transparency;
    let (one, two) = two(&app).await;
    let mut witnesses = asking(transparency, &[&one, &two]).await;
    let both = more(&app).await;
    witnesses.round().await.unwrap();
    two.refuse(Some(503));
    let alone = more(&app).await;
    witnesses.round().await.unwrap();
    more(&app).await;
    let key = transparency.verifier_key();
    for position in 1..=app.app.log.head().await.unwrap() {
        let proof: Proof = transparency.prove(position).await.unwrap().to_string().parse().unwrap();
        let proven = proof.verify(&key).unwrap();
        let at = position.unsigned_abs();
        assert_eq!((proven.event.position, proven.size), (position, if at <= both { both } else { proven.size }));
        assert_eq!(proof.witnessed(&one.settings.key).is_ok(), at <= alone, "{position}");
        assert_eq!(proof.witnessed(&two.settings.key).is_ok(), at <= both, "{position}");
    }
    let proof = transparency.prove(1).await.unwrap();
    let stranger = Witness::start("one.example/w", &key.to_string()).await;
    assert!(matches!(proof.witnessed(&stranger.settings.key), Err(ProofError::NotWitnessed { .. })));
    // What they saw is no longer what the store holds.
    let forked = forked(&app).await;
    assert!(matches!(forked.prove(2).await, Err(ProveError::Differs { .. })));
}
