//! A client exchanges an access token of ours for one of its own (RFC 8693): to step into the shoes of whom it is about, or to act for them,
//! named beside them. Both tokens are of one grant: what ends the grant, or any client by whose hands it came, ends both.

use domain::{
    ClientId, Decide, Digest, GrantId, StreamId,
    client::Client,
    grant::{Exchange, Grant, GrantCommand, GrantError},
};
use projections::token::TokenKind;

use crate::{
    log::{Actor, Unavailable},
    protocol::exchange::{ACCESS_TOKEN, Agreed},
};

use super::{
    AuthenticatedClient, Dispatch, Done, IssueRefusal, Issued, Refusal, UseCase,
    issue::rule,
    mint::{Bearer, ByExchange, Texts},
    once::ProvedOnce,
    work::Work,
};

/// What an authenticated client exchanges, and what for: `protocol` has checked.
pub struct ExchangeToken {
    pub client: AuthenticatedClient,
    /// The tokens that it presents: the one that is exchanged, and that of whoever acts.
    pub presented: Vec<Digest>,
    /// The grant of the one that is exchanged.
    pub grant_id: GrantId,
    pub agreed: Agreed,
}

impl Dispatch {
    /// Exchanges the token.
    ///
    /// # Errors
    /// The rule that refuses it.
    pub async fn exchange(&self, request: &ExchangeToken) -> Result<Done<Issued>, Refusal<IssueRefusal>> {
        self.perform(Actor::Client(request.client.id), request).await
    }
}

impl UseCase for ExchangeToken {
    type Answer = Issued;
    type Refusal = IssueRefusal;

    fn stream(&self) -> Option<StreamId> {
        Some(Grant::stream(self.grant_id.uuid()))
    }

    fn proved_once(&self) -> Option<ProvedOnce<'_, IssueRefusal>> {
        Some(ProvedOnce::by(self.client.once(), IssueRefusal::UsedBefore))
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<Issued, Refusal<IssueRefusal>> {
        let grant = work.load::<Grant>(self.grant_id.uuid()).await?;
        let Some(terms) = grant.state.terms().cloned() else {
            return Err(rule(GrantError::Unknown));
        };
        let client = work.authenticated(&self.client).await?;
        let registration = client.as_deref().and_then(Client::usable).ok_or(rule(GrantError::CutOff))?;
        work.stand_on(&terms).await?;
        let by = self.client.id;
        let Agreed { subject, scope, resource, act } = self.agreed.clone();
        let hands = work.hands(&subject.through_to(by)).await?.ok_or(rule(GrantError::CutOff))?;
        let mut standing = true;
        for presented in &self.presented {
            standing &= work.is_active(presented).await?;
        }
        let target = work.target_of_client(registration, Some(&resource), &scope).await;
        let target = target.map_err(|error| error.map(IssueRefusal::Target))?;
        let bearer = Bearer {
            ends_at: Some(subject.expires_at),
            confirmation: self.client.confirmation(),
            exchange: Some(ByExchange { through: &hands, act: act.as_ref() }),
            ..Bearer::of_family(self.grant_id, registration, &terms, target)
        };
        let (token, access) = work.mint_access(bearer).await?;
        let texts = Texts { issued_token_type: Some(ACCESS_TOKEN), ..Texts::of(&token) };
        let issued = work.token_response(&texts, &access);
        let command = GrantCommand::Exchange(Box::new(Exchange {
            client_id: by,
            subject,
            act,
            standing,
            access,
            authentication: self.client.authentication,
            policy: registration.metadata.policy.name().to_owned(),
            at: work.now,
        }));
        work.decide(&grant, command).map_err(rule)?;
        Ok(issued)
    }
}

impl Work<'_> {
    /// Whether an access token is active now.
    async fn is_active(&self, digest: &Digest) -> Result<bool, Unavailable> {
        let row = self.inner.reads.token(digest).await?;
        Ok(row.is_some_and(|row| row.is_active(TokenKind::Access, self.now)))
    }

    /// The `client_id`s of these clients, whom the decision stands on; `None` where one of them may not act any more.
    async fn hands(&mut self, clients: &[ClientId]) -> Result<Option<Vec<String>>, Unavailable> {
        let mut identifiers = Vec::with_capacity(clients.len());
        for client in clients {
            let client = self.guard::<Client>(client.uuid()).await?;
            let Some(registration) = client.usable() else { return Ok(None) };
            identifiers.push(registration.identifier.clone());
        }
        Ok(Some(identifiers))
    }
}
