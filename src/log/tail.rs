//! The events that this process wrote last, as they are stored: what follows the log here has them without reading them back.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use super::{StoredEvent, batch::EventRow};

/// Bytes of events that are kept at most, about.
const KEPT: usize = 4 << 20;

/// The last batches that this process wrote, one after the other without a gap.
#[derive(Debug, Default)]
pub(super) struct Tail(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    batches: VecDeque<Batch>,
    bytes: usize,
}

#[derive(Debug)]
struct Batch {
    /// The position before its first event.
    base: i64,
    recorded_at: i64,
    events: Arc<Vec<EventRow>>,
    bytes: usize,
}

impl Batch {
    fn end(&self) -> i64 {
        self.base + i64::try_from(self.events.len()).expect("a batch is small")
    }
}

impl Tail {
    /// Keeps a batch that is durable. Those before it go where others wrote in between, and the oldest where it is too much.
    pub(super) fn push(&self, base: i64, recorded_at: i64, events: Arc<Vec<EventRow>>) {
        let bytes = events.iter().map(EventRow::bytes).sum();
        self.with_kept(|kept| {
            if kept.batches.back().is_some_and(|last| last.end() != base) {
                *kept = Kept::default();
            }
            kept.bytes += bytes;
            kept.batches.push_back(Batch { base, recorded_at, events, bytes });
            while kept.bytes > KEPT
                && let Some(oldest) = kept.batches.pop_front()
            {
                kept.bytes -= oldest.bytes;
            }
        });
    }

    /// Keeps nothing: the store is no longer the one that was written to.
    pub(super) fn clear(&self) {
        self.with_kept(|kept| *kept = Kept::default());
    }

    /// The events after a position, so many at most; `None` where the first of them is not kept, whether or not it is in the store.
    pub(super) fn after(&self, position: i64, limit: u32) -> Option<Vec<StoredEvent>> {
        let batches: Vec<(i64, i64, Arc<Vec<EventRow>>)> = self.with_kept(|kept| {
            let first = kept.batches.partition_point(|batch| batch.end() <= position);
            let mut left = i64::from(limit);
            let batches = kept.batches.range(first..).take_while(|batch| {
                let wanted = left > 0;
                left -= batch.end() - position.max(batch.base);
                wanted
            });
            batches.map(|batch| (batch.base, batch.recorded_at, batch.events.clone())).collect()
        });
        if batches.first()?.0 > position {
            return None;
        }
        let events = batches
            .iter()
            .flat_map(|(base, recorded_at, events)| (base + 1..).zip(events.iter()).map(move |of| (of, *recorded_at)))
            .skip_while(|((at, _), _)| *at <= position)
            .take(limit as usize);
        Some(events.map(|((position, event), recorded_at)| event.stored(position, recorded_at)).collect())
    }

    fn with_kept<T>(&self, change: impl FnOnce(&mut Kept) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl EventRow {
    fn bytes(&self) -> usize {
        self.payload.len() + self.metadata.len() + self.command_id.len() + self.event_type.len() + size_of::<Self>()
    }

    fn stored(&self, position: i64, recorded_at: i64) -> StoredEvent {
        StoredEvent {
            position,
            aggregate_type: self.stream.aggregate_type.to_owned(),
            aggregate_id: self.stream.aggregate_id.to_string(),
            sequence: self.sequence,
            event_type: self.event_type.clone(),
            event_version: self.event_version.clone(),
            payload: self.payload.clone(),
            metadata: self.metadata.clone(),
            command_id: self.command_id.clone(),
            recorded_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::StreamId;
    use uuid::Uuid;

    use super::{KEPT, Tail};
    use crate::log::batch::EventRow;

    fn events(count: usize, payload: &str) -> Arc<Vec<EventRow>> {
        let event = |sequence| EventRow {
            stream: StreamId { aggregate_type: "grant", aggregate_id: Uuid::from_u128(1) },
            sequence,
            event_type: "grant.revoked".to_owned(),
            event_version: "1".to_owned(),
            payload: payload.to_owned(),
            metadata: "{}".to_owned(),
            command_id: "c".to_owned(),
        };
        Arc::new((1..).take(count).map(event).collect())
    }

    fn positions(tail: &Tail, after: i64, limit: u32) -> Option<Vec<(i64, i64)>> {
        Some(tail.after(after, limit)?.iter().map(|event| (event.position, event.recorded_at)).collect())
    }

    #[test]
    fn gives_what_was_written_last_across_batches_up_to_the_limit() {
        let tail = Tail::default();
        assert_eq!(positions(&tail, 0, 10), None);
        tail.push(10, 7, events(2, "{}"));
        tail.push(12, 8, events(3, "{}"));
        assert_eq!(positions(&tail, 10, 9), Some(vec![(11, 7), (12, 7), (13, 8), (14, 8), (15, 8)]));
        assert_eq!(positions(&tail, 11, 2), Some(vec![(12, 7), (13, 8)]));
        assert_eq!(positions(&tail, 14, 9), Some(vec![(15, 8)]));
        assert_eq!(positions(&tail, 9, 9), None, "the one after it is in the store alone");
        assert_eq!(positions(&tail, 15, 9), None, "others may have written it");
    }

    #[test]
    fn what_others_wrote_in_between_is_a_new_beginning() {
        let tail = Tail::default();
        tail.push(0, 1, events(2, "{}"));
        tail.push(3, 2, events(1, "{}"));
        assert_eq!(positions(&tail, 0, 9), None);
        assert_eq!(positions(&tail, 3, 9), Some(vec![(4, 2)]));
        tail.clear();
        assert_eq!(positions(&tail, 3, 9), None);
    }

    #[test]
    fn the_oldest_go_when_it_is_too_much() {
        let tail = Tail::default();
        let payload = "x".repeat(KEPT / 3);
        for base in 0..5 {
            tail.push(base, base, events(1, &payload));
        }
        assert_eq!(positions(&tail, 2, 9), None);
        assert_eq!(positions(&tail, 3, 9), Some(vec![(4, 3), (5, 4)]));
    }
}
