//! Comparing the log's rows with the tree that was signed: which were altered, inserted or removed behind the program's back.

mod leaves;
mod report;
mod rows;

use leaves::Leaves;
use report::TOLD;
pub use report::{Difference, Report};
use rows::Rows;
use tlog_tiles::Hash;

use super::{
    NoteError, Transparency, TreeError,
    tree::{self, Tree},
};
use crate::log::{StoredEvent, Unavailable};

/// How many events in a row may be inserted or removed, and those after them moved, so that it is told from altering them all.
const MOVED: usize = 64;

/// Why nothing could be compared.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    #[error("no checkpoint has been signed yet: a running server signs one within a second")]
    NothingSigned,
    #[error("the checkpoint in the store: {0}")]
    Checkpoint(NoteError),
    #[error("the checkpoint that was given: {0}")]
    Given(NoteError),
    #[error(transparent)]
    Tree(TreeError),
}

impl From<TreeError> for VerifyError {
    fn from(error: TreeError) -> Self {
        match error {
            TreeError::Unavailable(unavailable) => unavailable.into(),
            TreeError::Tile { .. } | TreeError::Tree(_) => Self::Tree(error),
        }
    }
}

impl Transparency {
    /// Compares every row of the log with the last signed checkpoint and with those given, which were kept elsewhere. Memory does not
    /// grow with the log. `progress` is told a position and the last one.
    ///
    /// # Errors
    /// That the store does not answer, or there is no checkpoint of this log to compare with.
    pub async fn verify_log(&self, given: &[String], progress: &mut (dyn FnMut(i64, i64) + Send)) -> Result<Report, VerifyError> {
        let log = &self.0.log;
        let key = self.verifier_key();
        let given = given.iter().map(|note| key.open(note)).collect::<Result<Vec<_>, _>>().map_err(VerifyError::Given)?;
        let (size, note) = log.sealed().await?.signed.ok_or(VerifyError::NothingSigned)?;
        let signed = key.open(&note).map_err(VerifyError::Checkpoint)?;
        let mut comparing = Comparing {
            rows: Rows::new(log),
            leaves: Leaves::new(log, size),
            moved: 0,
            next: 1,
            found: Tree::default(),
            report: Report { signed: size, ..Report::default() },
        };
        while let Some(row) = comparing.next_signed(size).await? {
            progress(row.position, size);
            comparing.compare(row).await?;
        }
        comparing.removed_before(size + 1);
        comparing.count_unsigned(size).await?;
        let found = (comparing.found.size() == size.unsigned_abs()).then(|| comparing.found.root()).transpose()?;
        let (of_tiles, damaged) = comparing.leaves.finish().await?;
        let mut report = comparing.report;
        let is_signed = |root: &Hash| signed.size() == size.unsigned_abs() && root == signed.hash();
        let events_are_signed = found.as_ref().is_some_and(is_signed);
        if events_are_signed {
            report.blame_tiles();
        }
        for (level, number) in damaged {
            report.add(Difference::Tile { level, number });
        }
        if !events_are_signed && !is_signed(&of_tiles) {
            report.add(Difference::Checkpoint { size: signed.size() });
        }
        for given in given {
            let root = match given.size() <= size.unsigned_abs() {
                true => Some(tree::stored_root(log, given.size()).await?),
                false => None,
            };
            if root.as_ref() != Some(given.hash()) {
                report.add(Difference::Checkpoint { size: given.size() });
            }
        }
        Ok(report)
    }
}

struct Comparing<'a> {
    rows: Rows<'a>,
    leaves: Leaves<'a>,
    /// How much further on the rows stood when they were signed: others were removed before them, or inserted (then it is negative).
    moved: i64,
    /// The next position, of those that were signed, that a row is looked for.
    next: i64,
    /// The tree of the rows as they stand.
    found: Tree,
    report: Report,
}

impl Comparing<'_> {
    /// The next row, as long as it stands for an event that was signed.
    async fn next_signed(&mut self, size: i64) -> Result<Option<StoredEvent>, VerifyError> {
        let moved = self.moved;
        match self.rows.peek(0).await? {
            Some(row) if row.position + moved <= size => Ok(self.rows.next().await?),
            Some(_) | None => Ok(None),
        }
    }

    /// Compares a row with what was signed.
    async fn compare(&mut self, row: StoredEvent) -> Result<(), VerifyError> {
        let row = Row { leaf: tree::leaf(&row), event: row };
        self.found.note(row.leaf);
        if row.event.position < 1 {
            self.report.add(Difference::Inserted(row.event.position));
            return Ok(());
        }
        self.removed_before(row.event.position + self.moved);
        if self.stood_at(&row, self.next).await? {
            self.next += 1;
            return Ok(());
        }
        if self.report.differences.len() < TOLD {
            for further in (1..).take(MOVED) {
                if self.stood_at(&row, self.next + further).await? {
                    self.moved += further;
                    self.removed_before(self.next + further);
                    self.next += 1;
                    return Ok(());
                }
            }
            if let Some(inserted) = self.inserted_before_next().await? {
                return self.pass_inserted(&row, inserted).await;
            }
        }
        self.report.add(Difference::Altered(row.event.position));
        self.next += 1;
        Ok(())
    }

    /// Whether the row is what was signed at a position, but for its own.
    async fn stood_at(&mut self, row: &Row, position: i64) -> Result<bool, VerifyError> {
        let Some(signed) = self.leaves.at(position).await? else { return Ok(false) };
        if row.event.position == position {
            return Ok(row.leaf == signed);
        }
        Ok(tree::leaf(&StoredEvent { position, ..row.event.clone() }) == signed)
    }

    /// How many rows after this one follow that were not signed either, before the one that stood in its place.
    async fn inserted_before_next(&mut self) -> Result<Option<usize>, VerifyError> {
        for at in 0..MOVED {
            let Some(later) = self.rows.peek(at).await?.cloned() else { return Ok(None) };
            let later = Row { leaf: tree::leaf(&later), event: later };
            if self.stood_at(&later, self.next).await? {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    async fn pass_inserted(&mut self, row: &Row, more: usize) -> Result<(), VerifyError> {
        self.report.add(Difference::Inserted(row.event.position));
        self.moved -= 1;
        for _ in 0..more {
            let Some(row) = self.rows.next().await? else { break };
            self.report.add(Difference::Inserted(row.position));
            self.moved -= 1;
            self.found.note(tree::leaf(&row));
        }
        Ok(())
    }

    /// What was signed up to a position, and was not found, is gone.
    fn removed_before(&mut self, position: i64) {
        while self.next < position {
            self.report.add(Difference::Removed(self.next));
            self.next += 1;
        }
    }

    /// Counts what follows what was signed. A gap there, or a row beyond the head, is none of the program's.
    async fn count_unsigned(&mut self, size: i64) -> Result<(), VerifyError> {
        let mut head = self.rows.log().head().await?;
        let mut expected = size + 1 - self.moved;
        while let Some(row) = self.rows.next().await? {
            if row.position > head {
                head = self.rows.log().head().await?;
            }
            for missing in expected..row.position {
                self.report.add(Difference::Removed(missing));
            }
            expected = row.position + 1;
            if row.position > head {
                self.report.add(Difference::Inserted(row.position));
            } else {
                self.report.unsigned += 1;
            }
        }
        Ok(())
    }
}

/// A row with its leaf, as it stands.
struct Row {
    event: StoredEvent,
    leaf: Hash,
}
