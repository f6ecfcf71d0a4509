//! Where to go on: at the stream's own end, which must be this log's, with what its last message says of those before it.

use async_nats::{
    HeaderMap,
    jetstream::stream::{RawMessageErrorKind, Stream},
};
use projections::token;

use super::{
    RelayError,
    broker::Broker,
    message::{CHAIN_HEADER, Chain, Sent},
};
use crate::log::{Epochs, Log, Unavailable};

/// Where the stream ends.
#[derive(Debug)]
pub(super) struct End {
    pub(super) position: i64,
    /// Of the message there; none where the stream is empty.
    headers: HeaderMap,
}

/// Where the stream ends, and what the next message says of those before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resumed {
    pub(super) position: i64,
    pub(super) chain: Chain,
}

/// Finds where the stream ends.
///
/// # Errors
/// That the stream is not this log's, or that the store or the broker does not answer.
pub(super) async fn end(log: &Log, stream: &Stream, epochs: &Epochs) -> Result<End, RelayError> {
    let info = Broker::info(stream).await?;
    let (last, head, name) = (info.state.last_sequence, log.head().await?, info.config.name);
    let here = position(last);
    if here > head {
        return Err(RelayError::Ahead { stream: name, last: here, head });
    }
    let empty = End { position: here, headers: HeaderMap::new() };
    if last == 0 {
        return Ok(empty);
    }
    let message = match stream.get_raw_message(last).await {
        Ok(message) => message,
        // The stream begins after this, or retention took it.
        Err(error) if matches!(error.kind(), RawMessageErrorKind::NoMessageFound) => return Ok(empty),
        Err(error) => return Err(RelayError::broker(&error)),
    };
    let sent = serde_json::from_slice::<Sent>(&message.payload).ok();
    let of_this_log = |sent: &Sent| sent.position == here.to_string() && sent.epoch == epochs.at(here).to_string();
    match sent.is_some_and(|sent| of_this_log(&sent)) {
        true => Ok(End { position: here, headers: message.headers }),
        false => Err(RelayError::OtherHistory { stream: name, position: here }),
    }
}

/// Finds where to go on. Where no message says anything of those before, nothing is known of them but that none comes later.
///
/// # Errors
/// As [`end`].
pub(super) async fn resume(log: &Log, stream: &Stream, epochs: &Epochs) -> Result<Resumed, RelayError> {
    let End { position, headers } = end(log, stream, epochs).await?;
    if let Some(chain) = headers.get(CHAIN_HEADER).and_then(|header| Chain::read(header.as_str(), position)) {
        return Ok(Resumed { position, chain });
    }
    let mut chain = Chain::after(position);
    if position > 0 {
        let ends_at = token::last_end(log.db()).await.map_err(Unavailable::from)?;
        chain.note_token(ends_at.unwrap_or_default());
    }
    Ok(Resumed { position, chain })
}

/// A stream's sequence is a position.
pub(super) fn position(sequence: u64) -> i64 {
    i64::try_from(sequence).unwrap_or(i64::MAX)
}
