//! What-ifs from the form to the file, worked through in the background against a real database.

#[cfg(test)]
#[expect(dead_code, reason = "the isolation suite uses the rest")]
#[path = "../support/support.rs"]
mod support;

#[cfg(test)]
mod asking;
mod pages;
mod sums;
mod worker;

#[cfg(test)]
use asking::{CLEO, ask, dearer_draft, post, usage, work, worker};
