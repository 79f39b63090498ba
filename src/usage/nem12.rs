//! stub
use std::io::BufRead;
use super::{Item, UsageError};
/// stub
/// # Errors
/// stub
pub fn read(_input: impl BufRead, _each: &mut dyn FnMut(Item)) -> Result<(), UsageError> { Err(UsageError::Empty) }
