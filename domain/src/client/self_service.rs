//! The rules by which a client that registered itself manages its registration (RFC 7592).

use crate::{Digest, Timestamp};

use super::{ByItself, ClientError, ClientEvent, ClientMetadata, ClientSecret, DeregistrationReason, Registration};

impl Registration {
    /// Whether this is the token that it manages its registration with. A disabled client manages nothing.
    ///
    /// # Errors
    /// `WrongRegistrationToken` where it is another, or none is.
    pub fn check_token(&self, presented: &Digest) -> Result<(), ClientError> {
        match &self.registration_token {
            Some(own) if own == presented && self.enabled => Ok(()),
            Some(_) | None => Err(ClientError::WrongRegistrationToken),
        }
    }

    /// The token changes with each use of it, also where the metadata stays as it is.
    pub(super) fn update_itself(
        &self,
        metadata: Box<ClientMetadata>,
        secret: Option<ClientSecret>,
        next: Digest,
        at: Timestamp,
    ) -> Result<Vec<ClientEvent>, ClientError> {
        let needs_secret = metadata.has_secret() && self.usable_secrets(at).next().is_none();
        let mut events = self.update(metadata, at)?;
        events.extend(secret.filter(|_| needs_secret).map(|secret| ClientEvent::SecretAdded { secret, at }));
        events.push(ClientEvent::RegistrationTokenSet { digest: next, at });
        Ok(events)
    }

    /// Only what anybody could register goes for want of use.
    pub(super) fn deregister_unused(&self, at: Timestamp) -> Vec<ClientEvent> {
        match self.by_itself {
            Some(ByItself::Open) => vec![ClientEvent::Deregistered { reason: DeregistrationReason::Unused, at }],
            Some(ByItself::Invited { .. }) | None => Vec::new(),
        }
    }
}
