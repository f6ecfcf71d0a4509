//! A client proves who it is (RFC 6749 section 2.3): by Basic, in the body, by an assertion, by a certificate
//! (RFC 8705 section 2), or, if public, not at all.

use std::{net::IpAddr, sync::Arc};

use domain::{
    Digest, Timestamp,
    client::{AuthenticationMethod, Client, Policy, Registration},
    grant::ClientAuthentication,
};
use quick_cache::sync::Cache;
use secrecy::ExposeSecret;

use crate::{
    ephemeral,
    log::Unavailable,
    protocol::{
        assertion::InvalidAssertion,
        client_authentication::{ClientCredentials, ClientProof},
        client_certificate::{ClientCertificate, InvalidCertificate},
    },
};

use super::{AuthenticatedClient, Dispatch, Inner, Refusal, authenticated_client::Believed, work::Work};

/// The ephemeral kind of a source's failures with one client.
const FAILURES: &str = "client_failures";
/// How many blocked sources are remembered.
const REMEMBERED: usize = 4096;

/// How a client presents itself.
#[derive(Clone)]
pub struct Presented {
    pub credentials: ClientCredentials,
    /// Where the request comes from: failures are counted by it.
    pub source: IpAddr,
    /// The certificate that it shows.
    pub certificate: Option<ClientCertificate>,
}

/// Why a client is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthenticationRefusal {
    #[error("there is no such client")]
    UnknownClient,
    #[error("the client secret is wrong or has expired")]
    WrongSecret,
    #[error("the client is registered for another authentication method")]
    WrongMethod { registered: AuthenticationMethod },
    #[error("the client is disabled")]
    Disabled,
    #[error("the client's assertion proves nothing: {0}")]
    Assertion(InvalidAssertion),
    #[error("the client's certificate does not prove who it is: {0}")]
    Certificate(InvalidCertificate),
    /// For the source of many failures, in seconds.
    #[error("too many failures from this address")]
    TooManyFailures { retry_after: u32 },
}

/// Sources of many failures, and until when each is refused.
pub(super) struct BlockedSources(Cache<String, Timestamp>);

impl BlockedSources {
    pub(super) fn new() -> Self {
        Self(Cache::new(REMEMBERED))
    }
}

impl Dispatch {
    /// For a command: a remembered registration will do to believe, since the command's append checks it.
    ///
    /// # Errors
    /// Why it is not believed, decided on the registration as it is now.
    pub async fn authenticate_client(
        &self,
        presented: &Presented,
    ) -> Result<AuthenticatedClient, Refusal<AuthenticationRefusal>> {
        match self.remembered_client(presented).await? {
            Some(client) => Ok(client),
            None => self.authenticate_reader(presented).await,
        }
    }

    /// A client that is believed by what is remembered of it. That holds as far as it is still of that version: whoever asks finds out.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn remembered_client(&self, presented: &Presented) -> Result<Option<AuthenticatedClient>, Unavailable> {
        if let Some(id) = self.reads.client_id(&presented.credentials.identifier).await?
            && let Some(loaded) = self.remembered::<Client>(id.uuid())
            && self.blocked(presented).is_none()
            && let Ok(believed) = self.verify(presented, &loaded.state).await?
        {
            return Ok(Some(AuthenticatedClient::believed(id, loaded, presented, believed)));
        }
        Ok(None)
    }

    /// For a read: decided on the registration as it is now.
    ///
    /// # Errors
    /// Why it is not believed.
    pub async fn authenticate_reader(
        &self,
        presented: &Presented,
    ) -> Result<AuthenticatedClient, Refusal<AuthenticationRefusal>> {
        if let Some(retry_after) = self.blocked(presented) {
            return Err(Refusal::Rule(AuthenticationRefusal::TooManyFailures { retry_after }));
        }
        let outcome = match self.reads.client_id(&presented.credentials.identifier).await? {
            None => Err(AuthenticationRefusal::UnknownClient),
            Some(id) => {
                let loaded = self.load_fresh::<Client>(id.uuid()).await?;
                let believed = self.verify(presented, &loaded.state).await?;
                believed.map(|believed| AuthenticatedClient::believed(id, loaded, presented, believed))
            }
        };
        match outcome {
            Ok(client) => Ok(client),
            Err(refusal) => Err(Refusal::Rule(self.count_failure(presented, refusal).await?)),
        }
    }
}

impl Inner {
    async fn verify(
        &self,
        presented: &Presented,
        client: &Client,
    ) -> Result<Result<Believed, AuthenticationRefusal>, Unavailable> {
        let Client::Registered(registration) = client else {
            return Ok(Err(AuthenticationRefusal::UnknownClient));
        };
        let authentication = match method(&presented.credentials.proof, registration) {
            Ok(authentication) => authentication,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let once = match &presented.credentials.proof {
            ClientProof::None if registration.is_public() => Ok(None),
            ClientProof::None => {
                let checked = self.check_certificate(presented.certificate.as_ref(), registration).await?;
                checked.map(|()| None).map_err(AuthenticationRefusal::Certificate)
            }
            ClientProof::Assertion(assertion) => {
                let checked = self.check_assertion(assertion.expose_secret(), registration).await?;
                checked.map(Some).map_err(AuthenticationRefusal::Assertion)
            }
            ClientProof::Basic(secret) | ClientProof::Body(secret) => {
                if self.is_secret_of(secret, registration).await? {
                    Ok(None)
                } else {
                    Err(AuthenticationRefusal::WrongSecret)
                }
            }
        };
        Ok(match once {
            Ok(_) if !registration.enabled => Err(AuthenticationRefusal::Disabled),
            Ok(once) => Ok(Believed { authentication, once }),
            Err(refusal) => Err(refusal),
        })
    }

    /// For how many seconds more this source is refused with this client.
    fn blocked(&self, presented: &Presented) -> Option<u32> {
        let until = self.blocked_sources.0.get(&source_of(presented))?;
        u32::try_from(until.seconds_since(self.clock.now())).ok().filter(|seconds| *seconds > 0)
    }

    async fn count_failure(
        &self,
        presented: &Presented,
        refusal: AuthenticationRefusal,
    ) -> Result<AuthenticationRefusal, Unavailable> {
        let limits = &self.settings.limits;
        let (now, window) = (self.clock.now(), limits.client_failures_window);
        let source = source_of(presented);
        let failures = ephemeral::count_up(self.log.db(), FAILURES, &source, now.plus(window), now).await?;
        if failures <= i64::from(limits.client_failures_per_source) {
            return Ok(refusal);
        }
        self.blocked_sources.0.insert(source, now.plus(window));
        Ok(AuthenticationRefusal::TooManyFailures { retry_after: window })
    }
}

impl Work<'_> {
    /// The authenticated client as the decision's guard. Where it has changed since it proved who it is, it proves it again.
    pub(super) async fn authenticated(&mut self, client: &AuthenticatedClient) -> Result<Option<Arc<Client>>, Unavailable> {
        let loaded = self.load::<Client>(client.id.uuid()).await?;
        self.guard_loaded(&loaded);
        if loaded.version == client.version() {
            return Ok(Some(loaded.state));
        }
        let verified = self.inner.verify(&client.presented, &loaded.state).await?;
        Ok(verified.is_ok().then_some(loaded.state))
    }
}

fn source_of(presented: &Presented) -> String {
    format!("{}/{}", presented.source, Digest::of(presented.credentials.identifier.as_bytes()).as_str())
}

/// Whether the client may present itself in this way, by what it registered and the policy it lives under.
fn method(presented: &ClientProof, registration: &Registration) -> Result<ClientAuthentication, AuthenticationRefusal> {
    let registered = registration.metadata.token_endpoint_auth_method;
    let either = registration.metadata.policy == Policy::Compatible && registration.metadata.has_secret();
    match (presented, registered) {
        (ClientProof::None, AuthenticationMethod::None) => Ok(ClientAuthentication::None),
        (ClientProof::None, AuthenticationMethod::TlsClientAuth) => Ok(ClientAuthentication::TlsClientAuth),
        (ClientProof::None, AuthenticationMethod::SelfSignedTlsClientAuth) => Ok(ClientAuthentication::SelfSignedTlsClientAuth),
        (ClientProof::Basic(_), AuthenticationMethod::ClientSecretBasic) => Ok(ClientAuthentication::ClientSecretBasic),
        (ClientProof::Body(_), AuthenticationMethod::ClientSecretPost) => Ok(ClientAuthentication::ClientSecretPost),
        (ClientProof::Assertion(_), AuthenticationMethod::PrivateKeyJwt) => Ok(ClientAuthentication::PrivateKeyJwt),
        (ClientProof::Basic(_), _) if either => Ok(ClientAuthentication::ClientSecretBasic),
        (ClientProof::Body(_), _) if either => Ok(ClientAuthentication::ClientSecretPost),
        (ClientProof::None | ClientProof::Basic(_) | ClientProof::Body(_) | ClientProof::Assertion(_), _) => {
            Err(AuthenticationRefusal::WrongMethod { registered })
        }
    }
}
