//! The rules of rating, each a test named after it.

mod allocations;
mod demand;
mod energy;
mod explain;
mod export;
mod fixtures;
mod floats;
mod golden;
mod holidays;
mod money;
mod properties;
mod registers;
mod rules;
mod versions;
