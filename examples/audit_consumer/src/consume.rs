//! Takes the messages from a durable pull consumer, in their order, and acknowledges each when it is on the disk.

use std::{borrow::Cow, collections::BTreeMap, convert::Infallible, fmt::Display, time::Duration};

use async_nats::jetstream::{
    self, Message,
    consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull},
    stream::Stream,
};
use futures_util::StreamExt;
use serde_json::value::RawValue;

use crate::{
    line::Line,
    record::{Record, RecordError},
};

/// Messages under way at most: so many are held in memory while an earlier one is still to come again.
const UNDER_WAY: i64 = 2_000;
/// Messages asked for at a time.
const BATCH: usize = 500;
/// How long a batch is waited for.
const PATIENCE: Duration = Duration::from_millis(200);
/// What was not acknowledged for so long comes again.
const AGAIN: Duration = Duration::from_secs(3);
/// After the broker did not answer.
const PAUSE: Duration = Duration::from_millis(500);

/// Where the messages are.
pub(crate) struct Source {
    pub(crate) url: String,
    pub(crate) stream: String,
    /// The name of the consumer there.
    pub(crate) durable: String,
}

/// Why it cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConsumeError {
    #[error("NATS: {0}")]
    Nats(String),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error("a message of the stream is no JSON: {0}")]
    NoJson(#[from] serde_json::Error),
    #[error("the stream begins at {first}: the messages after {after} are gone before they could be written")]
    Gone { after: u64, first: u64 },
}

impl ConsumeError {
    fn nats(error: impl Display) -> Self {
        Self::Nats(error.to_string())
    }
}

/// Writes what comes, for ever. What NATS does for a while it waits out.
pub(crate) async fn follow(source: &Source, record: &mut Record) -> ConsumeError {
    let connecting = async_nats::ConnectOptions::new().retry_on_initial_connect().connect(&source.url);
    let client = match connecting.await {
        Ok(client) => client,
        Err(error) => return ConsumeError::nats(error),
    };
    loop {
        let Err(error) = follow_a_while(&client, source, record).await;
        match error {
            ConsumeError::Nats(_) => interrupted(&error),
            ConsumeError::Record(_) | ConsumeError::NoJson(_) | ConsumeError::Gone { .. } => return error,
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[expect(clippy::print_stderr, reason = "it is a command line program")]
fn interrupted(error: &ConsumeError) {
    eprintln!("{error}; it goes on when that has passed");
}

async fn follow_a_while(client: &async_nats::Client, source: &Source, record: &mut Record) -> Result<Infallible, ConsumeError> {
    let mut stream = jetstream::new(client.clone()).get_stream(&source.stream).await.map_err(ConsumeError::nats)?;
    let consumer = consumer(&mut stream, source, record).await?;
    let mut early = BTreeMap::new();
    loop {
        take(&consumer, record, &mut early).await?;
        if let Some(next) = next(&mut stream, record, &early).await? {
            write(record, &mut early, next).await?;
        }
    }
}

/// The durable consumer. One that has acknowledged more than the file holds, which was lost or is an earlier copy, is made anew.
async fn consumer(stream: &mut Stream, source: &Source, record: &Record) -> Result<PullConsumer, ConsumeError> {
    let config = pull::Config {
        durable_name: Some(source.durable.clone()),
        deliver_policy: DeliverPolicy::All,
        ack_policy: AckPolicy::Explicit,
        ack_wait: AGAIN,
        max_ack_pending: UNDER_WAY,
        ..pull::Config::default()
    };
    let mut consumer = stream.get_or_create_consumer(&source.durable, config.clone()).await.map_err(ConsumeError::nats)?;
    let written = record.proof().position().max(first(stream).await? - 1);
    if consumer.info().await.map_err(ConsumeError::nats)?.ack_floor.stream_sequence > written {
        stream.delete_consumer(&source.durable).await.map_err(ConsumeError::nats)?;
        consumer = stream.create_consumer(config).await.map_err(ConsumeError::nats)?;
    }
    Ok(consumer)
}

/// The first position that the stream still holds.
async fn first(stream: &mut Stream) -> Result<u64, ConsumeError> {
    Ok(stream.info().await.map_err(ConsumeError::nats)?.state.first_sequence.max(1))
}

/// Messages that are not written yet, by position.
type Early = BTreeMap<u64, Message>;

/// Takes a batch. What is in the file already was written before its acknowledgement was heard.
async fn take(consumer: &PullConsumer, record: &Record, early: &mut Early) -> Result<(), ConsumeError> {
    let batch = consumer.fetch().max_messages(BATCH).expires(PATIENCE).messages().await;
    let mut batch = batch.map_err(ConsumeError::nats)?;
    while let Some(message) = batch.next().await {
        let message = message.map_err(ConsumeError::nats)?;
        let position = message.info().map_err(ConsumeError::nats)?.stream_sequence;
        if position <= record.proof().position() {
            acknowledge(&message).await?;
        } else {
            early.insert(position, message);
        }
    }
    Ok(())
}

/// The position to go on at, where its message is here; otherwise it will come again.
async fn next(stream: &mut Stream, record: &Record, early: &Early) -> Result<Option<u64>, ConsumeError> {
    let Some(earliest) = early.keys().next().copied() else { return Ok(None) };
    let written = record.proof().position();
    if earliest == written + 1 {
        return Ok(Some(earliest));
    }
    let first = first(stream).await?;
    match written {
        0 if earliest <= first => Ok(Some(earliest)),
        1.. if first > written + 1 => Err(ConsumeError::Gone { after: written, first }),
        0.. => Ok(None),
    }
}

/// Writes what is here without a gap from a position, and then acknowledges it.
async fn write(record: &mut Record, early: &mut Early, from: u64) -> Result<(), ConsumeError> {
    let (mut lines, mut written) = (Vec::new(), Vec::new());
    while let Some(message) = early.remove(&(from + written.len() as u64)) {
        let body: &RawValue = serde_json::from_slice(&message.payload)?;
        lines.push(serde_json::to_string(&Line { subject: Cow::Borrowed(&message.subject), message: body })?);
        written.push(message);
    }
    tokio::task::block_in_place(|| record.add(&lines))?;
    for message in &written {
        acknowledge(message).await?;
    }
    Ok(())
}

async fn acknowledge(message: &Message) -> Result<(), ConsumeError> {
    message.ack().await.map_err(ConsumeError::nats)
}
