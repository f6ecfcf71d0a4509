//! What can have happened to a consent.

use std::collections::BTreeSet;

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use crate::{ClientId, Scope, Timestamp, UserId};

/// A fact about what a user lets a client do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ConsentEvent {
    /// The terms are all that is allowed from now on.
    Given { terms: ConsentTerms, at: Timestamp },
    /// A cutoff for all that was issued under it.
    Withdrawn { by: Option<UserId>, at: Timestamp },
}

/// What is allowed to whom, and what it was allowed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentTerms {
    pub user_id: UserId,
    pub client_id: ClientId,
    pub scope: Scope,
    pub resources: Vec<String>,
    /// The client's metadata version that was shown.
    pub client_version: u32,
    /// The catalogue version whose words were shown.
    pub catalogue_version: u32,
    pub given_by: GivenBy,
    /// Claims that it may know beside those that its scopes open, by their names.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub claims: BTreeSet<String>,
}

/// How a consent came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GivenBy {
    /// The user pressed allow.
    User,
    /// The client is first-party (`skip_consent`).
    FirstParty,
}

impl DomainEvent for ConsentEvent {
    fn event_type(&self) -> String {
        match self {
            Self::Given { .. } => "consent.given",
            Self::Withdrawn { .. } => "consent.withdrawn",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}
