//! Growing the tree: the events after its last leaf are taken in, the tiles and a signed checkpoint are kept in one transaction.

use std::{path::PathBuf, time::Duration};

use futures_util::FutureExt;

use super::{
    super::runner::{self, Stopped},
    NoteError, SignedCheckpoint, Transparency, TreeError,
    file::CheckpointFile,
    tree::{self, Tree},
};
use crate::log::{Sealed, StoredEvent, Tile, TurnOf, Unavailable};

/// What it is called among the followers of the log.
const NAME: &str = "transparency";
/// Events that are taken in at once while the tree is behind.
const BATCH: u32 = 4096;
/// The rest after the tree has caught up: so often a checkpoint is signed at most.
const REST: Duration = Duration::from_secs(1);
/// How long it is waited for an event before it is looked all the same.
const LOOK: Duration = Duration::from_secs(5);
/// How often, and how long apart, it is tried to take in what is asked for while another node has the turn.
const TRIES: usize = 200;
const PAUSE: Duration = Duration::from_millis(50);

/// Why the tree does not grow. All but `Unavailable` means that the store is not what was signed: nothing is signed any more, until a
/// person has mended it.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    #[error(transparent)]
    Tree(TreeError),
    #[error("the event at position {0} is missing in the log")]
    Missing(i64),
    #[error("the event at position {0} is not what was taken into the tree")]
    Altered(i64),
    #[error("the checkpoint in the store is none of this log: {0}")]
    Checkpoint(#[from] NoteError),
    #[error("a checkpoint of {size} events was signed, but the tree that is kept is another")]
    Fork { size: u64 },
    #[error("a checkpoint of {signed} events was signed, but the tree holds {kept}: was the store put back to an earlier state?")]
    Shorter { signed: u64, kept: u64 },
    #[error("transparency.checkpoint_file cannot be read: {0}")]
    File(#[from] std::io::Error),
}

impl From<TreeError> for SealError {
    fn from(error: TreeError) -> Self {
        match error {
            TreeError::Unavailable(unavailable) => unavailable.into(),
            TreeError::Tile { .. } | TreeError::Tree(_) => Self::Tree(error),
        }
    }
}

/// What came of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The tree holds what the log held, and all of it is signed.
    Level,
    /// There is more to take in.
    Behind,
    /// Another node has the turn.
    Elsewhere,
}

/// Grows the tree as long as it is awaited, and keeps each checkpoint in a file where one is named. Several nodes may: each turn is one
/// node's.
pub async fn run(transparency: Transparency, checkpoint_file: Option<PathBuf>) {
    runner::run_everywhere(NAME, move || follow(transparency.clone(), checkpoint_file.clone()).boxed()).await;
}

/// As [`run`], until something is in the way. That the store is not what was signed is fatal.
pub async fn follow(transparency: Transparency, checkpoint_file: Option<PathBuf>) -> Stopped {
    let mut file = checkpoint_file.map(CheckpointFile::new);
    let mut head = transparency.0.log.watch();
    loop {
        match transparency.turn_with(file.as_mut()).await {
            Ok(Step::Behind) => continue,
            Ok(Step::Level | Step::Elsewhere) => {}
            Err(SealError::Unavailable(unavailable)) => return Stopped::Passing(unavailable.to_string()),
            Err(error) => {
                return Stopped::Fatal(format!("{error}. Nothing more is signed; `grantlog audit verify-log` tells more"));
            }
        }
        tokio::time::sleep(REST).await;
        let size = transparency.latest_size();
        drop(tokio::time::timeout(LOOK, head.wait_for(|head| u64::try_from(*head).is_ok_and(|head| head > size))).await);
    }
}

impl Transparency {
    async fn turn_with(&self, file: Option<&mut CheckpointFile>) -> Result<Step, SealError> {
        let Some(file) = file else { return self.turn().await };
        file.check(self).await?;
        let step = self.turn().await?;
        let latest = self.0.latest.borrow().clone();
        if let Some(latest) = latest
            && let Err(error) = file.keep(&latest).await
        {
            tracing::warn!(%error, "transparency.checkpoint_file cannot be written: the next turn tries again");
        }
        Ok(step)
    }

    /// Takes in the next events, if there are any and no other node does it.
    ///
    /// # Errors
    /// That the store does not answer, or is not what was signed.
    pub async fn turn(&self) -> Result<Step, SealError> {
        let Some(turn) = self.0.log.turn(TurnOf::Seal).await? else {
            self.publish(&self.0.log.sealed().await?);
            return Ok(Step::Elsewhere);
        };
        let step = self.grow().await;
        let given_back = turn.give_back().await;
        let step = step?;
        given_back?;
        Ok(step)
    }

    /// A checkpoint of a tree that holds a position, which must be in the log.
    ///
    /// # Errors
    /// As [`Transparency::turn`].
    pub async fn signed_with(&self, position: i64) -> Result<SignedCheckpoint, SealError> {
        let mut tries = 0;
        while tries < TRIES {
            if let Some(signed) = self.signed().await?
                && signed.size >= position.unsigned_abs()
            {
                return Ok(signed);
            }
            match self.turn().await? {
                // However far behind it is, it comes nearer.
                Step::Behind => continue,
                Step::Level => {}
                Step::Elsewhere => tokio::time::sleep(PAUSE).await,
            }
            tries += 1;
        }
        Err(Unavailable.into())
    }

    /// How many events the last checkpoint holds that this node knows of.
    fn latest_size(&self) -> u64 {
        self.0.latest.borrow().as_ref().map_or(0, |latest| latest.size)
    }

    async fn grow(&self) -> Result<Step, SealError> {
        let log = &self.0.log;
        // Whoever gives up in the middle leaves none: the next reads it again.
        let mut held = self.0.tree.lock().await;
        let sealed = log.sealed().await?;
        let mut tree = match held.take().filter(|tree| tree.size() == sealed.position.unsigned_abs()) {
            Some(tree) => tree,
            None => self.load(&sealed).await?,
        };
        let new = self.take_in(&mut tree, sealed.position).await?;
        let step = if new < BATCH { Step::Level } else { Step::Behind };
        let signed = sealed.signed.as_ref().map_or(0, |(size, _)| *size);
        let mut next = Sealed { position: sealed.position + i64::from(new), signed: None };
        if step == Step::Level && next.position > signed {
            let checkpoint = self.0.key.sign(tree.size(), tree.root()?);
            next.signed = Some((next.position, checkpoint.note));
        }
        if new == 0 && next.signed.is_none() {
            *held = Some(tree);
            self.publish(&sealed);
            return Ok(step);
        }
        let mut tiles: Vec<Tile> = tree.take_full();
        tiles.extend(tree.take_changed_edge());
        if !log.seal(sealed.position, tiles, next.clone()).await? {
            return Ok(Step::Elsewhere);
        }
        *held = Some(tree);
        self.publish(&next);
        Ok(step)
    }

    /// Takes the events after a position into the tree, and gives how many: those that this process wrote as it wrote them, so that what is
    /// done to them in the store before that is noticed too. The last event that it holds is looked at again: a log that was cut is noticed
    /// before something else stands in its place.
    async fn take_in(&self, tree: &mut Tree, position: i64) -> Result<u32, SealError> {
        let log = &self.0.log;
        if position > 0 {
            let last = log.read(position - 1, 1).await?;
            let last: Option<&StoredEvent> = last.first().filter(|event| event.position == position);
            let leaf = tree::leaf(last.ok_or(SealError::Missing(position))?);
            if tree.last_leaf().is_some_and(|taken| taken != leaf) {
                return Err(SealError::Altered(position));
            }
        }
        let (mut new, mut expected) = (0, position + 1);
        for event in &log.read_as_written(position, BATCH).await? {
            if event.position != expected {
                return Err(SealError::Missing(expected));
            }
            tree.push(tree::leaf(event));
            (new, expected) = (new + 1, expected + 1);
        }
        Ok(new)
    }

    /// Reads the tree's edge from the store, where it goes on from what was signed.
    async fn load(&self, sealed: &Sealed) -> Result<Tree, SealError> {
        let kept = sealed.position.unsigned_abs();
        let latest = self.latest_size();
        if latest > kept {
            return Err(SealError::Shorter { signed: latest, kept });
        }
        if let Some((_, note)) = &sealed.signed {
            self.check_extends(note, kept).await?;
        }
        Ok(Tree::load(&self.0.log, kept).await?)
    }

    /// Checks that the tree that is kept goes on from a checkpoint of ours.
    pub(super) async fn check_extends(&self, note: &str, kept: u64) -> Result<(), SealError> {
        let signed = self.verifier_key().open(note)?;
        let size = signed.size();
        if size > kept {
            return Err(SealError::Shorter { signed: size, kept });
        }
        let root = tree::stored_root(&self.0.log, size).await?;
        if root == *signed.hash() { Ok(()) } else { Err(SealError::Fork { size }) }
    }

    /// Lets others know how far the tree is.
    fn publish(&self, sealed: &Sealed) {
        let behind = self.0.log.known_head().saturating_sub(sealed.position).max(0);
        metrics::gauge!("grantlog_transparency_behind").set(behind as f64);
        let Some((size, note)) = &sealed.signed else { return };
        metrics::gauge!("grantlog_transparency_size").set(*size as f64);
        let size = size.unsigned_abs();
        self.0.latest.send_if_modified(|latest| {
            let newer = latest.as_ref().is_none_or(|latest| latest.size < size);
            if newer {
                *latest = Some(SignedCheckpoint { size, note: note.clone() });
            }
            newer
        });
    }
}
