//! The rules of refreshing (RFC 6749 section 6, RFC 9700 section 4.14): one successor, bounded retries, and replay ends the family.

use crate::Confirmation;

use super::{CurrentRefresh, Grant, GrantError, GrantEvent, Live, LivesOn, Predecessor, Refresh, RevocationReason};

/// What a presented refresh token is to its family.
enum Presented<'a> {
    Current,
    /// The one before, again, soon after: its client may have lost the answer.
    Retried(&'a Predecessor),
    /// One that was used before, by its owner or by a thief.
    Replayed,
}

impl Grant {
    /// Another client learns no more than that the token is not its own, and changes nothing.
    pub(super) fn refresh(&self, request: Refresh) -> Result<Vec<GrantEvent>, GrantError> {
        self.terms().ok_or(GrantError::Unknown)?.must_be_of(request.client_id)?;
        match self {
            Self::Absent => Err(GrantError::Unknown),
            Self::Approved { .. } => Err(GrantError::NotIssuedHere),
            Self::Live(live) => live.refresh(request),
            Self::Revoked { .. } => Err(GrantError::Revoked),
        }
    }
}

impl Live {
    fn refresh(&self, request: Refresh) -> Result<Vec<GrantEvent>, GrantError> {
        let current = self.refresh.as_ref().ok_or(GrantError::NotIssuedHere)?;
        let presented = current.recognise(&request)?;
        if request.at >= self.terms.ends_at {
            return Err(GrantError::RefreshExpired);
        }
        match presented {
            Presented::Replayed => {
                let replayed = GrantEvent::RefreshReplayed { generation: request.generation, at: request.at };
                Ok(vec![replayed, self.revoked(RevocationReason::RefreshReplayed, request.at)])
            }
            Presented::Retried(predecessor) => {
                self.check(current, &request)?;
                if predecessor.retries >= request.retries {
                    return Err(GrantError::TooManyRetries);
                }
                Ok(vec![GrantEvent::RefreshRetried { generation: request.generation, at: request.at }])
            }
            Presented::Current => {
                self.check(current, &request)?;
                self.rotate(current, request)
            }
        }
    }

    fn check(&self, current: &CurrentRefresh, request: &Refresh) -> Result<(), GrantError> {
        if !request.standing {
            return Err(GrantError::CutOff);
        }
        if request.at >= current.expires_at {
            return Err(GrantError::RefreshExpired);
        }
        if !Confirmation::allows(current.confirmation.as_ref(), request.confirmation.as_ref()) {
            return Err(GrantError::OtherKey);
        }
        self.terms.must_cover(&request.scope)?;
        self.terms.must_cover(&request.access.scope)
    }

    fn rotate(&self, current: &CurrentRefresh, request: Refresh) -> Result<Vec<GrantEvent>, GrantError> {
        let Refresh { presented: predecessor, access, successor, idle_until, authentication, at, .. } = request;
        let Some(successor) = successor else {
            let expires_at = idle_until.min(self.terms.ends_at).max(current.expires_at);
            let refresh = Some(LivesOn { digest: predecessor, expires_at });
            return Ok(vec![GrantEvent::AccessTokenRefreshed { access, refresh, authentication, at }]);
        };
        let refresh = self.terms.next(successor, current.generation.saturating_add(1))?;
        Ok(vec![GrantEvent::Refreshed { predecessor, access, refresh, authentication, at }])
    }
}

impl CurrentRefresh {
    /// Tells by generation and digest, whatever the family's length: older digests are not kept, so that a token of an older
    /// generation counts as issued here. Its MAC was checked before it came to this.
    fn recognise(&self, request: &Refresh) -> Result<Presented<'_>, GrantError> {
        if request.generation > self.generation {
            return Err(GrantError::NotIssuedHere);
        }
        if request.generation == self.generation {
            return if self.digest.is(&request.presented) { Ok(Presented::Current) } else { Err(GrantError::NotIssuedHere) };
        }
        let retried = self.predecessor.as_ref().filter(|predecessor| {
            predecessor.digest.is(&request.presented)
                && request.at.seconds_since(predecessor.rotated_at) < i64::from(request.retry_grace)
        });
        Ok(retried.map_or(Presented::Replayed, Presented::Retried))
    }
}
