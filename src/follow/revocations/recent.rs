//! The revocations that this node has met since it began to follow, as many as it keeps.

use std::{collections::VecDeque, sync::Arc};

use super::{Entry, Page};

/// Entries kept at most: beyond, the oldest are read from the log again.
const KEPT: usize = 100_000;

/// The revocations between two positions.
#[derive(Debug, Default)]
pub(super) struct Recent {
    /// Nothing after this is missing.
    from: i64,
    position: i64,
    entries: VecDeque<Arc<Entry>>,
}

impl Recent {
    /// Begins at a position.
    pub(super) const fn from(position: i64) -> Self {
        Self { from: position, position, entries: VecDeque::new() }
    }

    /// Up to where all is known.
    pub(super) const fn position(&self) -> i64 {
        self.position
    }

    /// Takes in what follows, up to a position.
    pub(super) fn extend(&mut self, entries: Vec<Arc<Entry>>, position: i64) {
        self.entries.extend(entries);
        self.position = self.position.max(position);
        while self.entries.len() > KEPT
            && let Some(oldest) = self.entries.pop_front()
        {
            self.from = oldest.position;
        }
    }

    /// The entries after a position; `None` where it is before all that is kept.
    pub(super) fn after(&self, position: i64, limit: u32) -> Option<Page> {
        if position < self.from {
            return None;
        }
        let first = self.entries.partition_point(|entry| entry.position <= position);
        let entries: Vec<_> = self.entries.iter().skip(first).take(limit as usize).cloned().collect();
        let more = first + entries.len() < self.entries.len();
        let reached = entries.last().filter(|_| more).map_or(self.position, |last| last.position);
        Some(Page { entries, position: reached.max(position), more })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::follow::{
        relay::message::{Ended, Reason},
        revocations::Concerns,
    };

    fn entry(position: i64) -> Arc<Entry> {
        let (what, reason) = (Ended::Issuer { before: position }, Reason::LogRestored);
        Arc::new(Entry { position, what, reason, actor: String::new(), at: 0, forget_after: 0, concerns: Concerns::Everybody })
    }

    fn positions(page: &Page) -> Vec<i64> {
        page.entries.iter().map(|entry| entry.position).collect()
    }

    #[test]
    fn a_page_reaches_to_what_is_known_where_nothing_more_follows() {
        let mut recent = Recent::from(10);
        recent.extend(vec![entry(12), entry(15)], 20);
        let page = recent.after(10, 10).unwrap();
        assert_eq!((positions(&page), page.position, page.more), (vec![12, 15], 20, false));
        let page = recent.after(12, 10).unwrap();
        assert_eq!((positions(&page), page.position), (vec![15], 20));
        let page = recent.after(25, 10).unwrap();
        assert_eq!((positions(&page), page.position, page.more), (vec![], 25, false));
    }

    #[test]
    fn a_full_page_reaches_to_its_last_entry() {
        let mut recent = Recent::from(0);
        recent.extend(vec![entry(1), entry(2), entry(3)], 9);
        let page = recent.after(0, 2).unwrap();
        assert_eq!((positions(&page), page.position, page.more), (vec![1, 2], 2, true));
    }

    #[test]
    fn what_lies_before_all_that_is_kept_is_not_answered() {
        let mut recent = Recent::from(5);
        assert!(recent.after(4, 1).is_none());
        recent.extend((6..6 + KEPT as i64 + 1).map(entry).collect(), 1_000_000);
        assert!(recent.after(5, 1).is_none(), "its entry was given up");
        assert_eq!(positions(&recent.after(6, 1).unwrap()), [7]);
    }
}
