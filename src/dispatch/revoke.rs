//! A client gives a token back (RFC 7009): an access token ends alone, a refresh token ends all that came of its grant.

use std::str::FromStr;

use domain::{
    Decide, Digest, GrantId, StreamId, Timestamp, TokenId,
    grant::{Grant, GrantCommand, GrantError, RevocationReason},
};

use secrecy::{ExposeSecret, SecretString};

use crate::{
    credential::CredentialKind,
    log::{Actor, Unavailable},
    protocol::OnceKind,
};

use super::{AuthenticatedClient, Dispatch, Done, Refusal, UseCase, once::ProvedOnce, work::Work};

/// An authenticated client gives a token back.
pub struct RevokeToken {
    pub client: AuthenticatedClient,
    pub token: SecretString,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// It is revoked, and the client was found to be as it was believed.
    Done,
    /// There was nothing to revoke, and nothing was appended that would have checked the client.
    Nothing,
    /// The client is not as it was believed: nothing was done.
    Disbelieved,
    /// What the client proved itself by was used before: nothing was done.
    UsedBefore(OnceKind),
}

/// Why nothing was revoked.
enum Unrevoked {
    Rule(GrantError),
    UsedBefore(OnceKind),
}

/// What of a grant is revoked.
struct RevokeOfGrant<'a> {
    client: &'a AuthenticatedClient,
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
    pub async fn revoke(&self, request: &RevokeToken) -> Result<Done<Revoked>, Unavailable> {
        let nothing = Ok(Done { answer: Revoked::Nothing, position: self.log.known_head() });
        let Some((grant_id, what)) = self.named(request).await? else {
            return nothing;
        };
        let revocation = RevokeOfGrant { client: &request.client, grant_id, what };
        match self.perform(Actor::Client(request.client.id), &revocation).await {
            Ok(done) => Ok(done),
            // It has ended, and was swept between the look-up and now.
            Err(Refusal::Rule(Unrevoked::Rule(GrantError::Unknown))) => nothing,
            Err(Refusal::Rule(Unrevoked::UsedBefore(kind))) => {
                Ok(Done { answer: Revoked::UsedBefore(kind), position: self.log.known_head() })
            }
            Err(Refusal::Rule(Unrevoked::Rule(rule))) => {
                tracing::error!(%rule, grant = %grant_id, "a live token's grant refuses its revocation");
                Err(Unavailable)
            }
            Err(Refusal::Unavailable(unavailable)) => Err(unavailable),
        }
    }

    /// What the token stands for, if it is the client's and there is still something to revoke.
    async fn named(&self, request: &RevokeToken) -> Result<Option<(GrantId, What)>, Unavailable> {
        if let Some(ours) = CredentialKind::Access.read(&self.keys, request.token.expose_secret()) {
            let grant = match self.remembered::<Grant>(ours.aggregate_id) {
                Some(remembered) => remembered,
                None => self.load_fresh::<Grant>(ours.aggregate_id).await?,
            };
            let of_the_client = grant.state.terms().is_some_and(|terms| terms.client_id == request.client.id);
            if let Some(last) = grant.state.last_access().filter(|last| of_the_client && last.digest == ours.digest) {
                let what = What::AccessToken { token: last.id, digest: last.digest.clone(), expires_at: last.expires_at };
                return Ok(Some((GrantId::new(grant.id), what)));
            }
        }
        let digest = Digest::of(request.token.expose_secret().as_bytes());
        let row = self.reads.token(&digest).await?;
        let Some(row) = row.filter(|row| row.client_id == request.client.id.to_string() && row.state != "revoked") else {
            return Ok(None);
        };
        let what = match row.kind.as_str() {
            "access" => What::AccessToken {
                token: row.id.as_deref().and_then(|id| TokenId::from_str(id).ok()).ok_or(Unavailable)?,
                digest,
                expires_at: Timestamp::from_unix(row.expires_at),
            },
            "refresh" => What::Family(RevocationReason::RevokedByClient),
            _ => return Ok(None),
        };
        Ok(Some((GrantId::from_str(&row.grant_id).map_err(|_| Unavailable)?, what)))
    }
}

impl UseCase for RevokeOfGrant<'_> {
    type Answer = Revoked;
    type Refusal = Unrevoked;

    fn stream(&self) -> Option<StreamId> {
        Some(Grant::stream(self.grant_id.uuid()))
    }

    fn proved_once(&self) -> Option<ProvedOnce<'_, Unrevoked>> {
        Some(ProvedOnce::by(self.client.once(), Unrevoked::UsedBefore))
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<Revoked, Refusal<Unrevoked>> {
        if work.authenticated(self.client).await?.is_none() {
            return Ok(Revoked::Disbelieved);
        }
        let grant = work.load::<Grant>(self.grant_id.uuid()).await?;
        let at = work.now;
        let command = match &self.what {
            What::AccessToken { token, digest, expires_at } => {
                GrantCommand::RevokeAccessToken { token: *token, digest: digest.clone(), expires_at: *expires_at, at }
            }
            What::Family(reason) => GrantCommand::Revoke { reason: *reason, at },
        };
        work.decide(&grant, command).map_err(|error| Refusal::Rule(Unrevoked::Rule(error)))?;
        Ok(if work.changes_nothing() { Revoked::Nothing } else { Revoked::Done })
    }
}
