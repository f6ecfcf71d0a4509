//! The file: lines are added at its end, are on the disk before anybody is told so, and a torn last line is as if it had never been.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Seek, SeekFrom, Write},
    path::Path,
};

use crate::proof::{Flaw, Proof};

/// Why the file is no good.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    #[error("the file: {0}")]
    Io(#[from] io::Error),
    #[error("line {line} of the file: {flaw}")]
    Flaw { line: u64, flaw: Flaw },
}

/// The file, and the proof of what is in it.
pub(crate) struct Record {
    file: File,
    proof: Proof,
}

impl Record {
    /// Opens the file to go on with it, or makes it.
    pub(crate) fn open(path: &Path) -> Result<Self, RecordError> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        // Two that write to it would each break what the other proves.
        file.try_lock().map_err(io::Error::from)?;
        let (proof, whole) = read(&mut file)?;
        file.set_len(whole)?;
        file.sync_all()?;
        Ok(Self { file, proof })
    }

    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self, RecordError> {
        let mut file = File::open(path)?;
        let (proof, _) = read(&mut file)?;
        Ok(Self { file, proof })
    }

    pub(crate) const fn proof(&self) -> &Proof {
        &self.proof
    }

    /// Adds lines; afterwards they are on the disk.
    pub(crate) fn add(&mut self, lines: &[String]) -> Result<(), RecordError> {
        let mut proof = self.proof.clone();
        let mut text = String::new();
        for line in lines {
            proof.take(line).map_err(|flaw| RecordError::Flaw { line: proof.position(), flaw })?;
            text.push_str(line);
            text.push('\n');
        }
        self.file.write_all(text.as_bytes())?;
        self.file.sync_data()?;
        self.proof = proof;
        Ok(())
    }
}

/// The proof of the whole lines, and how many bytes they are.
fn read(file: &mut File) -> Result<(Proof, u64), RecordError> {
    file.seek(SeekFrom::Start(0))?;
    let (mut proof, mut whole, mut number) = (Proof::default(), 0, 0);
    let (mut reader, mut line) = (BufReader::new(file), Vec::new());
    while reader.read_until(b'\n', &mut line)? > 0 && line.last() == Some(&b'\n') {
        number += 1;
        let text = str::from_utf8(&line[..line.len() - 1]).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        proof.take(text).map_err(|flaw| RecordError::Flaw { line: number, flaw })?;
        whole += line.len() as u64;
        line.clear();
    }
    Ok((proof, whole))
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn line(position: u64) -> String {
        let prev = position - 1;
        format!(r#"{{"subject":"grantlog.key.key_set.key_added.id","message":{{"position":"{position}","prev":"{prev}"}}}}"#)
    }

    #[test]
    fn it_goes_on_after_a_torn_line() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("log.jsonl");
        let mut record = Record::open(&path).unwrap();
        record.add(&[line(1), line(2)]).unwrap();
        let digest = record.proof().digest();
        record.file.write_all(&line(3).as_bytes()[..20]).unwrap();
        drop(record);
        let mut record = Record::open(&path).unwrap();
        assert_eq!((record.proof().position(), record.proof().digest()), (2, digest));
        record.add(&[line(3)]).unwrap();
        assert_eq!(Record::read(&path).unwrap().proof().position(), 3);
    }

    #[test]
    fn what_does_not_follow_is_not_written() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("log.jsonl");
        let mut record = Record::open(&path).unwrap();
        record.add(&[line(1)]).unwrap();
        assert!(record.add(&[line(2), line(4)]).is_err());
        assert_eq!((record.proof().position(), Record::read(&path).unwrap().proof().position()), (1, 1));
    }

    #[test]
    fn of_two_that_would_write_to_it_the_second_is_refused() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("log.jsonl");
        let _first = Record::open(&path).unwrap();
        assert!(matches!(Record::open(&path), Err(RecordError::Io(_))));
    }
}
