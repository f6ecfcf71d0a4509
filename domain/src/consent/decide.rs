//! The rules of a consent, and what each event makes of one.

use crate::{Decide, Timestamp};

use super::{Consent, ConsentCommand, ConsentError, ConsentEvent, ConsentTerms};

impl Decide for Consent {
    fn decide(&self, command: ConsentCommand) -> Result<Vec<ConsentEvent>, ConsentError> {
        match (self, command) {
            (Self::Absent, ConsentCommand::Give { terms, at }) => Ok(vec![ConsentEvent::Given { terms, at }]),
            (Self::Given(before), ConsentCommand::Give { terms, at }) => before.extend(terms, at),
            (Self::Withdrawn { user_id, client_id }, ConsentCommand::Give { terms, at }) => {
                if (*user_id, *client_id) != (terms.user_id, terms.client_id) {
                    return Err(ConsentError::OtherParties);
                }
                Ok(vec![ConsentEvent::Given { terms, at }])
            }
            (Self::Absent, ConsentCommand::Withdraw { .. }) => Err(ConsentError::Unknown),
            (Self::Given(terms), ConsentCommand::Withdraw { by, at }) => {
                if by.is_some_and(|user| user != terms.user_id) {
                    return Err(ConsentError::OtherParties);
                }
                Ok(vec![ConsentEvent::Withdrawn { by, at }])
            }
            (Self::Withdrawn { user_id, .. }, ConsentCommand::Withdraw { by, .. }) => {
                if by.is_some_and(|user| user != *user_id) {
                    return Err(ConsentError::OtherParties);
                }
                Ok(vec![])
            }
        }
    }
}

impl ConsentTerms {
    /// What was given before, and what is given now; nothing new happens where all of it was given to the same versions.
    fn extend(&self, mut given: Self, at: Timestamp) -> Result<Vec<ConsentEvent>, ConsentError> {
        if (self.user_id, self.client_id) != (given.user_id, given.client_id) {
            return Err(ConsentError::OtherParties);
        }
        given.scope = self.scope.union(&given.scope);
        let new = given.resources.iter().filter(|resource| !self.resources.contains(resource)).cloned();
        given.resources = self.resources.iter().cloned().chain(new).collect();
        Ok(if *self == given { vec![] } else { vec![ConsentEvent::Given { terms: given, at }] })
    }
}

impl Consent {
    pub(super) fn apply_event(&mut self, event: ConsentEvent) {
        match event {
            ConsentEvent::Given { terms, .. } => *self = Self::Given(terms),
            ConsentEvent::Withdrawn { .. } => {
                if let Self::Given(terms) = self {
                    *self = Self::Withdrawn { user_id: terms.user_id, client_id: terms.client_id };
                }
            }
        }
    }
}
