//! Why the relay does not go on, and what to do.

use std::{fmt::Display, path::PathBuf};

use super::message::MessageError;
use crate::log::Unavailable;

/// Why the log is not relayed.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    #[error(transparent)]
    Store(#[from] Unavailable),
    #[error("NATS does not answer: {0}")]
    Broker(String),
    #[error(
        "NATS does not let grantlog in: {0}.\nThe settings relay.credentials_file, nkey_file, user and password say who it is."
    )]
    NotLetIn(String),
    #[error("NATS refuses the stream {stream}: {why}")]
    Refused { stream: String, why: String },
    #[error("relay.{setting}: {path} cannot be read: {cause}")]
    File { setting: &'static str, path: PathBuf, cause: std::io::Error },
    #[error("relay.url: {0}\nFor example: nats://localhost:4222")]
    Address(String),
    #[error("relay.prefix is `{0}`, but must be words of letters, digits, - and _ with dots between")]
    Prefix(String),
    #[error(
        "relay.first_position is {position}, but nats-server {version} begins every stream at 1: 2.10 and later can begin it \
         elsewhere.\nUpgrade nats-server, or set relay.first_position = 1 to relay the whole log."
    )]
    TooOld { version: String, position: u64 },
    #[error("the stream {stream} is there, but not as the settings say:\n{differences}\nChange the settings, or the stream.")]
    Differs { stream: String, differences: String },
    #[error("there is no stream {0} yet: `grantlog serve` makes it, or `grantlog relay setup`")]
    NoStream(String),
    #[error(
        "the stream {stream} ends at position {last}, but the log ends at {head}: the log was restored from a backup, or the stream \
         is another log's.\nName a stream and a prefix of its own for this log (relay.stream, relay.prefix), or remove the old stream."
    )]
    Ahead { stream: String, last: i64, head: i64 },
    #[error(
        "the stream {stream} holds another history: position {position} is not this log's there. The log was restored from a backup, \
         or the stream is another log's.\nName a stream and a prefix of its own for this log (relay.stream, relay.prefix), or remove \
         the old stream."
    )]
    OtherHistory { stream: String, position: i64 },
    #[error("the event at position {position} cannot be relayed: {cause}")]
    Event { position: i64, cause: MessageError },
    #[error(
        "the message at position {position} is too large for NATS (max_payload {max_payload}), and a revocation is never left out.\n\
         Raise max_payload."
    )]
    TooLarge { position: i64, max_payload: usize },
    #[error("NATS did not take the message at position {position}: {why}")]
    NotTaken { position: i64, why: String },
    #[error("the stream ends at {there}, not at {here} any more: NATS lost messages, or another relay runs")]
    Moved { there: i64, here: i64 },
}

impl RelayError {
    /// Takes what async-nats says.
    pub(super) fn broker(error: &impl Display) -> Self {
        Self::Broker(error.to_string())
    }

    /// Whether it will pass by itself.
    #[must_use]
    pub const fn passes(&self) -> bool {
        match self {
            Self::Store(_) | Self::Broker(_) | Self::NotLetIn(_) | Self::NotTaken { .. } | Self::Moved { .. } => true,
            Self::Refused { .. }
            | Self::File { .. }
            | Self::Address(_)
            | Self::Prefix(_)
            | Self::TooOld { .. }
            | Self::Differs { .. }
            | Self::NoStream(_)
            | Self::Ahead { .. }
            | Self::OtherHistory { .. }
            | Self::Event { .. }
            | Self::TooLarge { .. } => false,
        }
    }
}
