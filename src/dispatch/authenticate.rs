//! A client proves who it is (RFC 6749 section 2.3): by Basic, in the body, by an assertion, by a certificate
//! (RFC 8705 section 2), or, if public, not at all.

use std::{net::IpAddr, sync::Arc};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use domain::{
    ClientId, Confirmation, Digest, Timestamp,
    client::{AuthenticationMethod, Client, ClientSecret, Policy, Registration},
    grant::ClientAuthentication,
};
use quick_cache::sync::Cache;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    ephemeral,
    log::Unavailable,
    protocol::{
        Once,
        assertion::InvalidAssertion,
        client_authentication::{ClientCredentials, ClientProof},
        client_certificate::{ClientCertificate, InvalidCertificate},
        dpop::Possession,
    },
    vault::{MacPurpose, kind},
};

use super::{
    Dispatch, Inner, Refusal,
    work::{Loaded, Work},
};

/// The ephemeral kind of a source's failures with one client.
const FAILURES: &str = "client_failures";
/// How many slowly verified secrets, and how many blocked sources, are remembered.
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

/// A client that has proved who it is.
#[derive(Clone)]
pub struct AuthenticatedClient {
    pub id: ClientId,
    pub authentication: ClientAuthentication,
    presented: Presented,
    version: i64,
    client: Arc<Client>,
    once: Vec<Once>,
    confirmation: Option<Confirmation>,
}

/// How a client proved who it is, and what of that is good once.
struct Believed {
    authentication: ClientAuthentication,
    once: Option<Once>,
}

impl AuthenticatedClient {
    /// What it registered, as it was when it proved who it is.
    #[must_use]
    pub fn registration(&self) -> &Registration {
        self.client.usable().expect("only a registered, enabled client is authenticated")
    }

    /// How many events its stream held when it proved who it is.
    #[must_use]
    pub const fn version(&self) -> i64 {
        self.version
    }

    /// What its request proves itself by that is good once.
    #[must_use]
    pub fn once(&self) -> &[Once] {
        &self.once
    }

    fn believed(id: ClientId, loaded: Loaded<Client>, presented: &Presented, believed: Believed) -> Self {
        Self {
            id,
            authentication: believed.authentication,
            presented: presented.clone(),
            version: loaded.version,
            client: loaded.state,
            once: believed.once.into_iter().collect(),
            confirmation: None,
        }
    }

    /// The same, that has also proved to hold a key.
    #[must_use]
    pub fn holding(mut self, proof: Possession) -> Self {
        self.once.push(proof.once);
        Self { confirmation: Some(proof.confirmation), ..self }
    }

    /// The same, whose tokens are to be bound to this.
    #[must_use]
    pub fn bound_to(self, confirmation: Confirmation) -> Self {
        Self { confirmation: Some(confirmation), ..self }
    }

    /// What its tokens are to be bound to, which it has proved to hold.
    #[must_use]
    pub const fn confirmation(&self) -> Option<&Confirmation> {
        self.confirmation.as_ref()
    }

    /// All that is known of it, as it was when it proved who it is.
    #[must_use]
    pub fn client(&self) -> Arc<Client> {
        self.client.clone()
    }
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

/// What this process remembers about authentication: fast MACs of secrets that were verified slowly, and blocked sources.
pub(super) struct VerifiedSecrets {
    verified: Cache<String, ()>,
    blocked: Cache<String, Timestamp>,
}

impl VerifiedSecrets {
    pub(super) fn new() -> Self {
        Self { verified: Cache::new(REMEMBERED), blocked: Cache::new(REMEMBERED) }
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
    /// Whether a secret is one of a client's own that work.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn is_secret_of(&self, secret: &SecretString, registration: &Registration) -> Result<bool, Unavailable> {
        self.secret_is_right(secret, registration).await
    }

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
        let mut once = None;
        let right = match &presented.credentials.proof {
            ClientProof::None if registration.is_public() => true,
            ClientProof::None => match self.check_certificate(presented.certificate.as_ref(), registration).await? {
                Ok(()) => true,
                Err(error) => return Ok(Err(AuthenticationRefusal::Certificate(error))),
            },
            ClientProof::Assertion(assertion) => match self.check_assertion(assertion.expose_secret(), registration).await? {
                Ok(assertion) => once.replace(assertion).is_none(),
                Err(error) => return Ok(Err(AuthenticationRefusal::Assertion(error))),
            },
            ClientProof::Basic(secret) | ClientProof::Body(secret) => self.secret_is_right(secret, registration).await?,
        };
        if !right {
            return Ok(Err(AuthenticationRefusal::WrongSecret));
        }
        Ok(if registration.enabled { Ok(Believed { authentication, once }) } else { Err(AuthenticationRefusal::Disabled) })
    }

    async fn secret_is_right(&self, secret: &SecretString, registration: &Registration) -> Result<bool, Unavailable> {
        let digest = Digest::of(secret.expose_secret().as_bytes());
        let now = self.clock.now();
        let usable: Vec<_> = registration.usable_secrets(now).collect();
        let same = |kept: &ClientSecret| {
            kept.digest
                .as_ref()
                .is_some_and(|kept| verify_slices_are_equal(kept.as_str().as_bytes(), digest.as_str().as_bytes()).is_ok())
        };
        if usable.iter().any(|kept| same(kept)) {
            return Ok(true);
        }
        for slow in usable.iter().filter(|kept| kept.digest.is_none()) {
            if self.slow_secret_is_right(secret, slow).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// argon2id once; afterwards this process knows the secret by a MAC under a key of the server.
    async fn slow_secret_is_right(&self, secret: &SecretString, kept: &ClientSecret) -> Result<bool, Unavailable> {
        let id = kept.id.to_string();
        let mac = self.keys.mac(MacPurpose::VerifiedSecret, format!("{id}.{}", secret.expose_secret()).as_bytes());
        if self.verified_secrets.verified.get(&mac).is_some() {
            return Ok(true);
        }
        let Some(sealed) = self.vault.get(kind::CLIENT_SECRET, &id).await? else {
            return Ok(false);
        };
        let phc = self.master.open(kind::CLIENT_SECRET, &id, &sealed).map_err(|_| Unavailable)?;
        let phc = String::from_utf8(phc).map_err(|_| Unavailable)?;
        let right = self.passwords.verify(secret.clone(), Some(phc)).await;
        if right {
            self.verified_secrets.verified.insert(mac, ());
        }
        Ok(right)
    }

    /// For how many seconds more this source is refused with this client.
    fn blocked(&self, presented: &Presented) -> Option<u32> {
        let until = self.verified_secrets.blocked.get(&source_of(presented))?;
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
        self.verified_secrets.blocked.insert(source, now.plus(window));
        Ok(AuthenticationRefusal::TooManyFailures { retry_after: window })
    }
}

impl Work<'_> {
    /// The authenticated client as the decision's guard. Where it has changed since it proved who it is, it proves it again.
    pub(super) async fn authenticated(&mut self, client: &AuthenticatedClient) -> Result<Option<Arc<Client>>, Unavailable> {
        let loaded = self.load::<Client>(client.id.uuid()).await?;
        self.guard_loaded(&loaded);
        if loaded.version == client.version {
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
