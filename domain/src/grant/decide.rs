//! The rules of a grant: approval, the code (RFC 6749 section 4.1.3, RFC 7636 section 4.6) and revocation.

use crate::{
    ClientId, Confirmation, Decide, Digest, Scope, Timestamp,
    pkce::{CodeChallenge, CodeVerifier},
};

use super::{Code, GoodOnce, Grant, GrantCommand, GrantError, GrantEvent, Live, Redeem, RefreshToken, RevocationReason, Terms};

impl Decide for Grant {
    fn decide(&self, command: GrantCommand) -> Result<Vec<GrantEvent>, GrantError> {
        match command {
            GrantCommand::Approve(approved) => {
                self.must_be_absent()?;
                Ok(vec![GrantEvent::Approved(approved)])
            }
            GrantCommand::IssueForDevice(approved, presented) => {
                self.must_be_absent()?;
                let approved = GrantEvent::Approved(approved);
                let mut grant = Self::Absent;
                grant.apply_event(approved.clone());
                let issued = grant.redeem(*presented)?;
                Ok([approved].into_iter().chain(issued).collect())
            }
            GrantCommand::IssueForClient { client_id, access, authentication, at } => {
                self.must_be_absent()?;
                Ok(vec![GrantEvent::ClientCredentialsIssued { client_id, access, authentication, at }])
            }
            GrantCommand::IssueForAssured(assured) => {
                self.must_be_absent()?;
                Ok(vec![GrantEvent::JwtBearerIssued(assured)])
            }
            GrantCommand::Redeem(presented) => self.redeem(*presented),
            GrantCommand::Refresh(presented) => self.refresh(*presented),
            GrantCommand::Exchange(request) => self.exchange(*request),
            GrantCommand::EndIfReplayed { client_id, presented, at } => {
                self.terms().ok_or(GrantError::Unknown)?.must_be_of(client_id)?;
                let Self::Live(live) = self else { return Ok(vec![]) };
                match presented {
                    GoodOnce::Code(code) if live.came_of(&code) => Ok(live.code_replayed(at)),
                    GoodOnce::Code(_) => Ok(vec![]),
                    GoodOnce::RefreshToken(token) => live.end_if_refresh_replayed(&token, at),
                }
            }
            GrantCommand::RevokeAccessToken { token, digest, expires_at, at } => match self {
                Self::Absent => Err(GrantError::Unknown),
                Self::Approved { .. } => Err(GrantError::NotIssuedHere),
                Self::Live(live) if live.access.as_ref().is_some_and(|last| last.revoked && last.digest == digest) => Ok(vec![]),
                Self::Live(live) => {
                    // Nothing is left to the client of a grant without a refresh token: what others got for it ends with it.
                    let was_all = live.is_exchanged() && live.refresh.is_none() && live.is_last(&digest);
                    let revoked = GrantEvent::AccessTokenRevoked { token, digest, expires_at, at };
                    let family = was_all.then(|| live.revoked(RevocationReason::RevokedByClient, at));
                    Ok([Some(revoked), family].into_iter().flatten().collect())
                }
                Self::Revoked { .. } => Ok(vec![]),
            },
            GrantCommand::Revoke { reason, at } => match self {
                Self::Absent => Err(GrantError::Unknown),
                Self::Approved { terms, .. } => Ok(vec![GrantEvent::Revoked { reason, ends_at: terms.ends_at, at }]),
                Self::Live(live) => Ok(vec![live.revoked(reason, at)]),
                Self::Revoked { .. } => Ok(vec![]),
            },
        }
    }
}

impl Grant {
    fn must_be_absent(&self) -> Result<(), GrantError> {
        if *self == Self::Absent { Ok(()) } else { Err(GrantError::Exists) }
    }

    /// Another client learns no more than that the code is not its own; all else is told to the right one alone.
    fn redeem(&self, presented: Redeem) -> Result<Vec<GrantEvent>, GrantError> {
        self.terms().ok_or(GrantError::Unknown)?.must_be_of(presented.client_id)?;
        match self {
            Self::Absent => Err(GrantError::Unknown),
            Self::Approved { terms, code } => {
                code.check(&presented)?;
                terms.must_cover(&presented.access.scope)?;
                let Redeem { code, authentication, access, refresh, at, .. } = presented;
                let refresh = refresh.map(|refresh| terms.next(refresh, 1)).transpose()?;
                Ok(vec![GrantEvent::CodeRedeemed { code, authentication, at }, GrantEvent::TokensIssued { access, refresh, at }])
            }
            Self::Live(live) if live.came_of(&presented.code) => Ok(live.code_replayed(presented.at)),
            Self::Live(_) => Err(GrantError::NotIssuedHere),
            Self::Revoked { .. } => Err(GrantError::Revoked),
        }
    }
}

impl Code {
    fn check(&self, presented: &Redeem) -> Result<(), GrantError> {
        if !self.digest.is(&presented.code) {
            return Err(GrantError::NotIssuedHere);
        }
        if !presented.standing {
            return Err(GrantError::CutOff);
        }
        if presented.at >= self.expires_at {
            return Err(GrantError::CodeExpired);
        }
        if !Confirmation::allows(self.confirmation.as_ref(), presented.confirmation.as_ref()) {
            return Err(GrantError::OtherKey);
        }
        // Left out there, it is left out here; sent there, it is sent here, byte for byte.
        if presented.redirect_uri != self.redirect_uri {
            return Err(GrantError::RedirectUriDiffers);
        }
        check_verifier(self.challenge.as_ref(), presented.code_verifier.as_ref())
    }
}

fn check_verifier(challenge: Option<&CodeChallenge>, verifier: Option<&CodeVerifier>) -> Result<(), GrantError> {
    match (challenge, verifier) {
        (None, None) => Ok(()),
        (Some(_), None) => Err(GrantError::VerifierMissing),
        (None, Some(_)) => Err(GrantError::VerifierUnexpected),
        (Some(challenge), Some(verifier)) if challenge.is_met_by(verifier) => Ok(()),
        (Some(_), Some(_)) => Err(GrantError::VerifierDiffers),
    }
}

impl Terms {
    pub(super) fn must_be_of(&self, client_id: ClientId) -> Result<(), GrantError> {
        if self.client_id == client_id { Ok(()) } else { Err(GrantError::OtherClient) }
    }

    pub(super) fn must_cover(&self, scope: &Scope) -> Result<(), GrantError> {
        if self.scope.covers(scope) { Ok(()) } else { Err(GrantError::ScopeTooWide) }
    }

    /// The family's next refresh token, which never outlives the family.
    pub(super) fn next(&self, refresh: RefreshToken, generation: u32) -> Result<RefreshToken, GrantError> {
        if refresh.generation != generation {
            return Err(GrantError::NotTheNext);
        }
        Ok(RefreshToken { expires_at: refresh.expires_at.min(self.ends_at), ..refresh })
    }
}

impl Live {
    fn came_of(&self, code: &Digest) -> bool {
        self.code.as_ref().is_some_and(|own| own.is(code))
    }

    fn code_replayed(&self, at: Timestamp) -> Vec<GrantEvent> {
        vec![GrantEvent::CodeReplayed { at }, self.revoked(RevocationReason::CodeReplayed, at)]
    }

    /// Whether others hold tokens that came of its own.
    fn is_exchanged(&self) -> bool {
        !self.reached.is_empty()
    }

    fn is_last(&self, digest: &Digest) -> bool {
        self.access.as_ref().is_some_and(|last| last.digest == *digest)
    }

    /// The end of the whole family. At `ends_at` the last of its tokens would have ended anyway: no cutoff is needed any longer.
    pub(super) fn revoked(&self, reason: RevocationReason, at: Timestamp) -> GrantEvent {
        GrantEvent::Revoked { reason, ends_at: self.terms.ends_at.max(self.access_ends_at), at }
    }
}
