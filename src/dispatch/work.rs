//! One attempt at a command: what it loaded, what it stands on (guards), what it would write.

use std::{any::Any, sync::Arc};

use cqrs_es::{Aggregate, DomainEvent};
use domain::{CommandId, Decide, Event, Timestamp};
use uuid::Uuid;

use crate::{
    log::{Actor, Append, ClaimChange, EphemeralChange, Guard, Metadata, NewEvent, StreamAppend, Unavailable, VaultChange},
    trace,
};

use super::{Inner, heads::Head};

/// An aggregate as an attempt sees it.
pub struct Loaded<A> {
    pub id: Uuid,
    /// How many events its stream holds; 0 when it is new.
    pub version: i64,
    pub state: Arc<A>,
}

impl<A: Decide> Loaded<A> {
    /// A stream whose id was just made: there is nothing to load.
    pub(super) fn new_stream(id: Uuid) -> Self {
        Self { id, version: 0, state: Arc::new(A::default()) }
    }
}

/// What an aggregate decided: its events, and its state after them.
pub(super) type Decided<A> = (Vec<<A as Aggregate>::Event>, Arc<A>);

/// One attempt.
pub(super) struct Work<'a> {
    pub(super) inner: &'a Inner,
    pub(super) now: Timestamp,
    actor: Actor,
    fresh: bool,
    used_cache: bool,
    guards: Vec<Guard>,
    streams: Vec<StreamAppend>,
    heads: Vec<(domain::StreamId, Head)>,
    pub(super) claims: Vec<ClaimChange>,
    pub(super) vault: Vec<VaultChange>,
    pub(super) ephemeral: Vec<EphemeralChange>,
}

impl<'a> Work<'a> {
    pub(super) fn new(inner: &'a Inner, actor: Actor, fresh: bool) -> Self {
        Self {
            inner,
            now: inner.clock.now(),
            actor,
            fresh,
            used_cache: false,
            guards: Vec::new(),
            streams: Vec::new(),
            heads: Vec::new(),
            claims: Vec::new(),
            vault: Vec::new(),
            ephemeral: Vec::new(),
        }
    }

    /// Whether anything it decided on may be out of date: a refusal must then be decided again.
    pub(super) const fn used_cache(&self) -> bool {
        self.used_cache
    }

    /// Whether it would write anything.
    pub(super) const fn changes_nothing(&self) -> bool {
        self.streams.is_empty()
    }

    /// An aggregate that a command goes to. A remembered state will do: the append checks the version.
    pub(super) async fn load<A: Decide>(&mut self, id: Uuid) -> Result<Loaded<A>, Unavailable> {
        if !self.fresh
            && let Some(loaded) = self.inner.remembered::<A>(id)
        {
            self.used_cache = true;
            return Ok(loaded);
        }
        self.inner.load_fresh::<A>(id).await
    }

    /// An aggregate whose facts the decision stands on: the append fails when it has changed meanwhile.
    pub(super) async fn guard<A: Decide>(&mut self, id: Uuid) -> Result<Arc<A>, Unavailable> {
        let loaded = self.load::<A>(id).await?;
        self.guard_loaded(&loaded);
        Ok(loaded.state)
    }

    /// Makes an aggregate that was loaded already a guard.
    pub(super) fn guard_loaded<A: Decide>(&mut self, loaded: &Loaded<A>) {
        self.guards.push(Guard { stream: A::stream(loaded.id), version: loaded.version });
    }

    /// Lets the aggregate decide and takes its events into what is written.
    ///
    /// # Errors
    /// The rule by which it refuses.
    pub(super) fn decide<A>(&mut self, loaded: &Loaded<A>, command: A::Command) -> Result<Decided<A>, A::Error>
    where
        A: Decide,
        Event: From<A::Event>,
    {
        let events = loaded.state.decide(command)?;
        if events.is_empty() {
            return Ok((events, loaded.state.clone()));
        }
        let mut state = A::clone(&loaded.state);
        for event in &events {
            state.apply(event.clone());
        }
        let state = Arc::new(state);
        self.write(loaded, &events, &state);
        Ok((events, state))
    }

    fn write<A>(&mut self, loaded: &Loaded<A>, events: &[A::Event], state: &Arc<A>)
    where
        A: Decide,
        Event: From<A::Event>,
    {
        let stream = A::stream(loaded.id);
        let version = loaded.version + i64::try_from(events.len()).expect("a command makes a handful of events");
        let events = events.iter().map(|event| NewEvent {
            event_type: event.event_type(),
            event_version: event.event_version(),
            payload: serde_json::to_string(event).expect("an event has a JSON form"),
            event: event.clone().into(),
        });
        self.streams.push(StreamAppend {
            stream: stream.clone(),
            expected: loaded.version,
            events: events.collect(),
            state: serde_json::to_string(state.as_ref()).expect("a state has a JSON form"),
            state_version: A::STATE_VERSION,
            terms: (state.as_ref() as &dyn Any).downcast_ref::<domain::grant::Grant>().and_then(|grant| grant.terms().cloned()),
        });
        self.heads.push((stream, Head { version, state: state.clone() }));
    }

    /// What goes to the log, and the states to remember once it is there.
    pub(super) fn finish(self) -> (Append, Vec<(domain::StreamId, Head)>) {
        let append = Append {
            command_id: CommandId::new(Uuid::now_v7()),
            metadata: Metadata { actor: self.actor, traceparent: trace::current() },
            streams: self.streams,
            guards: self.guards,
            claims: self.claims,
            vault: self.vault,
            ephemeral: self.ephemeral,
        };
        (append, self.heads)
    }
}
