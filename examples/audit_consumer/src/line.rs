//! A line of the file: a message as it came, and its subject.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A message and its subject.
#[derive(Serialize, Deserialize)]
pub(crate) struct Line<'a> {
    #[serde(borrow)]
    pub(crate) subject: std::borrow::Cow<'a, str>,
    /// The message, byte for byte.
    #[serde(borrow)]
    pub(crate) message: &'a RawValue,
}

/// What a message says of its place.
#[derive(Deserialize)]
pub(crate) struct Place {
    pub(crate) position: String,
    pub(crate) prev: String,
}

impl Line<'_> {
    /// What the message means to a subscriber: of `<prefix>.<effect>.<aggregate>.<event>.<id>`, whose prefix may have dots itself.
    pub(crate) fn effect(&self) -> Option<&str> {
        self.subject.rsplit('.').nth(3)
    }

    pub(crate) fn place(&self) -> serde_json::Result<Place> {
        serde_json::from_str(self.message.get())
    }
}
