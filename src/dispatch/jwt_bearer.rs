//! A client gets a token for a user of whom an issuer of the settings assures it (RFC 7523 section 2.1): a new grant with its one token. There is no
//! refresh token (RFC 7521 section 4.1): the client asks its issuer anew.

use domain::{
    GrantId, Scope, UserId,
    catalogue::{Catalogue, IssuerEntry, SubjectIs},
    client::{Client, Registration},
    grant::{Assured, Grant, GrantCommand, GrantError},
    id::THE_ONLY,
    user::User,
};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::{
    log::{Actor, Unavailable},
    protocol::{
        OAuthError, Once, OnceKind,
        assertion::{Audiences, Claims, InvalidAssertion},
        jwt_bearer,
        metadata::path,
        signed_jwt::Head,
    },
};

use super::{
    AuthenticatedClient, Dispatch, Done, Inner, IssueRefusal, Issued, Refusal, UseCase,
    issue::rule,
    mint::{Bearer, Texts},
    once::ProvedOnce,
    signers_keys::KeysOf,
    work::{Loaded, Work},
};

/// What an authenticated client presents.
pub struct PresentAssertion {
    pub client: AuthenticatedClient,
    pub assertion: SecretString,
    pub scope: Option<Scope>,
    /// One that the client is registered for; `None` for the issuer's own.
    pub resource: Option<String>,
}

/// Why there is no token.
#[derive(Debug)]
pub enum AssertionRefusal {
    /// What the assertion is refused for.
    Assertion(OAuthError),
    Issue(IssueRefusal),
}

impl From<IssueRefusal> for AssertionRefusal {
    fn from(refusal: IssueRefusal) -> Self {
        Self::Issue(refusal)
    }
}

/// An assertion that is what it must be.
struct IssueForAssured<'a> {
    presented: &'a PresentAssertion,
    claims: Claims,
    /// As the assertion was checked by it.
    issuer: IssuerEntry,
    user: UserId,
    scope: Scope,
    /// The client's proofs, and the assertion.
    once: Vec<Once>,
}

impl Dispatch {
    /// Issues the token.
    ///
    /// # Errors
    /// What is wrong with the assertion, or with what is asked for it.
    pub async fn jwt_bearer(&self, presented: &PresentAssertion) -> Result<Done<Issued>, Refusal<AssertionRefusal>> {
        let client = presented.client.registration();
        let told = |error| Refusal::Rule(AssertionRefusal::Assertion(error));
        let assertion = presented.assertion.expose_secret();
        let catalogue = self.catalogue().await?;
        let issuer = trusted(&catalogue, client, assertion).map_err(told)?;
        let skew = self.skew_for(client);
        let checked = self.check_assurance(assertion, (client, skew), issuer).await?;
        let claims = checked.map_err(|why| told(jwt_bearer::refused(why)))?;
        let user = self.user_in(&claims, issuer.subject).await?.ok_or_else(|| told(jwt_bearer::nobody()))?;
        let scope = jwt_bearer::scope(client, issuer, presented.scope.as_ref()).map_err(told)?;
        let once = presented.client.once().iter().cloned().chain([claims.once(OnceKind::Assurance, skew)]).collect();
        let request = IssueForAssured { presented, claims, issuer: issuer.clone(), user, scope, once };
        self.perform(Actor::Client(presented.client.id), &request).await
    }

    /// The user whom an assertion names.
    async fn user_in(&self, claims: &Claims, by: SubjectIs) -> Result<Option<UserId>, Unavailable> {
        match by {
            SubjectIs::Sub => Ok(claims.sub.parse().ok().filter(|id: &UserId| id.to_string() == claims.sub)),
            SubjectIs::Username => self.user_named(&claims.sub).await,
        }
    }
}

/// The issuer that an assertion says it is of, where its word counts for this client.
fn trusted<'a>(catalogue: &'a Catalogue, client: &Registration, assertion: &str) -> Result<&'a IssuerEntry, OAuthError> {
    let claims = Claims::unverified(assertion).ok_or_else(|| jwt_bearer::refused(InvalidAssertion::Malformed))?;
    let issuer = catalogue.issuer(&claims.iss).filter(|issuer| issuer.clients.contains(&client.identifier));
    issuer.ok_or_else(|| jwt_bearer::not_trusted(client, &claims.iss))
}

impl Inner {
    /// What an assertion says that the issuer signed, meant for us and for now.
    async fn check_assurance(
        &self,
        assertion: &str,
        (client, skew): (&Registration, u32),
        issuer: &IssuerEntry,
    ) -> Result<Result<Claims, InvalidAssertion>, Unavailable> {
        let head = match Head::read(assertion, &jwt_bearer::TYPES) {
            Ok(head) if issuer.algorithms.contains(&head.algorithm) => head,
            Ok(_) => return Ok(Err(InvalidAssertion::Algorithm)),
            Err(bad) => return Ok(Err(bad.into())),
        };
        let claims = self.signed_by::<Claims>(assertion, &head, KeysOf::issuer(issuer)).await?;
        let Some(claims) = claims else { return Ok(Err(InvalidAssertion::NotSigned)) };
        let own = self.settings.issuer();
        let audiences = match client.metadata.policy.is_strict_of_audience() {
            true => Audiences::Issuer(own),
            false => Audiences::AnyOf(vec![format!("{own}{}", path::TOKEN), own]),
        };
        Ok(jwt_bearer::check(&claims, issuer, &audiences, (self.clock.now(), skew)).map(|()| claims))
    }
}

impl UseCase for IssueForAssured<'_> {
    type Answer = Issued;
    type Refusal = AssertionRefusal;

    fn proved_once(&self) -> Option<ProvedOnce<'_, AssertionRefusal>> {
        Some(ProvedOnce::by(&self.once, |kind| IssueRefusal::UsedBefore(kind).into()))
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<Issued, Refusal<AssertionRefusal>> {
        let PresentAssertion { client: presented, resource, .. } = self.presented;
        let cut_off = || rule(GrantError::CutOff).map(AssertionRefusal::Issue);
        let told = |error| Refusal::Rule(AssertionRefusal::Assertion(error));
        let client = work.authenticated(presented).await?;
        let registration = client.as_deref().and_then(Client::usable).ok_or_else(cut_off)?;
        let catalogue = work.guard::<Catalogue>(THE_ONLY).await?;
        if catalogue.issuer(&self.issuer.identifier) != Some(&self.issuer) {
            return Err(told(jwt_bearer::not_trusted(registration, &self.issuer.identifier)));
        }
        let user = work.guard::<User>(self.user.uuid()).await?;
        if !user.may_act() {
            return Err(told(jwt_bearer::nobody()));
        }
        let target = work.target_of_client(registration, resource.as_deref(), &self.scope).await;
        let target = target.map_err(|error| error.map(|error| IssueRefusal::Target(error).into()))?;
        let grant = Loaded::<Grant>::new_stream(Uuid::now_v7());
        let bearer = Bearer::of_one_token(GrantId::new(grant.id), registration, Some(self.user), target);
        let bearer = Bearer { confirmation: presented.confirmation(), ..bearer };
        let (token, access) = work.mint_access(bearer).await?;
        let issued = work.token_response(&Texts::of(&token), &access);
        let assured = Assured {
            client_id: presented.id,
            user_id: self.user,
            issuer: self.issuer.identifier.clone(),
            assertion_id: self.claims.id().to_owned(),
            access,
            authentication: presented.authentication,
            policy: registration.metadata.policy.name().to_owned(),
            at: work.now,
        };
        let decided = work.decide(&grant, GrantCommand::IssueForAssured(Box::new(assured)));
        decided.map_err(|error| rule(error).map(AssertionRefusal::Issue))?;
        Ok(issued)
    }
}
