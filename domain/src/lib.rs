//! The rules of grantlog: aggregates, their commands and their events. No I/O, no clock, no randomness.

pub mod aggregate;
pub mod audit;
pub mod catalogue;
pub mod claim;
pub mod client;
pub mod confirmation;
pub mod consent;
pub mod cutoff;
pub mod device_authorization;
pub mod digest;
pub mod event;
pub mod grant;
pub mod id;
pub mod invitation;
pub mod key_set;
pub mod pkce;
pub mod redirect_uri;
pub mod scope;
pub mod sealed;
pub mod session;
pub mod timestamp;
pub mod upcast;
pub mod user;

pub use aggregate::{Decide, fold};
pub use confirmation::Confirmation;
pub use digest::Digest;
pub use event::Event;
pub use id::{
    ClientId, CommandId, ConsentId, DeviceAuthorizationId, GrantId, InvitationId, PasskeyId, SecretId, SessionId, StreamId,
    TokenId, UserId,
};
pub use scope::Scope;
pub use sealed::Sealed;
pub use timestamp::Timestamp;
