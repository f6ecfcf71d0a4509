//! The rules of a client.

use crate::{Decide, SecretId, Timestamp};

use super::{Client, ClientCommand, ClientError, ClientEvent, ClientMetadata, ClientSecret, DeregistrationReason, Registration};

/// How many of its secrets work at a time, at most: a rotation ends the oldest beyond.
const USABLE_SECRETS: usize = 10;

impl Decide for Client {
    fn decide(&self, command: ClientCommand) -> Result<Vec<ClientEvent>, ClientError> {
        match (self, command) {
            (
                Self::Absent,
                ClientCommand::Register { identifier, owner, metadata, secret, by_itself, registration_token, at },
            ) => {
                let metadata = accepted(metadata)?;
                check_identifier(&identifier)?;
                metadata.check()?;
                if secret.is_some() {
                    metadata.check_has_secret()?;
                }
                let mut events = vec![ClientEvent::Registered { identifier, owner, metadata, by_itself, at }];
                events.extend(secret.map(|secret| ClientEvent::SecretAdded { secret, at }));
                events.extend(registration_token.map(|digest| ClientEvent::RegistrationTokenSet { digest, at }));
                Ok(events)
            }
            (Self::Registered(_), ClientCommand::Register { .. }) => Err(ClientError::Exists),
            (
                Self::Absent,
                ClientCommand::Update { .. }
                | ClientCommand::RotateSecret { .. }
                | ClientCommand::RevokeSecret { .. }
                | ClientCommand::Disable { .. }
                | ClientCommand::Enable { .. }
                | ClientCommand::UpdateItself { .. }
                | ClientCommand::UpdateFromDocument { .. }
                | ClientCommand::DeregisterItself { .. }
                | ClientCommand::DeregisterUnused { .. },
            ) => Err(ClientError::Unknown),
            (Self::Registered(client), command) if client.deregistered => after_deregistration(&command),
            (Self::Registered(client), ClientCommand::Update { metadata, at }) => client.update(metadata, at),
            (Self::Registered(client), ClientCommand::RotateSecret { secret, others_expire_at, at }) => {
                client.rotate_secret(secret, others_expire_at, at)
            }
            (Self::Registered(client), ClientCommand::RevokeSecret { secret_id, at }) => client.revoke_secret(secret_id, at),
            (Self::Registered(client), ClientCommand::Disable { by, at }) => {
                // An operator's word stands over the owner's, also when it comes second.
                let more = client.enabled || (by.is_none() && client.disabled_by.is_some());
                Ok(if more { vec![ClientEvent::Disabled { by, at }] } else { vec![] })
            }
            (Self::Registered(client), ClientCommand::Enable { .. }) if client.enabled => Ok(vec![]),
            (Self::Registered(client), ClientCommand::Enable { by: Some(owner), .. }) if client.disabled_by != Some(owner) => {
                Err(ClientError::DisabledByOperator)
            }
            (Self::Registered(_), ClientCommand::Enable { at, .. }) => Ok(vec![ClientEvent::Enabled { at }]),
            (Self::Registered(client), ClientCommand::UpdateItself { presented, next, metadata, secret, at }) => {
                client.check_token(&presented)?;
                client.update_itself(metadata, secret, next, at)
            }
            (Self::Registered(client), ClientCommand::UpdateFromDocument { metadata, at }) => {
                client.update_from_document(metadata, at)
            }
            (Self::Registered(client), ClientCommand::DeregisterItself { presented, at }) => {
                client.check_token(&presented)?;
                Ok(vec![ClientEvent::Deregistered { reason: DeregistrationReason::ByItself, at }])
            }
            (Self::Registered(client), ClientCommand::DeregisterUnused { at }) => Ok(client.deregister_unused(at)),
        }
    }
}

/// Nothing brings a registration back.
fn after_deregistration(command: &ClientCommand) -> Result<Vec<ClientEvent>, ClientError> {
    match command {
        ClientCommand::Disable { .. } | ClientCommand::DeregisterUnused { .. } => Ok(vec![]),
        ClientCommand::Register { .. } => Err(ClientError::Exists),
        ClientCommand::UpdateItself { .. } | ClientCommand::DeregisterItself { .. } => Err(ClientError::WrongRegistrationToken),
        ClientCommand::Update { .. }
        | ClientCommand::UpdateFromDocument { .. }
        | ClientCommand::RotateSecret { .. }
        | ClientCommand::RevokeSecret { .. }
        | ClientCommand::Enable { .. } => Err(ClientError::Deregistered),
    }
}

impl Registration {
    pub(super) fn update(&self, metadata: Box<ClientMetadata>, at: Timestamp) -> Result<Vec<ClientEvent>, ClientError> {
        let metadata = accepted(metadata)?;
        if *metadata == self.metadata {
            return Ok(vec![]);
        }
        metadata.check()?;
        let metadata_version = self.metadata_version.saturating_add(1);
        let ended = if !metadata.has_secret() { expire(&self.secrets, at, at) } else { vec![] };
        Ok([vec![ClientEvent::Updated { metadata, metadata_version, at }], ended].concat())
    }

    fn rotate_secret(
        &self,
        secret: ClientSecret,
        others_expire_at: Timestamp,
        at: Timestamp,
    ) -> Result<Vec<ClientEvent>, ClientError> {
        self.metadata.check_has_secret()?;
        let usable: Vec<&ClientSecret> = self.usable_secrets(at).collect();
        let (surplus, others) = usable.split_at((usable.len() + 1).saturating_sub(USABLE_SECRETS));
        let added = vec![ClientEvent::SecretAdded { secret, at }];
        Ok([added, expire(surplus.iter().copied(), at, at), expire(others.iter().copied(), others_expire_at, at)].concat())
    }

    fn revoke_secret(&self, secret_id: SecretId, at: Timestamp) -> Result<Vec<ClientEvent>, ClientError> {
        let secret = self.secrets.iter().find(|secret| secret.id == secret_id).ok_or(ClientError::UnknownSecret)?;
        Ok(expire([secret], at, at))
    }
}

impl ClientMetadata {
    fn check_has_secret(&self) -> Result<(), ClientError> {
        match (self.has_secret(), self.is_public()) {
            (true, _) => Ok(()),
            (false, true) => Err(ClientError::PublicClient),
            (false, false) => Err(ClientError::NoSecret),
        }
    }
}

/// Those of the secrets that would work longer end at `expires_at`; none lives longer for it.
fn expire<'a>(secrets: impl IntoIterator<Item = &'a ClientSecret>, expires_at: Timestamp, at: Timestamp) -> Vec<ClientEvent> {
    let too_long = secrets.into_iter().filter(|secret| secret.is_usable(at) && secret.is_usable(expires_at));
    too_long.map(|secret| ClientEvent::SecretExpirySet { secret_id: secret.id, expires_at, at }).collect()
}

fn accepted(metadata: Box<ClientMetadata>) -> Result<Box<ClientMetadata>, ClientError> {
    let metadata = metadata.keep_known();
    metadata.check()?;
    Ok(Box::new(metadata))
}

/// RFC 6749 appendix A.1, and no space: it stands in tables and commands.
fn check_identifier(identifier: &str) -> Result<(), ClientError> {
    if (1..=255).contains(&identifier.len()) && identifier.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(ClientError::InvalidMetadata("client_id must be 1 to 255 printable ASCII characters without a space".to_owned()))
}
