//! What an event ends beyond its own stream: everything that was issued before it and stands on what it is about.

use serde::{Deserialize, Serialize};

use crate::{
    Event, Timestamp,
    client::ClientEvent,
    consent::ConsentEvent,
    grant::{GrantEvent, RevocationReason},
    key_set::KeySetEvent,
    session::{SessionEnd, SessionEvent},
    user::UserEvent,
};

/// An event's cutoff: what it ends and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cutoff<'a> {
    pub subject: Subject<'a>,
    pub cause: Cause,
}

/// All that stands on this is dead, if it was issued before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject<'a> {
    /// The client whose stream it is.
    Client,
    /// The user whose stream it is.
    User,
    /// The session whose stream it is.
    Session,
    /// The consent whose stream it is.
    Consent,
    /// The grant whose stream it is. At `ends_at` nothing that it kills could live any more.
    Grant { ends_at: Timestamp },
    /// The key with this kid.
    Key(&'a str),
    /// The issuer.
    Issuer,
}

/// Why something that was issued is dead before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
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

impl From<RevocationReason> for Cause {
    fn from(reason: RevocationReason) -> Self {
        match reason {
            RevocationReason::CodeReplayed => Self::CodeReplayed,
            RevocationReason::RefreshReplayed => Self::RefreshReplayed,
            RevocationReason::RevokedByClient => Self::RevokedByClient,
            RevocationReason::RevokedByOperator => Self::RevokedByOperator,
        }
    }
}

impl From<SessionEnd> for Cause {
    fn from(end: SessionEnd) -> Self {
        match end {
            SessionEnd::SignedOut => Self::SignedOut,
            SessionEnd::Replaced => Self::SessionReplaced,
            SessionEnd::EndedByOperator => Self::SessionEndedByOperator,
        }
    }
}

impl Event {
    /// What it ends of all that was issued before; `None` where that is nothing, or one token alone.
    #[must_use]
    pub fn cutoff(&self) -> Option<Cutoff<'_>> {
        let (subject, cause) = match self {
            Self::Client(event) => match event {
                ClientEvent::Disabled { .. } => (Subject::Client, Cause::ClientDisabled),
                ClientEvent::Deregistered { .. } => (Subject::Client, Cause::ClientDeregistered),
                ClientEvent::Registered { .. }
                | ClientEvent::Updated { .. }
                | ClientEvent::SecretAdded { .. }
                | ClientEvent::SecretExpirySet { .. }
                | ClientEvent::Enabled { .. }
                | ClientEvent::RegistrationTokenSet { .. } => return None,
            },
            Self::User(event) => match event {
                UserEvent::Locked { .. } => (Subject::User, Cause::UserLocked),
                UserEvent::PasswordSet { .. } => (Subject::User, Cause::PasswordChanged),
                UserEvent::Erased { .. } => (Subject::User, Cause::UserErased),
                UserEvent::Created { .. }
                | UserEvent::ProfileUpdated { .. }
                | UserEvent::Unlocked { .. }
                | UserEvent::AdministratorSet { .. }
                | UserEvent::SignInsBlocked { .. }
                | UserEvent::AuthenticatorEnrolled { .. }
                | UserEvent::AuthenticatorRemoved { .. }
                | UserEvent::PasskeyEnrolled { .. }
                | UserEvent::PasskeyRenamed { .. }
                | UserEvent::PasskeyUsed { .. }
                | UserEvent::PasskeyCounterWentBack { .. }
                | UserEvent::PasskeyRemoved { .. }
                | UserEvent::RecoveryCodesMade { .. }
                | UserEvent::RecoveryCodeUsed { .. }
                | UserEvent::EmailVerified { .. }
                | UserEvent::Mailed { .. } => return None,
            },
            Self::Session(event) => match event {
                SessionEvent::Ended { reason, .. } => (Subject::Session, (*reason).into()),
                SessionEvent::Started { .. } | SessionEvent::Reauthenticated { .. } | SessionEvent::ClientNotified { .. } => {
                    return None;
                }
            },
            Self::Consent(event) => match event {
                ConsentEvent::Withdrawn { .. } => (Subject::Consent, Cause::ConsentWithdrawn),
                ConsentEvent::Given { .. } => return None,
            },
            Self::Grant(event) => match event {
                GrantEvent::Revoked { reason, ends_at, .. } => (Subject::Grant { ends_at: *ends_at }, (*reason).into()),
                GrantEvent::Approved(_)
                | GrantEvent::CodeRedeemed { .. }
                | GrantEvent::TokensIssued { .. }
                | GrantEvent::ClientCredentialsIssued { .. }
                | GrantEvent::JwtBearerIssued(_)
                | GrantEvent::Refreshed { .. }
                | GrantEvent::AccessTokenRefreshed { .. }
                | GrantEvent::TokenExchanged(_)
                | GrantEvent::RefreshRetried { .. }
                | GrantEvent::CodeReplayed { .. }
                | GrantEvent::RefreshReplayed { .. }
                | GrantEvent::AccessTokenRevoked { .. } => return None,
            },
            Self::KeySet(event) => match event {
                KeySetEvent::Retired { kid, .. } => (Subject::Key(kid), Cause::KeyRetired),
                KeySetEvent::EpochBegun { .. } => (Subject::Issuer, Cause::LogRestored),
                KeySetEvent::Added { .. } | KeySetEvent::Activated { .. } => return None,
            },
            Self::Catalogue(_) | Self::Audit(_) | Self::Invitation(_) | Self::DeviceAuthorization(_) => return None,
        };
        Some(Cutoff { subject, cause })
    }
}
