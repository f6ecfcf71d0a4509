//! How the relay stands, asked by whoever operates it: of the broker and of the log, not of the node that relays.

use async_nats::jetstream::stream::State;

use super::{
    Lag, RelayError,
    broker::Broker,
    resume::{end, position},
};
use crate::{config, log::Log};

/// Where the stream and the log are.
#[derive(Clone, Debug)]
pub struct RelayStatus {
    pub server_version: String,
    pub stream: String,
    /// The positions that the stream holds: from this one.
    pub first: i64,
    /// To this one.
    pub last: i64,
    pub messages: u64,
    pub bytes: u64,
    /// Where the log ends.
    pub head: i64,
    pub lag: Lag,
}

impl RelayStatus {
    /// Asks both.
    ///
    /// # Errors
    /// That one does not answer, or that the stream is not there, or not as the settings say, or not this log's.
    pub async fn ask(settings: &config::Relay, log: &Log) -> Result<Self, RelayError> {
        let broker = Broker::connect(settings).await?;
        let stream = broker.stream().await?;
        let State { messages, bytes, first_sequence, .. } = stream.cached_info().state;
        let last = end(log, &stream, &log.epochs().await?).await?.position;
        let head = log.head().await?;
        let lag = Lag::of(log, last).await?;
        let (server_version, stream) = (broker.version(), settings.stream.clone());
        Ok(Self { server_version, stream, first: position(first_sequence), last, messages, bytes, head, lag })
    }
}
