//! The state that migrations and scripts leave, line by line: what the check compares a database with.

/// The same as the migrations make it; the isolation suite holds it against a fresh database.
pub const STATE: &str = include_str!("expected_state.txt");
