//! The rules of a client.

use crate::{Decide, Timestamp};

use super::{Client, ClientCommand, ClientError, ClientEvent, ClientMetadata, ClientSecret, Registration};

impl Decide for Client {
    fn decide(&self, command: ClientCommand) -> Result<Vec<ClientEvent>, ClientError> {
        match (self, command) {
            (Self::Absent, ClientCommand::Register { identifier, owner, metadata, secret, at }) => {
                metadata.check()?;
                check_secret(&metadata, secret.as_ref())?;
                let mut events = vec![ClientEvent::Registered { identifier, owner, metadata, at }];
                events.extend(secret.map(|secret| ClientEvent::SecretAdded { secret, at }));
                Ok(events)
            }
            (Self::Registered(_), ClientCommand::Register { .. }) => Err(ClientError::Exists),
            (
                Self::Absent,
                ClientCommand::Update { .. }
                | ClientCommand::RotateSecret { .. }
                | ClientCommand::RevokeSecret { .. }
                | ClientCommand::Disable { .. }
                | ClientCommand::Enable { .. },
            ) => Err(ClientError::Unknown),
            (Self::Registered(client), ClientCommand::Update { metadata, at }) => client.update(metadata, at),
            (Self::Registered(client), ClientCommand::RotateSecret { secret, others_expire_at, at }) => {
                if client.metadata.is_public() {
                    return Err(ClientError::PublicClient);
                }
                let mut events = vec![ClientEvent::SecretAdded { secret, at }];
                events.extend(client.expire_secrets(others_expire_at, at));
                Ok(events)
            }
            (Self::Registered(client), ClientCommand::RevokeSecret { secret_id, at }) => {
                if !client.secrets.iter().any(|secret| secret.id == secret_id) {
                    return Err(ClientError::UnknownSecret);
                }
                Ok(client.expire_secrets(at, at).filter(|event| event.is_about(secret_id)).collect())
            }
            (Self::Registered(client), ClientCommand::Disable { at }) => {
                Ok(if client.enabled { vec![ClientEvent::Disabled { at }] } else { vec![] })
            }
            (Self::Registered(client), ClientCommand::Enable { at }) => {
                Ok(if client.enabled { vec![] } else { vec![ClientEvent::Enabled { at }] })
            }
        }
    }
}

fn check_secret(metadata: &ClientMetadata, secret: Option<&ClientSecret>) -> Result<(), ClientError> {
    match (metadata.is_public(), secret) {
        (true, Some(_)) => Err(ClientError::PublicClient),
        (false, None) => Err(ClientError::InvalidMetadata("a confidential client needs a secret".to_owned())),
        (true, None) | (false, Some(_)) => Ok(()),
    }
}

impl Registration {
    fn update(&self, metadata: Box<ClientMetadata>, at: Timestamp) -> Result<Vec<ClientEvent>, ClientError> {
        metadata.check()?;
        if *metadata == self.metadata {
            return Ok(vec![]);
        }
        let becomes_public = metadata.is_public();
        let metadata_version = self.metadata_version + 1;
        let mut events = vec![ClientEvent::Updated { metadata, metadata_version, at }];
        if becomes_public {
            events.extend(self.expire_secrets(at, at));
        }
        Ok(events)
    }

    /// Secrets that would live longer end at `expires_at`.
    fn expire_secrets(&self, expires_at: Timestamp, at: Timestamp) -> impl Iterator<Item = ClientEvent> {
        let longer = move |secret: &&ClientSecret| secret.expires_at.is_none_or(|end| end > expires_at);
        self.secrets.iter().filter(longer).map(move |secret| ClientEvent::SecretExpirySet {
            secret_id: secret.id,
            expires_at,
            at,
        })
    }
}

impl ClientEvent {
    fn is_about(&self, id: crate::SecretId) -> bool {
        match self {
            Self::SecretExpirySet { secret_id, .. } => *secret_id == id,
            Self::SecretAdded { secret, .. } => secret.id == id,
            Self::Registered { .. } | Self::Updated { .. } | Self::Disabled { .. } | Self::Enabled { .. } => false,
        }
    }
}
