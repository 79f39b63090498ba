//! Why a step of billing was not done.

use eis::billing::{BillingError, Stale, Step};

use crate::forms::{FieldErrors, days};
use crate::server::errors::AppError;

/// Stale drafts that are named.
const NAMED: usize = 5;

/// What a refusal says.
#[must_use]
pub fn words(error: &BillingError) -> String {
    let text = match error {
        BillingError::NotHere { step, status } => not_here(*step, status),
        BillingError::Unlikely(unlikely) => return days::words(*unlikely),
        BillingError::Cycle(_) => "Choose one of the cycles, or all of them.",
        BillingError::NothingDue => {
            "Nothing is due by this day that is not in another run. Choose a later day, or look at the runs in the list."
        }
        BillingError::NothingToApprove => {
            "No invoice was made, so there is nothing to approve. Mend the exceptions and rate again."
        }
        BillingError::Stale { step, drafts } => return stale(*step, drafts),
        BillingError::NoDueDay => "The client's payment terms give no day to pay by. Correct them, then issue.",
        BillingError::UnderWay => {
            "Somebody works on this run just now. Wait until that is done, look at the run again, then delete it."
        }
        BillingError::NotFound | BillingError::Db(_) => return error.to_string(),
    };
    text.to_owned()
}

fn not_here(step: Step, status: &str) -> &'static str {
    match (step, status) {
        (Step::Rate, "approved") => "The run is approved. Reopen it first, then rate it again.",
        (Step::Approve, "approved") => "The run is approved already.",
        (Step::Approve, "open") => "Rate the run first.",
        (Step::Rate | Step::Approve, _) => "The invoices of this run are issued already.",
        (Step::Reopen, "open") => "The run is open already.",
        (Step::Reopen, _) => {
            "Invoices of this run are issued, so it cannot be reopened; an issued invoice is corrected by a credit note."
        }
        (Step::Issue, _) => "Approve the run first, then issue its invoices.",
        (Step::Delete, _) => {
            "Invoices of this run are issued, so it stays; an issued invoice is corrected by a credit note."
        }
    }
}

fn stale(step: Step, drafts: &[Stale]) -> String {
    let told = |stale: &Stale| format!("{} ({})", stale.account_number, stale.why.join(", "));
    let shown = drafts.iter().take(NAMED).map(told).collect::<Vec<_>>().join(", ");
    let more = drafts.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let changed = if drafts.len() == 1 { "A draft is no longer up to date" } else { "Drafts are no longer up to date" };
    let then = match step {
        Step::Approve => "Rate again, then approve.",
        _ => "Reopen the run and rate it again.",
    };
    format!("{changed}, what it was rated from has changed: {shown}{more}. {then}")
}

impl From<BillingError> for AppError {
    fn from(error: BillingError) -> Self {
        match error {
            BillingError::NotFound => Self::NotFound,
            BillingError::Db(error) => error.into(),
            other => Self::Conflict(words(&other)),
        }
    }
}

/// A run that was not made: what is wrong is told at its field.
#[must_use]
pub fn of_new(error: BillingError) -> AppError {
    let field = match &error {
        BillingError::NotFound | BillingError::Db(_) => return error.into(),
        BillingError::Cycle(_) => "cycle",
        _ => "due_on",
    };
    FieldErrors::one(field, words(&error)).into()
}
