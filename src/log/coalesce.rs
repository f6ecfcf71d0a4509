//! Concurrent look-ups of one kind share a query: whoever comes while one is under way goes into the next. No answer is kept.

use std::{
    collections::{HashMap, HashSet},
    future::Future,
    hash::Hash,
};

use tokio::sync::{mpsc, oneshot};

use super::{LOOK_UP, Unavailable};

/// Look-ups that wait at most; beyond, callers are told to come back.
const QUEUE: usize = 8192;
/// Keys of one query at most.
const BATCH: usize = 512;

struct LookUp<K, V> {
    key: K,
    answer: oneshot::Sender<Result<Option<V>, Unavailable>>,
}

/// Looks up values by key. Cheap to clone.
pub struct Coalescer<K, V> {
    queue: mpsc::Sender<LookUp<K, V>>,
}

impl<K, V> Clone for Coalescer<K, V> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone() }
    }
}

impl<K, V> Coalescer<K, V>
where
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + 'static,
{
    /// Takes the query that answers many keys. `name` is for the metrics.
    pub fn new<Q, F>(name: &'static str, query: Q) -> Self
    where
        Q: Fn(Vec<K>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<HashMap<K, V>, Unavailable>> + Send + 'static,
    {
        let (queue, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(work(name, waiting, query));
        Self { queue }
    }

    /// The value of a key as it is now.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer, or too many wait.
    pub async fn get(&self, key: K) -> Result<Option<V>, Unavailable> {
        let (answer, outcome) = oneshot::channel();
        self.queue.try_send(LookUp { key, answer }).map_err(|_| Unavailable)?;
        outcome.await.unwrap_or(Err(Unavailable))
    }
}

/// One query of a kind at a time: two would share the same look-ups in smaller batches, and a query costs more than a key.
async fn work<K, V, Q, F>(name: &'static str, mut waiting: mpsc::Receiver<LookUp<K, V>>, query: Q)
where
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + 'static,
    Q: Fn(Vec<K>) -> F + Send + Sync + 'static,
    F: Future<Output = Result<HashMap<K, V>, Unavailable>> + Send + 'static,
{
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let Some(first) = waiting.recv().await else { return };
        batch.push(first);
        // Whoever is about to ask comes along: a query costs more than a key.
        tokio::task::yield_now().await;
        while batch.len() < BATCH
            && let Ok(next) = waiting.try_recv()
        {
            batch.push(next);
        }
        metrics::histogram!("grantlog_lookup_batch", "kind" => name).record(u32::try_from(batch.len()).unwrap_or(u32::MAX));
        let keys: HashSet<K> = batch.iter().map(|look_up: &LookUp<K, V>| look_up.key.clone()).collect();
        let each_asked_once = keys.len() == batch.len();
        let answered = tokio::time::timeout(LOOK_UP, query(keys.into_iter().collect())).await;
        match answered.unwrap_or(Err(Unavailable)) {
            Ok(mut found) => {
                for look_up in batch.drain(..) {
                    let value = if each_asked_once { found.remove(&look_up.key) } else { found.get(&look_up.key).cloned() };
                    drop(look_up.answer.send(Ok(value)));
                }
            }
            Err(unavailable) => {
                for look_up in batch.drain(..) {
                    drop(look_up.answer.send(Err(unavailable)));
                }
            }
        }
    }
}
