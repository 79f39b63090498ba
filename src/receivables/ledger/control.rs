//! Recomputing the books: every entry against what it follows from, every customer's balance, every bill's status, and
//! the totals of each client.

use crate::db::DbError;
use crate::operate::check::{Finding, Walk};

const BOOKS: Walk = Walk {
    check: "ledger",
    faults: include_str!("control.sql"),
    count: "SELECT count(*) AS rows FROM public.ledger_entries",
    mend: "Compare with a backup; correct it by another entry.",
    fine: "entries; every balance, status and control total is what it should be",
};

/// Recomputes the ledgers of all organizations, one after the other; the first fault of each kind is named.
///
/// # Errors
/// When the database cannot be reached or read.
pub async fn check(admin_url: &str) -> Result<Vec<Finding>, DbError> {
    BOOKS.run(admin_url).await
}
