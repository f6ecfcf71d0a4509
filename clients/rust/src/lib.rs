//! Checks access tokens of a grantlog provider in a resource server. A JWT is checked here, by the issuer's published keys and by what the
//! issuer has told of tokens that died before their time; nobody is asked as long as all of that is known up to now. An opaque token,
//! and every token while the news is cut off, is asked about at the issuer (RFC 7662). Where nobody answers, nobody is let in. A token that is
//! bound to a key or a certificate opens nothing to who does not show that.
//!
//! ```no_run
//! use grantlog_resource_server::{Claims, ResourceServer, Settings};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let settings = Settings::new("https://id.example.com/o", "https://api.example.com", "client id", "secret".to_owned());
//! let server = ResourceServer::start(settings)?;
//! let layer = server.layer().requiring("read"); // for `axum::Router::layer`, or any other tower service
//! # Ok(()) }
//! ```
//!
//! A service behind the layer finds the [`Claims`] of the token among the request's extensions.

mod certificate;
mod check;
mod claims;
mod clock;
mod feed;
mod header;
mod introspection;
mod keys;
mod knowledge;
mod layer;
mod presented;
mod refusal;
mod revocation;
mod scheme;
mod sender;
mod server;
mod set;
mod settings;
mod used_proofs;

pub use certificate::ClientCertificate;
pub use claims::Claims;
pub use grantlog_dpop::InvalidProof;
pub use knowledge::Standing;
pub use layer::{BearerLayer, BearerService};
pub use refusal::Refusal;
pub use server::ResourceServer;
#[cfg(feature = "nats")]
pub use settings::Nats;
pub use settings::{Feed, Settings, SettingsError};
