//! The isolation suite: every test tries to see or change what is not its own, and shows beside it that
//! the rightful one does. Numbers are those of the list of attacks (ARCHITECTURE.md, "Isolation").

#[path = "../support/support.rs"]
mod support;

mod harness;
