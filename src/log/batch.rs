//! A batch: the appends that are written together, laid out as the store takes them.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use domain::StreamId;
use projections::{Changes, Recorded, project};

use super::{
    append::{Append, AppendError, ClaimChange, EphemeralChange, VaultChange},
    write::Waiting,
};

/// Commands of one batch at most.
const MAX_COMMANDS: usize = 512;
/// Bytes of events and states in one batch at most, about: so long does the head lock stay short.
const MAX_BYTES: usize = 1_000_000;

/// Takes the next batch. A command waits for the one after when it touches a stream, a name or a fact that an earlier one of the
/// batch changes: it could not know what it would find. One that nobody waits for any longer is dropped.
pub(super) fn take(waiting: &mut VecDeque<Waiting>) -> Vec<Waiting> {
    let (mut batch, mut later) = (Vec::new(), VecDeque::new());
    let (mut changed, mut claimed): (HashSet<StreamId>, HashSet<String>) = (HashSet::new(), HashSet::new());
    let mut bytes = 0;
    while let Some(next) = waiting.pop_front() {
        if next.answer.is_closed() {
            continue;
        }
        let append = &next.append;
        let size = append.bytes();
        if batch.len() == MAX_COMMANDS || (!batch.is_empty() && bytes + size > MAX_BYTES) {
            waiting.push_front(next);
            break;
        }
        let streams = append.streams.iter().map(|stream| &stream.stream);
        let guards = append.guards.iter().map(|guard| &guard.stream);
        let names = append.names();
        if streams.chain(guards).any(|stream| changed.contains(stream)) || names.iter().any(|name| claimed.contains(name)) {
            later.push_back(next);
            continue;
        }
        changed.extend(append.streams.iter().map(|stream| stream.stream.clone()));
        claimed.extend(names);
        bytes += size;
        batch.push(next);
    }
    later.append(waiting);
    *waiting = later;
    batch
}

impl Append {
    fn bytes(&self) -> usize {
        let of_stream = |stream: &super::StreamAppend| {
            stream.state.len() + stream.events.iter().map(|event| event.payload.len()).sum::<usize>()
        };
        self.streams.iter().map(of_stream).sum()
    }

    /// What may be taken once, and what is changed by name.
    fn names(&self) -> Vec<String> {
        let claims = self.claims.iter().map(|change| match change {
            ClaimChange::Take { name, .. } | ClaimChange::Release { name } => format!("claim {name}"),
        });
        let ephemeral = self.ephemeral.iter().map(|change| match change {
            EphemeralChange::Put { kind, key, .. }
            | EphemeralChange::Claim { kind, key, .. }
            | EphemeralChange::Delete { kind, key } => {
                format!("ephemeral {kind} {key}")
            }
        });
        let vault = self.vault.iter().map(|change| match change {
            VaultChange::Put { kind, id, .. } | VaultChange::Delete { kind, id } => format!("vault {kind} {id}"),
        });
        claims.chain(ephemeral).chain(vault).collect()
    }
}

/// A batch in columns. Each list that can fail knows to which command its rows belong.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub(super) streams: Vec<StreamRow>,
    pub(super) stream_owner: Vec<usize>,
    pub(super) guards: Vec<(StreamId, i64)>,
    pub(super) guard_owners: Vec<Vec<usize>>,
    pub(super) takes: Vec<(String, StreamId)>,
    pub(super) take_owner: Vec<usize>,
    pub(super) releases: Vec<String>,
    pub(super) ephemeral_claims: Vec<(&'static str, String, i64)>,
    pub(super) ephemeral_owner: Vec<usize>,
    pub(super) ephemeral_puts: Vec<(&'static str, String, String, i64)>,
    pub(super) ephemeral_deletes: Vec<(&'static str, String)>,
    pub(super) vault_puts: Vec<(&'static str, String, String)>,
    pub(super) vault_deletes: Vec<(&'static str, String)>,
    pub(super) events: Arc<Vec<EventRow>>,
    /// What the events change in the live projections.
    pub(super) live: Changes,
    /// For each command, the place of its last event in the batch.
    pub(super) last_event: Vec<i64>,
}

/// A stream's head after the batch.
#[derive(Debug)]
pub(super) struct StreamRow {
    pub(super) stream: StreamId,
    pub(super) expected: i64,
    pub(super) version: i64,
    pub(super) state: String,
    pub(super) state_version: i32,
}

/// An event to be stored.
#[derive(Debug)]
pub(super) struct EventRow {
    pub(super) stream: StreamId,
    pub(super) sequence: i64,
    pub(super) event_type: String,
    pub(super) event_version: String,
    pub(super) payload: String,
    pub(super) metadata: String,
    pub(super) command_id: String,
}

/// A row that did not hold: which list, and which place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failed {
    Stream(usize),
    Guard(usize),
    Claim(usize),
    Ephemeral(usize),
}

impl Columns {
    /// Lays commands out in columns.
    ///
    /// # Errors
    /// The command whose events cannot be projected, and why.
    pub(super) fn of(commands: &[Waiting]) -> Result<Self, (usize, String)> {
        let mut columns = Self::default();
        let (mut changes, mut events) = (Changes::default(), Vec::new());
        let mut guards: HashMap<(StreamId, i64), usize> = HashMap::new();
        for (owner, waiting) in commands.iter().enumerate() {
            columns.add_events(owner, &waiting.append, &mut events, &mut changes)?;
            columns.add_changes(owner, &waiting.append);
            for guard in &waiting.append.guards {
                let place = *guards.entry((guard.stream.clone(), guard.version)).or_insert_with(|| {
                    columns.guards.push((guard.stream.clone(), guard.version));
                    columns.guard_owners.push(Vec::new());
                    columns.guards.len() - 1
                });
                columns.guard_owners[place].push(owner);
            }
        }
        columns.live = changes;
        columns.events = Arc::new(events);
        Ok(columns)
    }

    fn add_events(
        &mut self,
        owner: usize,
        append: &Append,
        events: &mut Vec<EventRow>,
        changes: &mut Changes,
    ) -> Result<(), (usize, String)> {
        let (metadata, command_id) = (append.metadata.to_json(), append.command_id.to_string());
        for appended in &append.streams {
            let mut sequence = appended.expected;
            for event in &appended.events {
                sequence += 1;
                events.push(EventRow {
                    stream: appended.stream.clone(),
                    sequence,
                    event_type: event.event_type.clone(),
                    event_version: event.event_version.clone(),
                    payload: event.payload.clone(),
                    metadata: metadata.clone(),
                    command_id: command_id.clone(),
                });
                let position = i64::try_from(events.len()).expect("a batch is small");
                let recorded =
                    Recorded { position, stream: &appended.stream, event: &event.event, terms: appended.terms.as_ref() };
                project(&recorded, changes).map_err(|error| (owner, error.to_string()))?;
            }
            self.streams.push(StreamRow {
                stream: appended.stream.clone(),
                expected: appended.expected,
                version: sequence,
                state: appended.state.clone(),
                state_version: appended.state_version,
            });
            self.stream_owner.push(owner);
        }
        self.last_event.push(i64::try_from(events.len()).expect("a batch is small"));
        Ok(())
    }

    fn add_changes(&mut self, owner: usize, append: &Append) {
        for change in &append.claims {
            match change {
                ClaimChange::Take { name, stream } => {
                    self.takes.push((name.clone(), stream.clone()));
                    self.take_owner.push(owner);
                }
                ClaimChange::Release { name } => self.releases.push(name.clone()),
            }
        }
        for change in &append.vault {
            match change {
                VaultChange::Put { kind, id, sealed } => self.vault_puts.push((kind, id.clone(), sealed.clone())),
                VaultChange::Delete { kind, id } => self.vault_deletes.push((kind, id.clone())),
            }
        }
        for change in &append.ephemeral {
            match change {
                EphemeralChange::Put { kind, key, value, expires_at } => {
                    self.ephemeral_puts.push((kind, key.clone(), value.clone(), expires_at.unix()));
                }
                EphemeralChange::Claim { kind, key, expires_at } => {
                    self.ephemeral_claims.push((kind, key.clone(), expires_at.unix()));
                    self.ephemeral_owner.push(owner);
                }
                EphemeralChange::Delete { kind, key } => self.ephemeral_deletes.push((kind, key.clone())),
            }
        }
    }

    /// The commands that a failed row stops, each with what it lost against.
    pub(super) fn losers(&self, failed: Failed) -> Vec<(usize, AppendError)> {
        match failed {
            Failed::Stream(place) => {
                vec![(self.stream_owner[place], AppendError::Conflict(self.streams[place].stream.clone()))]
            }
            Failed::Guard(place) => {
                let error = AppendError::GuardFailed(self.guards[place].0.clone());
                self.guard_owners[place].iter().map(|owner| (*owner, error.clone())).collect()
            }
            Failed::Claim(place) => vec![(self.take_owner[place], AppendError::ClaimTaken(self.takes[place].0.clone()))],
            Failed::Ephemeral(place) => {
                let (kind, key, _) = &self.ephemeral_claims[place];
                vec![(self.ephemeral_owner[place], AppendError::EphemeralTaken { kind, key: key.clone() })]
            }
        }
    }
}
