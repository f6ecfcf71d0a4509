//! What a replay keeps in files, so that its memory does not grow with the log: the steps of grants, in buckets by their ids, and the
//! facts about what grants stand on, sorted. All of it lies in a folder that goes when the replay does (`TMPDIR` says where).

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs::{File, OpenOptions},
    io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    path::PathBuf,
};

use serde::{Serialize, de::DeserializeOwned};
use tempfile::TempDir;
use uuid::Uuid;

use super::{Fact, step::Step};

/// The places of a sorted file that are remembered, at most.
const REMEMBERED_PLACES: usize = 4_096;

/// The steps of grants: each bucket holds a range of ids. Ids are in the order of time (UUID version 7), or nearly, so that the present
/// bucket gets what begins, and the ones before it what comes late.
pub(super) struct Buckets {
    folder: TempDir,
    /// The lowest id of each.
    lowest: Vec<Uuid>,
    waiting: Vec<Vec<u8>>,
    waiting_bytes: usize,
    bytes_at_most: usize,
    grants_at_most: usize,
    grants_of_last: usize,
    greatest: Uuid,
}

impl Buckets {
    /// A bucket takes so many grants before the next is begun; so many bytes wait in memory.
    pub(super) fn new(grants_at_most: usize, bytes_at_most: usize) -> io::Result<Self> {
        Ok(Self {
            folder: tempfile::tempdir()?,
            lowest: vec![Uuid::nil()],
            waiting: vec![Vec::new()],
            waiting_bytes: 0,
            bytes_at_most,
            grants_at_most,
            grants_of_last: 0,
            greatest: Uuid::nil(),
        })
    }

    pub(super) fn add(&mut self, step: &Step) -> io::Result<()> {
        if step.begins() {
            self.begin(step.grant);
        }
        let bucket = self.lowest.partition_point(|lowest| *lowest <= step.grant) - 1;
        let waiting = &mut self.waiting[bucket];
        let before = waiting.len();
        write_frame(waiting, step)?;
        self.waiting_bytes += waiting.len() - before;
        if self.waiting_bytes > self.bytes_at_most { self.flush() } else { Ok(()) }
    }

    fn begin(&mut self, grant: Uuid) {
        if self.grants_of_last == self.grants_at_most && grant > self.greatest {
            self.lowest.push(Uuid::from_u128(self.greatest.as_u128() + 1));
            self.waiting.push(Vec::new());
            self.grants_of_last = 0;
        }
        self.greatest = self.greatest.max(grant);
        if self.lowest.last().is_some_and(|lowest| *lowest <= grant) {
            self.grants_of_last += 1;
        }
    }

    fn path(&self, bucket: usize) -> PathBuf {
        self.folder.path().join(format!("grants-{bucket}"))
    }

    fn flush(&mut self) -> io::Result<()> {
        for bucket in 0..self.waiting.len() {
            if !self.waiting[bucket].is_empty() {
                let mut file = OpenOptions::new().create(true).append(true).open(self.path(bucket))?;
                file.write_all(&self.waiting[bucket])?;
                // What an old bucket waited with is rarely needed again.
                self.waiting[bucket] = Vec::new();
            }
        }
        self.waiting_bytes = 0;
        Ok(())
    }

    /// How many there are.
    pub(super) const fn count(&self) -> usize {
        self.lowest.len()
    }

    /// The steps of a bucket, in the order in which they were added.
    pub(super) fn read(&mut self, bucket: usize) -> io::Result<Frames<Step>> {
        self.flush()?;
        match File::open(self.path(bucket)) {
            Ok(file) => Ok(Frames::new(Some(BufReader::new(file)))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Frames::new(None)),
            Err(error) => Err(error),
        }
    }
}

/// Facts by the stream that they are about: some in memory, the others in sorted files.
pub(super) struct FactStore {
    folder: TempDir,
    recent: BTreeMap<Uuid, Vec<Fact>>,
    recent_count: usize,
    in_memory: usize,
    files: Vec<SortedFile>,
}

struct SortedFile {
    path: PathBuf,
    /// Of some streams, where their facts begin: in between they are found by reading on.
    places: Vec<(Uuid, u64)>,
}

impl FactStore {
    /// Keeps so many facts in memory at most.
    pub(super) fn new(in_memory: usize) -> io::Result<Self> {
        Ok(Self { folder: tempfile::tempdir()?, recent: BTreeMap::new(), recent_count: 0, in_memory, files: Vec::new() })
    }

    pub(super) fn add(&mut self, stream: Uuid, fact: Fact) -> io::Result<()> {
        self.recent.entry(stream).or_default().push(fact);
        self.recent_count += 1;
        if self.recent_count > self.in_memory { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> io::Result<()> {
        let path = self.folder.path().join(format!("facts-{}", self.files.len()));
        let recent = std::mem::take(&mut self.recent);
        self.recent_count = 0;
        let between = recent.len().div_ceil(REMEMBERED_PLACES);
        let mut places = Vec::new();
        let (mut file, mut offset) = (BufWriter::new(File::create(&path)?), 0);
        let mut frame = Vec::new();
        for (number, entry) in recent.iter().enumerate() {
            if number % between == 0 {
                places.push((*entry.0, offset));
            }
            frame.clear();
            write_frame(&mut frame, &entry)?;
            file.write_all(&frame)?;
            offset += frame.len() as u64;
        }
        file.flush()?;
        self.files.push(SortedFile { path, places });
        Ok(())
    }

    /// All that is known of these streams, each in the order in which it was added.
    pub(super) fn of(&self, streams: &HashSet<Uuid>) -> io::Result<HashMap<Uuid, Vec<Fact>>> {
        let mut found: HashMap<Uuid, Vec<Fact>> = HashMap::new();
        if !self.files.is_empty() {
            let mut wanted: Vec<Uuid> = streams.iter().copied().collect();
            wanted.sort_unstable();
            for file in &self.files {
                file.find(&wanted, &mut found)?;
            }
        }
        for stream in streams {
            if let Some(facts) = self.recent.get(stream) {
                found.entry(*stream).or_default().extend_from_slice(facts);
            }
        }
        Ok(found)
    }
}

impl SortedFile {
    /// Adds what it holds of the streams, which are sorted.
    fn find(&self, wanted: &[Uuid], found: &mut HashMap<Uuid, Vec<Fact>>) -> io::Result<()> {
        let mut file = File::open(&self.path)?;
        let mut wanted = wanted.iter().copied().peekable();
        while let Some(first) = wanted.peek() {
            let place = self.places.partition_point(|(stream, _)| stream <= first);
            let (begin, end) = (place.checked_sub(1), self.places.get(place).map(|(stream, _)| *stream));
            let before_end = |stream: &Uuid| end.is_none_or(|end| *stream < end);
            let mut here = Vec::new();
            while let Some(next) = wanted.next_if(before_end) {
                here.push(next);
            }
            let Some(begin) = begin else { continue };
            file.seek(SeekFrom::Start(self.places[begin].1))?;
            let mut entries = Frames::<(Uuid, Vec<Fact>), _>::new(Some(BufReader::new(&mut file)));
            while let Some((stream, facts)) = entries.next()?.filter(|(stream, _)| before_end(stream)) {
                if here.binary_search(&stream).is_ok() {
                    found.entry(stream).or_default().extend(facts);
                }
            }
        }
        Ok(())
    }
}

/// Values one after the other in a file, each after its length.
pub(super) struct Frames<T, R = BufReader<File>> {
    reader: Option<R>,
    buffer: Vec<u8>,
    value: std::marker::PhantomData<T>,
}

impl<T: DeserializeOwned, R: Read> Frames<T, R> {
    const fn new(reader: Option<R>) -> Self {
        Self { reader, buffer: Vec::new(), value: std::marker::PhantomData }
    }

    /// The next; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<T>> {
        let Some(reader) = &mut self.reader else { return Ok(None) };
        let mut length = [0; 4];
        match reader.read_exact(&mut length) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            outcome => outcome?,
        }
        self.buffer.resize(u32::from_le_bytes(length) as usize, 0);
        reader.read_exact(&mut self.buffer)?;
        postcard::from_bytes(&self.buffer).map(Some).map_err(io::Error::other)
    }
}

fn write_frame(buffer: &mut Vec<u8>, value: &impl Serialize) -> io::Result<()> {
    let begin = buffer.len();
    buffer.extend_from_slice(&[0; 4]);
    let mut written = postcard::to_extend(value, std::mem::take(buffer)).map_err(io::Error::other)?;
    let length = u32::try_from(written.len() - begin - 4).map_err(io::Error::other)?;
    written[begin..begin + 4].copy_from_slice(&length.to_le_bytes());
    *buffer = written;
    Ok(())
}
