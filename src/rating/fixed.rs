//! Charges that do not depend on usage.

use rust_decimal::Decimal;

use super::bill::{BillLine, LineKind, Unit};
use super::error::RatingError;
use super::part::{Draft, Part};
use crate::period::Period;
use crate::tariff_document::{FixedBasis, FixedCharge, Proration};

/// One line for each fixed charge.
pub fn lines(part: &Part<'_>) -> Result<Vec<BillLine>, RatingError> {
    let line = |charge: &FixedCharge| {
        let (quantity, unit) = quantity(charge, part.period, part.whole);
        part.line(Draft::new(LineKind::Fixed, &charge.name, quantity, unit, charge.price))
    };
    part.tariff.document.fixed.iter().map(line).collect()
}

fn quantity(charge: &FixedCharge, period: Period, whole: Period) -> (Decimal, Unit) {
    let days = Decimal::from(period.days());
    match (charge.per, charge.proration) {
        (FixedBasis::Day, _) => (days, Unit::Day),
        (FixedBasis::AverageMonthDay, _) if period.is_calendar_month() => {
            ((Decimal::from(365) / Decimal::from(12)).round_dp(6), Unit::Day)
        }
        (FixedBasis::AverageMonthDay, _) => (days, Unit::Day),
        (FixedBasis::Month, Proration::CalendarDays) => {
            let share =
                |month: Period| Decimal::from(month.days()) / Decimal::from(Period::month_of(month.from()).days());
            (period.months().map(share).sum::<Decimal>().round_dp(6), Unit::Month)
        }
        (FixedBasis::Month, Proration::NormalDays(normal)) => {
            ((days / Decimal::from(normal.max(1))).round_dp(6), Unit::Month)
        }
        // Once per billing period; the parts of one share it by days.
        (FixedBasis::Month, Proration::None) => ((days / Decimal::from(whole.days())).round_dp(6), Unit::Month),
    }
}
