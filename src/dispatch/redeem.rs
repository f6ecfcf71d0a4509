//! A client exchanges a code for tokens (RFC 6749 section 4.1.3).

use domain::{
    Decide, StreamId,
    client::{Client, GrantType},
    consent::Consent,
    grant::{GoodOnce, Grant, GrantCommand, GrantError, GrantEvent, Redeem},
    pkce::CodeVerifier,
    session::Session,
    user::User,
};

use crate::{credential::Credential, log::Actor};

use super::{
    AuthenticatedClient, Dispatch, Done, IssueRefusal, Issued, Refusal, UseCase,
    family::{Minted, Next},
    issue::rule,
    once::ProvedOnce,
    work::Work,
};

/// What an authenticated client presents.
pub struct RedeemCode {
    pub client: AuthenticatedClient,
    /// The code, which carries our tag.
    pub code: Credential,
    pub redirect_uri: Option<String>,
    pub code_verifier: Option<CodeVerifier>,
    /// Of what was granted, the resource that the token is for; `None` for the only one (RFC 8707 section 2.2).
    pub resource: Option<String>,
}

pub(super) enum Redeemed {
    Issued(Issued),
    Replayed,
}

impl Dispatch {
    /// Redeems the code.
    ///
    /// # Errors
    /// The rule that refuses it, or that it is a replay: then the grant is revoked.
    pub async fn redeem_code(&self, request: &RedeemCode) -> Result<Done<Issued>, Refusal<IssueRefusal>> {
        let done = self.perform(Actor::Client(request.client.id), request).await?;
        match done.answer {
            Redeemed::Issued(issued) => Ok(Done { answer: issued, position: done.position }),
            Redeemed::Replayed => Err(Refusal::Rule(IssueRefusal::CodeReplayed)),
        }
    }
}

impl UseCase for RedeemCode {
    type Answer = Redeemed;
    type Refusal = IssueRefusal;

    fn stream(&self) -> Option<StreamId> {
        Some(Grant::stream(self.code.aggregate_id))
    }

    fn proved_once(&self) -> Option<ProvedOnce<'_, IssueRefusal>> {
        Some(ProvedOnce::by(self.client.once(), IssueRefusal::UsedBefore))
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<Redeemed, Refusal<IssueRefusal>> {
        let grant = work.load::<Grant>(self.code.aggregate_id).await?;
        let Some(terms) = grant.state.terms().cloned() else {
            return Err(rule(GrantError::Unknown));
        };
        let client = work.authenticated(&self.client).await?;
        let registration = client.as_deref().and_then(Client::usable).ok_or(rule(GrantError::CutOff))?;
        work.stand_on(&terms).await?;
        let standing = work.inner.reads.token(&self.code.digest).await?.is_some_and(|row| !row.cut_off);
        let target = work.target_within((&terms, registration), self.resource.as_deref(), &terms.scope).await;
        let target = match target {
            Ok(target) => target,
            Err(refusal) => {
                let presented = GoodOnce::Code(self.code.digest.clone());
                return work.end_if_replayed((&grant, self.client.id), presented, refusal).map(|()| Redeemed::Replayed);
            }
        };
        let next = Next {
            grant: &grant,
            client: registration,
            terms: &terms,
            scope: &terms.scope,
            target,
            nonce: terms.nonce.as_deref(),
            generation: registration.may_use(GrantType::RefreshToken).then_some(1),
            confirmation: self.client.confirmation(),
        };
        let Minted { issued, access, refresh } = work.mint_family(next).await?;
        let command = GrantCommand::Redeem(Box::new(Redeem {
            client_id: self.client.id,
            code: self.code.digest.clone(),
            redirect_uri: self.redirect_uri.clone(),
            code_verifier: self.code_verifier.clone(),
            confirmation: self.client.confirmation().cloned(),
            standing,
            authentication: self.client.authentication,
            access,
            refresh,
            at: work.now,
        }));
        let (events, _) = work.decide(&grant, command).map_err(rule)?;
        let replayed = events.iter().any(|event| matches!(event, GrantEvent::CodeReplayed { .. }));
        Ok(if replayed { Redeemed::Replayed } else { Redeemed::Issued(issued) })
    }
}

impl Work<'_> {
    /// Makes guards of all that a family stands on beside its client: its user, session and consent.
    pub(super) async fn stand_on(&mut self, terms: &domain::grant::Terms) -> Result<(), crate::log::Unavailable> {
        if let Some(user) = terms.user_id {
            self.guard::<User>(user.uuid()).await?;
        }
        if let Some(session) = terms.session_id {
            self.guard::<Session>(session.uuid()).await?;
        }
        if let Some(consent) = terms.consent_id {
            self.guard::<Consent>(consent.uuid()).await?;
        }
        Ok(())
    }
}
