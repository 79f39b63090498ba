//! How much of a file stands in memory at a time, whatever the file holds.
//!
//! Two things bound it, for every format. [`Paced`] gives no more than [`PIECE`] bytes until what was read of them is
//! taken, so that no row, element or text is longer. [`Account`] is charged with everything that a reader keeps beside the
//! values: names of meters and registers, and links.

use std::cell::Cell;
use std::collections::HashSet;
use std::io::{BufRead, Error, ErrorKind, Read, Result};
use std::rc::Rc;
use std::sync::Arc;

use super::SeriesKey;

/// The most bytes of one row, element or text.
pub const PIECE: usize = 64 * 1024;

/// The most characters that the name of a meter or a register has.
pub const NAME: usize = 100;

/// The most bytes of names and links that are kept of a file, with what keeping them costs.
const KEPT: usize = 8 * 1024 * 1024;

/// What keeping one text costs beside its bytes.
const EACH: usize = 64;

/// How often a series is kept on its way from a file to its meter.
const SERIES: usize = 8;

/// What a row, element or text longer than [`PIECE`] is told as.
pub const TOO_LONG: &str = "goes on for more than 64 kB";

/// A reader that gives little more than [`PIECE`] bytes between two calls of [`Pace::taken`], however much lies ready below it.
pub struct Paced<R> {
    inner: R,
    pace: Pace,
}

/// Tells a [`Paced`] reader that what it gave was taken.
#[derive(Clone, Default)]
pub struct Pace(Rc<Cell<usize>>);

impl Pace {
    /// What was read is taken: the next piece begins.
    pub fn taken(&self) {
        self.0.set(0);
    }
}

impl<R> Paced<R> {
    /// The reader, and its pace.
    pub fn new(inner: R) -> (Self, Pace) {
        let pace = Pace::default();
        (Self { inner, pace: pace.clone() }, pace)
    }

    fn check(&self) -> Result<()> {
        if self.pace.0.get() <= PIECE { Ok(()) } else { Err(Error::new(ErrorKind::FileTooLarge, TOO_LONG)) }
    }

    fn given(&self, bytes: usize) {
        self.pace.0.set(self.pace.0.get().saturating_add(bytes));
    }
}

impl<R: Read> Read for Paced<R> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        self.check()?;
        let read = self.inner.read(into)?;
        self.given(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Paced<R> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        self.check()?;
        // One byte too many, so that the next call finds the piece too long.
        let most = PIECE + 1 - self.pace.0.get();
        let ready = self.inner.fill_buf()?;
        Ok(ready.get(..most).unwrap_or(ready))
    }

    fn consume(&mut self, amount: usize) {
        self.given(amount);
        self.inner.consume(amount);
    }
}

/// Whether a fault is that of a piece without an end.
pub fn is_too_long(fault: &Error) -> bool {
    fault.kind() == ErrorKind::FileTooLarge
}

/// What a reader keeps beside the values.
#[derive(Debug, Default)]
pub struct Account(usize);

/// More names and links than are kept of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the file names more meters, registers and links than are read of one file: split it and send the parts")]
pub struct Full;

impl Account {
    /// Charges a text that is kept so many times.
    ///
    /// # Errors
    /// [`Full`] when it is one too many.
    pub fn charge(&mut self, bytes: usize, times: usize) -> std::result::Result<(), Full> {
        self.0 = self.0.saturating_add((bytes + EACH) * times);
        if self.0 <= KEPT { Ok(()) } else { Err(Full) }
    }
}

/// The series of a file, each kept once.
#[derive(Debug, Default)]
pub struct Names {
    known: HashSet<Arc<SeriesKey>>,
    account: Account,
}

impl Names {
    /// The one key of a series; a new one is charged.
    ///
    /// # Errors
    /// [`Full`] when the file has too many.
    pub fn kept(&mut self, key: SeriesKey) -> std::result::Result<Arc<SeriesKey>, Full> {
        if let Some(known) = self.known.get(&key) {
            return Ok(Arc::clone(known));
        }
        let length = |name: &Option<String>| name.as_ref().map_or(0, String::len);
        self.account.charge(length(&key.meter) + length(&key.register), SERIES)?;
        let key = Arc::new(key);
        self.known.insert(Arc::clone(&key));
        Ok(key)
    }
}

/// A name as it may be kept.
///
/// # Errors
/// A sentence, where it is longer than any name.
pub fn name<'n>(text: &'n str, what: &str) -> std::result::Result<&'n str, String> {
    if text.len() <= NAME || text.chars().nth(NAME).is_none() {
        return Ok(text);
    }
    let start: String = text.chars().take(20).collect();
    Err(format!("{what} {start:?}… is longer than {NAME} characters, and no name is"))
}

#[cfg(test)]
mod tests;
