//! A client exchanges a refresh token for the next pair (RFC 6749 section 6), once: a replay revokes the family (RFC 9700 section
//! 4.14.2). A client whose answer was lost asks again within the grace time and gets the same bytes: they lie sealed under a key
//! derived from the token it presents, so that nothing reusable is at rest.

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use domain::{
    Decide, Digest, Scope, StreamId,
    client::Client,
    grant::{GoodOnce, Grant, GrantCommand, GrantError, GrantEvent, Refresh, RotatedRefresh},
};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    credential::Credential,
    ephemeral,
    log::{Actor, EphemeralChange, Unavailable},
    vault::Cipher,
};

use super::{
    AuthenticatedClient, Dispatch, Done, IssueRefusal, Issued, Refusal, UseCase,
    family::{Minted, Next},
    issue::rule,
    once::ProvedOnce,
    work::Work,
};

/// The ephemeral kind of sealed successors, by the predecessor's digest.
const SUCCESSOR: &str = "refresh_successor";

/// What an authenticated client presents.
pub struct RefreshTokens {
    pub client: AuthenticatedClient,
    /// The refresh token, which carries our tag.
    pub presented: Credential,
    /// Its text, from which the key of a retried answer is derived.
    pub token: SecretString,
    /// The narrower scope asked for (RFC 6749 section 6), if any.
    pub scope: Option<Scope>,
    /// Of what was granted, the resource that the token is for; `None` for the only one (RFC 8707 section 2.2).
    pub resource: Option<String>,
}

pub(super) enum Refreshed {
    Issued(Issued),
    Replayed,
}

impl Dispatch {
    /// Refreshes, or repeats the answer that was lost.
    ///
    /// # Errors
    /// The rule that refuses it, or that it is a replay: then the grant is revoked.
    pub async fn refresh(&self, request: &RefreshTokens) -> Result<Done<Issued>, Refusal<IssueRefusal>> {
        let done = self.perform(Actor::Client(request.client.id), request).await?;
        match done.answer {
            Refreshed::Issued(issued) => Ok(Done { answer: issued, position: done.position }),
            Refreshed::Replayed => Err(Refusal::Rule(IssueRefusal::RefreshReplayed)),
        }
    }
}

impl UseCase for RefreshTokens {
    type Answer = Refreshed;
    type Refusal = IssueRefusal;

    fn stream(&self) -> Option<StreamId> {
        Some(Grant::stream(self.presented.aggregate_id))
    }

    fn proved_once(&self) -> Option<ProvedOnce<'_, IssueRefusal>> {
        Some(ProvedOnce::by(self.client.once(), IssueRefusal::UsedBefore))
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<Refreshed, Refusal<IssueRefusal>> {
        let grant = work.load::<Grant>(self.presented.aggregate_id).await?;
        let Some(terms) = grant.state.terms().cloned() else {
            return Err(rule(GrantError::Unknown));
        };
        let client = work.authenticated(&self.client).await?;
        let registration = client.as_deref().and_then(Client::usable).ok_or(rule(GrantError::CutOff))?;
        work.stand_on(&terms).await?;
        let standing = work.inner.reads.token(&self.presented.digest).await?.is_some_and(|row| !row.cut_off);
        let scope = self.scope.as_ref().unwrap_or(&terms.scope);
        let target = work.target_within((&terms, registration), self.resource.as_deref(), scope).await;
        let tokens = &work.inner.settings.tokens;
        let (retry_grace, retries) = (tokens.retry_grace, tokens.retries);
        let (digest, generation) = (self.presented.digest.clone(), self.presented.generation);
        let presented = RotatedRefresh { digest, generation, retry_grace };
        let target = match target {
            Ok(target) => target,
            Err(refusal) => {
                let presented = GoodOnce::RefreshToken(presented);
                return work.end_if_replayed((&grant, self.client.id), presented, refusal).map(|()| Refreshed::Replayed);
            }
        };
        let rotates = registration.metadata.policy.rotates_refresh_tokens();
        let next = Next {
            grant: &grant,
            client: registration,
            terms: &terms,
            scope,
            target,
            nonce: None,
            generation: rotates.then(|| generation.saturating_add(1)),
            confirmation: self.client.confirmation(),
        };
        let Minted { issued, access, refresh: successor } = work.mint_family(next).await?;
        let command = GrantCommand::Refresh(Box::new(Refresh {
            client_id: self.client.id,
            presented,
            confirmation: self.client.confirmation().cloned(),
            standing,
            authentication: self.client.authentication,
            scope: scope.clone(),
            access,
            successor,
            idle_until: work.now.plus(work.idle_lifetime(registration)),
            retries,
            at: work.now,
        }));
        let (events, _) = work.decide(&grant, command).map_err(rule)?;
        for event in &events {
            match event {
                GrantEvent::RefreshReplayed { .. } => return Ok(Refreshed::Replayed),
                GrantEvent::RefreshRetried { .. } => return self.kept_answer(work).await.map(Refreshed::Issued),
                GrantEvent::Approved(_)
                | GrantEvent::CodeRedeemed { .. }
                | GrantEvent::TokensIssued { .. }
                | GrantEvent::ClientCredentialsIssued { .. }
                | GrantEvent::JwtBearerIssued(_)
                | GrantEvent::Refreshed { .. }
                | GrantEvent::AccessTokenRefreshed { .. }
                | GrantEvent::TokenExchanged(_)
                | GrantEvent::CodeReplayed { .. }
                | GrantEvent::AccessTokenRevoked { .. }
                | GrantEvent::Revoked { .. } => {}
            }
        }
        self.keep_answer(work, &grant.state, &issued);
        Ok(Refreshed::Issued(issued))
    }
}

impl RefreshTokens {
    /// Seals the answer for a retry, and drops the predecessor's: its successor is used now.
    fn keep_answer(&self, work: &mut Work<'_>, before: &Grant, issued: &Issued) {
        let key = self.presented.digest.as_str().to_owned();
        let value = self.answer_key().seal(&key, issued.body().as_bytes());
        let expires_at = work.now.plus(work.inner.settings.tokens.retry_grace);
        work.ephemeral.push(EphemeralChange::Put { kind: SUCCESSOR, key, value, expires_at });
        if let Some(predecessor) = before.predecessor().map(Digest::as_str) {
            work.ephemeral.push(EphemeralChange::Delete { kind: SUCCESSOR, key: predecessor.to_owned() });
        }
    }

    async fn kept_answer(&self, work: &Work<'_>) -> Result<Issued, Refusal<IssueRefusal>> {
        let gone = Refusal::Rule(IssueRefusal::AnswerGone);
        let key = self.presented.digest.as_str();
        let Some(sealed) = ephemeral::get(work.inner.log.db(), SUCCESSOR, key, work.now).await.map_err(|_| Unavailable)? else {
            return Err(gone);
        };
        let body = self.answer_key().open(key, &sealed).ok().and_then(|plain| String::from_utf8(plain).ok()).ok_or(gone)?;
        Ok(Issued::from_body(body.into()))
    }

    /// The key that only the presented token gives.
    fn answer_key(&self) -> Cipher {
        let secret = Salt::new(HKDF_SHA256, b"grantlog refresh answer").extract(self.token.expose_secret().as_bytes());
        let mut key = [0; 32];
        let material = secret.expand(&[b"successor"], HKDF_SHA256).expect("HKDF-SHA256 gives 32 bytes");
        material.fill(&mut key).expect("HKDF-SHA256 gives 32 bytes");
        Cipher::new(&key)
    }
}
