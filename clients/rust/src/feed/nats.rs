//! The news out of the stream that the issuer relays its log to. The messages say which came before each; the watermarks, which the issuer
//! signs, say how far they are all.

use std::{convert::Infallible, fmt::Display, time::Instant};

use async_nats::jetstream::{
    self, Message,
    consumer::{DeliverPolicy, pull::OrderedConfig},
};
use futures_util::StreamExt;
use jsonwebtoken::{Validation, decode, decode_header};
use serde::Deserialize;
use tokio::time::interval;

use super::{
    Broken, PAUSE,
    chain::{Chain, Mark},
};
use crate::{clock::now, revocation::Revocation, server::Shared, settings::Nats};

/// The media type in the header of a watermark.
const TYP: &str = "grantlog-watermark+jwt";

/// What is read of a message (CloudEvents 1.0).
#[derive(Deserialize)]
struct Envelope {
    source: String,
    epoch: String,
    position: String,
    prev: String,
    data: Revocation,
}

#[derive(Deserialize)]
struct Watermark {
    iat: i64,
    epoch: String,
    position: i64,
    head: i64,
    revocation: i64,
}

/// Listens where it had got to, until the connection ends.
pub(super) async fn listen(shared: &Shared, nats: &Nats) -> Result<Infallible, Broken> {
    let (epoch, position) = shared.knowledge.place();
    let mut marks = nats.client.subscribe(format!("{}.watermark", nats.prefix)).await.map_err(ended)?;
    let stream = jetstream::new(nats.client.clone()).get_stream(&nats.stream).await.map_err(ended)?;
    let start_sequence = u64::try_from(position + 1).map_err(ended)?;
    let config = OrderedConfig {
        filter_subject: format!("{}.revocation.>", nats.prefix),
        deliver_policy: DeliverPolicy::ByStartSequence { start_sequence },
        ..OrderedConfig::default()
    };
    let mut messages = stream.create_consumer(config).await.map_err(ended)?.messages().await.map_err(ended)?;
    let mut listening = Listening { shared, epoch, chain: Chain::new(position), signed_at: 0 };
    let mut tick = interval(PAUSE);
    loop {
        tokio::select! {
            message = messages.next() => match message {
                Some(message) => listening.message(&message.map_err(ended)?)?,
                None => return Err(Broken::Ended("the consumer ended".to_owned())),
            },
            mark = marks.next() => match mark {
                Some(mark) => listening.mark(&mark.payload).await?,
                None => return Err(Broken::Ended("the subscription ended".to_owned())),
            },
            _ = tick.tick() => listening.chain.check(Instant::now())?,
        }
    }
}

struct Listening<'a> {
    shared: &'a Shared,
    epoch: String,
    chain: Chain,
    /// When the last watermark was signed.
    signed_at: i64,
}

impl Listening<'_> {
    fn message(&mut self, message: &Message) -> Result<(), Broken> {
        let sequence = message.info().map_err(ended)?.stream_sequence;
        let Envelope { source, epoch, position, prev, data } = serde_json::from_slice(&message.payload)?;
        let ours = source == self.shared.settings.issuer && epoch == self.epoch && position == sequence.to_string();
        let (Ok(position), Ok(prev), true) = (position.parse(), prev.parse(), ours) else { return Err(Broken::OtherHistory) };
        if self.chain.message(position, prev)? {
            self.shared.knowledge.learn(data, position);
            self.settle();
        }
        Ok(())
    }

    /// A watermark that the issuer did not sign, or a while ago, or that comes again, says nothing.
    async fn mark(&mut self, token: &[u8]) -> Result<(), Broken> {
        let received = Instant::now();
        let Some(Watermark { iat, epoch, position, head, revocation }) = self.verified(token).await else { return Ok(()) };
        let settings = &self.shared.settings;
        let allowed = settings.leeway_seconds() + i64::try_from(settings.cut_off_after.as_secs()).unwrap_or(i64::MAX);
        let now = now();
        if (now - iat).abs() > allowed {
            tracing::warn!(iat, now, "a watermark is of another time: are the clocks right?");
            return Ok(());
        }
        if iat <= self.signed_at {
            return Ok(());
        }
        self.signed_at = iat;
        if epoch != self.epoch {
            return Err(Broken::OtherHistory);
        }
        self.chain.mark(Mark { received, position, last: revocation, head });
        self.settle();
        Ok(())
    }

    fn settle(&mut self) {
        let whole = self.chain.settle();
        self.shared.knowledge.reach(self.chain.position());
        if let Some(at) = whole {
            self.shared.knowledge.confirm(at);
        }
    }

    async fn verified(&self, token: &[u8]) -> Option<Watermark> {
        let token = std::str::from_utf8(token).ok()?;
        let header = decode_header(token).ok().filter(|header| header.typ.as_deref() == Some(TYP))?;
        let key = self.shared.keys.find(&header.kid?).await.ok().flatten()?;
        let mut validation = Validation::new(key.algorithm);
        validation.set_required_spec_claims(&["iss"]);
        validation.set_issuer(&[&self.shared.settings.issuer]);
        validation.validate_exp = false;
        decode::<Watermark>(token, &key.decoding, &validation).ok().map(|decoded| decoded.claims)
    }
}

fn ended(error: impl Display) -> Broken {
    Broken::Ended(error.to_string())
}
