//! What each event does to what is known of a client.

use super::{Client, ClientEvent, Registration};

impl Client {
    pub(super) fn apply_event(&mut self, event: ClientEvent) {
        match event {
            ClientEvent::Registered { identifier, owner, metadata, by_itself, .. } => {
                let client = Registration { by_itself, ..Registration::new(identifier, owner, *metadata) };
                *self = Self::Registered(Box::new(client));
            }
            ClientEvent::Updated { .. }
            | ClientEvent::SecretAdded { .. }
            | ClientEvent::SecretExpirySet { .. }
            | ClientEvent::Disabled { .. }
            | ClientEvent::Enabled { .. }
            | ClientEvent::RegistrationTokenSet { .. }
            | ClientEvent::Deregistered { .. } => {
                if let Self::Registered(client) = self {
                    client.apply_event(event);
                }
            }
        }
    }
}

impl Registration {
    fn apply_event(&mut self, event: ClientEvent) {
        match event {
            ClientEvent::Registered { .. } => {}
            ClientEvent::Updated { metadata, metadata_version, .. } => {
                self.metadata = *metadata;
                self.metadata_version = metadata_version;
            }
            ClientEvent::SecretAdded { secret, at } => {
                self.secrets.retain(|old| old.is_usable(at));
                self.secrets.push(secret);
            }
            ClientEvent::SecretExpirySet { secret_id, expires_at, .. } => {
                for secret in self.secrets.iter_mut().filter(|secret| secret.id == secret_id) {
                    secret.expires_at = Some(expires_at);
                }
            }
            ClientEvent::Disabled { by, .. } => (self.enabled, self.disabled_by) = (false, by),
            ClientEvent::Enabled { .. } => (self.enabled, self.disabled_by) = (true, None),
            ClientEvent::RegistrationTokenSet { digest, .. } => self.registration_token = Some(digest),
            ClientEvent::Deregistered { .. } => {
                (self.enabled, self.disabled_by, self.deregistered) = (false, None, true);
                (self.secrets, self.registration_token) = (Vec::new(), None);
            }
        }
    }
}
