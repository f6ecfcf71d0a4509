//! The digest of a log: SHA-256 over the canonical bytes of its events, one after the other in the order of their positions. It is the same
//! on either store, and in every file that holds these events.

use std::fmt::Write;

use aws_lc_rs::digest::{Context, SHA256};

use super::StoredEvent;

/// A digest that grows with each event.
#[derive(Clone)]
pub struct EventsDigest(Context);

impl Default for EventsDigest {
    fn default() -> Self {
        Self(Context::new(&SHA256))
    }
}

impl EventsDigest {
    /// Takes the next event.
    pub fn add(&mut self, event: &StoredEvent) {
        self.0.update(&event.envelope());
    }

    /// In hexadecimal.
    #[must_use]
    pub fn finish(self) -> String {
        hex(self.0.finish().as_ref())
    }
}

/// Bytes in hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a text can be written to");
        text
    })
}
