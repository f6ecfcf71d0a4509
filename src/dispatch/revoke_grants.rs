//! Somebody who runs the issuer revokes grants: all of them in one append, or none.

use domain::{
    GrantId,
    grant::{Grant, GrantCommand, GrantError, RevocationReason},
};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::log::Actor;

use super::{Dispatch, Done, Refusal, UseCase, work::Work};

/// Grants that are loaded at a time.
const AT_A_TIME: usize = 256;

struct RevokeGrants<'a> {
    grants: &'a [GrantId],
}

impl Dispatch {
    /// Revokes the grants, with all that came of them. Those that have ended stay as they are. Gives how many were revoked.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer, or not in the seconds for which all others wait: so long, tens of thousands take.
    pub async fn revoke_grants(&self, actor: Actor, grants: &[GrantId]) -> Result<Done<usize>, Refusal<GrantError>> {
        self.perform(actor, &RevokeGrants { grants }).await
    }
}

impl UseCase for RevokeGrants<'_> {
    type Answer = usize;
    type Refusal = GrantError;

    fn is_wide(&self) -> bool {
        true
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<usize, Refusal<GrantError>> {
        let load = |grant: &GrantId| work.inner.load_fresh::<Grant>(grant.uuid());
        let loads: Vec<_> = self.grants.iter().map(load).collect();
        let grants: Vec<_> = stream::iter(loads).buffered(AT_A_TIME).try_collect().await?;
        let mut revoked = 0;
        for grant in grants {
            let command = GrantCommand::Revoke { reason: RevocationReason::RevokedByOperator, at: work.now };
            // One whose head was swept away ended long ago.
            if matches!(*grant.state, Grant::Absent) {
                continue;
            }
            let (events, _) = work.decide(&grant, command).map_err(Refusal::Rule)?;
            revoked += usize::from(!events.is_empty());
        }
        Ok(revoked)
    }
}
