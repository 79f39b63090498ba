//! The rules of rating, each a test named after it.

mod golden;
