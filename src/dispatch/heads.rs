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

/// A stream's version and state.
#[derive(Clone)]
pub(super) struct Head {
    pub(super) version: i64,
    pub(super) state: Arc<dyn Any + Send + Sync>,
}

/// The remembered heads.
pub(super) struct Heads(Cache<StreamId, Head>);

impl Heads {
    pub(super) fn new() -> Self {
        Self(Cache::new(REMEMBERED))
    }

    pub(super) fn remember(&self, stream: StreamId, head: Head) {
        self.0.insert(stream, head);
    }

    pub(super) fn forget(&self, stream: &StreamId) {
        self.0.remove(stream);
    }
}

impl Inner {
    pub(super) fn remembered<A: Decide>(&self, id: Uuid) -> Option<Loaded<A>> {
        let head = self.heads.0.get(&A::stream(id))?;
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
        let state = if stored.state_version == A::STATE_VERSION {
            serde_json::from_str(&stored.state).map_err(|error| {
                tracing::error!(stream = %A::stream(id), %error, "a stream's state cannot be read");
                Unavailable
            })?
        } else {
            domain::aggregate::fold(self.log.read_stream::<A>(id).await?)
        };
        let state: Arc<A> = Arc::new(state);
        self.heads.remember(A::stream(id), Head { version: stored.version, state: state.clone() });
        Ok(Loaded { id, version: stored.version, state })
    }
}
