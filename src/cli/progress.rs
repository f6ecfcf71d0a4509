//! Progress of what takes more than a second, on a terminal's standard error.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// What is quicker needs no bar.
const WAIT: Duration = Duration::from_secs(1);

/// Counts what is done, and shows it once it has taken a while.
pub(super) struct Progress {
    what: &'static str,
    begun: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Takes what is counted, for example `users`.
    pub(super) fn of(what: &'static str) -> Self {
        Self { what, begun: Instant::now(), bar: None }
    }

    /// Tells how much is done, of how much in all.
    pub(super) fn at(&mut self, done: u64, all: u64) {
        if self.bar.is_none() && self.begun.elapsed() > WAIT {
            let style = ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} {msg}, {per_sec}, {eta} left");
            let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
            self.bar = Some(ProgressBar::new(all).with_style(style).with_message(self.what).with_elapsed(self.begun.elapsed()));
        }
        if let Some(bar) = &self.bar {
            bar.set_length(all);
            bar.set_position(done);
        }
    }

    /// Tells how far it is in the log.
    pub(super) fn at_position(&mut self, position: i64, last: i64) {
        self.at(position.unsigned_abs(), last.unsigned_abs());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
