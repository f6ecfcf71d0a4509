//! Knowing that none is missing, of the messages of one effect and the watermarks beside them: each message says which one came before it,
//! and each watermark how far the stream holds the log.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::Broken;

/// A watermark may be here before the messages that it tells of, by so much.
const PATIENCE: Duration = Duration::from_secs(2);
/// Watermarks that wait: one comes every second, and what is older than a minute tells nothing any more.
const WAITING: usize = 64;

/// Where a subscriber stands.
#[derive(Debug)]
pub(super) struct Chain {
    /// All messages up to here are known.
    position: i64,
    waiting: VecDeque<Mark>,
}

/// A watermark.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub(super) received: Instant,
    /// The stream holds the log up to here.
    pub(super) position: i64,
    /// The last message of the effect up to there.
    pub(super) last: i64,
    /// Where the log itself ended.
    pub(super) head: i64,
}

impl Chain {
    /// Begins where all is known.
    pub(super) const fn new(position: i64) -> Self {
        Self { position, waiting: VecDeque::new() }
    }

    /// All messages up to here are known.
    pub(super) const fn position(&self) -> i64 {
        self.position
    }

    /// Takes note of a message; whether it is new.
    ///
    /// # Errors
    /// That there was one before it which did not come.
    pub(super) fn message(&mut self, position: i64, prev: i64) -> Result<bool, Broken> {
        if position <= self.position {
            return Ok(false);
        }
        if prev > self.position {
            return Err(Broken::Missing(self.position));
        }
        self.position = position;
        Ok(true)
    }

    /// Takes note of a watermark.
    pub(super) fn mark(&mut self, mark: Mark) {
        if self.waiting.len() == WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back(mark);
    }

    /// The last moment at which all was known that there was, of those that can be told since the last call.
    pub(super) fn settle(&mut self) -> Option<Instant> {
        for mark in &self.waiting {
            if mark.last <= self.position {
                self.position = self.position.max(mark.position);
            }
        }
        let position = self.position;
        let whole = self.waiting.iter().filter(|mark| mark.head <= position).map(|mark| mark.received).max();
        self.waiting.retain(|mark| mark.head > position);
        whole
    }

    /// Looks whether a message that a watermark tells of should have come by now.
    ///
    /// # Errors
    /// That it has not.
    pub(super) fn check(&self, now: Instant) -> Result<(), Broken> {
        let late = |mark: &Mark| mark.last > self.position && now.duration_since(mark.received) > PATIENCE;
        if self.waiting.iter().any(late) { Err(Broken::Missing(self.position)) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(received: Instant, position: i64, last: i64, head: i64) -> Mark {
        Mark { received, position, last, head }
    }

    #[test]
    fn a_message_that_names_one_that_did_not_come_is_a_gap() {
        let mut chain = Chain::new(10);
        assert!(chain.message(15, 8).unwrap(), "all up to 10 was known by the snapshot");
        assert!(chain.message(20, 15).unwrap());
        assert!(!chain.message(15, 8).unwrap(), "again");
        assert!(matches!(chain.message(30, 25), Err(Broken::Missing(20))));
    }

    #[test]
    fn a_watermark_carries_on_where_there_was_nothing() {
        let (mut chain, now) = (Chain::new(10), Instant::now());
        chain.mark(mark(now, 40, 8, 40));
        assert_eq!((chain.settle(), chain.position()), (Some(now), 40));
        assert!(chain.message(41, 8).unwrap());
    }

    #[test]
    fn while_a_message_is_on_its_way_the_watermark_waits() {
        let (mut chain, now) = (Chain::new(10), Instant::now());
        chain.mark(mark(now, 40, 35, 40));
        assert_eq!((chain.settle(), chain.position()), (None, 10));
        chain.check(now).unwrap();
        assert!(matches!(chain.check(now + PATIENCE + Duration::from_millis(1)), Err(Broken::Missing(10))));
        assert!(chain.message(35, 9).unwrap());
        assert_eq!((chain.settle(), chain.position()), (Some(now), 40));
    }

    #[test]
    fn a_relay_that_lags_says_nothing_of_now_until_it_has_come_to_where_the_log_was() {
        let (mut chain, now) = (Chain::new(10), Instant::now());
        chain.mark(mark(now, 20, 5, 30));
        assert_eq!((chain.settle(), chain.position()), (None, 20));
        let later = now + Duration::from_secs(1);
        chain.mark(mark(later, 30, 5, 44));
        assert_eq!(chain.settle(), Some(now), "all that there was when the first was signed is known");
        chain.check(later + PATIENCE * 2).unwrap();
    }

    #[test]
    fn watermarks_do_not_pile_up() {
        let (mut chain, now) = (Chain::new(10), Instant::now());
        for position in 0..1_000 {
            chain.mark(mark(now, position, 0, 5_000));
            assert_eq!(chain.settle(), None);
        }
        assert_eq!(chain.waiting.len(), WAITING);
    }
}
