//! Line ends as Unix has them, so that lines can be counted: after `\r\n` and after blank lines a record's
//! own position in the csv crate is too small, while the reader's position after it is right.

use std::io::{BufRead, Read, Result};

/// What stands for a carriage return that ends no line: no figure holds it, and space around a field it is not.
const STRAY: u8 = 0x1f;

/// What ends the lines of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// A line feed, with or without a carriage return before it.
    Feed,
    /// A carriage return alone.
    Return,
}

/// A reader that leaves out the carriage returns of line ends and ends in a line feed.
pub struct Unix<R> {
    inner: R,
    ends: Ends,
    last: u8,
    /// A carriage return waits for what follows it.
    held: bool,
}

impl<R> Unix<R> {
    pub const fn new(inner: R, ends: Ends) -> Self {
        Self { inner, ends, last: b'\n', held: false }
    }
}

/// The line of the record just read.
pub fn line<R: BufRead>(reader: &::csv::Reader<Unix<R>>) -> u64 {
    reader.position().line().saturating_sub(1).max(1)
}

impl<R: BufRead> Read for Unix<R> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        loop {
            let buffer = self.inner.fill_buf()?;
            let (end, Some(first)) = (buffer.is_empty(), into.first_mut()) else {
                return Ok(0);
            };
            if end {
                *first = b'\n';
                return Ok(usize::from(std::mem::replace(&mut self.last, b'\n') != b'\n'));
            }
            // Room for a carriage return that was held back.
            let taken = buffer.len().min(into.len().saturating_sub(1).max(1));
            let mut kept = 0;
            let mut put = |byte: u8| {
                if let Some(place) = into.get_mut(kept) {
                    *place = byte;
                    kept += 1;
                }
            };
            for byte in buffer.iter().take(taken) {
                if std::mem::take(&mut self.held) && *byte != b'\n' {
                    put(STRAY);
                }
                if *byte == b'\r' && self.ends == Ends::Return {
                    put(b'\n');
                } else if *byte == b'\r' {
                    self.held = true;
                } else {
                    put(*byte);
                }
            }
            self.inner.consume(taken);
            if let Some(last) = kept.checked_sub(1).and_then(|at| into.get(at)) {
                self.last = *last;
                return Ok(kept);
            }
        }
    }
}
