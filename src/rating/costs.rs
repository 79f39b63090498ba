//! What each interval costs, so that a customer can follow a line down to the quarter-hour (rule 8).

use chrono::{DateTime, Duration, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::bill::BillLine;
use super::compile::Charge;
use super::energy::{Counter, Sum};
use super::error::RatingError;
use super::export;
use super::measure::Measured;
use super::named::Source;
use super::part::{Part, State};
use crate::usage::days::day_start;
use crate::values::money::Rounding;

/// An interval with its cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntervalCost {
    /// First instant.
    pub start: DateTime<Utc>,
    /// Local day.
    pub date: NaiveDate,
    /// Energy bought in watt-hours; under net metering and net billing after netting.
    pub wh: i64,
    /// Cost of its energy before tax, not rounded to cents.
    pub cost: Decimal,
}

/// A share of an interval: which interval, which bucket, how much.
struct Share {
    interval: usize,
    place: usize,
    wh: i64,
}

/// The intervals of a part with their costs.
pub fn of_part(part: &Part<'_>, state: &mut State) -> Result<Vec<IntervalCost>, RatingError> {
    let Some(measured) = &part.measured else {
        let why = "register reads have no intervals".to_owned();
        return Err(RatingError::NeedsIntervals { charge: "interval costs".to_owned(), why });
    };
    let flow = export::flow(part)?;
    state.netted = part.usage.export.is_some() || !state.bank.is_empty();
    let netted = part.netted(&flow)?;
    let bought = netted.as_ref().unwrap_or(measured);
    let mut intervals = intervals(part, bought);
    for (at, (charge, rules)) in part.tariff.energy.iter().zip(&part.tariff.document.energy).enumerate() {
        let scale = part.scale(rules.blocks_per);
        let source = part.source(rules.register.as_ref(), Some(bought))?;
        let shares = shares(part, charge, (source, bought), Counter::new(charge, scale));
        for sum in part.sums(charge, scale, source, state, at == 0)?.into_iter().filter(|sum| sum.bucket.wh != 0) {
            let own = own(&shares, &sum, charge, state.netted);
            if let Some(line) = part.energy_line((charge, source), sum)? {
                put(&line, &own, state.netted, &mut intervals);
            }
        }
    }
    Ok(intervals)
}

fn intervals(part: &Part<'_>, measured: &Measured<'_>) -> Vec<IntervalCost> {
    let profile = measured.profile();
    let mut intervals = vec![];
    for day in measured.days(part.period) {
        let mut start = day_start(profile.zone, day.date());
        for value in &day.usage.values {
            intervals.push(IntervalCost { start, date: day.date(), wh: i64::from(*value), cost: Decimal::ZERO });
            start += Duration::minutes(profile.minutes.into());
        }
    }
    intervals
}

/// Every interval's way through the blocks. A register's intervals may be shorter than those that it is a part of.
fn shares(
    part: &Part<'_>,
    charge: &Charge,
    (source, bought): (Source<'_>, &Measured<'_>),
    mut counter: Counter<'_>,
) -> Vec<Share> {
    let Some(measured) = source.measured else { return vec![] };
    let (own, all) = (usize::from(measured.profile().minutes), usize::from(bought.profile().minutes.max(1)));
    let (mut shares, mut scratch, mut at) = (vec![], vec![], 0);
    for day in measured.days(part.period) {
        for (cell, values) in measured.runs(day, &mut scratch) {
            for wh in values {
                counter.step(charge.price_at(cell), day.date(), i64::from(*wh), false, &mut |place, wh| {
                    shares.push(Share { interval: at * own / all, place, wh })
                });
                at += 1;
            }
        }
    }
    shares
}

/// The shares that a line is made of.
fn own<'s>(shares: &'s [Share], sum: &Sum, charge: &Charge, netted: bool) -> Vec<&'s Share> {
    let prices = charge.prices.len().max(1);
    let belongs = |share: &&Share| {
        if netted { share.place % prices == sum.price && share.wh > 0 } else { sum.is_of(share.place, prices) }
    };
    shares.iter().filter(belongs).collect()
}

/// Puts a line's amount on its intervals, all of it.
fn put(line: &BillLine, own: &[&Share], netted: bool, intervals: &mut [IntervalCost]) {
    let total = Decimal::from(own.iter().map(|share| share.wh).sum::<i64>());
    let mut left = line.amount.amount();
    for share in own {
        let wh = Decimal::from(share.wh);
        let cost = if netted && !total.is_zero() {
            Rounding::HalfAwayFromZero.apply(line.amount.amount() * wh / total, 9)
        } else {
            wh * line.item.price / Decimal::ONE_THOUSAND
        };
        left -= cost;
        if let Some(interval) = intervals.get_mut(share.interval) {
            interval.cost += cost;
        }
    }
    let largest = own.iter().max_by_key(|share| share.wh).and_then(|share| intervals.get_mut(share.interval));
    if let Some(interval) = largest {
        interval.cost += left;
    }
}
