//! The file of a backup: a line that says what it is, the records compressed by Zstandard (RFC 8878), and a SHA-256 digest of all
//! before it, so that a file that was cut short or changed is never taken for a backup.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};

use super::record::{Counts, FORMAT, Header, Record};

const MAGIC: &[u8] = b"grantlog backup\n";
/// Zstandard's own default: a third of the size at a few hundred megabytes a second.
const LEVEL: i32 = 3;
const BUFFER: usize = 1 << 20;
/// Readable by its owner alone: it holds the vault.
const MODE: u32 = 0o600;

/// Why a file is no backup.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("the file of the backup: {0}")]
    Io(#[from] io::Error),
    #[error("{} is there already", .0.display())]
    Exists(PathBuf),
    #[error("another backup is being written to {}", .0.display())]
    InUse(PathBuf),
    #[error("this is no backup of grantlog")]
    NotABackup,
    #[error("the backup is damaged: {0}")]
    Damaged(&'static str),
    #[error("the backup was made by a later grantlog (format {0})")]
    Later(u32),
}

/// Writes a backup under a temporary name; only a whole one gets its own.
pub(super) struct BackupWriter {
    records: zstd::stream::write::Encoder<'static, Hashed<BufWriter<File>>>,
    counts: Counts,
    partial: Partial,
    path: PathBuf,
}

/// The file that is not whole yet; it goes when the writing is given up.
struct Partial(Option<PathBuf>);

impl Drop for Partial {
    fn drop(&mut self) {
        if let Some(path) = self.0.take()
            && let Err(error) = std::fs::remove_file(&path)
        {
            tracing::warn!(path = %path.display(), %error, "an unfinished backup stays behind");
        }
    }
}

impl BackupWriter {
    /// Begins a backup.
    ///
    /// # Errors
    /// That the file exists, or cannot be written.
    pub(super) fn create(path: &Path) -> Result<Self, FileError> {
        if path.try_exists()? {
            return Err(FileError::Exists(path.to_owned()));
        }
        let mut name = path.as_os_str().to_owned();
        name.push(".partial");
        let partial = PathBuf::from(name);
        let file = OpenOptions::new().create(true).write(true).truncate(false).mode(MODE).open(&partial)?;
        match file.try_lock() {
            Ok(()) => file.set_len(0)?,
            Err(TryLockError::WouldBlock) => return Err(FileError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let partial = Partial(Some(partial));
        let mut file = Hashed { inner: BufWriter::with_capacity(BUFFER, file), context: Context::new(&SHA256) };
        file.write_all(MAGIC)?;
        let records = zstd::stream::write::Encoder::new(file, LEVEL)?;
        Ok(Self { records, counts: Counts::default(), partial, path: path.to_owned() })
    }

    pub(super) fn write(&mut self, record: &Record) -> Result<(), FileError> {
        self.counts.count(record);
        serde_json::to_writer(&mut self.records, record).map_err(io::Error::from)?;
        self.records.write_all(b"\n")?;
        Ok(())
    }

    /// Ends the backup: it is on the disk, whole, under its own name.
    pub(super) fn finish(mut self) -> Result<Counts, FileError> {
        self.write(&Record::End(self.counts))?;
        let Self { records, counts, mut partial, path } = self;
        let Hashed { mut inner, context } = records.finish()?;
        inner.write_all(context.finish().as_ref())?;
        let file = inner.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        if let Some(partial) = &partial.0 {
            std::fs::rename(partial, &path)?;
        }
        partial.0 = None;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
        File::open(folder)?.sync_all()?;
        Ok(counts)
    }
}

/// A writer that digests what goes through it.
struct Hashed<W> {
    inner: W,
    context: Context,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.context.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Reads a backup whose digest was found right.
pub(super) struct BackupReader {
    lines: BufReader<zstd::stream::read::Decoder<'static, BufReader<io::Take<File>>>>,
    line: Vec<u8>,
    counts: Counts,
    ended: bool,
}

impl BackupReader {
    /// Opens a backup: the whole file is read once for its digest, then its header.
    ///
    /// # Errors
    /// That it is none, or is damaged, or was made by a later grantlog.
    pub(super) fn open(path: &Path) -> Result<(Self, Header), FileError> {
        let mut file = File::open(path)?;
        let length = check_digest(&mut file)?;
        file.seek(SeekFrom::Start(MAGIC.len() as u64))?;
        let records = BufReader::with_capacity(BUFFER, file.take(length - MAGIC.len() as u64));
        let lines = BufReader::with_capacity(BUFFER, zstd::stream::read::Decoder::with_buffer(records)?);
        let mut reader = Self { lines, line: Vec::new(), counts: Counts::default(), ended: false };
        match reader.next()? {
            Some(Record::Header(header)) if header.format <= FORMAT => Ok((reader, header)),
            Some(Record::Header(header)) => Err(FileError::Later(header.format)),
            Some(Record::Epoch(_) | Record::Vault(_) | Record::Claim(_) | Record::Event(_) | Record::End(_)) | None => {
                Err(FileError::Damaged("it has no header"))
            }
        }
    }

    /// The next record but the end, at which the counts are checked; `None` after it.
    pub(super) fn next(&mut self) -> Result<Option<Record>, FileError> {
        if self.ended {
            return Ok(None);
        }
        self.line.clear();
        self.lines.read_until(b'\n', &mut self.line)?;
        let record = serde_json::from_slice(&self.line).map_err(|_| FileError::Damaged("a record cannot be read"))?;
        self.counts.count(&record);
        match record {
            Record::End(counts) if counts == self.counts => {
                self.ended = true;
                Ok(None)
            }
            Record::End(_) => Err(FileError::Damaged("records are missing")),
            Record::Header(_) | Record::Epoch(_) | Record::Vault(_) | Record::Claim(_) | Record::Event(_) => Ok(Some(record)),
        }
    }

    /// How many records there were.
    pub(super) const fn counts(&self) -> Counts {
        self.counts
    }
}

/// Checks the digest at the end; gives the length before it.
fn check_digest(file: &mut File) -> Result<u64, FileError> {
    let mut magic = [0; MAGIC.len()];
    match file.read_exact(&mut magic) {
        Ok(()) if magic == MAGIC => {}
        Ok(()) => return Err(FileError::NotABackup),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(FileError::NotABackup),
        Err(error) => return Err(error.into()),
    }
    let length = file.metadata()?.len().saturating_sub(SHA256_OUTPUT_LEN as u64);
    if length < MAGIC.len() as u64 {
        return Err(FileError::Damaged("it was cut short"));
    }
    let mut context = Context::new(&SHA256);
    context.update(&magic);
    let mut rest = file.take(length - MAGIC.len() as u64);
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = rest.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        context.update(&buffer[..read]);
    }
    let mut digest = [0; SHA256_OUTPUT_LEN];
    file.read_exact(&mut digest)?;
    if digest == context.finish().as_ref() {
        Ok(length)
    } else {
        Err(FileError::Damaged("it was cut short or changed: its digest is another"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::backup::record::ClaimRow;

    fn written(format: u32, records: &[Record]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("backup");
        let mut writer = BackupWriter::create(&path).unwrap();
        let header = Header { format, migration: 1, epoch: "e".to_owned(), position: 0, recorded_at: 0 };
        writer.write(&Record::Header(header)).unwrap();
        for record in records {
            writer.write(record).unwrap();
        }
        writer.finish().unwrap();
        (folder, path)
    }

    #[test]
    fn a_backup_of_a_later_form_is_refused_by_its_number() {
        let (_folder, path) = written(FORMAT + 1, &[]);
        assert!(matches!(BackupReader::open(&path), Err(FileError::Later(format)) if format == FORMAT + 1));
    }

    #[test]
    fn records_come_back_in_their_order_and_are_counted() {
        let claim = |name: &str| Record::Claim(ClaimRow { name: name.to_owned(), stream: "user-1".to_owned() });
        let (_folder, path) = written(FORMAT, &[claim("a"), claim("b\n\u{0}")]);
        let (mut reader, _) = BackupReader::open(&path).unwrap();
        assert_eq!(reader.next().unwrap(), Some(claim("a")));
        assert_eq!(reader.next().unwrap(), Some(claim("b\n\u{0}")));
        assert_eq!(reader.next().unwrap(), None);
        assert_eq!(reader.counts(), Counts { claims: 2, ..Counts::default() });
    }

    #[test]
    fn two_at_once_do_not_write_to_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("backup");
        let first = BackupWriter::create(&path).unwrap();
        assert!(matches!(BackupWriter::create(&path), Err(FileError::InUse(_))));
        drop(first);
        assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none());
        BackupWriter::create(&path).unwrap().finish().unwrap();
    }

    #[test]
    fn a_backup_without_a_header_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("backup");
        BackupWriter::create(&path).unwrap().finish().unwrap();
        assert!(matches!(BackupReader::open(&path), Err(FileError::Damaged("it has no header"))));
    }
}
