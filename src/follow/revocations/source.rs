//! Revocations read out of the log, and whom each concerns.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use domain::{
    Decide, Event, StreamId, Timestamp,
    client::{ClientEvent, ClientMetadata},
    grant::{Grant, GrantEvent},
};
use projections::{
    client,
    token::{self, Wanted},
};
use tokio::sync::Mutex;

use super::{Concerns, Entry};
use crate::{
    clock::Clock,
    config::Settings,
    follow::{
        name_book::NameBook,
        relay::message::{ReadEvent, revocation, revocation_types},
    },
    log::{Log, StoredEvent, StoredHead, Unavailable},
};

/// Events that say for how long a client's tokens may live.
const LIFETIMES: [&str; 2] = ["client.registered", "client.updated"];

/// Positions that are looked through at once: revocations may be far apart.
const AT_ONCE: i64 = 100_000;

/// Reads them.
pub(super) struct Source {
    log: Log,
    settings: Arc<Settings>,
    pub(super) clock: Clock,
    types: Vec<String>,
    names: Mutex<NameBook>,
    /// The longest that an access token may live which was issued so far, in seconds.
    longest: AtomicI64,
}

/// What was read.
pub(super) struct Read {
    pub(super) entries: Vec<Arc<Entry>>,
    /// Up to where it is all.
    pub(super) position: i64,
}

impl Source {
    pub(super) fn new(log: Log, settings: Arc<Settings>, clock: Clock) -> Self {
        let types = revocation_types().into_iter().chain(LIFETIMES.map(str::to_owned)).collect();
        let (names, longest) = (Mutex::new(NameBook::new(log.clone())), AtomicI64::new(0));
        Self { log, settings, clock, types, names, longest }
    }

    pub(super) const fn log(&self) -> &Log {
        &self.log
    }

    /// Finds out for how long tokens live. Those of earlier settings are in the store, and so is what clients are allowed at present;
    /// what they are allowed from now on comes with the log.
    pub(super) async fn begin(&self) -> Result<(), Unavailable> {
        self.note_lifetime(i64::from(self.settings.tokens.access_token_lifetime));
        let of_tokens = token::longest_life(self.log.db()).await?;
        let of_clients = client::longest_life(self.log.db()).await?;
        of_tokens.into_iter().chain(of_clients).for_each(|seconds| self.note_lifetime(seconds));
        Ok(())
    }

    fn note_lifetime(&self, seconds: i64) {
        self.longest.fetch_max(seconds, Ordering::Relaxed);
    }

    /// The revocations after a position and up to another, or to the end of a full page or of what is looked through at once.
    pub(super) async fn read(&self, after: i64, to: i64, limit: u32) -> Result<Read, Unavailable> {
        let to = to.min(after.saturating_add(AT_ONCE));
        let events = self.log.read_types(&self.types, after, to, limit).await?;
        let full = events.len() >= limit as usize;
        let position = events.last().filter(|_| full).map_or(to.max(after), |last| last.position);
        Ok(Read { entries: self.entries(events).await?, position })
    }

    /// What these events ended.
    pub(super) async fn entries(&self, events: Vec<StoredEvent>) -> Result<Vec<Arc<Entry>>, Unavailable> {
        let read = events.into_iter().map(ReadEvent::new).collect::<Result<Vec<_>, _>>().map_err(|error| untold(&error))?;
        for event in &read {
            if let Some(lifetime) = allowed(&event.event) {
                self.note_lifetime(i64::from(lifetime));
            }
        }
        let (tokens, grants) = (self.tokens(&read).await?, self.grants(&read).await?);
        let mut names = self.names.lock().await;
        let names = names.of(&read).await?;
        let mut entries = Vec::with_capacity(read.len());
        for event in &read {
            let recorded = event.stored.recorded().unix();
            let skew = i64::from(self.settings.limits.clock_skew);
            let tokens_end_at = recorded + skew + self.longest.load(Ordering::Relaxed);
            let Some((ended, actor)) = revocation(event, names, tokens_end_at).map_err(|error| untold(&error))? else { continue };
            let concerns = match &event.event {
                Event::Grant(GrantEvent::AccessTokenRevoked { digest, .. }) => found(&tokens, digest.as_str()),
                Event::Grant(_) => found(&grants, &event.stored.aggregate_id),
                Event::Client(_)
                | Event::User(_)
                | Event::Session(_)
                | Event::Consent(_)
                | Event::KeySet(_)
                | Event::Catalogue(_)
                | Event::Audit(_)
                | Event::Invitation(_)
                | Event::DeviceAuthorization(_) => Concerns::Everybody,
            };
            let position = event.stored.position;
            let (what, reason, at, forget_after) = (ended.what, ended.reason, ended.at, ended.forget_after);
            entries.push(Arc::new(Entry { position, what, reason, actor, at, forget_after, concerns }));
        }
        Ok(entries)
    }

    /// Whom the revoked access tokens concern, by their digests.
    async fn tokens(&self, events: &[ReadEvent]) -> Result<HashMap<String, Concerns>, Unavailable> {
        let mut wanted = Vec::new();
        for read in events {
            if let Event::Grant(GrantEvent::AccessTokenRevoked { digest, .. }) = &read.event {
                wanted.push(Wanted { digest: digest.as_str().to_owned(), caller: None });
            }
        }
        if wanted.is_empty() {
            return Ok(HashMap::new());
        }
        let rows = token::find(self.log.db(), &wanted).await?.into_iter().map(|seen| seen.token);
        Ok(rows
            .map(|row| {
                let audience = serde_json::from_str(&row.audience).unwrap_or_default();
                (row.digest, Concerns::Tokens { client_id: row.client_id, audience })
            })
            .collect())
    }

    /// Whom the revoked grants concern, by their ids. One whose head is gone had no token left.
    async fn grants(&self, events: &[ReadEvent]) -> Result<HashMap<String, Concerns>, Unavailable> {
        let revoked = |read: &&ReadEvent| matches!(&read.event, Event::Grant(GrantEvent::Revoked { .. }));
        let streams: Vec<StreamId> = events.iter().filter(revoked).map(|read| read.stream.clone()).collect();
        let heads = self.log.load(&streams).await?;
        let mut concerns = HashMap::with_capacity(streams.len());
        for (stream, head) in streams.into_iter().zip(heads) {
            let Some(head) = head else { continue };
            concerns.insert(stream.aggregate_id.to_string(), self.of_grant(&head)?);
        }
        Ok(concerns)
    }

    /// A state in the form of another version, which the next command will bring to today's, may concern anybody.
    fn of_grant(&self, head: &StoredHead) -> Result<Concerns, Unavailable> {
        if head.state_version != Grant::STATE_VERSION {
            return Ok(Concerns::Everybody);
        }
        let grant: Grant = serde_json::from_str(&head.state).map_err(|error| untold(&error))?;
        let Some(terms) = grant.terms() else { return Ok(Concerns::Everybody) };
        let mut audience = match terms.resources.as_slice() {
            [] => vec![self.settings.default_resource().to_owned()],
            resources => resources.to_vec(),
        };
        audience.extend_from_slice(grant.reached());
        Ok(Concerns::Tokens { client_id: terms.client_id.to_string(), audience })
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

fn found(concerns: &HashMap<String, Concerns>, key: &str) -> Concerns {
    concerns.get(key).cloned().unwrap_or(Concerns::Nobody)
}

/// The lifetime that an event allows a client's access tokens, in seconds.
fn allowed(event: &Event) -> Option<u32> {
    let lifetime = |metadata: &ClientMetadata| metadata.access_token_lifetime;
    match event {
        Event::Client(event) => match event {
            ClientEvent::Registered { metadata, .. } | ClientEvent::Updated { metadata, .. } => lifetime(metadata),
            ClientEvent::SecretAdded { .. }
            | ClientEvent::SecretExpirySet { .. }
            | ClientEvent::Disabled { .. }
            | ClientEvent::Enabled { .. }
            | ClientEvent::RegistrationTokenSet { .. }
            | ClientEvent::Deregistered { .. } => None,
        },
        Event::User(_)
        | Event::Session(_)
        | Event::Consent(_)
        | Event::Grant(_)
        | Event::KeySet(_)
        | Event::Catalogue(_)
        | Event::Audit(_)
        | Event::Invitation(_)
        | Event::DeviceAuthorization(_) => None,
    }
}

/// It is a defect, or a later grantlog wrote it. Nothing is said rather than something left out.
fn untold(error: &impl std::fmt::Display) -> Unavailable {
    tracing::error!(%error, "a revocation cannot be told: the feed stands still");
    Unavailable
}
