//! The relay's rate.

use std::{
    collections::VecDeque,
    future::IntoFuture,
    time::{Duration, Instant},
};

use async_nats::jetstream::{self, consumer::pull::OrderedConfig, stream};
use bytes::Bytes;
use futures_util::StreamExt;
use grantlog::follow::relay::Relay;
use support::{Kind, NatsServer, TestApp, traffic::issue_many};

/// Messages under way at most, as the relay has them.
const WINDOW: usize = 4_096;

/// Fills a log, relays it, and publishes the same bytes again without anything around it.
pub(crate) async fn measure(kind: Kind, events: usize) -> String {
    let nats = NatsServer::start();
    let url = nats.url();
    let app = TestApp::start_with(kind, |settings| settings.relay.url = url.into()).await;
    let client = app.ordinary_client().await;
    issue_many(&app.app, &client, events).await;
    let head = app.app.log.head().await.expect("the store answers");
    let begun = Instant::now();
    let relaying = tokio::spawn(Relay::new(app.app.clone()).run());
    let jetstream = jetstream::new(async_nats::connect(nats.url()).await.expect("NATS answers"));
    while last_sequence(&jetstream).await < u64::try_from(head).expect("a position is positive") {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let relayed = begun.elapsed();
    relaying.abort();
    let bare = publish_again(&nats).await;
    let rate = |took: Duration| head as f64 / took.as_secs_f64();
    format!(
        "relay: {head} events, {:.0}/s; a bare publish of the same bytes {:.0}/s; share {:.2} (wanted 0.55)",
        rate(relayed),
        rate(bare),
        bare.as_secs_f64() / relayed.as_secs_f64()
    )
}

/// How far the stream is; 0 where it is not there yet. Asking for more would be work for the broker that is measured.
async fn last_sequence(jetstream: &jetstream::Context) -> u64 {
    jetstream.get_stream("GRANTLOG").await.map_or(0, |stream| stream.cached_info().state.last_sequence)
}

/// Publishes every message of the stream into another, pipelined.
async fn publish_again(nats: &NatsServer) -> Duration {
    let jetstream = jetstream::new(async_nats::connect(nats.url()).await.expect("NATS answers"));
    let bodies = bodies(&jetstream).await;
    let bare = stream::Config { name: "BARE".to_owned(), subjects: vec!["bare.>".to_owned()], ..stream::Config::default() };
    jetstream.create_stream(bare).await.expect("the stream can be made");
    let begun = Instant::now();
    let mut under_way = VecDeque::new();
    for (subject, body) in bodies {
        let acknowledgement = jetstream.publish(format!("bare.{subject}"), body).await.expect("NATS takes it");
        under_way.push_back(acknowledgement.into_future());
        if under_way.len() >= WINDOW
            && let Some(oldest) = under_way.pop_front()
        {
            oldest.await.expect("NATS has it");
        }
    }
    for acknowledgement in under_way {
        acknowledgement.await.expect("NATS has it");
    }
    begun.elapsed()
}

async fn bodies(jetstream: &jetstream::Context) -> Vec<(String, Bytes)> {
    let stream = jetstream.get_stream("GRANTLOG").await.expect("the stream is there");
    let mut consumer = stream.create_consumer(OrderedConfig::default()).await.expect("it can be read");
    let count = consumer.info().await.expect("NATS answers").num_pending;
    let messages = consumer.messages().await.expect("NATS answers").take(usize::try_from(count).expect("it fits"));
    messages
        .map(|message| {
            let message = message.expect("NATS answers");
            (message.subject.to_string(), message.payload.clone())
        })
        .collect()
        .await
}
