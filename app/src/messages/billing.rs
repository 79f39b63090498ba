//! Why a step of billing was not done.

use eis::billing::{BillingError, MOST_DAYS, Stale, Step};

use crate::forms::{FieldErrors, days};
use crate::server::errors::AppError;

/// Stale drafts that are named.
const NAMED: usize = 5;

/// What a refusal says.
#[must_use]
pub fn words(error: &BillingError) -> String {
    let text = match error {
        BillingError::NotHere { step, status } => not_here(*step, status),
        BillingError::Overlaps(days) => {
            return format!(
                "The days overlap the billing period {days}. A day can be billed once: choose others, or delete that period if nothing was issued in it."
            );
        }
        BillingError::TooLong => return format!("A billing period has at most {MOST_DAYS} days."),
        BillingError::Unlikely(unlikely) => return days::words(*unlikely),
        BillingError::EarlierFirst(days) => {
            return format!(
                "Issue the billing period {days} first, then rate this one: a bill takes over what earlier bills leave, such as credit. If that period was made by mistake, delete it on its page."
            );
        }
        BillingError::Stale { step, drafts } => return stale(*step, drafts),
        BillingError::SameDays => "There is a billing period of exactly these days already. Open it from the list.",
        BillingError::OverlapsMeanwhile => {
            "The days overlap a billing period that was made just now. A day can be billed once: look at the list, then choose others."
        }
        BillingError::NothingToApprove => {
            "No invoice was made, so there is nothing to approve. Mend the exceptions and rate again."
        }
        BillingError::NoDueDay => "The client's payment terms give no day to pay by. Correct them, then issue.",
        BillingError::UnderWay => {
            "Billing is under way. Wait until it is done, look at the period again, then delete it."
        }
        BillingError::EverybodyBilled => "Every customer of this period has a bill.",
        BillingError::FurtherPart => "There is a billing period for those left out already. Open it from the list.",
        BillingError::NotFound | BillingError::Db(_) => return error.to_string(),
    };
    text.to_owned()
}

fn not_here(step: Step, status: &str) -> &'static str {
    match (step, status) {
        (Step::Rate, "approved") => "The period is approved. Reopen it first, then rate it again.",
        (Step::Approve, "approved") => "The period is approved already.",
        (Step::Approve, "open") => "Rate the period first.",
        (Step::Rate | Step::Approve, _) => "The invoices of this period are issued already.",
        (Step::Reopen, "open") => "The period is open already.",
        (Step::Reopen, _) => "The invoices of this period are issued; an issued invoice is corrected by a credit note.",
        (Step::Issue, _) => "Approve the period first, then issue its invoices.",
        (Step::BillLeftOut, _) => "The period is not issued yet: mend the exceptions and rate it again.",
        (Step::Delete, _) => {
            "The invoices of this period are issued, so it stays; an issued invoice is corrected by a credit note."
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
        _ => "Reopen the period and rate it again.",
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

/// A period that was not made: what is wrong with its days is told at their fields.
#[must_use]
pub fn of_days(error: BillingError) -> AppError {
    let field = match &error {
        BillingError::NotFound | BillingError::Db(_) => return error.into(),
        BillingError::TooLong | BillingError::Unlikely(_) => "to",
        _ => "from",
    };
    FieldErrors::one(field, words(&error)).into()
}
