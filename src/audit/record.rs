//! What is told of a grant: a record that depends on the log alone, and which of them are asked for.

use domain::{ClientId, ConsentId, GrantId, Scope, SessionId, Timestamp, UserId, cutoff::Cause, grant::ClientAuthentication};
use serde::{Deserialize, Serialize};

use crate::clock;

use super::Place;

/// One grant, from its beginning to its end. Nothing in it depends on when it is asked for: two replays of one log give the same.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GrantRecord {
    pub grant_id: GrantId,
    pub kind: GrantKind,
    pub client: ClientThen,
    /// The `sub`; `None` where a client acts for itself.
    pub user_id: Option<UserId>,
    /// The sign-in in which it was approved.
    pub session_id: Option<SessionId>,
    pub consent_id: Option<ConsentId>,
    pub scope: Scope,
    /// The audiences asked for (RFC 8707), none for the default.
    pub resources: Vec<String>,
    /// When it was approved; a device's, when it came for it; a client's own grant, when its token was issued.
    pub begun: Place,
    /// When and how the user had proved who they are (RFC 8176).
    #[serde(serialize_with = "clock::some_as_rfc3339")]
    pub auth_time: Option<Timestamp>,
    pub amr: Vec<String>,
    pub acr: Option<String>,
    /// The client's policy that was in force.
    pub policy: Option<String>,
    /// How the client proved who it is, the last time.
    pub client_authentication: Option<ClientAuthentication>,
    pub code: Option<CodeState>,
    pub access_tokens: u32,
    /// How many of those were revoked alone.
    pub access_tokens_revoked: u32,
    pub refreshes: u32,
    /// Access tokens that clients got in exchange for the grant's (RFC 8693).
    pub exchanges: u32,
    /// Repeated refreshes that got the same answer again.
    pub retries: u32,
    /// The last code or token that was issued.
    pub last_issued: Place,
    /// When the last of its code and tokens ends by itself.
    #[serde(serialize_with = "clock::as_rfc3339")]
    pub ends_at: Timestamp,
    /// What ended it before that.
    pub ended: Option<End>,
}

/// How a grant came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantKind {
    /// A user approved it (RFC 6749 section 4.1).
    AuthorizationCode,
    /// A user let a device in (RFC 8628).
    DeviceCode,
    /// A client acts for itself (RFC 6749 section 4.4).
    ClientCredentials,
    /// An issuer of the settings assured a client of whom it acts for (RFC 7523 section 2.1).
    JwtBearer,
}

/// A client as it was when the grant began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ClientThen {
    pub id: Option<ClientId>,
    /// As it stands on the wire.
    pub client_id: String,
    pub name: Option<String>,
    pub metadata_version: u32,
}

/// What became of the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeState {
    Issued,
    Redeemed,
    /// It came a second time.
    Replayed,
}

/// What ended a grant before its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct End {
    #[serde(flatten)]
    pub place: Place,
    pub cause: Cause,
    /// `system`, `operator`, or `user:`, `client:`, `administrator:` and an id.
    pub by: String,
}

/// Whether a grant is good for anything at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantState {
    /// Something of it can be used.
    Live,
    /// All of it has ended by itself.
    Expired,
    /// It was ended before its time.
    Ended,
}

impl GrantRecord {
    /// Whether it is good for anything at a moment.
    #[must_use]
    pub fn state(&self, moment: Timestamp) -> GrantState {
        match &self.ended {
            Some(_) => GrantState::Ended,
            None if self.ends_at <= moment => GrantState::Expired,
            None => GrantState::Live,
        }
    }
}

impl GrantState {
    /// As it stands in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Expired => "expired",
            Self::Ended => "ended",
        }
    }
}

/// Which grants are asked for: those of which all holds that is named.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Begun then or later.
    pub from: Option<Timestamp>,
    /// Begun before.
    pub to: Option<Timestamp>,
    pub user: Option<UserId>,
    pub client: Option<ClientId>,
    /// A scope name that was granted.
    pub scope: Option<String>,
    pub state: Option<GrantState>,
}

impl Filter {
    /// Whether the grant is asked for. Its state is that at `moment`.
    #[must_use]
    pub fn takes(&self, grant: &GrantRecord, moment: Timestamp) -> bool {
        self.from.is_none_or(|from| grant.begun.at >= from)
            && self.to.is_none_or(|to| grant.begun.at < to)
            && self.user.is_none_or(|user| grant.user_id == Some(user))
            && self.client.is_none_or(|client| grant.client.id == Some(client))
            && self.scope.as_ref().is_none_or(|scope| grant.scope.contains(scope))
            && self.state.is_none_or(|state| grant.state(moment) == state)
    }
}
