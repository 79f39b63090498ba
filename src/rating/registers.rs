//! Register reads: the total through the blocks, or the registers of the time-of-use periods.

use rust_decimal::Decimal;

use super::compile::Charge;
use super::energy::{Counter, Scale, Sum};
use super::error::RatingError;
use super::measure::watt_hours;
use crate::usage::{Quality, RegisterRead};
use crate::values::period::Period;

/// A read is below this, as readings are stored.
const MOST_KWH: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

/// Checks that the reads follow each other from the first day to the last.
///
/// # Errors
/// [`RatingError::ReadsDoNotTile`] with the first day that is not covered once.
pub fn tile(reads: &[RegisterRead], period: Period) -> Result<(), RatingError> {
    let mut reached = period.from();
    for read in reads {
        if read.from != reached || read.to <= read.from {
            return Err(RatingError::ReadsDoNotTile(reached));
        }
        let figures = read.tou.values().chain([&read.kwh]);
        if figures.into_iter().any(|kwh| kwh.abs() >= MOST_KWH) {
            return Err(RatingError::TooLarge(format!("usage.reads of {}", read.from)));
        }
        reached = read.to;
    }
    if reached == period.to() { Ok(()) } else { Err(RatingError::ReadsDoNotTile(reached.min(period.last()))) }
}

/// Energy of the reads by price and block.
///
/// # Errors
/// When a register is missing, or only interval data could tell.
pub fn energy(charge: &Charge, reads: &[RegisterRead], scale: Scale) -> Result<Vec<Sum>, RatingError> {
    net_energy(charge, reads, &[], scale)
}

/// Energy of the reads less that of `exports`, by price and block.
///
/// # Errors
/// As [`energy`].
pub fn net_energy(
    charge: &Charge,
    reads: &[RegisterRead],
    exports: &[RegisterRead],
    scale: Scale,
) -> Result<Vec<Sum>, RatingError> {
    let mut counter = Counter::new(charge, scale);
    for (reads, sign) in [(reads, 1), (exports, -1)] {
        for (at, read) in reads.iter().enumerate() {
            for (price, kwh) in shares(charge, at, read)? {
                counter.step(
                    price,
                    read.from,
                    watt_hours(kwh) * sign,
                    read.quality == Quality::Estimated,
                    &mut |_, _| (),
                );
            }
        }
    }
    Ok(counter.finish(scale))
}

/// A read's energy by price.
fn shares(charge: &Charge, at: usize, read: &RegisterRead) -> Result<Vec<(usize, Decimal)>, RatingError> {
    let Some(calendar) = &charge.calendar else {
        return Ok(vec![(0, read.kwh)]);
    };
    let needs = |why: &str| RatingError::NeedsIntervals { charge: charge.name.clone(), why: why.to_owned() };
    let season = calendar.season(read.from);
    let one_season =
        Period::new(read.from, read.to).is_ok_and(|period| period.dates().all(|date| calendar.season(date) == season));
    let cells = (0..calendar.periods.len()).map(|period| (period, season * calendar.periods.len() + period));
    let prices: Vec<(usize, Option<usize>)> = cells.map(|(period, cell)| (period, charge.price_of(cell))).collect();
    if !one_season && charge.prices.len() > 1 && charge.prices.iter().any(|price| price.season.is_some()) {
        return Err(needs("its price changes with the season within the read"));
    }
    // Periods that the season does not use have no price.
    let mut priced = prices.iter().filter_map(|(_, price)| *price);
    if let Some(price) = priced.next()
        && priced.all(|other| other == price)
    {
        return Ok(vec![(price, read.kwh)]);
    }
    if charge.prices.iter().any(|price| price.blocks.len() > 1) {
        return Err(needs("it has blocks within time-of-use periods, and a register does not tell the order of time"));
    }
    let named = prices.into_iter().filter_map(|(period, price)| calendar.periods.get(period).map(|name| (name, price)));
    let mut shares = vec![];
    for (name, price) in named {
        let of = || (name.clone(), charge.name.clone());
        match (read.tou.get(name).copied(), price) {
            (Some(kwh), Some(price)) => shares.push((price, kwh)),
            (Some(kwh), None) if !kwh.is_zero() => {
                let (period, charge) = of();
                return Err(RatingError::RegisterUnpriced { read: at, period, charge });
            }
            (None, _) if calendar.uses(season, name) => {
                let (period, charge) = of();
                return Err(RatingError::RegisterMissing { read: at, period, charge });
            }
            _ => {}
        }
    }
    adds_up(charge, at, read, &shares)?;
    Ok(shares)
}

/// Whether the registers of the periods come to the read: each may differ by the last digit that it shows.
fn adds_up(charge: &Charge, at: usize, read: &RegisterRead, shares: &[(usize, Decimal)]) -> Result<(), RatingError> {
    let sum: Decimal = shares.iter().map(|(_, kwh)| *kwh).sum();
    if (sum - read.kwh).abs() <= Decimal::from(shares.len() + 1) {
        return Ok(());
    }
    Err(RatingError::RegistersDiffer { read: at, charge: charge.name.clone(), sum, total: read.kwh })
}

/// Energy of the reads in watt-hours.
pub fn total(reads: &[RegisterRead]) -> i64 {
    reads.iter().map(|read| watt_hours(read.kwh)).sum()
}
