//! A person lets a client act for them: the consent and the grant with its code, in one append (RFC 6749 section 4.1.2).

use domain::{
    ClientId, Confirmation, Digest, GrantId, Scope, Timestamp,
    catalogue::Catalogue,
    client::Client,
    consent::{ConsentError, ConsentTerms, GivenBy},
    grant::{self, Grant, GrantCommand, GrantError},
    id::THE_ONLY,
    pkce::CodeChallenge,
};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::{
    credential::CredentialKind,
    ephemeral,
    log::{Actor, EphemeralChange, Unavailable},
    protocol::claims::ClaimsRequest,
};

use super::{
    CurrentSession, Dispatch, Done, Refusal, UseCase,
    work::{Loaded, Work},
};

/// What was approved: a checked authorization request, by whom, and how.
pub struct Approval {
    pub session: CurrentSession,
    pub client_id: ClientId,
    pub scope: Scope,
    pub resources: Vec<String>,
    /// As sent: `None` when it was left out.
    pub redirect_uri: Option<String>,
    pub code_challenge: Option<CodeChallenge>,
    pub nonce: Option<String>,
    /// The key that the code is for (RFC 9449 section 10).
    pub confirmation: Option<Confirmation>,
    /// What the client asks to know beside the scopes.
    pub claims: ClaimsRequest,
    pub consent: Consenting,
    /// The client's metadata version that was shown.
    pub client_version: u32,
    /// The pending request that this answers.
    pub answers: AnsweredRequest,
}

/// What an approval stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consenting {
    /// A consent that is given now.
    Now(GivenBy),
    /// One that was given before, and covers all of it. It still says what was shown then: nobody was shown anything since.
    Before,
}

/// A pending authorization request: it can be answered once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnsweredRequest {
    pub id: String,
    /// When nobody can answer it any more.
    pub until: Timestamp,
}

/// The code for the client.
pub struct Approved {
    pub code: SecretString,
    pub grant_id: GrantId,
}

/// The ephemeral kind of requests that have been answered.
const ANSWERED: &str = "answered_request";

/// Why nothing was approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApproveRefusal {
    #[error("the client was disabled meanwhile")]
    ClientDisabled,
    #[error("the client changed meanwhile: what was shown no longer holds")]
    ClientChanged,
    #[error("the session ended meanwhile")]
    SessionEnded,
    #[error("the request has been answered already")]
    Answered,
    #[error("{0}")]
    Consent(ConsentError),
    #[error("{0}")]
    Grant(GrantError),
}

impl Dispatch {
    /// Records the approval and makes the code.
    ///
    /// # Errors
    /// What changed meanwhile so that it no longer holds.
    pub async fn approve(&self, approval: &Approval) -> Result<Done<Approved>, Refusal<ApproveRefusal>> {
        self.perform(Actor::User(approval.session.user_id), approval).await
    }

    /// Records that a request was answered with no: nothing else can be answered to it.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn deny(&self, request: &AnsweredRequest) -> Result<(), Unavailable> {
        ephemeral::put(self.log.db(), ANSWERED, &request.id, "", request.until).await
    }

    /// Whether a request was answered, with yes or no.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn is_answered(&self, request: &AnsweredRequest) -> Result<bool, Unavailable> {
        Ok(ephemeral::get(self.log.db(), ANSWERED, &request.id, self.clock.now()).await?.is_some())
    }
}

impl UseCase for Approval {
    type Answer = Approved;
    type Refusal = ApproveRefusal;

    fn name_taken(&self, name: &str) -> Option<ApproveRefusal> {
        (name == self.answers.id).then_some(ApproveRefusal::Answered)
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<Approved, Refusal<ApproveRefusal>> {
        let client = work.guard::<Client>(self.client_id.uuid()).await?;
        let registration = client.usable().ok_or(Refusal::Rule(ApproveRefusal::ClientDisabled))?;
        if registration.metadata_version != self.client_version {
            return Err(Refusal::Rule(ApproveRefusal::ClientChanged));
        }
        let sign_in = work.deciding_in(&self.session).await?.ok_or(Refusal::Rule(ApproveRefusal::SessionEnded))?;
        let catalogue = work.guard::<Catalogue>(THE_ONLY).await?;
        let terms = ConsentTerms {
            user_id: self.session.user_id,
            client_id: self.client_id,
            scope: self.scope.clone(),
            resources: self.resources.clone(),
            client_version: self.client_version,
            catalogue_version: catalogue.version,
            given_by: match self.consent {
                Consenting::Now(given_by) => given_by,
                Consenting::Before => GivenBy::User,
            },
            claims: self.claims.beyond(&self.scope, &catalogue),
        };
        let consent_id = work.give_consent(terms, self.consent).await.map_err(|error| error.map(ApproveRefusal::Consent))?;
        let (key, expires_at) = (self.answers.id.clone(), self.answers.until);
        work.ephemeral.push(EphemeralChange::Claim { kind: ANSWERED, key, expires_at });
        let grant = Loaded::<Grant>::new_stream(Uuid::now_v7());
        let code = CredentialKind::Code.mint(&work.inner.keys, grant.id, 1);
        let approved = grant::Approved {
            client_id: self.client_id,
            user_id: self.session.user_id,
            session_id: self.session.id,
            session_ends_at: Some(sign_in.expires_at),
            consent_id,
            scope: self.scope.clone(),
            resources: self.resources.clone(),
            redirect_uri: self.redirect_uri.clone(),
            code_challenge: self.code_challenge.clone(),
            nonce: self.nonce.clone(),
            confirmation: self.confirmation.clone(),
            auth_time: sign_in.auth_time,
            acr: sign_in.acr,
            amr: sign_in.amr,
            claims: work.inner.asked_claims(&self.claims),
            device_authorization_id: None,
            code: Digest::of(code.expose_secret().as_bytes()),
            code_expires_at: work.now.plus(work.code_lifetime(registration)),
            ends_at: work.family_ends_at(registration),
            policy: registration.metadata.policy.name().to_owned(),
            pos: work.inner.log.known_head(),
            at: work.now,
        };
        work.decide(&grant, GrantCommand::Approve(Box::new(approved)))
            .map_err(|error| Refusal::Rule(ApproveRefusal::Grant(error)))?;
        Ok(Approved { code, grant_id: GrantId::new(grant.id) })
    }
}
