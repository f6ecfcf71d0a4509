//! What one user lets one client do: scopes, resources, and the versions of client and catalogue it was given to.

mod command;
mod event;
#[cfg(test)]
mod tests;

pub use command::ConsentCommand;
pub use event::{ConsentEvent, ConsentTerms, GivenBy};
use serde::{Deserialize, Serialize};

use crate::{ClientId, Decide, UserId, aggregate::aggregate, claim::is_opened_by};

/// What is known of a consent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Consent {
    /// Not there yet.
    #[default]
    Absent,
    Given(ConsentTerms),
    /// It can be given anew; what was issued under it stays dead.
    Withdrawn {
        user_id: UserId,
        client_id: ClientId,
    },
}

/// Why a command on a consent is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConsentError {
    #[error("there is no such consent")]
    Unknown,
    #[error("the consent is another user's or another client's")]
    OtherParties,
}

aggregate!(Consent, "consent", ConsentCommand, ConsentEvent, ConsentError);

impl Decide for Consent {
    fn decide(&self, command: ConsentCommand) -> Result<Vec<ConsentEvent>, ConsentError> {
        match (self, command) {
            (Self::Absent, ConsentCommand::Give { terms, at }) => Ok(vec![ConsentEvent::Given { terms, at }]),
            (Self::Given(given), ConsentCommand::Give { terms, at }) => {
                check_parties(&terms, given.user_id, given.client_id)?;
                if given.include(&terms) {
                    return Ok(vec![]);
                }
                Ok(vec![ConsentEvent::Given { terms: given.widened_by(terms), at }])
            }
            (Self::Withdrawn { user_id, client_id }, ConsentCommand::Give { terms, at }) => {
                check_parties(&terms, *user_id, *client_id)?;
                Ok(vec![ConsentEvent::Given { terms, at }])
            }
            (Self::Absent, ConsentCommand::Withdraw { .. }) => Err(ConsentError::Unknown),
            (
                Self::Given(ConsentTerms { user_id, .. }) | Self::Withdrawn { user_id, .. },
                ConsentCommand::Withdraw { by: Some(by), .. },
            ) if by != *user_id => Err(ConsentError::OtherParties),
            (Self::Given(_), ConsentCommand::Withdraw { by, at }) => Ok(vec![ConsentEvent::Withdrawn { by, at }]),
            (Self::Withdrawn { .. }, ConsentCommand::Withdraw { .. }) => Ok(vec![]),
        }
    }
}

impl Consent {
    fn apply_event(&mut self, event: ConsentEvent) {
        match event {
            ConsentEvent::Given { terms, .. } => *self = Self::Given(terms),
            ConsentEvent::Withdrawn { .. } => {
                if let Self::Given(ConsentTerms { user_id, client_id, .. }) = *self {
                    *self = Self::Withdrawn { user_id, client_id };
                }
            }
        }
    }
}

impl ConsentTerms {
    /// Whether all of the other is allowed already, by somebody who was shown the same.
    #[must_use]
    pub fn include(&self, other: &Self) -> bool {
        self.cover(other) && self.client_version == other.client_version
    }

    /// Whether all of the other is allowed already, whatever else became of the client.
    #[must_use]
    pub fn cover(&self, other: &Self) -> bool {
        self.scope.covers(&other.scope)
            && other.resources.iter().all(|resource| self.resources.contains(resource))
            && other.claims.iter().all(|claim| self.claims.contains(claim) || is_opened_by(&self.scope, claim))
            && self.catalogue_version == other.catalogue_version
            && !self.was_nobodys(other)
    }

    /// Whether nobody was asked then, and somebody is now.
    fn was_nobodys(&self, new: &Self) -> bool {
        self.given_by == GivenBy::FirstParty && new.given_by == GivenBy::User
    }

    fn widened_by(&self, new: Self) -> Self {
        if self.was_nobodys(&new) {
            return new;
        }
        let mut resources = self.resources.clone();
        resources.extend(new.resources.into_iter().filter(|resource| !self.resources.contains(resource)));
        let scope = self.scope.union(&new.scope);
        let claims = self.claims.union(&new.claims).filter(|claim| !is_opened_by(&scope, claim)).cloned().collect();
        Self { scope, resources, claims, ..new }
    }
}

fn check_parties(terms: &ConsentTerms, user_id: UserId, client_id: ClientId) -> Result<(), ConsentError> {
    if terms.user_id == user_id && terms.client_id == client_id { Ok(()) } else { Err(ConsentError::OtherParties) }
}
