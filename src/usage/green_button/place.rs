//! From byte offsets to lines and columns, without keeping the file.

use std::cell::RefCell;
use std::io::{BufRead, Read, Result};
use std::rc::Rc;

/// A reader that notes where lines begin as the bytes pass.
pub struct Lines<R> {
    inner: R,
    places: Rc<RefCell<Places>>,
    offset: u64,
}

/// Starts of lines not yet asked for.
#[derive(Default)]
pub struct Places {
    starts: std::collections::VecDeque<u64>,
    line: u64,
    start: u64,
}

impl<R: BufRead> Lines<R> {
    pub fn new(inner: R) -> (Self, Rc<RefCell<Places>>) {
        let places = Rc::new(RefCell::new(Places::default()));
        (Self { inner, places: Rc::clone(&places), offset: 0 }, places)
    }
}

impl Places {
    /// Line and column, from 1; offsets must be asked for in growing order.
    pub fn locate(&mut self, offset: u64) -> (u64, u64) {
        while let Some(start) = self.starts.front().copied().filter(|start| *start <= offset) {
            self.starts.pop_front();
            self.start = start;
            self.line += 1;
        }
        (self.line + 1, offset.saturating_sub(self.start) + 1)
    }
}

impl<R: BufRead> Read for Lines<R> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let read = self.inner.read(into)?;
        self.note(into.get(..read).unwrap_or_default());
        self.offset += u64::try_from(read).unwrap_or_default();
        Ok(read)
    }
}

impl<R> Lines<R> {
    fn note(&self, bytes: &[u8]) {
        let mut places = self.places.borrow_mut();
        for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
            places.starts.push_back(self.offset + u64::try_from(at).unwrap_or_default() + 1);
        }
    }
}

impl<R: BufRead> BufRead for Lines<R> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        // The bytes are still in the buffer: filling a filled buffer reads nothing.
        if let Ok(buffer) = self.inner.fill_buf() {
            let bytes = buffer.get(..amount).unwrap_or_default();
            let mut places = self.places.borrow_mut();
            for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
                places.starts.push_back(self.offset + u64::try_from(at).unwrap_or_default() + 1);
            }
        }
        self.offset += u64::try_from(amount).unwrap_or_default();
        self.inner.consume(amount);
    }
}
