//! One run of the relay, from the connection to whatever ends it: the log is read ahead, messages go out one after another, and their
//! acknowledgements come in behind.

use std::{collections::VecDeque, convert::Infallible, future::IntoFuture, sync::Arc, time::Duration};

use async_nats::{
    HeaderMap,
    header::{NATS_EXPECTED_LAST_SEQUENCE, NATS_EXPECTED_STREAM},
    jetstream::{
        context::{PublishAckFuture, PublishErrorKind},
        message::PublishMessage,
        publish::PublishAck,
        stream::Stream,
    },
};
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesOrdered};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use super::{
    Relay, RelayError,
    broker::{Broker, IN_FLIGHT},
    message::{CHAIN_HEADER, CONTENT_TYPE, Chain, Effect, Message, Origin, ReadEvent},
    resume::{position, resume},
    watermark::{self, Reached},
};
use crate::{
    follow::{name_book::NameBook, transparency::SignedCheckpoint},
    log::{Log, StoredEvent, Unavailable},
};

/// Events read at a time.
const PAGE: u32 = 1_000;
/// Pages read ahead.
const AHEAD: usize = 2;
/// How often the end of the stream is looked at and the watermark goes out.
const BEAT: Duration = Duration::from_secs(1);

type Acknowledged = Result<PublishAck, async_nats::jetstream::context::PublishError>;

struct Session {
    relay: Arc<Relay>,
    broker: Broker,
    stream: Stream,
    origin: Origin,
    book: NameBook,
    /// What the next message says of those before.
    chain: Chain,
    /// Up to where the broker has acknowledged.
    reached: Reached,
    /// The signed checkpoints of the tree over the log.
    checkpoints: watch::Receiver<Option<SignedCheckpoint>>,
    under_way: VecDeque<(i64, Effect)>,
    acknowledgements: FuturesOrdered<BoxFuture<'static, Acknowledged>>,
    /// Why nothing more is sent, once all before it has arrived.
    stopping: Option<RelayError>,
}

/// Relays until something ends it.
pub(super) async fn run(relay: Arc<Relay>) -> Result<Infallible, RelayError> {
    let settings = relay.app.settings.relay.clone();
    let broker = Broker::connect(&settings).await?;
    let stream = broker.set_up().await?;
    let epochs = relay.app.log.epochs().await?;
    let resumed = resume(&relay.app.log, &stream, &epochs).await?;
    relay.note_relayed(resumed.position);
    let origin = Origin { issuer: relay.app.settings.issuer(), epochs, prefix: settings.prefix.clone() };
    let mut checkpoints = relay.app.transparency.watch();
    // The last one goes out again: whoever listens may not have had it.
    checkpoints.mark_changed();
    let session = Session {
        broker,
        stream,
        origin,
        book: NameBook::new(relay.app.log.clone()),
        chain: resumed.chain,
        reached: Reached { position: resumed.position, revocation: resumed.chain.last(Effect::Revocation) },
        relay,
        checkpoints,
        under_way: VecDeque::new(),
        acknowledgements: FuturesOrdered::new(),
        stopping: None,
    };
    tracing::info!(stream = settings.stream, position = resumed.position, "the log is relayed");
    session.run().await
}

impl Session {
    async fn run(mut self) -> Result<Infallible, RelayError> {
        let (pages, mut next_page) = mpsc::channel(AHEAD);
        // Ends with this function, whatever it is doing.
        let mut reader = JoinSet::new();
        reader.spawn(read(self.relay.app.log.clone(), self.reached.position, pages));
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            if self.under_way.is_empty()
                && let Some(why) = self.stopping.take()
            {
                return Err(why);
            }
            let room = self.stopping.is_none() && self.under_way.len() <= IN_FLIGHT - PAGE as usize;
            tokio::select! {
                biased;
                _ = beat.tick() => self.beat().await?,
                Some(outcome) = self.acknowledgements.next() => self.acknowledge(outcome)?,
                page = next_page.recv(), if room => self.publish(page.ok_or(Unavailable)??).await?,
            }
        }
    }

    async fn publish(&mut self, page: Vec<StoredEvent>) -> Result<(), RelayError> {
        // What comes before an event that cannot be taken goes out all the same.
        let mut read = Vec::with_capacity(page.len());
        for stored in page {
            let position = stored.position;
            match ReadEvent::decode(&stored) {
                Ok((event, stream)) => read.push(ReadEvent { stored, event, stream }),
                Err(_) if self.is_passed_over(position).await? => {
                    self.publish_read(&std::mem::take(&mut read)).await?;
                    self.publish_unread(&stored).await?;
                }
                Err(cause) => {
                    self.stopping = Some(RelayError::Event { position, cause });
                    break;
                }
            }
        }
        self.publish_read(&read).await
    }

    /// Whether an operator lets an event be passed over.
    async fn is_passed_over(&mut self, position: i64) -> Result<bool, RelayError> {
        Ok(self.relay.app.dispatch.passed_over().await?.contains(&position))
    }

    async fn publish_unread(&mut self, stored: &StoredEvent) -> Result<(), RelayError> {
        let position = stored.position;
        tracing::warn!(position, "an event that cannot be read is passed over: a stub stands in its place");
        let message = self.origin.unread(stored, &mut self.chain).map_err(|cause| RelayError::Event { position, cause })?;
        let acknowledgement = self.send(&message).await.map_err(|error| not_taken(position, &error))?;
        self.await_acknowledgement(&message, acknowledgement);
        Ok(())
    }

    async fn publish_read(&mut self, read: &[ReadEvent]) -> Result<(), RelayError> {
        let names = self.book.of(read).await?;
        let mut messages = Vec::with_capacity(read.len());
        for event in read {
            let before = self.chain;
            match self.origin.message(event, names, &mut self.chain) {
                Ok(message) => messages.push((event, before, message)),
                Err(cause) => {
                    self.stopping = Some(RelayError::Event { position: event.stored.position, cause });
                    break;
                }
            }
        }
        for (event, before, message) in messages {
            let acknowledgement = match self.send(&message).await {
                Err(error) if error.kind() == PublishErrorKind::MaxPayloadExceeded => {
                    self.send_stub(event, &before, &message).await?
                }
                outcome => outcome.map_err(|error| not_taken(message.position, &error))?,
            };
            self.await_acknowledgement(&message, acknowledgement);
        }
        Ok(())
    }

    fn await_acknowledgement(&mut self, message: &Message, acknowledgement: PublishAckFuture) {
        self.under_way.push_back((message.position, message.kind.effect));
        self.acknowledgements.push_back(acknowledgement.into_future().boxed());
    }

    async fn send(&mut self, message: &Message) -> Result<PublishAckFuture, async_nats::jetstream::context::PublishError> {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", CONTENT_TYPE);
        headers.insert(CHAIN_HEADER, message.chain.header(message.position));
        headers.insert(NATS_EXPECTED_STREAM, self.broker.settings.stream.as_str());
        headers.insert(NATS_EXPECTED_LAST_SEQUENCE, (message.position - 1).to_string());
        let publish = PublishMessage::build().payload(message.body.clone().into()).headers(headers);
        self.broker.jetstream.send_publish(message.subject.clone(), publish).await
    }

    /// Sends what stands in the place of a message that is too large.
    async fn send_stub(&mut self, event: &ReadEvent, before: &Chain, large: &Message) -> Result<PublishAckFuture, RelayError> {
        let position = large.position;
        let max_payload = self.broker.client.server_info().max_payload;
        let too_large = || RelayError::TooLarge { position, max_payload };
        if large.kind.effect == Effect::Revocation {
            return Err(too_large());
        }
        tracing::warn!(position, bytes = large.body.len(), "a message is too large for NATS: a stub stands in its place");
        let stub = self.origin.omitted(event, large, before).map_err(|cause| RelayError::Event { position, cause })?;
        self.send(&stub).await.map_err(|error| match error.kind() {
            PublishErrorKind::MaxPayloadExceeded => too_large(),
            PublishErrorKind::StreamNotFound
            | PublishErrorKind::WrongLastMessageId
            | PublishErrorKind::WrongLastSequence
            | PublishErrorKind::TimedOut
            | PublishErrorKind::BrokenPipe
            | PublishErrorKind::MaxAckPending
            | PublishErrorKind::Other => not_taken(position, &error),
        })
    }

    fn acknowledge(&mut self, outcome: Acknowledged) -> Result<(), RelayError> {
        let (here, effect) = self.under_way.pop_front().expect("what is acknowledged was sent");
        let there = position(outcome.map_err(|error| not_taken(here, &error))?.sequence);
        if there != here {
            return Err(RelayError::Moved { there, here });
        }
        self.reached.position = here;
        if effect == Effect::Revocation {
            self.reached.revocation = here;
        }
        self.relay.note_relayed(here);
        Ok(())
    }

    /// Looks whether the stream still ends where it has to, and says how far subscribers know all.
    async fn beat(&mut self) -> Result<(), RelayError> {
        if !self.broker.is_connected() {
            return Err(RelayError::Broker("the connection is lost".to_owned()));
        }
        let there = position(Broker::info(&self.stream).await?.state.last_sequence);
        let sent = self.under_way.back().map_or(self.reached.position, |(position, _)| *position);
        if !(self.reached.position..=sent).contains(&there) {
            return Err(RelayError::Moved { there, here: self.reached.position });
        }
        watermark::publish(&self.relay, &self.broker, self.reached).await?;
        self.publish_checkpoint().await
    }

    /// Publishes the last checkpoint where there is a new one, beside the stream.
    async fn publish_checkpoint(&mut self) -> Result<(), RelayError> {
        if !self.checkpoints.has_changed().unwrap_or_default() {
            return Ok(());
        }
        let Some(checkpoint) = self.checkpoints.borrow_and_update().clone() else { return Ok(()) };
        self.broker.publish_beside("checkpoint", checkpoint.note).await
    }
}

fn not_taken(position: i64, error: &async_nats::jetstream::context::PublishError) -> RelayError {
    RelayError::NotTaken { position, why: error.to_string() }
}

/// Reads the log ahead until nobody takes the pages any more, or the store does not answer.
async fn read(log: Log, after: i64, pages: mpsc::Sender<Result<Vec<StoredEvent>, Unavailable>>) {
    let mut follower = log.follow(after, PAGE);
    loop {
        let page = follower.next().await;
        let last = page.is_err();
        if pages.send(page).await.is_err() || last {
            return;
        }
    }
}
