//! A client gets a token for itself (RFC 6749 section 4.4): a new grant with its one token.

use domain::{
    GrantId, Scope,
    client::Client,
    grant::{ClientAuthentication, Grant, GrantCommand, GrantError},
};
use uuid::Uuid;

use crate::log::Actor;

use super::{
    AuthenticatedClient, Dispatch, Done, IssueRefusal, Issued, Refusal, UseCase,
    issue::rule,
    mint::{Bearer, Texts},
    once::ProvedOnce,
    work::{Loaded, Work},
};

/// What an authenticated client asks for.
pub struct IssueForClient {
    pub client: AuthenticatedClient,
    /// Within what it registered: `protocol` has checked.
    pub scope: Scope,
    /// One that the client is registered for; `None` for the issuer's own.
    pub resource: Option<String>,
}

impl Dispatch {
    /// Issues the token.
    ///
    /// # Errors
    /// [`GrantError::CutOff`] when the client was disabled meanwhile.
    pub async fn client_credentials(&self, request: &IssueForClient) -> Result<Done<Issued>, Refusal<IssueRefusal>> {
        self.perform(Actor::Client(request.client.id), request).await
    }
}

impl UseCase for IssueForClient {
    type Answer = Issued;
    type Refusal = IssueRefusal;

    fn proved_once(&self) -> Option<ProvedOnce<'_, IssueRefusal>> {
        Some(ProvedOnce::by(self.client.once(), IssueRefusal::UsedBefore))
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<Issued, Refusal<IssueRefusal>> {
        let client = work.authenticated(&self.client).await?;
        let registration = client.as_deref().and_then(Client::usable).ok_or(rule(GrantError::CutOff))?;
        let target = work.target_of_client(registration, self.resource.as_deref(), &self.scope).await;
        let target = target.map_err(|error| error.map(IssueRefusal::Target))?;
        let grant = Loaded::<Grant>::new_stream(Uuid::now_v7());
        let bearer = Bearer::of_one_token(GrantId::new(grant.id), registration, None, target);
        let bearer = Bearer { confirmation: self.client.confirmation(), ..bearer };
        let (token, access) = work.mint_access(bearer).await?;
        let issued = work.token_response(&Texts::of(&token), &access);
        let authentication: ClientAuthentication = self.client.authentication;
        let command = GrantCommand::IssueForClient { client_id: self.client.id, access, authentication, at: work.now };
        work.decide(&grant, command).map_err(rule)?;
        Ok(issued)
    }
}
