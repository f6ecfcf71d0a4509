//! One run of the relay, from the connection to whatever ends it: the log is read ahead, messages go out one after another, and the broker's
//! word that it has them comes in behind.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use async_nats::jetstream::{context::PublishError, publish::PublishAck, stream::Stream};
use futures_util::{StreamExt, future::BoxFuture, stream::FuturesOrdered};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use super::{
    Relay, RelayError,
    broker::{Broker, IN_FLIGHT},
    message::{Chain, Effect, Origin, ReadEvent},
    resume::{position, resume},
    send::{NotSent, Sent, not_taken},
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
/// The broker is asked for each so many messages at least whether it has all up to there.
const ASKED_EACH: usize = 250;
/// How often the end of the stream is looked at and the watermark goes out.
const BEAT: Duration = Duration::from_secs(1);

type Acknowledged = Result<PublishAck, PublishError>;

pub(super) struct Session {
    pub(super) relay: Arc<Relay>,
    pub(super) broker: Broker,
    pub(super) stream: Stream,
    pub(super) origin: Origin,
    pub(super) book: NameBook,
    /// What the next message says of those before.
    pub(super) chain: Chain,
    /// Up to where the broker has acknowledged.
    pub(super) reached: Reached,
    /// The signed checkpoints of the tree over the log.
    pub(super) checkpoints: watch::Receiver<Option<SignedCheckpoint>>,
    /// Messages that are sent, and not known to have arrived.
    pub(super) under_way: usize,
    /// What came since the broker was asked last.
    pub(super) since_asked: Sent,
    pub(super) asked: VecDeque<Sent>,
    pub(super) acknowledgements: FuturesOrdered<BoxFuture<'static, Acknowledged>>,
    /// Why nothing more is sent, once all before it has arrived.
    pub(super) stopping: Option<RelayError>,
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
        under_way: 0,
        since_asked: Sent::default(),
        asked: VecDeque::new(),
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
            if self.under_way == 0
                && let Some(why) = self.stopping.take()
            {
                return Err(why);
            }
            let room = self.stopping.is_none() && self.under_way <= IN_FLIGHT - PAGE as usize;
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
                    if self.stopping.is_some() {
                        return Ok(());
                    }
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
        self.send_whole(&message).await
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
        let last = messages.len().saturating_sub(1);
        for (place, (event, before, message)) in messages.into_iter().enumerate() {
            let asks = place == last || self.since_asked.messages + 1 >= ASKED_EACH;
            match self.send(&message, asks).await {
                Ok(()) => {}
                Err(NotSent::TooLarge) => self.send_stub(event, &before, &message).await?,
                Err(NotSent::Refused(error)) => return Err(error),
            }
        }
        Ok(())
    }

    fn acknowledge(&mut self, outcome: Acknowledged) -> Result<(), RelayError> {
        let sent = self.asked.pop_front().expect("what is acknowledged was asked for");
        let here = sent.position;
        let there = position(outcome.map_err(|error| not_taken(here, &error))?.sequence);
        if there != here {
            return Err(RelayError::Moved { there, here });
        }
        self.under_way -= sent.messages;
        self.reached = Reached { position: here, revocation: sent.revocation.unwrap_or(self.reached.revocation) };
        self.relay.note_relayed(here);
        Ok(())
    }

    /// Looks whether the stream still ends where it has to, and says how far subscribers know all.
    async fn beat(&mut self) -> Result<(), RelayError> {
        if !self.broker.is_connected() {
            return Err(RelayError::Broker("the connection is lost".to_owned()));
        }
        let there = position(Broker::info(&self.stream).await?.state.last_sequence);
        let sent = self.asked.back().map_or(self.reached.position, |sent| sent.position).max(self.since_asked.position);
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
