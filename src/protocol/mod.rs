//! What the RFCs ask of a request, checked before anything is decided. Knows neither HTTP's types nor SQL.

pub mod agreed;
pub mod assertion;
pub mod audit;
pub mod authorize;
pub mod bearer;
pub mod claims;
pub mod client_assertion;
pub mod client_authentication;
pub mod client_certificate;
pub mod client_document;
pub mod device;
pub mod dpop;
pub mod error;
pub mod exchange;
pub mod id_token_hint;
pub mod interaction;
pub mod introspection;
pub mod jwt_bearer;
pub mod landing;
pub mod logout;
pub mod metadata;
pub mod once;
pub mod parameters;
pub mod pushed_request;
pub mod registration;
pub mod request_object;
pub mod resource_metadata;
pub mod resources;
pub mod revocations;
pub mod signed_jwt;
pub mod token;
pub mod userinfo;
pub mod wanted;

pub use error::{ErrorCode, OAuthError};
pub use once::{Once, OnceKind};
pub use parameters::Parameters;
