//! Where to go on: at the stream's own end, which must be this log's, with what its last messages say of those before them.

use async_nats::jetstream::stream::{LastRawMessageErrorKind, Stream};
use projections::token;

use super::{
    RelayError,
    broker::Broker,
    message::{Chain, Effect, Sent},
};
use crate::{
    config,
    log::{Epochs, Log, Unavailable},
};

/// Where the stream ends, and what the next message says of those before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resumed {
    pub(super) position: i64,
    pub(super) chain: Chain,
}

/// Finds it.
///
/// # Errors
/// That the stream is not this log's, or that the store or the broker does not answer.
pub(super) async fn resume(
    settings: &config::Relay,
    log: &Log,
    (stream, epochs): (&Stream, &Epochs),
) -> Result<Resumed, RelayError> {
    let state = Broker::info(stream).await?.state;
    let (first, last) = (position(state.first_sequence), position(state.last_sequence));
    let head = log.head().await?;
    let name = &settings.stream;
    if last > head {
        return Err(RelayError::Ahead { stream: name.clone(), last, head });
    }
    // Of what retention took, nothing is known but that it lies before the first that is kept.
    let mut chain = Chain::after((first - 1).clamp(0, last));
    let mut issued = false;
    for effect in Effect::ALL {
        let Some((position, sent)) = last_of(settings, stream, effect).await? else { continue };
        let of_this_log = sent.position == position.to_string() && sent.epoch == epochs.at(position).to_string();
        if !of_this_log {
            return Err(RelayError::OtherHistory { stream: name.clone(), position });
        }
        chain.note(effect, position);
        if let Some(ends_at) = sent.tokens_end_at() {
            chain.note_token(ends_at);
            issued = true;
        }
    }
    if last > 0 && !issued {
        let ends_at = token::last_end(log.db()).await.map_err(Unavailable::from)?;
        chain.note_token(ends_at.unwrap_or_default());
    }
    Ok(Resumed { position: last, chain })
}

/// The last message of an effect, where the stream has one.
async fn last_of(settings: &config::Relay, stream: &Stream, effect: Effect) -> Result<Option<(i64, Sent)>, RelayError> {
    let found = stream.get_last_raw_message_by_subject(&format!("{}.{effect}.>", settings.prefix)).await;
    let message = match found {
        Ok(message) => message,
        Err(error) if matches!(error.kind(), LastRawMessageErrorKind::NoMessageFound) => return Ok(None),
        Err(error) => return Err(RelayError::broker(&error)),
    };
    let position = position(message.sequence);
    let sent = serde_json::from_slice(&message.payload);
    let sent = sent.map_err(|_| RelayError::OtherHistory { stream: settings.stream.clone(), position })?;
    Ok(Some((position, sent)))
}

/// A stream's sequence is a position.
pub(super) fn position(sequence: u64) -> i64 {
    i64::try_from(sequence).unwrap_or(i64::MAX)
}
