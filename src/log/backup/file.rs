//! The file of a backup: a line that says what it is, the records compressed by Zstandard (RFC 8878), and a SHA-256 digest of all
//! before it, so that a file that was cut short or changed is never taken for a backup.

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom, Write},
    path::Path,
};

use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};

use super::{
    lines::{RecordReader, RecordWriter, Written},
    record::{Header, Record},
};
use crate::log::whole_file::{WholeFile, WriteFileError};

const MAGIC: &[u8] = b"grantlog backup\n";
/// Zstandard's own default: a third of the size at a few hundred megabytes a second.
pub(super) const LEVEL: i32 = 3;
const BUFFER: usize = 1 << 20;

/// Why a file is no backup.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("the file of the backup: {0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Write(#[from] WriteFileError),
    #[error("this is no backup of grantlog")]
    NotABackup,
    #[error("the backup is damaged: {0}")]
    Damaged(&'static str),
    #[error("the backup was made by a later grantlog (format {0})")]
    Later(u32),
}

/// Writes a backup, which appears under its name when it is whole.
pub(super) struct BackupWriter(RecordWriter<zstd::stream::write::Encoder<'static, Hashed<WholeFile>>>);

impl BackupWriter {
    /// Begins a backup.
    ///
    /// # Errors
    /// That the file exists, or cannot be written.
    pub(super) fn create(path: &Path) -> Result<Self, FileError> {
        let mut file = Hashed { inner: WholeFile::create(path)?, context: Context::new(&SHA256) };
        file.write_all(MAGIC)?;
        Ok(Self(RecordWriter::new(zstd::stream::write::Encoder::new(file, LEVEL)?)))
    }

    pub(super) fn write(&mut self, record: &Record) -> Result<(), FileError> {
        self.0.write(record)
    }

    /// Ends the backup: it is on the disk, whole, under its own name.
    pub(super) fn finish(self) -> Result<Written, FileError> {
        let (records, written) = self.0.finish()?;
        let Hashed { mut inner, context } = records.finish()?;
        inner.write_all(context.finish().as_ref())?;
        inner.finish()?;
        Ok(written)
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

type Decompressed = BufReader<zstd::stream::read::Decoder<'static, BufReader<io::Take<File>>>>;

/// Reads a backup whose digest was found right.
pub(super) struct BackupReader(RecordReader<Decompressed>);

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
        let mut reader = Self(RecordReader::new(lines));
        let header = reader.0.header()?;
        Ok((reader, header))
    }

    /// The next record but the end; `None` after it.
    pub(super) fn next(&mut self) -> Result<Option<Record>, FileError> {
        self.0.next()
    }

    /// What there was, after the end.
    pub(super) fn read(&self) -> Written {
        self.0.read()
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
    use std::path::PathBuf;

    use super::*;
    use crate::log::backup::record::{ClaimRow, Counts, FORMAT};

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
        assert_eq!(reader.read().counts, Counts { claims: 2, ..Counts::default() });
    }

    #[test]
    fn a_backup_without_a_header_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("backup");
        BackupWriter::create(&path).unwrap().finish().unwrap();
        assert!(matches!(BackupReader::open(&path), Err(FileError::Damaged("it has no header"))));
    }
}
