//! The settings: `config.default.toml` documents each with its default; a file and the environment override it.

mod catalogue;
mod check;
mod load;
mod mail;
mod tls;

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

pub use catalogue::{IssuerSetting, ResourceSetting, ScopeSetting};
pub use check::SettingError;
use domain::client::Policy;
pub use load::Source;
pub use mail::{Mail, MailTls};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
pub use tls::{KeyPair, Mtls, Tls, Tls12};
use url::Url;

use crate::follow::transparency::WitnessKey;

/// All settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub server: Server,
    pub store: Store,
    pub archive: Archive,
    pub vault: Vault,
    pub tokens: Tokens,
    pub sessions: Sessions,
    pub devices: Devices,
    pub limits: Limits,
    pub clients: Clients,
    pub registration: Registration,
    pub fetch: Fetch,
    pub mail: Mail,
    pub relay: Relay,
    pub transparency: Transparency,
    pub telemetry: Telemetry,
    pub scopes: BTreeMap<String, ScopeSetting>,
    #[serde(default)]
    pub resources: BTreeMap<String, ResourceSetting>,
    #[serde(default)]
    pub issuers: BTreeMap<String, IssuerSetting>,
}

/// How the server is reached.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub public_url: Url,
    pub listen: SocketAddr,
    pub behind_proxy: bool,
    pub trusted_proxies: Vec<std::net::IpAddr>,
    pub max_header_bytes: usize,
    pub max_body_bytes: usize,
    pub max_url_bytes: usize,
    pub hsts_seconds: u64,
    pub slow_request_seconds: u64,
    pub shutdown_seconds: u64,
    pub tls: Tls,
    pub mtls: Mtls,
}

/// Where the log is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    pub url: SecretString,
    pub connections: u32,
    pub queue: usize,
    pub verified_streams: u32,
}

/// Where old events go, and which.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    pub folder: Option<PathBuf>,
    pub after_events: u32,
    pub after: Option<u32>,
    pub segment_events: u32,
}

/// The keys of what is sealed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vault {
    pub master_key: Option<SecretString>,
    pub master_key_file: PathBuf,
    pub previous_master_key_files: Vec<PathBuf>,
}

/// Lifetimes of codes and tokens, in seconds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    pub code_lifetime: u32,
    pub pushed_request_lifetime: u32,
    pub dpop_nonce_required: bool,
    pub access_token_lifetime: u32,
    pub id_token_lifetime: u32,
    pub refresh_token_idle_lifetime: u32,
    pub refresh_token_lifetime: u32,
    pub retry_grace: u32,
    pub retries: u32,
    pub default_resource: Option<String>,
}

/// Lifetimes of sign-ins, in seconds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sessions {
    pub lifetime: u32,
    pub pending_request_lifetime: u32,
    pub logout_patience: u32,
}

/// Devices that ask to be let in (RFC 8628), in seconds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Devices {
    pub code_lifetime: u32,
    pub interval: u32,
}

/// Bounds against abuse.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub sign_in_failures_per_account: u32,
    pub sign_in_failures_per_source: u32,
    pub sign_in_window: u32,
    pub user_code_failures_per_account: u32,
    pub user_code_failures_per_source: u32,
    pub devices_per_source: u32,
    pub devices_per_client: u32,
    pub mails_per_account: u32,
    pub mails_per_source: u32,
    pub mails_window: u32,
    pub client_failures_per_source: u32,
    pub client_failures_window: u32,
    pub password_min_chars: usize,
    pub password_max_bytes: usize,
    pub hash_threads: usize,
    pub read_deadline_ms: u64,
    pub page_size_max: u32,
    pub clock_skew: u32,
}

/// What clients may do.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clients {
    pub introspection_get: bool,
}

/// Applications that register themselves.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// Without an invitation too.
    pub open: bool,
    /// By a document at the address that is their `client_id`.
    pub by_document: bool,
    /// For all that users can grant, whatever they name.
    pub all_scopes: bool,
    pub policy: Policy,
    pub per_source: u32,
    pub in_all: u32,
    pub window: u32,
    pub unused_lifetime: u32,
}

/// Whom the server asks over HTTP.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fetch {
    /// PEM files of certificates that are trusted beside the system's.
    pub ca_files: Vec<PathBuf>,
    /// Hosts that clients may name though they stand at private addresses.
    pub private_hosts: Vec<String>,
}

/// The broker that the log is relayed to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relay {
    /// Empty: nothing is relayed. It may hold a password.
    pub url: SecretString,
    pub stream: String,
    pub prefix: String,
    pub first_position: u64,
    pub replicas: usize,
    /// In seconds; 0 is for ever.
    pub max_age: u64,
    /// 0 is without bound.
    pub max_bytes: i64,
    pub credentials_file: Option<PathBuf>,
    pub nkey_file: Option<PathBuf>,
    pub user: Option<String>,
    pub password: Option<SecretString>,
    pub password_file: Option<PathBuf>,
    pub require_tls: bool,
    pub ca_file: Option<PathBuf>,
    pub certificate_file: Option<PathBuf>,
    pub key_file: Option<PathBuf>,
}

/// The tree over the log.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transparency {
    pub enabled: bool,
    pub checkpoint_file: Option<PathBuf>,
    #[serde(default)]
    pub witness: BTreeMap<String, Witness>,
}

/// Somebody who cosigns checkpoints.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Witness {
    /// What it calls its submission prefix.
    pub url: Url,
    pub key: WitnessKey,
}

/// What is told of the running server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telemetry {
    pub format: LogFormat,
    pub filter: String,
    pub metrics: bool,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    Text,
    Json,
}

impl Relay {
    /// Whether the log is relayed.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !self.url.expose_secret().is_empty()
    }
}

impl Settings {
    /// The issuer's identifier (RFC 8414 section 2).
    #[must_use]
    pub fn issuer(&self) -> String {
        format!("{}/o", self.public_url())
    }

    /// The public URL without a slash at its end: every URL in an answer begins with it.
    #[must_use]
    pub fn public_url(&self) -> &str {
        self.server.public_url.as_str().trim_end_matches('/')
    }

    /// The host of the public URL: by it people tell this issuer from others.
    #[must_use]
    pub fn host(&self) -> &str {
        self.server.public_url.host_str().unwrap_or_default()
    }

    /// What this issuer calls itself in mails.
    #[must_use]
    pub fn provider(&self) -> &str {
        self.mail.name.as_deref().unwrap_or_else(|| self.host())
    }

    /// The address under which the tree over the log is served.
    #[must_use]
    pub fn transparency_prefix(&self) -> String {
        format!("{}/transparency", self.public_url())
    }

    /// The audience of tokens for which no resource was asked.
    #[must_use]
    pub fn default_resource(&self) -> &str {
        self.tokens.default_resource.as_deref().unwrap_or_else(|| self.public_url())
    }

    /// Whether browsers keep our cookies for https alone.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.server.public_url.scheme() == "https"
    }

    /// How long a read waits for a position.
    #[must_use]
    pub const fn read_deadline(&self) -> Duration {
        Duration::from_millis(self.limits.read_deadline_ms)
    }
}
