//! Whose usage is: every day of a profile and every reading, against the contracts at its meter's service point.

use crate::db::DbError;
use crate::operate::check::{Finding, Walk};

const USAGE: Walk = Walk {
    check: "usage",
    faults: include_str!("control.sql"),
    count: "SELECT (SELECT count(*) FROM public.interval_days) + (SELECT count(*) FROM public.meter_readings) AS rows",
    mend: "A contract of its service point that is saved once more hands the usage there over again.",
    fine: "days and figures; each carries the customer whose contract has it",
};

/// Looks at the usage of all organizations, one after the other, for rows that carry another customer than the one whose
/// contract has their days; the first of each kind is named.
///
/// # Errors
/// When the database cannot be reached or read.
pub async fn check(admin_url: &str) -> Result<Vec<Finding>, DbError> {
    USAGE.run(admin_url).await
}
