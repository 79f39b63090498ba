//! Demand: the highest average kW over the demand window, per time-of-use period where the tariff says so,
//! and what earlier peaks make of it (rule 4).
//!
//! Windows begin on the clock (…:00, :15, :30, :45) and belong to the period in which they begin. Where the
//! price changes within the billing period, with the season or with the tariff's version, each price holds
//! for its share of the days.

use std::sync::Arc;

use chrono::{Datelike, Months, NaiveDate};
use rust_decimal::Decimal;

use super::bill::{BillLine, Peaks, TraceDay};
use super::compile::{Charge, Price};
use super::error::RatingError;
use super::input::PastPeak;
use super::measure::{Highest, Measured};
use super::part::Part;
use super::walk;
use crate::tariff_document::{Block, DemandCharge, Ratchet};
use crate::usage::{Quality, RegisterRead};
use crate::values::money::Rounding;

/// A highest demand and its day.
#[derive(Debug, Clone, Copy)]
pub struct Peak {
    pub kw: Decimal,
    pub date: NaiveDate,
    pub estimated: bool,
}

/// Adds the demand lines, and keeps the highest demand of each charge and each period for later ratchets.
pub fn lines(part: &Part<'_>, peaks: &mut Peaks, lines: &mut Vec<BillLine>) -> Result<(), RatingError> {
    for (charge, rules) in part.tariff.demand.iter().zip(&part.tariff.document.demand) {
        // Each version sees the whole billing period: what an earlier one found over other windows or hours is past.
        if part.period != part.whole {
            peaks.retain(|name, _| !charge.is_record(name));
        }
        let seasons = days_of_seasons(part, charge);
        let source = part.demand_source(rules.register.as_ref())?;
        let found = match source.measured {
            Some(measured) => of_profile(part, charge, rules, measured)?,
            None => of_reads(charge, rules, source.reads)?,
        };
        for (price, peak) in charge.prices.iter().zip(found) {
            if let Some(peak) = peak {
                keep(price, peak.kw, peaks);
            }
            let days = price.season_at.map_or(part.period.days(), |at| seasons.get(at).copied().unwrap_or(0));
            price_lines(part, (charge, rules), (price, days), peak, lines)?;
        }
    }
    Ok(())
}

/// Keeps a highest demand as the charge's own, and by period for charges that this bill knows nothing of.
fn keep(price: &Price, kw: Decimal, peaks: &mut Peaks) {
    for name in &price.kept_as {
        match peaks.get_mut(name) {
            Some(highest) => *highest = (*highest).max(kw),
            None => {
                peaks.insert(Arc::clone(name), kw.max(Decimal::ZERO));
            }
        }
    }
}

/// The highest demand at each price.
fn of_profile(
    part: &Part<'_>,
    charge: &Charge,
    rules: &DemandCharge,
    measured: &Measured<'_>,
) -> Result<Vec<Option<Peak>>, RatingError> {
    let profile = measured.profile();
    part.fits(charge, profile)?;
    let window = rules.window_minutes.unwrap_or(profile.minutes);
    if profile.minutes > window || !window.is_multiple_of(profile.minutes) {
        let field = format!("the demand window of {}", charge.name);
        return Err(RatingError::IntervalTooLong { minutes: profile.minutes, field, needed: window });
    }
    let highest = measured.highest(usize::from(window / profile.minutes));
    let peak = |price: usize| {
        let mut peak = None;
        let own = (0..).zip(highest.iter()).filter(|(cell, _)| charge.price_at(*cell) == price);
        own.filter_map(|(_, highest)| *highest).for_each(|highest| highest.raise(&mut peak));
        peak.map(|Highest { wh, day }| Peak {
            kw: walk::kilowatts(wh, window),
            date: day.date,
            estimated: walk::estimated(day),
        })
    };
    Ok((0..charge.prices.len()).map(peak).collect())
}

fn of_reads(charge: &Charge, rules: &DemandCharge, reads: &[RegisterRead]) -> Result<Vec<Option<Peak>>, RatingError> {
    let mut highest = vec![None; charge.prices.len()];
    for (at, read) in reads.iter().enumerate() {
        for (price, best) in charge.prices.iter().zip(&mut highest) {
            if !in_season(charge, price, read)? {
                continue;
            }
            let kw = match price.period.as_ref().filter(|_| rules.per_period) {
                Some(period) => read
                    .tou_peak_kw
                    .get(period)
                    .copied()
                    .ok_or_else(|| missing(at, &format!("tou_peak_kw.{period}"), charge)),
                None => read.peak_kw.ok_or_else(|| missing(at, "peak_kw", charge)),
            }?;
            if best.is_none_or(|peak: Peak| kw > peak.kw) {
                *best = Some(Peak { kw, date: read.from, estimated: read.quality == Quality::Estimated });
            }
        }
    }
    Ok(highest)
}

fn missing(read: usize, field: &str, charge: &Charge) -> RatingError {
    RatingError::PeakMissing { read, field: field.to_owned(), charge: charge.name.clone() }
}

/// Whether a read lies in the season of a price.
fn in_season(charge: &Charge, price: &Price, read: &RegisterRead) -> Result<bool, RatingError> {
    let (Some(calendar), Some(season)) = (&charge.calendar, &price.season) else {
        return Ok(true);
    };
    let name = |date| calendar.seasons.get(calendar.season(date));
    let last = read.to.pred_opt().unwrap_or(read.from);
    if name(read.from) != name(last) {
        let why = "its price changes with the season within the read".to_owned();
        return Err(RatingError::NeedsIntervals { charge: charge.name.clone(), why });
    }
    Ok(name(read.from) == Some(season))
}

/// One line for each block that the billed demand reaches.
fn price_lines(
    part: &Part<'_>,
    (charge, rules): (&Charge, &DemandCharge),
    (price, days): (&Price, i64),
    peak: Option<Peak>,
    lines: &mut Vec<BillLine>,
) -> Result<(), RatingError> {
    let free = price.blocks.iter().all(|block| block.price.is_zero());
    if free || days == 0 {
        return Ok(());
    }
    let (billed, note) = billed(part, (charge, rules), price, peak);
    let Some(billed) = billed.filter(|billed| billed.kw > Decimal::ZERO) else {
        return Ok(());
    };
    let whole = part.whole.days();
    // The first block begins at nothing, which the billed demand is above.
    let reached = |(at, block): &(usize, &Block)| *at == 0 || billed.kw > block.from;
    for (at, block) in price.blocks.iter().enumerate().filter(reached) {
        let kw = block.to.map_or(billed.kw, |end| billed.kw.min(end)) - block.from;
        let share = if days == whole {
            kw
        } else {
            Rounding::HalfAwayFromZero.apply(kw * Decimal::from(days) / Decimal::from(whole), 6)
        };
        let mut note = note.clone();
        if days != whole {
            let before = if note.is_empty() { "" } else { "; " };
            note.push_str(&format!("{before}{} kW for {days} of {whole} days", kw.normalize()));
        }
        let Some(item) = price.items.get(at) else {
            continue;
        };
        let item = if note.is_empty() { Arc::clone(item) } else { Arc::new(item.noted(&note)) };
        let quantity = share.normalize();
        let until = billed.date.succ_opt().unwrap_or(billed.date);
        let trace = vec![TraceDay { date: billed.date, until, quantity, estimated: billed.estimated }];
        lines.push(part.line(&item, quantity, trace)?);
    }
    Ok(())
}

/// Days of the part in each season of the charge's calendar; none where no price asks for it.
fn days_of_seasons(part: &Part<'_>, charge: &Charge) -> Vec<i64> {
    let Some(calendar) =
        charge.calendar.as_ref().filter(|_| charge.prices.iter().any(|price| price.season_at.is_some()))
    else {
        return vec![];
    };
    calendar.days_of_seasons(part.period)
}

/// The demand billed, and where it comes from if not from this period: max(actual, ratchet).
fn billed(
    part: &Part<'_>,
    (charge, rules): (&Charge, &DemandCharge),
    price: &Price,
    actual: Option<Peak>,
) -> (Option<Peak>, String) {
    let Some(ratchet) = &rules.ratchet else {
        return (actual, String::new());
    };
    let of = |past: &PastPeak| earlier_peak(past, charge, price, rules);
    let earlier = part.history.peaks.iter().filter(|past| within(ratchet, past.from, part.whole.from()));
    let highest = earlier.filter_map(|past| of(past).map(|kw| (kw, past.from))).max_by_key(|(kw, from)| (*kw, *from));
    let Some((kw, from)) = highest else {
        return (actual, String::new());
    };
    let floor = Rounding::HalfAwayFromZero.apply(kw * ratchet.percent / Decimal::ONE_HUNDRED, 6).normalize();
    if actual.is_some_and(|actual| actual.kw >= floor) {
        return (actual, String::new());
    }
    let note = format!("{} % of {} kW of {}", ratchet.percent.normalize(), kw.normalize(), from.format("%Y-%m"));
    (Some(Peak { kw: floor, date: from, estimated: false }), note)
}

/// The charge's own highest demand in an earlier bill; of a bill that knows nothing of this charge, such as one by
/// another tariff, that of the period or at any time.
fn earlier_peak(past: &PastPeak, charge: &Charge, price: &Price, rules: &DemandCharge) -> Option<Decimal> {
    if past.tou.contains_key(&charge.record) {
        return past.tou.get(&price.record).copied();
    }
    let period = price.period.as_ref().filter(|_| rules.per_period);
    period.map_or(Some(past.kw), |name| past.tou.get(name.as_str()).copied())
}

fn within(ratchet: &Ratchet, past: NaiveDate, from: NaiveDate) -> bool {
    let oldest = from.checked_sub_months(Months::new(ratchet.months.into())).unwrap_or(NaiveDate::MIN);
    let counts = ratchet.only.is_empty() || u8::try_from(past.month()).is_ok_and(|month| ratchet.only.contains(&month));
    oldest <= past && past < from && counts
}
