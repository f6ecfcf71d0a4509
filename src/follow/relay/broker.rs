//! The connection to NATS, and the stream there: made as the settings say, and never used where it is otherwise.

mod differences;

use std::{fs, path::PathBuf, time::Duration};

use async_nats::{
    Client, ConnectErrorKind, ConnectOptions, ServerAddr,
    connection::State as ConnectionState,
    jetstream::{
        ErrorCode,
        context::{Context, ContextBuilder, CreateStreamErrorKind, GetStreamErrorKind},
        stream::{Config, DiscardPolicy, Info, RetentionPolicy, StorageType, Stream},
    },
};
use secrecy::{ExposeSecret, SecretString};

use super::{RelayError, message::Effect};
use crate::config;

/// The longest that the broker may take to answer.
const ANSWER: Duration = Duration::from_secs(5);
/// Messages under way at most.
pub(super) const IN_FLIGHT: usize = 4_096;
/// What JetStream says while it has no leader: it passes.
const NO_LEADER: usize = 503;
/// The first nats-server that can begin a stream elsewhere than at 1.
const FIRST_SEQUENCE_SINCE: (i64, i64, i64) = (2, 10, 0);

/// A connection to the broker.
#[derive(Debug)]
pub struct Broker {
    pub(super) client: Client,
    pub(super) jetstream: Context,
    pub(super) settings: config::Relay,
}

impl Broker {
    /// Connects as the settings say.
    ///
    /// # Errors
    /// That nobody answers, or does not let us in, or that a setting is wrong.
    pub async fn connect(settings: &config::Relay) -> Result<Self, RelayError> {
        check_prefix(&settings.prefix)?;
        let client = options(settings).await?.connect(addresses(settings)?).await.map_err(|error| match error.kind() {
            ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
                RelayError::NotLetIn(error.to_string())
            }
            ConnectErrorKind::ServerParse
            | ConnectErrorKind::Dns
            | ConnectErrorKind::TimedOut
            | ConnectErrorKind::Tls
            | ConnectErrorKind::Io
            | ConnectErrorKind::MaxReconnects => RelayError::broker(&error),
        })?;
        let jetstream = ContextBuilder::new().timeout(ANSWER).max_ack_inflight(IN_FLIGHT * 2).build(client.clone());
        Ok(Self { client, jetstream, settings: settings.clone() })
    }

    /// The version of the nats-server.
    #[must_use]
    pub fn version(&self) -> String {
        self.client.server_info().version
    }

    pub(super) fn is_connected(&self) -> bool {
        self.client.connection_state() == ConnectionState::Connected
    }

    /// The stream, made where it is not there.
    ///
    /// # Errors
    /// That it is there with other settings, or the broker cannot make it so.
    pub async fn set_up(&self) -> Result<Stream, RelayError> {
        match self.stream().await {
            Err(RelayError::NoStream(_)) => {}
            outcome => return outcome,
        }
        let (major, minor, patch) = FIRST_SEQUENCE_SINCE;
        if self.settings.first_position > 1 && !self.client.is_server_compatible(major, minor, patch) {
            return Err(RelayError::TooOld { version: self.version(), position: self.settings.first_position });
        }
        let created = self.jetstream.create_stream(self.wanted()).await;
        created.map_err(|error| match error.kind() {
            CreateStreamErrorKind::JetStream(why) if why.code() != NO_LEADER => self.refused(&why),
            CreateStreamErrorKind::EmptyStreamName | CreateStreamErrorKind::InvalidStreamName => self.refused(&error),
            CreateStreamErrorKind::JetStream(_)
            | CreateStreamErrorKind::DomainAndExternalSet
            | CreateStreamErrorKind::JetStreamUnavailable
            | CreateStreamErrorKind::TimedOut
            | CreateStreamErrorKind::Response
            | CreateStreamErrorKind::NotFound
            | CreateStreamErrorKind::ResponseParse => RelayError::broker(&error),
        })?;
        self.stream().await
    }

    /// The stream, which is there as the settings say.
    ///
    /// # Errors
    /// That it is not there, or otherwise.
    pub async fn stream(&self) -> Result<Stream, RelayError> {
        let found = self.jetstream.get_stream(&self.settings.stream).await.map_err(|error| match error.kind() {
            GetStreamErrorKind::JetStream(why) if why.error_code() == ErrorCode::STREAM_NOT_FOUND => {
                RelayError::NoStream(self.settings.stream.clone())
            }
            GetStreamErrorKind::EmptyName | GetStreamErrorKind::InvalidStreamName => self.refused(&error),
            GetStreamErrorKind::JetStream(why) if why.code() != NO_LEADER => self.refused(&why),
            GetStreamErrorKind::JetStream(_) | GetStreamErrorKind::Request => RelayError::broker(&error),
        })?;
        let differences = differences::between(&found.cached_info().config, &self.wanted());
        if differences.is_empty() {
            return Ok(found);
        }
        Err(RelayError::Differs { stream: self.settings.stream.clone(), differences })
    }

    /// How the stream has to be: nothing that was published can be taken back or changed there.
    fn wanted(&self) -> Config {
        let config::Relay { stream, prefix, first_position, replicas, max_age, max_bytes, .. } = &self.settings;
        let bound = |bytes: i64| if bytes == 0 { -1 } else { bytes };
        Config {
            name: stream.clone(),
            description: Some("The log of a grantlog issuer: a message's sequence is its position".to_owned()),
            // Not `prefix.>`: what is published beside the stream would land in it.
            subjects: Effect::ALL.iter().map(|effect| format!("{prefix}.{effect}.>")).collect(),
            retention: RetentionPolicy::Limits,
            discard: DiscardPolicy::Old,
            storage: StorageType::File,
            num_replicas: *replicas,
            max_age: Duration::from_secs(*max_age),
            max_bytes: bound(*max_bytes),
            max_messages: -1,
            max_messages_per_subject: -1,
            max_message_size: -1,
            deny_delete: true,
            deny_purge: true,
            first_sequence: (*first_position > 1).then_some(*first_position),
            ..Config::default()
        }
    }

    /// Publishes something to `<prefix>.<name>`, beside the stream: whoever listens hears it, and it is not kept.
    pub(super) async fn publish_beside(&self, name: &str, text: String) -> Result<(), RelayError> {
        let subject = format!("{}.{name}", self.settings.prefix);
        self.client.publish(subject, text.into()).await.map_err(|error| RelayError::broker(&error))
    }

    fn refused(&self, why: &impl ToString) -> RelayError {
        RelayError::Refused { stream: self.settings.stream.clone(), why: why.to_string() }
    }

    /// What the broker says of the stream now.
    pub(super) async fn info(stream: &Stream) -> Result<Info, RelayError> {
        stream.get_info().await.map_err(|error| RelayError::broker(&error))
    }
}

fn addresses(settings: &config::Relay) -> Result<Vec<ServerAddr>, RelayError> {
    let parsed = settings.url.expose_secret().split(',').map(|address| address.trim().parse::<ServerAddr>());
    parsed.collect::<Result<_, _>>().map_err(|error| RelayError::Address(error.to_string()))
}

fn check_prefix(prefix: &str) -> Result<(), RelayError> {
    let word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if prefix.split('.').all(word) { Ok(()) } else { Err(RelayError::Prefix(prefix.to_owned())) }
}

async fn options(settings: &config::Relay) -> Result<ConnectOptions, RelayError> {
    let mut options = ConnectOptions::new().name("grantlog relay").connection_timeout(ANSWER).require_tls(settings.require_tls);
    if let Some(path) = &settings.credentials_file {
        let read = options.credentials_file(path).await;
        options = read.map_err(|cause| RelayError::File { setting: "credentials_file", path: path.clone(), cause })?;
    }
    if let Some(path) = &settings.nkey_file {
        options = options.nkey(read("nkey_file", path)?.expose_secret().to_owned());
    }
    if let Some(user) = &settings.user {
        let password = match (&settings.password, &settings.password_file) {
            (Some(password), _) => password.clone(),
            (None, Some(path)) => read("password_file", path)?,
            (None, None) => SecretString::default(),
        };
        options = options.user_and_password(user.clone(), password.expose_secret().to_owned());
    }
    if let Some(path) = &settings.ca_file {
        options = options.add_root_certificates(path.clone());
    }
    if let (Some(certificate), Some(key)) = (&settings.certificate_file, &settings.key_file) {
        options = options.add_client_certificate(certificate.clone(), key.clone());
    }
    Ok(options)
}

fn read(setting: &'static str, path: &PathBuf) -> Result<SecretString, RelayError> {
    let text = fs::read_to_string(path).map_err(|cause| RelayError::File { setting, path: path.clone(), cause })?;
    Ok(text.trim().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_words_with_dots_between() {
        for fine in ["grantlog", "acme.grantlog-2", "a_b"] {
            assert!(check_prefix(fine).is_ok(), "{fine}");
        }
        for wrong in ["", "a..b", ".a", "a.", "a.*", "a.>", "a b", "$SYS"] {
            assert!(check_prefix(wrong).is_err(), "{wrong}");
        }
    }
}
