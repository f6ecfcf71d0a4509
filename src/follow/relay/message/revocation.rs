//! What is dead, why, and until when anybody must remember it.

use domain::cutoff::Cause;
use schemars::JsonSchema;
use serde::Serialize;

/// Something that was issued is dead. By whom stands in the message's `actor`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Revocation {
    pub what: Ended,
    pub reason: Reason,
    pub at: i64,
    /// From then on every access token that this kills has expired by itself.
    pub forget_after: i64,
}

/// What is dead, by the claims of a JWT access token. Where there is a `before`, only tokens whose `pos` is below it are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Ended {
    /// One access token.
    Token { jti: String, grant_id: String },
    /// All tokens of a grant.
    Grant { grant_id: String },
    /// All that a client holds.
    Client { client_id: String, before: i64 },
    /// All that was issued in a user's name.
    User { sub: String, before: i64 },
    /// All that was granted in a sign-in without offline access.
    Session { session_id: String, before: i64 },
    /// All that was issued under a consent: in this user's name to this client.
    Consent { consent_id: String, sub: String, client_id: String, before: i64 },
    /// All that a key signed.
    Key { kid: String, before: i64 },
    /// All that the issuer issued.
    Issuer { before: i64 },
}

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The client gave it back (RFC 7009).
    RevokedByClient,
    RevokedByOperator,
    /// A used code came again.
    CodeReplayed,
    /// A used refresh token came again.
    RefreshReplayed,
    ClientDisabled,
    ClientDeregistered,
    PasswordChanged,
    UserLocked,
    UserErased,
    SignedOut,
    /// Another account signed in in the same browser.
    SessionReplaced,
    SessionEndedByOperator,
    ConsentWithdrawn,
    KeyRetired,
    /// The log was restored from a backup, and a new epoch began.
    LogRestored,
}

impl From<Cause> for Reason {
    fn from(cause: Cause) -> Self {
        match cause {
            Cause::RevokedByClient => Self::RevokedByClient,
            Cause::RevokedByOperator => Self::RevokedByOperator,
            Cause::CodeReplayed => Self::CodeReplayed,
            Cause::RefreshReplayed => Self::RefreshReplayed,
            Cause::ClientDisabled => Self::ClientDisabled,
            Cause::ClientDeregistered => Self::ClientDeregistered,
            Cause::PasswordChanged => Self::PasswordChanged,
            Cause::UserLocked => Self::UserLocked,
            Cause::UserErased => Self::UserErased,
            Cause::SignedOut => Self::SignedOut,
            Cause::SessionReplaced => Self::SessionReplaced,
            Cause::SessionEndedByOperator => Self::SessionEndedByOperator,
            Cause::ConsentWithdrawn => Self::ConsentWithdrawn,
            Cause::KeyRetired => Self::KeyRetired,
            Cause::LogRestored => Self::LogRestored,
        }
    }
}
