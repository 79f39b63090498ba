//! Rating: usage x tariff = charges with their trace. Pure: knows no connection, no clock, no float.
//!
//! A [`TariffDocument`](crate::tariff_document::TariffDocument) is prepared once as a [`CompiledTariff`];
//! [`rate`] then walks the days of a profile (or takes register reads) and makes a [`Bill`]. Energy is
//! summed as whole watt-hours per block and time-of-use period and multiplied by the price once (rule 6).
//!
//! What does not depend on usage is worked out with the tariff: all its calendars laid over each other (`grid`), and
//! what each line charges for ([`Item`]). A bill's values are read once (`measure`): each day's energy by cell of the
//! grid, and each cell's highest value; energy (`energy`) and demand (`demand`) work on these.

mod adjust;
mod bill;
mod calendar;
mod compile;
mod costs;
mod demand;
mod energy;
mod error;
pub mod explain;
mod export;
mod finish;
mod fixed;
mod grid;
mod input;
mod item;
mod lines;
mod measure;
mod named;
mod part;
mod registers;
pub mod report;
pub mod sample;
mod versions;
mod walk;

pub use bill::{Bill, BillLine, Carried, LineKind, Peaks, TraceDay};
pub use compile::CompiledTariff;
pub use error::RatingError;
pub use input::{History, PastPeak, Register, Supply, UsageInput};
pub use item::{Item, Unit};

use crate::values::period::Period;
pub use costs::IntervalCost;
use part::{Part, State};
pub use versions::{interval_costs, rate_versions};

/// Rates one billing period of one account.
///
/// `history` is what earlier bills left behind: peaks for ratchets, kWh and credit carried over, the year's
/// charges so far; [`History::default`] for a first bill.
///
/// # Errors
/// [`RatingError`] when the usage does not cover the period, or is of a kind that the tariff cannot rate.
pub fn rate(
    tariff: &CompiledTariff,
    usage: &UsageInput<'_>,
    period: Period,
    history: &History,
) -> Result<Bill, RatingError> {
    let part = Part::new(tariff, (period, usage), (period, usage), history)?;
    let mut state = State::from_history(history);
    let lines = part.lines(&mut state)?;
    finish::bill(&[part], state, lines)
}

#[cfg(test)]
mod tests;
