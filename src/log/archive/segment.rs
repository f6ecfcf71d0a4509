//! The files of a segment, named by its first position: the events (`.jsonl.zst`: JSON lines, compressed by Zstandard), an index of its streams
//! (`.streams`), and a manifest (`.json`), which is written last.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

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
/// Bytes of an entry of the index.
const ENTRY: usize = 8;

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
}

/// Why a segment could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    #[error("{}: {cause}", path.display())]
    Io { path: PathBuf, cause: io::Error },
    #[error(transparent)]
    Write(#[from] WriteFileError),
    #[error("{} does not hold the events that were archived: {why}", path.display())]
    Damaged { path: PathBuf, why: String },
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> SegmentError + '_ {
    |cause| SegmentError::Io { path: path.to_owned(), cause }
}

fn path(folder: &Path, first: i64, ending: &str) -> PathBuf {
    folder.join(format!("{first:020}.{ending}"))
}

/// Writes the files of a segment, whole and on the disk, and gives what it says of itself. Files of the same name are those of somebody who
/// was killed before the store knew of them: they go.
pub(super) fn write(folder: &Path, events: &[StoredEvent]) -> Result<Manifest, SegmentError> {
    let (Some(first), Some(last)) = (events.first(), events.last()) else {
        return Err(SegmentError::Damaged { path: folder.to_owned(), why: "it would be empty".to_owned() });
    };
    std::fs::create_dir_all(folder).map_err(at(folder))?;
    let mut digest = EventsDigest::default();
    events.iter().for_each(|event| digest.add(event));
    let manifest = Manifest {
        format: FORMAT,
        first: first.position,
        last: last.position,
        events: events.len() as u64,
        digest: digest.finish(),
        recorded_from: first.recorded_at,
        recorded_to: last.recorded_at,
    };
    let data = path(folder, first.position, "jsonl.zst");
    let lines = zstd::stream::write::Encoder::new(create(&data)?, LEVEL).map_err(at(&data))?;
    write_lines(lines, events).and_then(WholeFile::finish).map_err(at(&data))?;
    let index = path(folder, first.position, "streams");
    put(&index, &index_of(events))?;
    let text = serde_json::to_vec_pretty(&manifest).expect("a manifest has a JSON form");
    put(&path(folder, first.position, "json"), &text)?;
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

/// The keys of all streams, in order, of 8 bytes each (big endian).
fn index_of(events: &[StoredEvent]) -> Vec<u8> {
    let mut keys: Vec<u64> = events.iter().filter_map(|event| Uuid::try_parse(&event.aggregate_id).ok()).map(key).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter().flat_map(u64::to_be_bytes).collect()
}

/// Whether a segment may hold events of streams with this id.
pub(super) fn holds(folder: &Path, segment: &Segment, id: Uuid) -> Result<bool, SegmentError> {
    let (path, wanted) = (path(folder, segment.first, "streams"), key(id));
    let file = File::open(&path).map_err(at(&path))?;
    let (mut low, mut high) = (0, file.metadata().map_err(at(&path))?.len() / ENTRY as u64);
    while low < high {
        let middle = low + (high - low) / 2;
        let mut entry = [0; ENTRY];
        file.read_exact_at(&mut entry, middle * ENTRY as u64).map_err(at(&path))?;
        match u64::from_be_bytes(entry).cmp(&wanted) {
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Equal => return Ok(true),
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    Ok(false)
}
