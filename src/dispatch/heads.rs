//! The states of streams that this process saw last. They may be out of date: whatever is decided on one is checked by version when
//! it is appended, and no refusal and no read stands on one.

use std::{any::Any, sync::Arc};

use domain::{Decide, StreamId};
use quick_cache::sync::Cache;
use uuid::Uuid;

use crate::log::{StoredHead, Unavailable};

use super::{Inner, work::Loaded};

/// How many states are remembered: about 1 kB each.
const REMEMBERED: usize = 16_384;

/// How many states are kept beside the text that they were read from.
const READ: usize = 1024;

/// A stream's version and state.
#[derive(Clone)]
pub(super) struct Head {
    pub(super) version: i64,
    pub(super) state: Arc<dyn Any + Send + Sync>,
}

/// What a stored state's text was read as. The same text is the same state, so that it is never out of date.
#[derive(Clone)]
struct Read {
    text: Arc<str>,
    state: Arc<dyn Any + Send + Sync>,
}

/// The remembered heads.
pub(super) struct Heads {
    seen: Cache<StreamId, Head>,
    read: Cache<StreamId, Read>,
}

impl Heads {
    pub(super) fn new() -> Self {
        Self { seen: Cache::new(REMEMBERED), read: Cache::new(READ) }
    }

    pub(super) fn remember(&self, stream: StreamId, head: Head) {
        self.seen.insert(stream, head);
    }

    pub(super) fn forget(&self, stream: &StreamId) {
        self.seen.remove(stream);
    }

    /// A stored state as the aggregate it was written from. What is looked up again and again, such as the client at every
    /// introspection, is read once.
    fn read<A: Decide>(&self, stream: &StreamId, text: &str) -> Result<Arc<A>, serde_json::Error> {
        if let Some(read) = self.read.get(stream)
            && *read.text == *text
            && let Ok(state) = read.state.downcast::<A>()
        {
            return Ok(state);
        }
        let state = Arc::new(serde_json::from_str::<A>(text)?);
        self.read.insert(stream.clone(), Read { text: text.into(), state: state.clone() });
        Ok(state)
    }
}

impl Inner {
    pub(super) fn remembered<A: Decide>(&self, id: Uuid) -> Option<Loaded<A>> {
        let head = self.heads.seen.get(&A::stream(id))?;
        let state = head.state.downcast::<A>().ok()?;
        Some(Loaded { id, version: head.version, state })
    }

    /// Reads the head from the store, and remembers it.
    pub(super) async fn load_fresh<A: Decide>(&self, id: Uuid) -> Result<Loaded<A>, Unavailable> {
        let stream = A::stream(id);
        let stored = self.log.load(std::slice::from_ref(&stream)).await?.pop().flatten();
        self.opened::<A>(id, stored).await
    }

    /// A stored head as an aggregate. A state that an older program wrote is folded anew from the events.
    pub(super) async fn opened<A: Decide>(&self, id: Uuid, stored: Option<StoredHead>) -> Result<Loaded<A>, Unavailable> {
        let Some(stored) = stored else {
            return Ok(Loaded::new_stream(id));
        };
        let stream = A::stream(id);
        let state = if stored.state_version == A::STATE_VERSION {
            self.heads.read::<A>(&stream, &stored.state).map_err(|error| {
                tracing::error!(%stream, %error, "a stream's state cannot be read");
                Unavailable
            })?
        } else {
            Arc::new(domain::aggregate::fold(self.log.read_stream::<A>(id).await?))
        };
        self.heads.remember(stream, Head { version: stored.version, state: state.clone() });
        Ok(Loaded { id, version: stored.version, state })
    }
}
