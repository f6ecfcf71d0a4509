//! A client gives a token back (RFC 7009): an access token ends alone, a refresh token ends all that came of its grant.

use std::str::FromStr;

use domain::{
    ClientId, Decide, Digest, GrantId, StreamId, Timestamp, TokenId,
    grant::{Grant, GrantCommand, GrantError, RevocationReason},
};

use crate::log::{Actor, Unavailable};

use super::{Dispatch, Done, Refusal, UseCase, work::Work};

/// Whose token, by its digest.
pub struct RevokeToken {
    pub client_id: ClientId,
    pub digest: Digest,
}

/// What of a grant is revoked.
struct RevokeOfGrant {
    grant_id: GrantId,
    what: What,
}

enum What {
    AccessToken { token: TokenId, digest: Digest, expires_at: Timestamp },
    Family(RevocationReason),
}

impl Dispatch {
    /// Revokes the token. An unknown one, and another client's, change nothing: the answer is the same (RFC 7009 section 2.2).
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn revoke(&self, request: &RevokeToken) -> Result<Done<()>, Unavailable> {
        let nothing = Ok(Done { answer: (), position: self.log.known_head() });
        let Some(row) = self.reads.token(&request.digest).await? else {
            return nothing;
        };
        if row.client_id != request.client_id.to_string() || row.state == "revoked" {
            return nothing;
        }
        let what = match row.kind.as_str() {
            "access" => What::AccessToken {
                token: row.id.as_deref().and_then(|id| TokenId::from_str(id).ok()).ok_or(Unavailable)?,
                digest: request.digest.clone(),
                expires_at: Timestamp::from_unix(row.expires_at),
            },
            "refresh" => What::Family(RevocationReason::RevokedByClient),
            _ => return nothing,
        };
        let grant_id = GrantId::from_str(&row.grant_id).map_err(|_| Unavailable)?;
        self.revoke_of_grant(Actor::Client(request.client_id), RevokeOfGrant { grant_id, what }).await
    }

    async fn revoke_of_grant(&self, actor: Actor, request: RevokeOfGrant) -> Result<Done<()>, Unavailable> {
        match self.perform(actor, &request).await {
            Ok(done) => Ok(done),
            // It has ended, and was swept between the look-up and now.
            Err(Refusal::Rule(GrantError::Unknown)) => Ok(Done { answer: (), position: self.log.known_head() }),
            Err(Refusal::Rule(rule)) => {
                tracing::error!(%rule, grant = %request.grant_id, "a live token's grant refuses its revocation");
                Err(Unavailable)
            }
            Err(Refusal::Unavailable(unavailable)) => Err(unavailable),
        }
    }
}

impl UseCase for RevokeOfGrant {
    type Answer = ();
    type Refusal = GrantError;

    fn stream(&self) -> Option<StreamId> {
        Some(Grant::stream(self.grant_id.uuid()))
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<(), Refusal<GrantError>> {
        let grant = work.load::<Grant>(self.grant_id.uuid()).await?;
        let at = work.now;
        let command = match &self.what {
            What::AccessToken { token, digest, expires_at } => {
                GrantCommand::RevokeAccessToken { token: *token, digest: digest.clone(), expires_at: *expires_at, at }
            }
            What::Family(reason) => GrantCommand::Revoke { reason: *reason, at },
        };
        work.decide(&grant, command).map_err(Refusal::Rule)?;
        Ok(())
    }
}
