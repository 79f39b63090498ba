//! Charges that do not depend on usage.

use rust_decimal::Decimal;

use super::bill::BillLine;
use super::error::RatingError;
use super::part::Part;
use crate::tariff_document::{FixedBasis, FixedCharge, Proration};
use crate::values::period::Period;

/// Adds one line for each fixed charge.
pub fn lines(part: &Part<'_>, lines: &mut Vec<BillLine>) -> Result<(), RatingError> {
    for (charge, item) in part.tariff.document.fixed.iter().zip(&part.tariff.fixed) {
        lines.push(part.line(item, quantity(charge, part.period, part.whole), vec![])?);
    }
    Ok(())
}

fn quantity(charge: &FixedCharge, period: Period, whole: Period) -> Decimal {
    let days = Decimal::from(period.days());
    match (charge.per, charge.proration) {
        (FixedBasis::AverageMonthDay, _) if period.is_calendar_month() => {
            (Decimal::from(365) / Decimal::from(12)).round_dp(6)
        }
        (FixedBasis::Day | FixedBasis::AverageMonthDay, _) => days,
        (FixedBasis::Month, Proration::CalendarDays) if period.is_calendar_month() => Decimal::ONE,
        (FixedBasis::Month, Proration::CalendarDays) => {
            let share =
                |month: Period| Decimal::from(month.days()) / Decimal::from(Period::month_of(month.from()).days());
            period.months().map(share).sum::<Decimal>().round_dp(6)
        }
        (FixedBasis::Month, Proration::NormalDays(normal)) => (days / Decimal::from(normal.max(1))).round_dp(6),
        // Once per billing period; the parts of one share it by days.
        (FixedBasis::Month, Proration::None) if period == whole => Decimal::ONE,
        (FixedBasis::Month, Proration::None) => (days / Decimal::from(whole.days())).round_dp(6),
    }
}
