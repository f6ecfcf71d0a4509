//! The stream is as the settings say, or the relay says what is otherwise.

use std::time::Duration;

use async_nats::jetstream::{self, stream};
use grantlog::{
    config,
    follow::relay::{Broker, RelayError},
};
use support::NatsServer;

/// The default settings, for this broker.
pub(crate) fn settings(nats: &NatsServer) -> config::Relay {
    let mut settings = config::Settings::load(&config::Source::default()).unwrap().relay;
    settings.url = nats.url().into();
    settings
}

#[tokio::test]
async fn the_stream_is_made_so_that_nothing_can_be_taken_back_in_it() {
    let nats = NatsServer::start();
    let relay = config::Relay { max_age: 86_400, max_bytes: 1 << 30, ..settings(&nats) };
    Broker::connect(&relay).await.unwrap().set_up().await.unwrap();
    let jetstream = jetstream::new(async_nats::connect(nats.url()).await.unwrap());
    let stream = jetstream.get_stream("GRANTLOG").await.unwrap();
    let made = &stream.cached_info().config;
    assert!(made.deny_delete && made.deny_purge && !made.allow_rollup);
    assert_eq!((made.storage, made.num_replicas), (stream::StorageType::File, 1));
    assert_eq!((made.max_age, made.max_bytes), (Duration::from_secs(86_400), 1 << 30));
    jetstream.publish("grantlog.other.a.b.c", "x".into()).await.unwrap().await.unwrap();
    assert!(stream.delete_message(1).await.is_err());
    assert!(stream.purge().await.is_err());
    Broker::connect(&relay).await.unwrap().set_up().await.unwrap();
}

#[tokio::test]
async fn a_stream_with_other_settings_is_left_as_it_is_and_the_difference_is_shown() {
    let nats = NatsServer::start();
    Broker::connect(&settings(&nats)).await.unwrap().set_up().await.unwrap();
    let other = config::Relay { max_age: 60, ..settings(&nats) };
    let error = Broker::connect(&other).await.unwrap().set_up().await.unwrap_err();
    assert!(matches!(error, RelayError::Differs { .. }) && !error.passes());
    assert!(error.to_string().contains("max_age (relay.max_age): there 0ns, wanted 60s"), "{error}");
}

#[tokio::test]
async fn a_stream_that_is_not_there_yet_is_no_wrong_one() {
    let nats = NatsServer::start();
    let missing = Broker::connect(&settings(&nats)).await.unwrap().stream().await.unwrap_err();
    assert!(matches!(missing, RelayError::NoStream(_)), "{missing}");
}

#[tokio::test]
async fn a_server_that_cannot_begin_a_stream_at_a_later_position_is_told_from_one_that_can() {
    let nats = NatsServer::start();
    let broker = Broker::connect(&config::Relay { first_position: 50, ..settings(&nats) }).await.unwrap();
    let made = broker.set_up().await;
    if broker.version().starts_with("2.9.") {
        let error = made.unwrap_err().to_string();
        assert!(error.contains("2.9.") && error.contains("relay.first_position"), "{error}");
    } else {
        assert_eq!(made.unwrap().info().await.unwrap().state.last_sequence, 49);
    }
}

#[tokio::test]
async fn a_broker_that_does_not_answer_passes_and_an_address_that_is_none_does_not() {
    let mut nats = NatsServer::start();
    nats.kill();
    assert!(Broker::connect(&settings(&nats)).await.unwrap_err().passes());
    let wrong = config::Relay { url: "http://somewhere:4222".into(), ..settings(&nats) };
    assert!(matches!(Broker::connect(&wrong).await.unwrap_err(), RelayError::Address(_)));
}
