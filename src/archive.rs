//! The archive with the tree over the log beside it: each segment that is made says the root of the tree that ends with it, and what was archived
//! can be held against the tree.

use domain::Timestamp;

use crate::{
    follow::transparency::{FoundTree, TreeError, root_at},
    log::{
        Log,
        archive::{ArchiveError, Archived, CheckedSegment, Manifest, Segment, SegmentError},
    },
};

/// What came of checking the archive.
#[derive(Debug, Default)]
pub struct Checked {
    /// Segments that hold what was archived.
    pub segments: u64,
    /// How many of them say a root, which is the tree's.
    pub rooted: u64,
    /// The position up to which they go.
    pub until: i64,
    /// The first that does not hold it, and which of its files tells so; nothing was looked at beyond.
    pub wrong: Option<(Segment, SegmentError)>,
}

/// Moves old events into the archive, as [`Log::archive_old`] does, with the tree's roots where the settings let it grow.
///
/// # Errors
/// As there, or that the tree in the store is not whole.
pub async fn archive_old(
    log: &Log,
    now: Timestamp,
    rest: u32,
    progress: impl FnMut(i64, i64) + Send,
) -> Result<Archived, ArchiveError> {
    log.archive_old(now, rest, |size| root(log, size), progress).await
}

/// Reads every segment, and holds its files against the store, against one another, and the tree of all events up to its end against the tree in
/// the store. `progress` is told a position and the last one.
///
/// # Errors
/// That the store does not answer, or the settings name no folder.
pub async fn check(log: &Log, mut progress: impl FnMut(i64, i64) + Send) -> Result<Checked, ArchiveError> {
    let segments = log.segments().await?;
    // Asked after them: whatever they say a root of, the tree held by then.
    let held = log.sealed().await?.position;
    let (mut checked, mut found) = (Checked::default(), FoundTree::default());
    let end = segments.last().map_or(0, |last| last.last);
    for segment in segments {
        let manifest = match check_segment(log, checked.until, &segment, (held, &mut found)).await {
            Ok(manifest) => manifest,
            Err(ArchiveError::Segment(error)) => {
                checked.wrong = Some((segment, error));
                break;
            }
            Err(error) => return Err(error),
        };
        checked.segments += 1;
        checked.rooted += u64::from(manifest.tree_root.is_some());
        checked.until = manifest.last;
        progress(checked.until, end);
    }
    Ok(checked)
}

/// Checks a segment that goes on after a position: with the tree that is kept, so far as it goes, and with that of all events before it.
async fn check_segment(
    log: &Log,
    after: i64,
    segment: &Segment,
    (held, found): (i64, &mut FoundTree),
) -> Result<Manifest, ArchiveError> {
    let CheckedSegment { events, manifest, path } = log.check_segment(after, segment).await?;
    events.iter().for_each(|event| found.add(event));
    let size = manifest.last;
    let of_events = found.root().map_err(|error| no_root(size, &error))?;
    let why = if manifest.tree_root.as_ref().is_some_and(|told| *told != of_events) {
        "its tree_root is not that of the events"
    } else if size <= held && root(log, size).await? != of_events {
        "the tree in the store has another root there"
    } else if size > held && manifest.tree_root.is_some() {
        "the tree in the store does not go so far"
    } else {
        return Ok(manifest);
    };
    Err(SegmentError::Damaged { path, why: why.to_owned() }.into())
}

async fn root(log: &Log, size: i64) -> Result<String, ArchiveError> {
    root_at(log, size).await.map_err(|error| match error {
        TreeError::Unavailable(unavailable) => unavailable.into(),
        TreeError::Tile { .. } | TreeError::Tree(_) => no_root(size, &error),
    })
}

fn no_root(size: i64, error: &TreeError) -> ArchiveError {
    ArchiveError::NoRoot { size, why: error.to_string() }
}
