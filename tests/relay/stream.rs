//! A relaying server, and its stream: read whole, and compared with the log position by position.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use async_nats::jetstream::{self, consumer::pull::OrderedConfig};
use futures_util::StreamExt;
use grantlog::{
    config::{self, Settings},
    follow::relay::{
        Relay, RelayStatus,
        message::{CONTENT_TYPE, schemas},
    },
    log::Log,
    state::App,
};
use jsonschema::Validator;
use serde_json::Value;
use support::{Kind, NatsServer, TestApp, traffic::all_events};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::task::JoinHandle;

/// The longest that the broker may be behind, once nothing more happens.
const CAUGHT_UP: Duration = Duration::from_secs(60);

/// A message out of the stream.
pub(crate) struct Sent {
    pub(crate) sequence: u64,
    pub(crate) subject: String,
    pub(crate) content_type: String,
    pub(crate) body: Value,
}

impl Sent {
    /// The word of its subject that says it.
    pub(crate) fn effect(&self) -> &str {
        self.subject.rsplit('.').nth(3).unwrap()
    }
}

/// Lets the settings name a broker.
pub(crate) fn relay_to(nats: &NatsServer) -> impl FnOnce(&mut Settings) {
    let url = nats.url();
    move |settings| settings.relay.url = url.into()
}

/// A server that relays, and the task that does.
pub(crate) async fn relaying(kind: Kind, nats: &NatsServer) -> (TestApp, JoinHandle<()>) {
    let app = TestApp::start_with(kind, relay_to(nats)).await;
    let relay = tokio::spawn(Relay::new(app.app.clone()).run());
    (app, relay)
}

/// Waits until the stream holds the log to its end.
pub(crate) async fn caught_up(app: &App) {
    caught_up_with(&app.settings.relay, &app.log).await;
}

pub(crate) async fn caught_up_with(relay: &config::Relay, log: &Log) {
    let begun = Instant::now();
    loop {
        let status = RelayStatus::ask(relay, log).await;
        match status {
            Ok(status) if status.lag.positions == 0 => return,
            status if begun.elapsed() > CAUGHT_UP => panic!("the relay does not catch up: {status:?}"),
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// The position at which the stream `GRANTLOG` ends; 0 where it is not there yet.
pub(crate) async fn end_of(nats: &NatsServer) -> i64 {
    let jetstream = jetstream::new(async_nats::connect(nats.url()).await.unwrap());
    let stream = jetstream.get_stream("GRANTLOG").await;
    stream.map_or(0, |stream| i64::try_from(stream.cached_info().state.last_sequence).unwrap())
}

/// The messages of the stream `GRANTLOG`, or those with a subject.
pub(crate) async fn read(nats: &NatsServer, filter: &str) -> Vec<Sent> {
    read_stream(nats, "GRANTLOG", filter).await
}

async fn read_stream(nats: &NatsServer, name: &str, filter: &str) -> Vec<Sent> {
    let jetstream = jetstream::new(async_nats::connect(nats.url()).await.unwrap());
    let stream = jetstream.get_stream(name).await.unwrap();
    let config = OrderedConfig { filter_subject: filter.to_owned(), ..OrderedConfig::default() };
    let mut consumer = stream.create_consumer(config).await.unwrap();
    let count = usize::try_from(consumer.info().await.unwrap().num_pending).unwrap();
    let messages = consumer.messages().await.unwrap().take(count);
    messages
        .map(|message| {
            let message = message.unwrap();
            let content_type = message.headers.as_ref().unwrap().get("content-type").unwrap().to_string();
            let sequence = message.info().unwrap().stream_sequence;
            let body = serde_json::from_slice(&message.payload).unwrap();
            Sent { sequence, subject: message.subject.to_string(), content_type, body }
        })
        .collect()
        .await
}

/// Reads the stream whole: it is the log, position by position, without a gap or a repetition, each message as it is documented.
pub(crate) async fn assert_is_the_log(nats: &NatsServer, app: &App) -> Vec<Sent> {
    let relay = config::Relay { url: nats.url().into(), ..app.settings.relay.clone() };
    caught_up_with(&relay, &app.log).await;
    let (log, issuer) = (&app.log, app.settings.issuer());
    let (sent, events) = (read_stream(nats, &relay.stream, "").await, all_events(log).await);
    assert_eq!(sent.len(), events.len());
    let epochs = log.epochs().await.unwrap();
    let documented = Documented::new();
    let mut last_of = HashMap::new();
    for (message, event) in sent.iter().zip(&events) {
        let Sent { sequence, subject, content_type, body } = message;
        let position = event.position;
        assert_eq!((i64::try_from(*sequence).unwrap(), &body["position"]), (position, &Value::from(position.to_string())));
        assert_eq!(content_type, CONTENT_TYPE);
        assert_eq!(body["id"], format!("{}/{position}", epochs.at(position)));
        assert_eq!(body["source"], issuer);
        let time = OffsetDateTime::parse(body["time"].as_str().unwrap(), &Rfc3339).unwrap();
        assert_eq!(time.unix_timestamp_nanos(), i128::from(event.recorded_at) * 1000);
        let event_type = &event.event_type;
        let whole = format!("{}.{}.{event_type}.{}", relay.prefix, message.effect(), event.aggregate_id);
        assert_eq!(*subject, whole);
        let message_type = body["type"].as_str().unwrap();
        assert!(
            message_type == format!("grantlog.{event_type}.v1") || message_type == "grantlog.log.omitted.v1",
            "{message_type}"
        );
        documented.assert_conforms(body);
        let prev = last_of.insert(message.effect().to_owned(), position).unwrap_or(0);
        assert_eq!(body["prev"], prev.to_string(), "at {position}");
    }
    sent
}

/// The documents of messages, by type.
pub(crate) struct Documented(HashMap<String, Validator>);

impl Documented {
    pub(crate) fn new() -> Self {
        let compiled = |schema| jsonschema::validator_for(schema).unwrap();
        Self(schemas().iter().map(|message| (message.kind.message_type(), compiled(&message.schema))).collect())
    }

    pub(crate) fn assert_conforms(&self, message: &Value) {
        let validator = &self.0[message["type"].as_str().unwrap()];
        let errors: Vec<_> = validator.iter_errors(message).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}: {message}");
    }
}
