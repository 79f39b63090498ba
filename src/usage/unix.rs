//! Line ends as Unix has them, so that lines can be counted: after `\r\n` and after blank lines a record's
//! own position in the csv crate is too small, while the reader's position after it is right.

use std::io::{BufRead, Read, Result};

/// A reader that leaves out carriage returns and ends in a line feed.
pub struct Unix<R> {
    inner: R,
    last: u8,
}

impl<R> Unix<R> {
    pub const fn new(inner: R) -> Self {
        Self { inner, last: b'\n' }
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
            let taken = buffer.len().min(into.len());
            let kept = buffer.iter().take(taken).filter(|byte| **byte != b'\r');
            let kept = into.iter_mut().zip(kept).map(|(place, byte)| *place = *byte).count();
            self.inner.consume(taken);
            if let Some(last) = kept.checked_sub(1).and_then(|at| into.get(at)) {
                self.last = *last;
                return Ok(kept);
            }
        }
    }
}
