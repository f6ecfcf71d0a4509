//! What protocol and dispatch ask of a client.

use super::{Client, Registration};

impl Client {
    /// The registration, enabled or not.
    #[must_use]
    pub fn registration(&self) -> Option<&Registration> {
        match self {
            Self::Absent => None,
            Self::Registered(registration) => Some(registration),
        }
    }

    /// The registration of a client that may act.
    #[must_use]
    pub fn usable(&self) -> Option<&Registration> {
        self.registration().filter(|registration| registration.enabled)
    }
}
