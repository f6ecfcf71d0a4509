//! The rows of the log in the order of their positions, with a look at those that come.

use std::collections::VecDeque;

use crate::log::{Log, StoredEvent, Unavailable};

/// Rows that are read at a time.
const PAGE: u32 = 1000;

pub(super) struct Rows<'a> {
    log: &'a Log,
    /// The position of the last row that was read. Rows below the first position are read too.
    after: i64,
    ahead: VecDeque<StoredEvent>,
    ended: bool,
}

impl<'a> Rows<'a> {
    pub(super) const fn new(log: &'a Log) -> Self {
        Self { log, after: i64::MIN, ahead: VecDeque::new(), ended: false }
    }

    pub(super) const fn log(&self) -> &'a Log {
        self.log
    }

    /// The row that comes after so many others.
    pub(super) async fn peek(&mut self, at: usize) -> Result<Option<&StoredEvent>, Unavailable> {
        while self.ahead.len() <= at && !self.ended {
            let mut page = self.log.read(self.after, PAGE).await?;
            if self.after < 0 {
                // Below the first position there is but the table; from there on, the archive is read too.
                page.retain(|row| row.position <= 0);
                self.after = page.last().map_or(0, |last| last.position);
            } else {
                self.ended = page.is_empty();
                self.after = page.last().map_or(self.after, |last| last.position);
            }
            self.ahead.extend(page);
        }
        Ok(self.ahead.get(at))
    }

    /// The row that comes next.
    pub(super) async fn next(&mut self) -> Result<Option<StoredEvent>, Unavailable> {
        self.peek(0).await?;
        Ok(self.ahead.pop_front())
    }
}
