//! The news is cut off: the issuer is asked about each token, and where it does not answer nobody is let in.

use std::time::{Duration, Instant};

use async_nats::jetstream;
use futures_util::StreamExt;
use support::{Kind, both_stores, tampered};

use crate::notes::{Place, Way};

both_stores!(
    cut_off_from_the_news_it_asks_the_issuer_until_it_knows_all_again,
    where_nobody_answers_nobody_is_let_in,
    a_gap_is_noticed_and_the_snapshot_fills_it,
    a_watermark_that_comes_again_or_is_made_up_says_nothing,
);

async fn cut_off_from_the_news_it_asks_the_issuer_until_it_knows_all_again(kind: Kind) {
    for way in Way::ALL {
        let place = Place::start(kind, way).await;
        let (one, other) = (place.token().await, place.token().await);
        place.notes.lets_in(&one).await;
        place.wire.cut();
        place.notes.until_whole(false).await;
        place.notes.lets_in(&one).await;
        place.revoke(&one).await;
        place.notes.read(&one).await.assert_status(401);
        place.notes.lets_in(&other).await;
        place.wire.lead_to(place.source);
        place.notes.until_whole(true).await;
        place.notes.read(&one).await.assert_status(401);
        place.notes.lets_in(&other).await;
        place.revoke(&other).await;
        place.notes.until_refused(&other).await;
    }
}

async fn where_nobody_answers_nobody_is_let_in(kind: Kind) {
    let place = Place::start(kind, Way::Http).await;
    let token = place.token().await;
    place.notes.lets_in(&token).await;
    place.wire.cut();
    place.notes.until_whole(false).await;
    let Place { app, notes, .. } = place;
    let _store = app.stop().await;
    let refused = loop {
        let answer = notes.read(&token).await;
        if answer.status.as_u16() != 200 {
            break answer.assert_status(503);
        }
    };
    assert!(refused.header("retry-after").parse::<u32>().is_ok(), "{refused:?}");
    notes.read(&tampered(&token)).await.assert_status(401);
}

/// While it is away the stream lets go of the revocation that it would have needed.
async fn a_gap_is_noticed_and_the_snapshot_fills_it(kind: Kind) {
    let place = Place::start_with(kind, Way::Nats, |settings| settings.relay.max_age = 2).await;
    let (missed, next) = (place.token().await, place.token().await);
    place.notes.lets_in(&missed).await;
    place.wire.cut();
    place.revoke(&missed).await;
    let revoked = u64::try_from(place.app.app.log.head().await.unwrap()).unwrap();
    let nats = async_nats::connect(format!("nats://{}", place.source)).await.unwrap();
    let mut stream = jetstream::new(nats).get_stream("GRANTLOG").await.unwrap();
    let begun = Instant::now();
    while stream.info().await.unwrap().state.first_sequence <= revoked {
        assert!(begun.elapsed() < Duration::from_secs(60), "the stream forgets nothing");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    place.wire.lead_to(place.source);
    place.revoke(&next).await;
    place.notes.until_refused(&next).await;
    place.notes.until_whole(true).await;
    place.notes.read(&missed).await.assert_status(401);
    assert!(place.notes.log().contains("a revocation is missing"), "{}", place.notes.log());
}

async fn a_watermark_that_comes_again_or_is_made_up_says_nothing(kind: Kind) {
    let place = Place::start(kind, Way::Nats).await;
    let nats = async_nats::connect(format!("nats://{}", place.source)).await.unwrap();
    let mut marks = nats.subscribe("grantlog.watermark").await.unwrap();
    let mark = marks.next().await.unwrap().payload;
    let mut forged = mark.to_vec();
    let of_the_signature = forged.len() - 10;
    forged[of_the_signature] = if forged[of_the_signature] == b'A' { b'B' } else { b'A' };
    place.relay.abort();
    let begun = Instant::now();
    while place.notes.health().await["whole"] == true {
        assert!(begun.elapsed() < Duration::from_secs(30), "it believes what it knew already");
        for payload in [mark.clone(), forged.clone().into()] {
            nats.publish("grantlog.watermark", payload).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
