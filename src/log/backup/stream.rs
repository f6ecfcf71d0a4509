//! The whole log as a stream: JSON lines, plain or compressed by Zstandard (RFC 8878).

use std::io::{self, BufRead, BufReader, Read, Write};

use super::{
    file::{FileError, LEVEL},
    lines::{RecordReader, RecordWriter, Written},
    record::Record,
};

/// With what a Zstandard frame begins (RFC 8878 section 3.1.1).
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Writes records as a stream.
pub(super) enum StreamWriter<W: Write> {
    Plain(RecordWriter<W>),
    Compressed(RecordWriter<zstd::stream::write::Encoder<'static, W>>),
}

impl<W: Write> StreamWriter<W> {
    pub(super) fn new(out: W, compressed: bool) -> Result<Self, FileError> {
        Ok(if compressed {
            Self::Compressed(RecordWriter::new(zstd::stream::write::Encoder::new(out, LEVEL)?))
        } else {
            Self::Plain(RecordWriter::new(out))
        })
    }

    pub(super) fn write(&mut self, record: &Record) -> Result<(), FileError> {
        match self {
            Self::Plain(records) => records.write(record),
            Self::Compressed(records) => records.write(record),
        }
    }

    pub(super) fn finish(self) -> Result<(W, Written), FileError> {
        let (mut out, written) = match self {
            Self::Plain(records) => records.finish()?,
            Self::Compressed(records) => {
                let (out, written) = records.finish()?;
                (out.finish()?, written)
            }
        };
        out.flush()?;
        Ok((out, written))
    }
}

/// Reads records from a stream, whichever form it has.
pub(super) fn read_stream(source: impl Read + Send + 'static) -> io::Result<RecordReader<Box<dyn BufRead + Send>>> {
    let mut source = BufReader::new(source);
    let compressed = source.fill_buf()?.starts_with(&ZSTD_MAGIC);
    let lines: Box<dyn BufRead + Send> =
        if compressed { Box::new(BufReader::new(zstd::stream::read::Decoder::with_buffer(source)?)) } else { Box::new(source) };
    Ok(RecordReader::new(lines))
}
