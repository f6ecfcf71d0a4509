//! grantlog: an event-sourced OAuth 2.0 and OpenID Connect provider. ARCHITECTURE.md has the map.

pub mod archive;
pub mod audit;
pub mod authenticator;
pub mod cli;
pub mod clock;
pub mod config;
pub mod credential;
pub mod dispatch;
pub mod ephemeral;
pub mod fetch;
pub mod follow;
pub mod http;
pub mod log;
pub mod logo;
pub mod passwords;
pub mod protocol;
pub mod reads;
pub mod registration;
pub mod signer;
pub mod state;
pub mod sweep;
pub mod telemetry;
pub mod trace;
pub mod unused_clients;
pub mod vault;
pub mod verify;
mod words;
