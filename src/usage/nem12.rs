//! stub
use super::{Item, UsageError};
use std::io::BufRead;
/// stub
/// # Errors
/// stub
pub fn read(_input: impl BufRead, _each: &mut dyn FnMut(Item)) -> Result<(), UsageError> {
    Err(UsageError::Empty)
}
