//! What must be there before anything can be done: the issuer's own keys, signing keys, the catalogue of the settings.

use std::sync::Arc;

use cqrs_es::{Aggregate, DomainEvent};
use domain::{
    Decide,
    catalogue::{Catalogue, CatalogueCommand, CatalogueError, Entries},
    client::SigningAlgorithm,
    key_set::{KeySet, KeySetCommand},
};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::{
    clock::Clock,
    config::Settings,
    fetch::{CaError, Fetcher},
    follow::transparency::KeyError,
    log::{Actor, Append, AppendError, Log, Metadata, NewEvent, StreamAppend, Unavailable, VaultChange},
    passkeys::RelyingParty,
    passwords::Passwords,
    reads::Reads,
    signer::Signer,
    tls::{Authorities, TlsError},
    vault::{MasterKeys, ServerKeys, kind, store::VaultStore},
};

use super::{
    Dispatch, Inner, LOCKS, Refusal, UseCase, authenticate::BlockedSources, heads::Heads, keys::new_key,
    verified_secret::VerifiedSecrets, work::Work,
};

/// Why the dispatch cannot start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the store does not answer")]
    Unavailable(#[from] Unavailable),
    #[error("the vault was sealed under another master key than the settings name")]
    WrongMasterKey,
    #[error("the catalogue in the settings: {0}")]
    Catalogue(CatalogueError),
    #[error(transparent)]
    Transparency(KeyError),
    #[error(transparent)]
    Fetch(#[from] CaError),
    #[error("server.mtls.ca_files: {0}")]
    Authorities(TlsError),
}

impl From<KeyError> for OpenError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Unavailable(unavailable) => unavailable.into(),
            KeyError::WrongMasterKey => Self::WrongMasterKey,
            KeyError::Unreadable => Self::Transparency(error),
        }
    }
}

impl Dispatch {
    /// Opens the dispatch over a migrated log. An empty one gets its keys; whichever node is first makes them.
    ///
    /// # Errors
    /// That the store does not answer, or was sealed under another master key, or a file that the settings name cannot be used.
    pub async fn open(log: Log, settings: Arc<Settings>, master: MasterKeys, clock: Clock) -> Result<Self, OpenError> {
        let master = Arc::new(master);
        let vault = VaultStore::new(log.db().clone());
        let keys = Arc::new(server_keys(&log, &master, &vault, &clock).await?);
        let inner = Inner {
            signer: Signer::new(master.clone(), vault.clone()),
            passwords: Passwords::new(settings.limits.hash_threads),
            relying_party: RelyingParty::of(&settings.server.public_url),
            reads: Reads::new(log.db().clone()),
            subject_keys: vault.subject_keys(),
            fetcher: Fetcher::of_clients(&settings.fetch)?,
            authorities: Arc::new(Authorities::open(&settings.server.mtls.ca_files).map_err(OpenError::Authorities)?),
            heads: Heads::new(),
            locks: std::iter::repeat_with(|| Mutex::new(())).take(LOCKS).collect(),
            verified_secrets: VerifiedSecrets::new(),
            blocked_sources: BlockedSources::new(),
            log,
            clock,
            settings,
            master,
            keys,
            vault,
        };
        Ok(Self(Arc::new(inner)))
    }

    /// Makes what the settings say the catalogue, where it differs from the one in force.
    ///
    /// # Errors
    /// What of them is refused, or that the store does not answer.
    pub async fn adopt_catalogue(&self, entries: Entries) -> Result<(), OpenError> {
        match self.perform(Actor::System, &AdoptCatalogue { entries }).await {
            Ok(_) => Ok(()),
            Err(Refusal::Rule(error)) => Err(OpenError::Catalogue(error)),
            Err(Refusal::Unavailable(unavailable)) => Err(unavailable.into()),
        }
    }
}

struct AdoptCatalogue {
    entries: Entries,
}

impl UseCase for AdoptCatalogue {
    type Answer = ();
    type Refusal = CatalogueError;

    async fn run(&self, work: &mut Work<'_>) -> Result<(), Refusal<CatalogueError>> {
        let catalogue = work.load::<Catalogue>(domain::id::THE_ONLY).await?;
        let command = CatalogueCommand::Adopt { entries: self.entries.clone(), at: work.now };
        work.decide(&catalogue, command).map_err(Refusal::Rule)?;
        Ok(())
    }
}

/// The issuer's own keys: read from the vault, or made with the first signing keys in one append, by whichever node comes first.
async fn server_keys(log: &Log, master: &MasterKeys, vault: &VaultStore, clock: &Clock) -> Result<ServerKeys, OpenError> {
    loop {
        if let Some(sealed) = vault.get(kind::SERVER_KEY, ServerKeys::ROOT).await? {
            let root = master.open(kind::SERVER_KEY, ServerKeys::ROOT, &sealed).map_err(|_| OpenError::WrongMasterKey)?;
            return ServerKeys::derive(&root).map_err(|_| OpenError::WrongMasterKey);
        }
        match log.append(first_append(master, clock).await?).await {
            Ok(_) | Err(AppendError::Conflict(_)) => {}
            Err(error) => {
                tracing::error!(%error, "the issuer's first keys could not be written");
                return Err(Unavailable.into());
            }
        }
    }
}

async fn first_append(master: &MasterKeys, clock: &Clock) -> Result<Append, Unavailable> {
    let root = ServerKeys::generate_root();
    let id = ServerKeys::ROOT.to_owned();
    let sealed = master.seal(kind::SERVER_KEY, &id, &root);
    let mut vault = vec![VaultChange::Put { kind: kind::SERVER_KEY, id, sealed }];
    let (mut keys, mut events) = (KeySet::default(), Vec::new());
    for algorithm in SigningAlgorithm::ALL {
        let new = new_key(algorithm).await?;
        vault.push(new.vault_change(master));
        let command = KeySetCommand::Rotate { key: new.public, at: clock.now() };
        for event in keys.decide(command).map_err(|_| Unavailable)? {
            keys.apply(event.clone());
            events.push(NewEvent {
                event_type: event.event_type(),
                event_version: event.event_version(),
                payload: serde_json::to_string(&event).expect("an event has a JSON form"),
                event: event.into(),
            });
        }
    }
    let stream = StreamAppend {
        stream: KeySet::stream(domain::id::THE_ONLY),
        expected: 0,
        events,
        state: serde_json::to_string(&keys).expect("a state has a JSON form"),
        state_version: KeySet::STATE_VERSION,
        terms: None,
    };
    Ok(Append {
        command_id: domain::CommandId::new(Uuid::now_v7()),
        metadata: Metadata { actor: Actor::System, traceparent: None },
        streams: vec![stream],
        guards: Vec::new(),
        claims: Vec::new(),
        vault,
        ephemeral: Vec::new(),
    })
}
