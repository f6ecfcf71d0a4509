//! A registered client: its metadata, its secrets (several may be valid during a rotation), enabled or not.

mod apply;
mod certificate;
mod command;
mod decide;
mod event;
mod logout_uris;
mod metadata;
mod metadata_check;
mod metadata_other;
mod openid;
mod protection;
mod questions;
mod registration;
mod self_service;
#[cfg(test)]
mod tests;

pub use certificate::CertificateName;
pub use command::ClientCommand;
pub use event::{ByItself, ClientEvent, ClientSecret, DeregistrationReason};
pub(crate) use logout_uris::is_callable;
pub use metadata::{
    AccessTokenFormat, ApplicationType, AuthenticationMethod, ClientMetadata, GrantType, Policy, SigningAlgorithm,
};
pub(crate) use metadata_check::check_jwks;
pub use protection::Binding;
pub use registration::Registration;
use serde::{Deserialize, Serialize};

use crate::aggregate::aggregate;

/// What is known of a client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Client {
    /// Not there yet.
    #[default]
    Absent,
    Registered(Box<Registration>),
}

/// Why a command on a client is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    #[error("there is no such client")]
    Unknown,
    #[error("the client exists already")]
    Exists,
    /// RFC 7591 `invalid_redirect_uri`.
    #[error("{0}")]
    InvalidRedirectUri(String),
    /// RFC 7591 `invalid_client_metadata`.
    #[error("{0}")]
    InvalidMetadata(String),
    #[error("a public client has no secret")]
    PublicClient,
    #[error("a client that proves who it is by a key or a certificate has no secret")]
    NoSecret,
    #[error("the client has no such secret")]
    UnknownSecret,
    #[error("an operator disabled the client: only an operator can enable it")]
    DisabledByOperator,
    #[error("the client's registration is gone for good")]
    Deregistered,
    #[error("the client was not registered by a document")]
    NotOfADocument,
    #[error("the registration access token is not the client's, or not any more")]
    WrongRegistrationToken,
}

aggregate!(Client, "client", ClientCommand, ClientEvent, ClientError);
