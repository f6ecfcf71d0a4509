//! What each event makes of a client.

use super::{Client, ClientEvent, Registration};

impl Client {
    pub(super) fn apply_event(&mut self, event: ClientEvent) {
        match (self, event) {
            (this @ Self::Absent, ClientEvent::Registered { identifier, owner, metadata, .. }) => {
                let registration = Registration {
                    identifier,
                    owner,
                    metadata: *metadata,
                    metadata_version: 1,
                    secrets: Vec::new(),
                    enabled: true,
                };
                *this = Self::Registered(Box::new(registration));
            }
            (Self::Registered(client), ClientEvent::Updated { metadata, metadata_version, .. }) => {
                client.metadata = *metadata;
                client.metadata_version = metadata_version;
            }
            (Self::Registered(client), ClientEvent::SecretAdded { secret, at }) => {
                client.secrets.retain(|kept| kept.expires_at.is_none_or(|end| end > at));
                client.secrets.push(secret);
            }
            (Self::Registered(client), ClientEvent::SecretExpirySet { secret_id, expires_at, .. }) => {
                for secret in client.secrets.iter_mut().filter(|secret| secret.id == secret_id) {
                    secret.expires_at = Some(expires_at);
                }
            }
            (Self::Registered(client), ClientEvent::Disabled { .. }) => client.enabled = false,
            (Self::Registered(client), ClientEvent::Enabled { .. }) => client.enabled = true,
            (Self::Registered(_), ClientEvent::Registered { .. })
            | (
                Self::Absent,
                ClientEvent::Updated { .. }
                | ClientEvent::SecretAdded { .. }
                | ClientEvent::SecretExpirySet { .. }
                | ClientEvent::Disabled { .. }
                | ClientEvent::Enabled { .. },
            ) => {}
        }
    }
}
