//! The files of a segment, named by its first position: the events (`.jsonl.zst`: JSON lines, compressed by Zstandard), an index of its streams
//! (`.streams`: their keys in order, and a digest of them), and a manifest (`.json`), which is written last.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
};

use aws_lc_rs::digest::{Context, Digest, SHA256, SHA256_OUTPUT_LEN};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Segment;
use crate::log::{
    StoredEvent,
    digest::EventsDigest,
    whole_file::{WholeFile, WriteFileError},
};

/// The form of the files.
const FORMAT: u32 = 1;
/// These files are written once and read seldom: smaller is better than faster.
const LEVEL: i32 = 9;
/// Bytes of a key in the index.
const KEY: usize = 8;

/// What a segment says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    /// The positions of its first and its last event.
    pub first: i64,
    pub last: i64,
    pub events: u64,
    /// SHA-256 over the canonical bytes of its events, one after the other.
    pub digest: String,
    /// When its first and its last event were recorded, in microseconds since the Unix epoch.
    pub recorded_from: i64,
    pub recorded_to: i64,
    /// How many events the tree over the log holds that ends with its last event, and the tree's root in base64, as a checkpoint of that size
    /// has it. Neither is there where no tree is grown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree_size: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree_root: Option<String>,
}

impl Manifest {
    /// What there is to say of events; nothing of none.
    fn of(events: &[StoredEvent], digest: String, tree_root: Option<String>) -> Option<Self> {
        let (first, last) = (events.first()?, events.last()?);
        Some(Self {
            format: FORMAT,
            first: first.position,
            last: last.position,
            events: events.len() as u64,
            digest,
            recorded_from: first.recorded_at,
            recorded_to: last.recorded_at,
            tree_size: tree_root.as_ref().map(|_| last.position),
            tree_root,
        })
    }

    /// Whether it is what there is to say of events with this digest. Whether its root is theirs, the tree has to tell.
    pub(super) fn describes(&self, events: &[StoredEvent], digest: &str) -> bool {
        Self::of(events, digest.to_owned(), self.tree_root.clone()).as_ref() == Some(self)
    }
}

/// Why a segment could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    #[error("{}: {cause}", path.display())]
    Io { path: PathBuf, cause: io::Error },
    #[error(transparent)]
    Write(#[from] WriteFileError),
    #[error("{} does not hold what was archived: {why}", path.display())]
    Damaged { path: PathBuf, why: String },
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> SegmentError + '_ {
    |cause| SegmentError::Io { path: path.to_owned(), cause }
}

pub(super) fn path(folder: &Path, first: i64, ending: &str) -> PathBuf {
    folder.join(format!("{first:020}.{ending}"))
}

/// What is in a file.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, SegmentError> {
    std::fs::read(path).map_err(at(path))
}

/// Writes the files of a segment, whole and on the disk, and gives what it says of itself. Files of the same name are those of somebody who
/// was killed before the store knew of them: they go.
pub(super) fn write(folder: &Path, events: &[StoredEvent], tree_root: Option<String>) -> Result<Manifest, SegmentError> {
    let mut digest = EventsDigest::default();
    events.iter().for_each(|event| digest.add(event));
    let Some(manifest) = Manifest::of(events, digest.finish(), tree_root) else {
        return Err(SegmentError::Damaged { path: folder.to_owned(), why: "it would be empty".to_owned() });
    };
    std::fs::create_dir_all(folder).map_err(at(folder))?;
    let data = path(folder, manifest.first, "jsonl.zst");
    let lines = zstd::stream::write::Encoder::new(create(&data)?, LEVEL).map_err(at(&data))?;
    write_lines(lines, events).and_then(WholeFile::finish).map_err(at(&data))?;
    let index = path(folder, manifest.first, "streams");
    put(&index, &index_of(events, &manifest.digest))?;
    let text = serde_json::to_vec_pretty(&manifest).expect("a manifest has a JSON form");
    put(&path(folder, manifest.first, "json"), &text)?;
    Ok(manifest)
}

fn create(path: &Path) -> Result<WholeFile, SegmentError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(path)(error)),
        Ok(()) | Err(_) => {}
    }
    Ok(WholeFile::create(path)?)
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), SegmentError> {
    let mut file = create(path)?;
    file.write_all(bytes).and_then(|()| file.finish()).map_err(at(path))
}

fn write_lines(mut lines: zstd::stream::write::Encoder<'static, WholeFile>, events: &[StoredEvent]) -> io::Result<WholeFile> {
    for event in events {
        serde_json::to_writer(&mut lines, event)?;
        lines.write_all(b"\n")?;
    }
    lines.finish()
}

/// The events of a segment, whose digest is that which the store knows.
pub(super) fn read(folder: &Path, segment: &Segment) -> Result<Vec<StoredEvent>, SegmentError> {
    let path = path(folder, segment.first, "jsonl.zst");
    let damaged = |why: String| SegmentError::Damaged { path: path.clone(), why };
    let file = File::open(&path).map_err(at(&path))?;
    let lines = BufReader::new(zstd::stream::read::Decoder::new(file).map_err(at(&path))?);
    let (mut events, mut digest) = (Vec::new(), EventsDigest::default());
    for line in lines.lines() {
        let line = line.map_err(|error| damaged(error.to_string()))?;
        let event: StoredEvent = serde_json::from_str(&line).map_err(|error| damaged(error.to_string()))?;
        digest.add(&event);
        events.push(event);
    }
    if digest.finish() == segment.digest { Ok(events) } else { Err(damaged("its digest is another".to_owned())) }
}

/// What tells streams apart in an index: the random half of their ids.
fn key(id: Uuid) -> u64 {
    id.as_u64_pair().1
}

/// The keys of all streams, in order, of 8 bytes each (big endian), and what seals them.
pub(super) fn index_of(events: &[StoredEvent], digest: &str) -> Vec<u8> {
    let mut keys: Vec<u64> = events.iter().filter_map(|event| Uuid::try_parse(&event.aggregate_id).ok()).map(key).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut index: Vec<u8> = keys.into_iter().flat_map(u64::to_be_bytes).collect();
    index.extend_from_slice(seal(&index, digest).as_ref());
    index
}

/// SHA-256 over the segment's digest and the keys: an index that was changed, cut short or is another segment's is found out.
fn seal(keys: &[u8], digest: &str) -> Digest {
    let mut context = Context::new(&SHA256);
    context.update(digest.as_bytes());
    context.update(keys);
    context.finish()
}

/// Whether a segment may hold events of streams with this id. Where its index cannot tell, its events have to: they have a digest of their own.
pub(super) fn holds(folder: &Path, segment: &Segment, id: Uuid) -> bool {
    let path = path(folder, segment.first, "streams");
    let index = match std::fs::read(&path) {
        Ok(index) => index,
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "an index of the archive cannot be read: its segment is read instead");
            return true;
        }
    };
    let sealed = index.split_last_chunk::<SHA256_OUTPUT_LEN>();
    let Some((keys, _)) = sealed.filter(|(keys, found)| seal(keys, &segment.digest).as_ref() == *found) else {
        tracing::warn!(path = %path.display(), "an index of the archive is damaged: its segment is read instead");
        return true;
    };
    keys.as_chunks::<KEY>().0.binary_search(&key(id).to_be_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(position: i64, id: Uuid) -> StoredEvent {
        StoredEvent {
            position,
            aggregate_type: "grant".to_owned(),
            aggregate_id: id.to_string(),
            sequence: 1,
            event_type: "grant.approved".to_owned(),
            event_version: "1".to_owned(),
            payload: "{}".to_owned(),
            metadata: "{}".to_owned(),
            command_id: position.to_string(),
            recorded_at: position,
        }
    }

    #[test]
    fn an_index_with_any_byte_changed_leads_to_the_events_themselves() {
        let folder = tempfile::tempdir().unwrap();
        let events: Vec<_> = (1..=40).map(|position| event(position, Uuid::now_v7())).collect();
        let Manifest { first, last, digest, .. } = write(folder.path(), &events, None).unwrap();
        let segment = Segment { first, last, digest };
        let held: Vec<_> = events.iter().map(|event| event.aggregate_id.parse().unwrap()).collect();
        assert!(held.iter().all(|id| holds(folder.path(), &segment, *id)));
        assert!(!holds(folder.path(), &segment, Uuid::now_v7()));
        let path = path(folder.path(), 1, "streams");
        let whole = std::fs::read(&path).unwrap();
        let changed = (0..whole.len()).map(|at| {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            changed
        });
        for damaged in changed.chain((0..whole.len()).map(|length| whole[..length].to_vec())) {
            std::fs::write(&path, damaged).unwrap();
            assert!(held.iter().all(|id| holds(folder.path(), &segment, *id)));
        }
        std::fs::remove_file(&path).unwrap();
        assert!(held.iter().all(|id| holds(folder.path(), &segment, *id)));
    }
}
