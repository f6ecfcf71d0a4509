//! The rules of a grant: a code and a refresh token are used once, and a replay of either revokes all that came of it.

use crate::{Decide, Digest, Timestamp};

use super::{Code, CurrentRefresh, Grant, GrantCommand, GrantError, GrantEvent, Live, Redeem, Refresh, RevocationReason, Terms};

impl Decide for Grant {
    fn decide(&self, command: GrantCommand) -> Result<Vec<GrantEvent>, GrantError> {
        match command {
            GrantCommand::Approve(approved) => match self {
                Self::Absent => Ok(vec![GrantEvent::Approved(approved)]),
                Self::Approved { .. } | Self::Live(_) | Self::Revoked { .. } => Err(GrantError::Exists),
            },
            GrantCommand::IssueForClient { client_id, access, authentication, at } => match self {
                Self::Absent => Ok(vec![GrantEvent::ClientCredentialsIssued { client_id, access, authentication, at }]),
                Self::Approved { .. } | Self::Live(_) | Self::Revoked { .. } => Err(GrantError::Exists),
            },
            GrantCommand::Redeem(redeem) => self.redeem(*redeem),
            GrantCommand::Refresh(refresh) => self.refresh(*refresh),
            GrantCommand::RevokeAccessToken { token, digest, expires_at, at } => match self {
                Self::Absent => Err(GrantError::Unknown),
                Self::Approved { .. } => Err(GrantError::NotIssuedHere),
                Self::Live(_) => Ok(vec![GrantEvent::AccessTokenRevoked { token, digest, expires_at, at }]),
                Self::Revoked { .. } => Ok(vec![]),
            },
            GrantCommand::Revoke { reason, at } => match self {
                Self::Absent => Err(GrantError::Unknown),
                Self::Approved { terms, .. } | Self::Live(Live { terms, .. }) => Ok(vec![revoked(reason, terms, at)]),
                Self::Revoked { .. } => Ok(vec![]),
            },
        }
    }
}

const fn revoked(reason: RevocationReason, terms: &Terms, at: Timestamp) -> GrantEvent {
    GrantEvent::Revoked { reason, ends_at: terms.ends_at, at }
}

impl Grant {
    /// Another client learns nothing and changes nothing.
    fn owned_by(&self, client: crate::ClientId) -> Result<(), GrantError> {
        match self.terms() {
            None => Err(GrantError::Unknown),
            Some(terms) if terms.client_id != client => Err(GrantError::OtherClient),
            Some(_) => Ok(()),
        }
    }

    fn redeem(&self, redeem: Redeem) -> Result<Vec<GrantEvent>, GrantError> {
        self.owned_by(redeem.client_id)?;
        match self {
            Self::Absent => Err(GrantError::Unknown),
            Self::Approved { code, .. } => code.redeem(redeem),
            Self::Live(live) if live.code.as_ref() == Some(&redeem.code) => Ok(vec![
                GrantEvent::CodeReplayed { at: redeem.at },
                revoked(RevocationReason::CodeReplayed, &live.terms, redeem.at),
            ]),
            Self::Live(_) => Err(GrantError::NotIssuedHere),
            Self::Revoked { .. } => Err(GrantError::Revoked),
        }
    }

    fn refresh(&self, refresh: Refresh) -> Result<Vec<GrantEvent>, GrantError> {
        self.owned_by(refresh.client_id)?;
        match self {
            Self::Absent | Self::Approved { .. } | Self::Live(Live { refresh: None, .. }) => Err(GrantError::NotIssuedHere),
            Self::Live(Live { terms, refresh: Some(current), .. }) => {
                if refresh.presented == current.digest {
                    current.rotate(terms, refresh)
                } else {
                    current.replay(terms, &refresh)
                }
            }
            Self::Revoked { .. } => Err(GrantError::Revoked),
        }
    }
}

impl Code {
    fn redeem(&self, redeem: Redeem) -> Result<Vec<GrantEvent>, GrantError> {
        if redeem.code != self.digest {
            return Err(GrantError::NotIssuedHere);
        }
        if redeem.at >= self.expires_at {
            return Err(GrantError::CodeExpired);
        }
        if redeem.redirect_uri != self.redirect_uri {
            return Err(GrantError::RedirectUriDiffers);
        }
        match (&self.challenge, &redeem.code_verifier) {
            (Some(_), None) => return Err(GrantError::VerifierMissing),
            (None, Some(_)) => return Err(GrantError::VerifierUnexpected),
            (Some(challenge), Some(verifier)) if !challenge.is_met_by(verifier) => return Err(GrantError::VerifierDiffers),
            (Some(_), Some(_)) | (None, None) => {}
        }
        if !redeem.standing {
            return Err(GrantError::CutOff);
        }
        let Redeem { code, authentication, access, refresh, at, .. } = redeem;
        Ok(vec![GrantEvent::CodeRedeemed { code, authentication, at }, GrantEvent::TokensIssued { access, refresh, at }])
    }
}

impl CurrentRefresh {
    fn rotate(&self, terms: &Terms, refresh: Refresh) -> Result<Vec<GrantEvent>, GrantError> {
        check_alive(terms, &refresh)?;
        if refresh.at >= self.expires_at || refresh.at >= terms.ends_at {
            return Err(GrantError::RefreshExpired);
        }
        let Refresh { presented, authentication, access, successor, at, .. } = refresh;
        Ok(match successor {
            None => vec![GrantEvent::AccessTokenRefreshed { access, authentication, at }],
            Some(successor) => {
                vec![GrantEvent::Refreshed { predecessor: presented, access, refresh: successor, authentication, at }]
            }
        })
    }

    /// Not the current one: the one before within its grace, theft, or none of ours.
    fn replay(&self, terms: &Terms, refresh: &Refresh) -> Result<Vec<GrantEvent>, GrantError> {
        if refresh.generation >= self.generation {
            return Err(GrantError::NotIssuedHere);
        }
        if self.within_grace(&refresh.presented, refresh) {
            check_alive(terms, refresh)?;
            let retries = self.predecessor.as_ref().map_or(0, |before| before.retries);
            if retries >= refresh.retries {
                return Err(GrantError::TooManyRetries);
            }
            return Ok(vec![GrantEvent::RefreshRetried { generation: refresh.generation, at: refresh.at }]);
        }
        Ok(vec![
            GrantEvent::RefreshReplayed { generation: refresh.generation, at: refresh.at },
            revoked(RevocationReason::RefreshReplayed, terms, refresh.at),
        ])
    }

    fn within_grace(&self, presented: &Digest, refresh: &Refresh) -> bool {
        self.predecessor.as_ref().is_some_and(|before| {
            before.digest == *presented && refresh.at.seconds_since(before.rotated_at) < i64::from(refresh.retry_grace)
        })
    }
}

fn check_alive(terms: &Terms, refresh: &Refresh) -> Result<(), GrantError> {
    if !refresh.standing {
        return Err(GrantError::CutOff);
    }
    if !terms.scope.covers(&refresh.access.scope) {
        return Err(GrantError::ScopeTooWide);
    }
    Ok(())
}
