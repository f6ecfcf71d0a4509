//! The rules of refreshing (RFC 6749 section 6, RFC 9700 section 4.14): one successor, bounded retries, and replay ends the family.

use crate::{Confirmation, Timestamp};

use super::{
    CurrentRefresh, Grant, GrantError, GrantEvent, Live, LivesOn, Predecessor, Refresh, RevocationReason, RotatedRefresh,
};

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
        let (current, presented) = self.recognise(&request.presented, request.at)?;
        match presented {
            Presented::Replayed => Ok(self.refresh_replayed(request.presented.generation, request.at)),
            Presented::Retried(predecessor) => {
                self.check(current, &request)?;
                if predecessor.retries >= request.retries {
                    return Err(GrantError::TooManyRetries);
                }
                Ok(vec![GrantEvent::RefreshRetried { generation: request.presented.generation, at: request.at }])
            }
            Presented::Current => {
                self.check(current, &request)?;
                self.rotate(current, request)
            }
        }
    }

    /// The end of the family, where the token was used before.
    pub(super) fn end_if_refresh_replayed(&self, token: &RotatedRefresh, at: Timestamp) -> Result<Vec<GrantEvent>, GrantError> {
        match self.recognise(token, at)?.1 {
            Presented::Replayed => Ok(self.refresh_replayed(token.generation, at)),
            Presented::Retried(_) | Presented::Current => Ok(vec![]),
        }
    }

    fn recognise(&self, token: &RotatedRefresh, at: Timestamp) -> Result<(&CurrentRefresh, Presented<'_>), GrantError> {
        let current = self.refresh.as_ref().ok_or(GrantError::NotIssuedHere)?;
        let presented = current.recognise(token, at)?;
        if at >= self.terms.ends_at {
            return Err(GrantError::RefreshExpired);
        }
        Ok((current, presented))
    }

    fn refresh_replayed(&self, generation: u32, at: Timestamp) -> Vec<GrantEvent> {
        vec![GrantEvent::RefreshReplayed { generation, at }, self.revoked(RevocationReason::RefreshReplayed, at)]
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
        let Refresh { presented, access, successor, idle_until, authentication, at, .. } = request;
        let predecessor = presented.digest;
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
    fn recognise(&self, token: &RotatedRefresh, at: Timestamp) -> Result<Presented<'_>, GrantError> {
        if token.generation > self.generation {
            return Err(GrantError::NotIssuedHere);
        }
        if token.generation == self.generation {
            return if self.digest.is(&token.digest) { Ok(Presented::Current) } else { Err(GrantError::NotIssuedHere) };
        }
        let retried = self.predecessor.as_ref().filter(|predecessor| {
            predecessor.digest.is(&token.digest) && at.seconds_since(predecessor.rotated_at) < i64::from(token.retry_grace)
        });
        Ok(retried.map_or(Presented::Replayed, Presented::Retried))
    }
}
