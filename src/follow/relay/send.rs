//! Sending a run's messages: the broker takes each only after the one before it, so that it is asked for the last of many alone whether it
//! has them.

use std::{fmt, future::IntoFuture};

use async_nats::{
    HeaderMap, client,
    header::{NATS_EXPECTED_LAST_SEQUENCE, NATS_EXPECTED_STREAM},
    jetstream::{context, message::PublishMessage},
};
use futures_util::FutureExt;

use super::{
    RelayError,
    message::{CHAIN_HEADER, CONTENT_TYPE, Chain, Effect, Message, ReadEvent},
    session::Session,
};

/// Messages that the broker is asked for by one question.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sent {
    pub(super) messages: usize,
    /// Of the last of them.
    pub(super) position: i64,
    /// Of the last revocation among them.
    pub(super) revocation: Option<i64>,
}

/// A message that did not go out.
pub(super) enum NotSent {
    TooLarge,
    Refused(RelayError),
}

impl Session {
    /// Sends a message, and asks whether the broker has it and all before it, if that is wanted.
    pub(super) async fn send(&mut self, message: &Message, asks: bool) -> Result<(), NotSent> {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", CONTENT_TYPE);
        headers.insert(CHAIN_HEADER, message.chain.header(message.position));
        headers.insert(NATS_EXPECTED_STREAM, self.broker.settings.stream.as_str());
        headers.insert(NATS_EXPECTED_LAST_SEQUENCE, (message.position - 1).to_string());
        let (subject, body) = (message.subject.clone(), message.body.clone().into());
        if asks {
            let publish = PublishMessage::build().payload(body).headers(headers);
            let sent = self.broker.jetstream.send_publish(subject, publish).await.map_err(|error| match error.kind() {
                context::PublishErrorKind::MaxPayloadExceeded => NotSent::TooLarge,
                context::PublishErrorKind::StreamNotFound
                | context::PublishErrorKind::WrongLastMessageId
                | context::PublishErrorKind::WrongLastSequence
                | context::PublishErrorKind::TimedOut
                | context::PublishErrorKind::BrokenPipe
                | context::PublishErrorKind::MaxAckPending
                | context::PublishErrorKind::Other => NotSent::Refused(not_taken(message.position, &error)),
            })?;
            self.acknowledgements.push_back(sent.into_future().boxed());
        } else {
            let sent = self.broker.client.publish_with_headers(subject, headers, body).await;
            sent.map_err(|error| match error.kind() {
                client::PublishErrorKind::MaxPayloadExceeded => NotSent::TooLarge,
                client::PublishErrorKind::InvalidSubject | client::PublishErrorKind::Send => {
                    NotSent::Refused(not_taken(message.position, &error))
                }
            })?;
        }
        self.note_sent(message, asks);
        Ok(())
    }

    fn note_sent(&mut self, message: &Message, asked: bool) {
        self.under_way += 1;
        self.since_asked.messages += 1;
        self.since_asked.position = message.position;
        if message.kind.effect == Effect::Revocation {
            self.since_asked.revocation = Some(message.position);
        }
        if asked {
            self.asked.push_back(std::mem::take(&mut self.since_asked));
        }
    }

    /// Sends what stands in the place of a message that is too large.
    pub(super) async fn send_stub(&mut self, event: &ReadEvent, before: &Chain, large: &Message) -> Result<(), RelayError> {
        let position = large.position;
        if large.kind.effect == Effect::Revocation {
            return Err(self.too_large(position));
        }
        tracing::warn!(position, bytes = large.body.len(), "a message is too large for NATS: a stub stands in its place");
        let stub = self.origin.omitted(event, large, before).map_err(|cause| RelayError::Event { position, cause })?;
        self.send_whole(&stub).await
    }

    /// Sends a message that nothing can stand in the place of.
    pub(super) async fn send_whole(&mut self, message: &Message) -> Result<(), RelayError> {
        self.send(message, true).await.map_err(|error| match error {
            NotSent::TooLarge => self.too_large(message.position),
            NotSent::Refused(error) => error,
        })
    }

    fn too_large(&self, position: i64) -> RelayError {
        RelayError::TooLarge { position, max_payload: self.broker.client.server_info().max_payload }
    }
}

/// A message that the broker has not taken.
pub(super) fn not_taken(position: i64, error: &impl fmt::Display) -> RelayError {
    RelayError::NotTaken { position, why: error.to_string() }
}
