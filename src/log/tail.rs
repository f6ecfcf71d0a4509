//! The events that this process wrote last, as they are stored: what follows the log here has them without reading them back.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use super::{StoredEvent, batch::EventRow};

/// Bytes of events that are kept at most, about: more than a second's, for the tree takes them in once a second.
const KEPT: usize = 16 << 20;

/// The last batches that this process wrote, one after the other without a gap.
#[derive(Debug, Default)]
pub(super) struct Tail(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    batches: VecDeque<Batch>,
    bytes: usize,
}

#[derive(Clone, Debug)]
struct Batch {
    /// The position before its first event.
    base: i64,
    recorded_at: i64,
    events: Arc<Vec<EventRow>>,
    bytes: usize,
}

/// An event, and where and when it was written.
struct Numbered<'a> {
    position: i64,
    recorded_at: i64,
    event: &'a EventRow,
}

impl Batch {
    fn end(&self) -> i64 {
        self.base + i64::try_from(self.events.len()).expect("a batch is small")
    }

    fn numbered(&self) -> impl Iterator<Item = Numbered<'_>> {
        let recorded_at = self.recorded_at;
        (self.base + 1..).zip(self.events.iter()).map(move |(position, event)| Numbered { position, recorded_at, event })
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
        let mut left = i64::from(limit);
        let batches = self.batches_after(position, |batch| {
            let wanted = left > 0;
            left -= batch.end() - position.max(batch.base);
            wanted
        })?;
        Some(
            batches
                .iter()
                .flat_map(Batch::numbered)
                .filter(|of| of.position > position)
                .take(limit as usize)
                .map(Numbered::stored)
                .collect(),
        )
    }

    /// The events of these types after a position and up to another, so many at most; `None` where not all that stand there are kept.
    pub(super) fn of_types(&self, types: &[String], (after, to): (i64, i64), limit: u32) -> Option<Vec<StoredEvent>> {
        let batches = self.batches_after(after, |batch| batch.base < to)?;
        if batches.last()?.end() < to {
            return None;
        }
        let there = batches.iter().flat_map(Batch::numbered).filter(|of| of.position > after && of.position <= to);
        let wanted = there.filter(|of| types.contains(&of.event.event_type));
        Some(wanted.take(limit as usize).map(Numbered::stored).collect())
    }

    /// The batches from that on which holds the first event after a position, as long as they are wanted; `None` where it is not kept.
    fn batches_after(&self, position: i64, wanted: impl FnMut(&&Batch) -> bool) -> Option<Vec<Batch>> {
        let batches: Vec<Batch> = self.with_kept(|kept| {
            let first = kept.batches.partition_point(|batch| batch.end() <= position);
            kept.batches.range(first..).take_while(wanted).cloned().collect()
        });
        (batches.first()?.base <= position).then_some(batches)
    }

    fn with_kept<T>(&self, change: impl FnOnce(&mut Kept) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl EventRow {
    fn bytes(&self) -> usize {
        self.payload.len() + self.metadata.len() + self.command_id.len() + self.event_type.len() + size_of::<Self>()
    }
}

impl Numbered<'_> {
    fn stored(self) -> StoredEvent {
        let Numbered { position, recorded_at, event } = self;
        StoredEvent {
            position,
            aggregate_type: event.stream.aggregate_type.to_owned(),
            aggregate_id: event.stream.aggregate_id.to_string(),
            sequence: event.sequence,
            event_type: event.event_type.clone(),
            event_version: event.event_version.clone(),
            payload: event.payload.clone(),
            metadata: event.metadata.clone(),
            command_id: event.command_id.clone(),
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

    fn event(sequence: i64, payload: &str) -> EventRow {
        EventRow {
            stream: StreamId { aggregate_type: "grant", aggregate_id: Uuid::from_u128(1) },
            sequence,
            event_type: "grant.revoked".to_owned(),
            event_version: "1".to_owned(),
            payload: payload.to_owned(),
            metadata: "{}".to_owned(),
            command_id: "c".to_owned(),
        }
    }

    fn events(count: usize, payload: &str) -> Arc<Vec<EventRow>> {
        Arc::new((1..).take(count).map(|sequence| event(sequence, payload)).collect())
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
    fn gives_the_types_that_are_wanted_where_all_that_stand_there_are_kept() {
        let tail = Tail::default();
        let types = ["grant.revoked".to_owned()];
        let found = |after, to, limit| {
            let found = tail.of_types(&types, (after, to), limit)?;
            Some(found.iter().map(|event| event.position).collect::<Vec<_>>())
        };
        assert_eq!(found(0, 0, 9), None);
        tail.push(10, 7, events(3, "{}"));
        tail.push(13, 8, Arc::new(vec![EventRow { event_type: "client.registered".to_owned(), ..event(1, "{}") }]));
        tail.push(14, 9, events(2, "{}"));
        assert_eq!(found(10, 16, 9), Some(vec![11, 12, 13, 15, 16]));
        assert_eq!(found(11, 15, 9), Some(vec![12, 13, 15]));
        assert_eq!(found(11, 15, 2), Some(vec![12, 13]));
        assert_eq!(found(13, 14, 9), Some(vec![]));
        assert_eq!(found(9, 16, 9), None, "the first is in the store alone");
        assert_eq!(found(10, 17, 9), None, "others may have written the last");
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
