//! The one way to change anything: load, decide, append, and again when something changed meanwhile. One file a use case.

mod approve;
mod audit;
mod authenticate;
mod authenticated_client;
mod authorization_response;
mod bootstrap;
mod browser;
mod claims;
mod client;
mod client_assertion;
mod client_certificate;
mod client_credentials;
mod client_document;
mod client_secret;
mod consent;
mod device;
mod email;
mod exchange;
mod explain;
mod family;
mod forgotten;
mod former_email;
mod give_consent;
mod heads;
mod id_token;
mod introspection;
mod invitation;
mod issue;
mod jwt_bearer;
mod keys;
mod link;
mod logout;
mod mail;
mod mint;
mod once;
mod password;
mod possession;
mod profile;
mod redeem;
mod refresh;
mod request_object;
mod revoke;
mod revoke_grants;
mod second_factor;
mod self_registration;
mod session;
mod sessions;
mod setup;
mod sign_in;
mod signers_keys;
mod subject;
mod target;
mod user;
mod verified_secret;
mod work;

use std::{future::Future, sync::Arc};

pub use approve::{AnsweredRequest, Approval, ApproveRefusal, Approved, Consenting};
pub use audit::PassOverRefusal;
pub use authenticate::{AuthenticationRefusal, Presented};
pub use authenticated_client::AuthenticatedClient;
pub use bootstrap::OpenError;
pub use browser::Browser;
pub use claims::UserInfo;
pub use client::{RegisterClient, RegisteredClient};
pub use client_credentials::IssueForClient;
pub use client_document::DocumentRefusal;
pub use client_secret::SecretChoice;
pub use device::{
    DecideOnDevice, DeviceCodeRefusal, DeviceDecisionRefusal, DeviceLookUp, DeviceRefusal, FoundDevice, RedeemDevice,
    RequestDevice, RequestDeviceRefusal, RequestedDevice, SLOWER_BY,
};
use domain::StreamId;
pub use exchange::ExchangeToken;
pub use explain::UnknownErrorId;
pub use invitation::NewInvitation;
pub use issue::IssueRefusal;
pub use jwt_bearer::{AssertionRefusal, PresentAssertion};
pub use keys::Rewrapped;
pub use mail::Addressee;
pub use mint::Issued;
pub use password::PasswordRefusal;
pub use profile::Profile;
pub use redeem::RedeemCode;
pub use refresh::RefreshTokens;
pub use revoke::{RevokeToken, Revoked};
pub use second_factor::{KnownPasskey, SecondFactorRefusal};
pub use self_registration::{Admission, SelfRegistered, SelfRegistrationRefusal};
pub use session::{ACCOUNTS, CurrentSession};
pub use sign_in::{FirstStep, PasskeyStep, SecondStep, SignIn, SignInRefusal, SignedIn};
pub use target::TargetRefusal;
use tokio::sync::Mutex;
pub use user::{NewUser, UserRefusal};
pub use work::Loaded;

use crate::{
    clock::Clock,
    config::Settings,
    fetch::Fetcher,
    log::{Actor, AppendError, Log, Unavailable, coalesce::Coalescer},
    passkeys::RelyingParty,
    passwords::Passwords,
    reads::Reads,
    signer::Signer,
    tls::Authorities,
    vault::{MasterKeys, ServerKeys, store::VaultStore},
};
use heads::Heads;
use once::ProvedOnce;
use work::Work;

/// How often a command that lost a race is decided again before its caller is told to come back.
const ATTEMPTS: usize = 64;
/// Commands on one stream wait for one another in this process, by one of so many locks: they would only conflict.
const LOCKS: usize = 1024;

/// Carries out commands. Cheap to clone.
#[derive(Clone)]
pub struct Dispatch(Arc<Inner>);

/// What use cases work with.
pub struct Inner {
    pub(crate) log: Log,
    pub(crate) clock: Clock,
    pub(crate) settings: Arc<Settings>,
    pub(crate) master: Arc<MasterKeys>,
    pub(crate) keys: Arc<ServerKeys>,
    pub(crate) vault: VaultStore,
    pub(crate) signer: Signer,
    pub(crate) passwords: Passwords,
    /// `None` where the issuer's address can have no passkeys.
    relying_party: Option<RelyingParty>,
    pub(crate) reads: Reads,
    /// Asks those whom clients name.
    pub fetcher: Fetcher,
    subject_keys: Coalescer<String, String>,
    authorities: Arc<Authorities>,
    heads: Heads,
    locks: Vec<Mutex<()>>,
    verified_secrets: verified_secret::VerifiedSecrets,
    blocked_sources: authenticate::BlockedSources,
}

/// An acknowledged command: its answer, and the log position that holds it.
#[derive(Clone, Debug)]
pub struct Done<T> {
    pub answer: T,
    /// Of the command's last event; the head where it changed nothing.
    pub position: i64,
}

/// A command that was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal<E> {
    /// A rule refuses it.
    #[error("{0}")]
    Rule(E),
    /// The store is down, slow or too busy: nothing was decided.
    #[error("{0}")]
    Unavailable(Unavailable),
}

impl<E> Refusal<E> {
    /// The rule told by another.
    fn map<F>(self, told: impl FnOnce(E) -> F) -> Refusal<F> {
        match self {
            Self::Rule(rule) => Refusal::Rule(told(rule)),
            Self::Unavailable(unavailable) => Refusal::Unavailable(unavailable),
        }
    }
}

impl<E> From<Unavailable> for Refusal<E> {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable)
    }
}

/// A command of one or several streams.
trait UseCase: Sync {
    type Answer: Send;
    type Refusal: Send;

    /// The stream that it changes, if it exists already.
    fn stream(&self) -> Option<StreamId> {
        None
    }

    /// Whether it changes so many streams that beside a busy log it would lose every race: then nobody appends while it is decided.
    fn is_wide(&self) -> bool {
        false
    }

    /// What to say when a unique name is taken; `None` when that is a lost race, to be decided again.
    fn name_taken(&self, _name: &str) -> Option<Self::Refusal> {
        None
    }

    /// What the request proves itself by that is good once: it is used up with what is written.
    fn proved_once(&self) -> Option<ProvedOnce<'_, Self::Refusal>> {
        None
    }

    /// One attempt.
    fn run(&self, work: &mut Work<'_>) -> impl Future<Output = Result<Self::Answer, Refusal<Self::Refusal>>> + Send;
}

impl Dispatch {
    /// Decides and appends until it is through: a lost race is decided again on what is true now.
    async fn perform<U: UseCase>(&self, actor: Actor, use_case: &U) -> Result<Done<U::Answer>, Refusal<U::Refusal>> {
        let _turn = match use_case.stream() {
            Some(stream) => Some(self.0.lock_of(&stream).lock().await),
            None => None,
        };
        let mut fresh = false;
        for _ in 0..ATTEMPTS {
            let hold = match use_case.is_wide() {
                true => Some(self.0.log.hold().await?),
                false => None,
            };
            let mut work = Work::new(&self.0, actor, fresh);
            let outcome = use_case.run(&mut work).await;
            let may_be_stale = work.used_cache();
            let answer = match outcome {
                Err(Refusal::Rule(_)) if may_be_stale => {
                    fresh = true;
                    continue;
                }
                Err(refusal) => return Err(refusal),
                Ok(_) if work.changes_nothing() && may_be_stale => {
                    fresh = true;
                    continue;
                }
                Ok(answer) if work.changes_nothing() => return Ok(Done { answer, position: self.0.log.known_head() }),
                Ok(answer) => answer,
            };
            let proved_once = use_case.proved_once();
            work.ephemeral.extend(proved_once.iter().flat_map(ProvedOnce::claims));
            let (append, heads) = work.finish();
            let streams: Vec<_> = append.guards.iter().map(|guard| guard.stream.clone()).collect();
            let appended = match hold {
                Some(hold) => hold.append(append).await,
                None => self.0.log.append(append).await,
            };
            match appended {
                Ok(appended) => {
                    for (stream, head) in heads {
                        self.0.heads.remember(stream, head);
                    }
                    return Ok(Done { answer, position: appended.position });
                }
                Err(error) => {
                    for stream in streams.iter().chain(heads.iter().map(|(stream, _)| stream)) {
                        self.0.heads.forget(stream);
                    }
                    match error {
                        AppendError::Conflict(_) | AppendError::GuardFailed(_) => fresh = true,
                        AppendError::ClaimTaken(name) => match use_case.name_taken(&name) {
                            Some(refusal) => return Err(Refusal::Rule(refusal)),
                            None => fresh = true,
                        },
                        AppendError::EphemeralTaken { kind, key } => {
                            let used_before = proved_once.and_then(|proved| proved.refusal(kind));
                            match used_before.or_else(|| use_case.name_taken(&key)) {
                                Some(refusal) => return Err(Refusal::Rule(refusal)),
                                None => fresh = true,
                            }
                        }
                        AppendError::Rejected(cause) => {
                            tracing::error!(cause, "the store rejected a command's data");
                            return Err(Refusal::Unavailable(Unavailable));
                        }
                        AppendError::Unavailable => return Err(Refusal::Unavailable(Unavailable)),
                    }
                }
            }
        }
        Err(Refusal::Unavailable(Unavailable))
    }
}

impl std::ops::Deref for Dispatch {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Inner {
    fn lock_of(&self, stream: &StreamId) -> &Mutex<()> {
        let place = usize::try_from(stream.aggregate_id.as_u128() % LOCKS as u128).expect("it is below the number of locks");
        &self.locks[place]
    }
}
