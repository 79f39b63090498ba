//! The rules of rating, each a test named after it.

mod demand;
mod energy;
mod explain;
mod export;
mod fixtures;
mod golden;
mod money;
mod properties;
mod versions;
