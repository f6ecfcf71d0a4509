//! Holding the files of a segment against what the store knows of it, and against one another.

use std::path::{Path, PathBuf};

use super::{ArchiveError, Manifest, Segment, SegmentError, segment};
use crate::log::{Log, StoredEvent};

/// A segment whose files hold what was archived.
#[derive(Clone, Debug)]
pub struct CheckedSegment {
    pub events: Vec<StoredEvent>,
    pub manifest: Manifest,
    /// Where the manifest is.
    pub path: PathBuf,
}

impl Log {
    /// Reads the files of a segment, which has to go on after a position.
    ///
    /// # Errors
    /// Which of them is not there, or does not hold what was archived; or that the settings name no folder.
    pub async fn check_segment(&self, after: i64, segment: &Segment) -> Result<CheckedSegment, ArchiveError> {
        let (folder, segment) = (self.archive().folder()?, segment.clone());
        Ok(tokio::task::spawn_blocking(move || check(&folder, after, &segment)).await??)
    }
}

fn check(folder: &Path, after: i64, segment: &Segment) -> Result<CheckedSegment, SegmentError> {
    let [data, index, path] = ["jsonl.zst", "streams", "json"].map(|ending| segment::path(folder, segment.first, ending));
    if segment.first != after + 1 {
        return Err(SegmentError::Damaged { path: data, why: format!("the events from {} on are in no segment", after + 1) });
    }
    let events = segment::read(folder, segment)?;
    if !events.iter().map(|event| event.position).eq(segment.first..=segment.last) {
        return Err(SegmentError::Damaged { path: data, why: "its positions are not those that the store knows".to_owned() });
    }
    if segment::bytes(&index)? != segment::index_of(&events, &segment.digest) {
        return Err(SegmentError::Damaged { path: index, why: "its streams are not those of the events".to_owned() });
    }
    match serde_json::from_slice::<Manifest>(&segment::bytes(&path)?) {
        Ok(manifest) if manifest.describes(&events, &segment.digest) => Ok(CheckedSegment { events, manifest, path }),
        Ok(_) => Err(SegmentError::Damaged { path, why: "it describes other events".to_owned() }),
        Err(error) => Err(SegmentError::Damaged { path, why: error.to_string() }),
    }
}
