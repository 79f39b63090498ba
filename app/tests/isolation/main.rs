//! The isolation suite: every test tries to see or change what is not its own, and shows beside it that
//! the rightful one does. Numbers are those of the list of attacks (ARCHITECTURE.md, "Isolation").

#[path = "../support/support.rs"]
mod support;

mod check;
mod context;
mod coverage;
mod harness;
mod migrations;
mod objects;
mod roles;
mod sessions;
mod side_channels;
mod tables;
mod targets;
mod writes;

/// SQLSTATE: insufficient privilege, a policy's refusal, or the gate's.
const DENIED: &str = "42501";
/// SQLSTATE: the gate knows no live session of this secret.
const SESSION_ENDED: &str = "28000";
