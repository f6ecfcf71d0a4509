//! A device comes back with its device code (RFC 8628 section 3.4): nobody has decided yet, or its grant begins with its first tokens. The device
//! code is used once, on whichever node: its stream says so in the append that begins the grant.

use std::sync::Arc;

use domain::{
    Decide, DeviceAuthorizationId, GrantId, StreamId,
    claim::AskedClaims,
    client::{Client, GrantType, Registration},
    device_authorization::{
        Asked, DeviceApproval, DeviceAuthorization, DeviceAuthorizationCommand, DeviceAuthorizationError, RedeemDeviceCode,
    },
    grant::{self, Grant, GrantCommand, GrantError, GrantEvent, Redeem, Terms},
};
use projections::cutoff;
use uuid::Uuid;

use crate::{
    credential::Credential,
    dispatch::{
        AuthenticatedClient, Dispatch, Done, Issued, Refusal, TargetRefusal, UseCase,
        family::{Minted, Next},
        once::ProvedOnce,
        work::{Loaded, Work},
    },
    ephemeral::{self, Pace},
    log::{Actor, Unavailable},
    protocol::OnceKind,
};

/// The ephemeral kind of devices' polls.
const POLL: &str = "device_poll";
/// So many seconds longer a device waits each time that it came too early (section 3.5).
pub const SLOWER_BY: u32 = 5;

/// What an authenticated client presents.
pub struct RedeemDevice {
    pub client: AuthenticatedClient,
    /// The device code, which carries our tag.
    pub code: Credential,
    /// Of what was granted, the resource that the token is for; `None` for the only one (RFC 8707 section 2.2).
    pub resource: Option<String>,
}

/// Why the device code gives nothing, or nothing yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceCodeRefusal {
    #[error("{0}")]
    Device(DeviceAuthorizationError),
    /// Nobody has decided yet, and it asked too early.
    #[error("the device polls too fast")]
    SlowDown,
    #[error("{0}")]
    Target(TargetRefusal),
    #[error("{0}")]
    Grant(GrantError),
    #[error("what the request proves itself by was used before")]
    UsedBefore(OnceKind),
}

impl Dispatch {
    /// Redeems the device code. Only while nobody has decided is it minded how often a device asks.
    ///
    /// # Errors
    /// The rule that refuses it, or that it has to wait.
    pub async fn redeem_device(&self, request: &RedeemDevice) -> Result<Done<Issued>, Refusal<DeviceCodeRefusal>> {
        match self.perform(Actor::Client(request.client.id), request).await {
            Err(Refusal::Rule(DeviceCodeRefusal::Device(DeviceAuthorizationError::Pending))) => {
                let devices = &self.settings.devices;
                let pace = Pace { interval: devices.interval, step: SLOWER_BY, memory: devices.code_lifetime };
                let (id, now) = (request.code.aggregate_id.to_string(), self.clock.now());
                Err(Refusal::Rule(match ephemeral::is_too_early(self.log.db(), POLL, &id, pace, now).await? {
                    true => DeviceCodeRefusal::SlowDown,
                    false => DeviceCodeRefusal::Device(DeviceAuthorizationError::Pending),
                }))
            }
            outcome => outcome,
        }
    }
}

fn device(error: DeviceAuthorizationError) -> Refusal<DeviceCodeRefusal> {
    Refusal::Rule(DeviceCodeRefusal::Device(error))
}

fn grant(error: GrantError) -> Refusal<DeviceCodeRefusal> {
    Refusal::Rule(DeviceCodeRefusal::Grant(error))
}

impl UseCase for RedeemDevice {
    type Answer = Issued;
    type Refusal = DeviceCodeRefusal;

    fn stream(&self) -> Option<StreamId> {
        Some(DeviceAuthorization::stream(self.code.aggregate_id))
    }

    fn proved_once(&self) -> Option<ProvedOnce<'_, DeviceCodeRefusal>> {
        Some(ProvedOnce::by(self.client.once(), DeviceCodeRefusal::UsedBefore))
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<Issued, Refusal<DeviceCodeRefusal>> {
        let authorization = work.load::<DeviceAuthorization>(self.code.aggregate_id).await?;
        let client = work.authenticated(&self.client).await?;
        let registration = client.as_deref().and_then(Client::usable).ok_or(device(DeviceAuthorizationError::CutOff))?;
        let begun = Begun::of(&authorization, registration, work);
        let standing = match &begun {
            Some(begun) => work.still_stands(begun).await?,
            None => false,
        };
        let grant_id = begun.as_ref().map_or_else(|| GrantId::new(Uuid::now_v7()), |begun| GrantId::new(begun.grant.id));
        let redeem = RedeemDeviceCode {
            client_id: self.client.id,
            device_code: self.code.digest.clone(),
            standing,
            grant_id,
            at: work.now,
        };
        work.decide(&authorization, DeviceAuthorizationCommand::Redeem(redeem)).map_err(device)?;
        self.issue(work, begun.expect("what is redeemed was approved"), registration).await
    }
}

impl RedeemDevice {
    /// The grant, from its approval to its first tokens.
    async fn issue(
        &self,
        work: &mut Work<'_>,
        begun: Begun,
        client: &Registration,
    ) -> Result<Issued, Refusal<DeviceCodeRefusal>> {
        let terms = &begun.terms;
        let target = work.target_within((terms, client), self.resource.as_deref(), &terms.scope).await;
        let target = target.map_err(|error| error.map(DeviceCodeRefusal::Target))?;
        let next = Next {
            grant: &begun.grant,
            client,
            terms,
            scope: &terms.scope,
            target,
            nonce: None,
            generation: client.may_use(GrantType::RefreshToken).then_some(1),
            confirmation: self.client.confirmation(),
        };
        let Minted { issued, access, refresh } = work.mint_family(next).await?;
        let redeem = Redeem {
            client_id: self.client.id,
            code: self.code.digest.clone(),
            redirect_uri: None,
            code_verifier: None,
            confirmation: self.client.confirmation().cloned(),
            standing: true,
            authentication: self.client.authentication,
            access,
            refresh,
            at: work.now,
        };
        let new = Loaded::<Grant>::new_stream(begun.grant.id);
        let command = GrantCommand::IssueForDevice(Box::new(begun.approved), Box::new(redeem));
        work.decide(&new, command).map_err(grant)?;
        Ok(issued)
    }
}

/// The grant that begins where the device code is redeemed.
struct Begun {
    approved: grant::Approved,
    terms: Terms,
    /// The grant as its approval makes it.
    grant: Loaded<Grant>,
    /// The head of the log that the user's decision saw.
    decided_at: i64,
}

impl Begun {
    /// `None` where nobody has approved.
    fn of(authorization: &Loaded<DeviceAuthorization>, client: &Registration, work: &Work<'_>) -> Option<Self> {
        let (asked, approval) = authorization.state.asked().zip(authorization.state.approval())?;
        let approved = approved(DeviceAuthorizationId::new(authorization.id), (asked, approval), (client, work));
        let event = GrantEvent::Approved(Box::new(approved.clone()));
        let terms = event.terms_set()?;
        let grant = Loaded { id: Uuid::now_v7(), version: 0, state: Arc::new(domain::fold([event])) };
        Some(Self { approved, terms, grant, decided_at: approval.pos })
    }
}

/// The approval in the words of a grant. Its code is the device code.
fn approved(
    id: DeviceAuthorizationId,
    (asked, approval): (&Asked, &DeviceApproval),
    (client, work): (&Registration, &Work<'_>),
) -> grant::Approved {
    grant::Approved {
        client_id: asked.client_id,
        user_id: approval.user_id,
        session_id: approval.session_id,
        session_ends_at: Some(approval.session_ends_at),
        consent_id: approval.consent_id,
        scope: asked.scope.clone(),
        resources: asked.resources.clone(),
        redirect_uri: None,
        code_challenge: None,
        nonce: None,
        confirmation: None,
        auth_time: approval.auth_time,
        acr: approval.acr.clone(),
        amr: approval.amr.clone(),
        claims: AskedClaims::default(),
        device_authorization_id: Some(id),
        code: asked.device_code.clone(),
        code_expires_at: asked.expires_at,
        ends_at: work.family_ends_at(client),
        policy: client.metadata.policy.name().to_owned(),
        pos: work.inner.log.known_head(),
        at: work.now,
    }
}

impl Work<'_> {
    /// Whether what a device was approved on still stands, with all of it as guards: as of a code, nothing that it stands on was cut off since.
    async fn still_stands(&mut self, begun: &Begun) -> Result<bool, Unavailable> {
        let terms = &begun.terms;
        self.stand_on(terms).await?;
        let stood_on = [
            Some(terms.client_id.uuid()),
            terms.user_id.map(domain::UserId::uuid),
            terms.session_id.map(domain::SessionId::uuid),
            terms.consent_id.map(domain::ConsentId::uuid),
        ];
        let subjects = stood_on.into_iter().flatten().map(|id| id.to_string()).chain([cutoff::ISSUER.to_owned()]);
        let cutoffs = cutoff::find(self.inner.reads.db(), &subjects.collect::<Vec<_>>()).await?;
        Ok(cutoffs.iter().all(|cutoff| cutoff.position <= begun.decided_at))
    }
}
