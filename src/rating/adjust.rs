//! Riders, percentages, minimums: what is worked out from other lines.

use std::sync::Arc;

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;

use super::bill::{BillLine, LineKind, TraceDay};
use super::error::RatingError;
use super::item::{Item, Unit};
use super::part::{Part, trace};
use crate::tariff_document::{Adjustment, AdjustmentKind, Minimum, MinimumBasis};
use crate::values::money::Money;

/// Adds the riders of a part to its lines, in the tariff's order; the first `first` lines are the first energy charge's.
pub fn riders(part: &Part<'_>, first: usize, lines: &mut Vec<BillLine>) -> Result<(), RatingError> {
    for (adjustment, item) in part.tariff.document.adjustments.iter().zip(&part.tariff.riders) {
        lines.push(rider(part, adjustment, item, first, lines)?);
    }
    Ok(())
}

fn rider(
    part: &Part<'_>,
    adjustment: &Adjustment,
    item: &Arc<Item>,
    first: usize,
    lines: &[BillLine],
) -> Result<BillLine, RatingError> {
    match &adjustment.kind {
        AdjustmentKind::Kwh { .. } => {
            let (kwh, trace) = billed_energy(part, lines.get(..first).unwrap_or_default());
            part.line(item, kwh, trace)
        }
        AdjustmentKind::Period { .. } => part.line(item, part.share().round_dp(6).normalize(), vec![]),
        AdjustmentKind::Percent { percent, of } => {
            let default = [LineKind::Energy, LineKind::Demand, LineKind::Fixed];
            let kinds: &[LineKind] = if of.is_empty() { &default } else { of };
            let base: Money = lines.iter().filter(|line| kinds.contains(&line.item.kind)).map(|line| line.amount).sum();
            let item = item.noted(&format!("{} % of {base}", percent.normalize()));
            part.line(&Arc::new(item), base.amount(), vec![])
        }
    }
}

/// The energy that the first energy charge bills, whose lines these are, by day; all that was bought where each charge
/// bills a register.
fn billed_energy(part: &Part<'_>, billed: &[BillLine]) -> (Decimal, Vec<TraceDay>) {
    if part.tariff.energy.is_empty() {
        return (part.imported(), vec![]);
    }
    if part.tariff.document.names_registers() {
        let all = part.bought();
        return (part.kwh(all.wh), trace(&all, 1, part.usage.import.reads()));
    }
    let mut days: Vec<TraceDay> = vec![];
    for day in billed.iter().flat_map(|line| &line.trace) {
        match days.iter_mut().find(|known| known.date == day.date) {
            Some(known) => {
                known.quantity += day.quantity;
                known.estimated |= day.estimated;
            }
            None => days.push(day.clone()),
        }
    }
    days.sort_by_key(|day| day.date);
    (billed.iter().map(|line| line.quantity).sum(), days)
}

/// What is missing to each minimum, as lines of their own.
pub fn minimums(parts: &[Part<'_>], lines: &mut Vec<BillLine>) -> Result<(), RatingError> {
    for (part, minimum) in of_all_versions(parts) {
        let counted = counted(minimum, lines)
            + if minimum.per == MinimumBasis::Year { part.history.carried.year_to_date } else { Money::ZERO };
        let Some(least) = least(minimum, parts) else {
            continue;
        };
        let short = least - counted;
        if !short.is_negative() && !short.is_zero() {
            let item = part.tariff.item(LineKind::Minimum, &minimum.name, Unit::Each, short.amount());
            let item = item.noted(&format!("{least} less {counted}"));
            lines.push(part.line_of_bill(Arc::new(item), Decimal::ONE, vec![])?);
        }
    }
    Ok(())
}

/// Every minimum of the last version, and of each earlier one those that no later one has; the year's only of the last.
fn of_all_versions<'p>(parts: &'p [Part<'_>]) -> Vec<(&'p Part<'p>, &'p Minimum)> {
    let mut found: Vec<(&Part<'_>, &Minimum)> = vec![];
    for (at, part) in parts.iter().rev().enumerate() {
        let later = found.len();
        for minimum in &part.tariff.document.minimums {
            let known = found.iter().take(later).any(|(_, known)| is_same(known, minimum));
            if !known && (at == 0 || minimum.per != MinimumBasis::Year) {
                found.push((part, minimum));
            }
        }
    }
    found
}

/// Whether two versions of a tariff mean the same minimum.
fn is_same(one: &Minimum, other: &Minimum) -> bool {
    one.name == other.name && one.per == other.per
}

/// What counts towards a minimum; the year's also counts the minimums of its bills.
pub fn counted(minimum: &Minimum, lines: &[BillLine]) -> Money {
    let default = [LineKind::Energy, LineKind::Demand, LineKind::Fixed, LineKind::Adjustment, LineKind::Credit];
    let kinds: &[LineKind] = if minimum.counts.is_empty() { &default } else { &minimum.counts };
    let counts = |line: &&BillLine| {
        kinds.contains(&line.item.kind) || (minimum.per == MinimumBasis::Year && line.item.kind == LineKind::Minimum)
    };
    lines.iter().filter(counts).map(|line| line.amount).sum()
}

/// The least amount; each version of the tariff has its share of the days. `None`: not in this bill.
fn least(minimum: &Minimum, parts: &[Part<'_>]) -> Option<Money> {
    let last = parts.last()?;
    if minimum.per == MinimumBasis::Year {
        let end = NaiveDate::from_ymd_opt(last.whole.from().year(), 12, 31)?;
        return last.whole.contains(end).then(|| Money::new(minimum.amount));
    }
    let share = |part: &Part<'_>| {
        let own = &part.tariff.document.minimums;
        // Of two alike in one version each is itself.
        let same = own.iter().find(|known| std::ptr::eq(*known, minimum));
        let same = same.or_else(|| own.iter().find(|known| is_same(known, minimum)));
        let factor = if minimum.per == MinimumBasis::Day { Decimal::from(part.period.days()) } else { part.share() };
        same.map_or(Decimal::ZERO, |same| same.amount * factor)
    };
    Some(Money::new(parts.iter().map(share).sum()))
}
