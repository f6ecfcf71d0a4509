//! The one registry of identifiers. Each is a newtype over a UUID (version 7 when we make it), so that none can be mixed up.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Takes a UUID made by the caller: the rules make none themselves.
            #[must_use]
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID inside.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text).map(Self)
            }
        }
    )+};
}

identifiers! {
    /// A registered client's stream. Its `client_id` on the wire is this in hyphenated form, unless it was chosen or imported.
    ClientId,
    /// A resource owner's stream, and the `sub` of its tokens.
    UserId,
    /// One browser sign-in.
    SessionId,
    /// What one user lets one client do.
    ConsentId,
    /// One authorization and the family of tokens that came of it.
    GrantId,
    /// One device's request to be let in.
    DeviceAuthorizationId,
    /// One of a client's secrets.
    SecretId,
    /// One invitation to register clients: an initial access token.
    InvitationId,
    /// One of a user's passkeys.
    PasskeyId,
    /// One access token: its `jti`.
    TokenId,
    /// One command: every event that it made carries it.
    CommandId,
}

/// The stream of an aggregate's events: its type and its id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    /// `client`, `user`, `session`, `consent`, `grant`, `key_set`, `catalogue`, `audit`, `invitation` or `device_authorization`.
    pub aggregate_type: &'static str,
    /// The aggregate's id.
    pub aggregate_id: Uuid,
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.aggregate_type, self.aggregate_id.hyphenated())
    }
}

/// The id of an aggregate of which an issuer has one: the key set, the catalogue, the audit.
pub const THE_ONLY: Uuid = Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0001);
