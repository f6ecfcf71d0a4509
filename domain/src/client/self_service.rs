//! The rules by which a client that registered itself manages its registration (RFC 7592), or its document does.

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

    /// What operators decide about it, no document says: that stays.
    pub(super) fn update_from_document(
        &self,
        metadata: Box<ClientMetadata>,
        at: Timestamp,
    ) -> Result<Vec<ClientEvent>, ClientError> {
        if self.by_itself != Some(ByItself::Document) {
            return Err(ClientError::NotOfADocument);
        }
        let own = &self.metadata;
        let metadata = ClientMetadata {
            policy: own.policy,
            skip_consent: own.skip_consent,
            resources: own.resources.clone(),
            access_token_lifetime: own.access_token_lifetime,
            refresh_token_idle_lifetime: own.refresh_token_idle_lifetime,
            refresh_token_lifetime: own.refresh_token_lifetime,
            ..*metadata
        };
        self.update(Box::new(metadata), at)
    }

    /// Only what anybody could register goes for want of use. A document is there to be read again.
    pub(super) fn deregister_unused(&self, at: Timestamp) -> Vec<ClientEvent> {
        match self.by_itself {
            Some(ByItself::Open) => vec![ClientEvent::Deregistered { reason: DeregistrationReason::Unused, at }],
            Some(ByItself::Invited { .. } | ByItself::Document) | None => Vec::new(),
        }
    }
}
