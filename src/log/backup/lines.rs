//! Records as JSON lines: counted, and ended by the digest of the events and the counts, so that what was cut short is never taken for whole.

use std::io::{self, BufRead, Write};

use super::{
    file::FileError,
    record::{Counts, FORMAT, Header, Record},
};
use crate::log::digest::EventsDigest;

/// What is written of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) counts: Counts,
    /// Of all events.
    pub(super) digest: String,
}

/// Writes records.
pub(super) struct RecordWriter<W> {
    out: W,
    counts: Counts,
    digest: EventsDigest,
}

impl<W: Write> RecordWriter<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, counts: Counts::default(), digest: EventsDigest::default() }
    }

    pub(super) fn write(&mut self, record: &Record) -> Result<(), FileError> {
        self.counts.count(record);
        if let Record::Event(event) = record {
            self.digest.add(event);
        }
        serde_json::to_writer(&mut self.out, record).map_err(io::Error::from)?;
        self.out.write_all(b"\n")?;
        Ok(())
    }

    /// Ends the records.
    pub(super) fn finish(mut self) -> Result<(W, Written), FileError> {
        let written = Written { counts: self.counts, digest: self.digest.clone().finish() };
        self.write(&Record::Digest(written.digest.clone()))?;
        self.write(&Record::End(self.counts))?;
        Ok((self.out, written))
    }
}

/// Reads records.
pub(super) struct RecordReader<R> {
    lines: R,
    line: Vec<u8>,
    counts: Counts,
    digest: EventsDigest,
    checked: Option<String>,
    ended: bool,
}

impl<R: BufRead> RecordReader<R> {
    pub(super) fn new(lines: R) -> Self {
        let (counts, digest) = (Counts::default(), EventsDigest::default());
        Self { lines, line: Vec::new(), counts, digest, checked: None, ended: false }
    }

    /// The header, with which the records begin.
    ///
    /// # Errors
    /// That there is none, or it was made by a later grantlog.
    pub(super) fn header(&mut self) -> Result<Header, FileError> {
        match self.next()? {
            Some(Record::Header(header)) if header.format <= FORMAT => Ok(header),
            Some(Record::Header(header)) => Err(FileError::Later(header.format)),
            Some(
                Record::Epoch(_) | Record::Vault(_) | Record::Claim(_) | Record::Event(_) | Record::Digest(_) | Record::End(_),
            )
            | None => Err(FileError::Damaged("it has no header")),
        }
    }

    /// The next record but the end, at which the digest and the counts are checked; `None` after it.
    pub(super) fn next(&mut self) -> Result<Option<Record>, FileError> {
        while !self.ended {
            self.line.clear();
            self.lines.read_until(b'\n', &mut self.line)?;
            let record = serde_json::from_slice(&self.line).map_err(|_| FileError::Damaged("a record cannot be read"))?;
            self.counts.count(&record);
            match record {
                Record::Digest(digest) if digest == self.digest.clone().finish() => self.checked = Some(digest),
                Record::Digest(_) => return Err(FileError::Damaged("the digest of its events is another")),
                Record::End(counts) if counts == self.counts && self.checked.is_some() => self.ended = true,
                Record::End(_) => return Err(FileError::Damaged("records are missing")),
                Record::Event(ref event) => {
                    self.digest.add(event);
                    return Ok(Some(record));
                }
                Record::Header(_) | Record::Epoch(_) | Record::Vault(_) | Record::Claim(_) => return Ok(Some(record)),
            }
        }
        Ok(None)
    }

    /// What there was, after the end.
    pub(super) fn read(&self) -> Written {
        Written { counts: self.counts, digest: self.checked.clone().unwrap_or_default() }
    }
}
