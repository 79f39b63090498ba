//! Usage from figures. Pure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::Figure;
use crate::metering::registers::ENERGY;
use crate::values::ids::{MeterId, RegisterId};

/// What was used between two readings of a meter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// The meter.
    pub meter_id: MeterId,
    /// First day.
    pub from_on: NaiveDate,
    /// The day after the last.
    pub to_on: NaiveDate,
    /// Energy of all registers.
    pub kwh: Decimal,
    /// Energy by time-of-use period, where registers have names.
    pub kwh_by_period: BTreeMap<String, Decimal>,
    /// Highest demand, where the meter keeps it.
    pub peak_kw: Option<Decimal>,
    /// `estimated` where either reading is, else `customer` where either is, else `actual`.
    pub quality: String,
}

/// What a register of so many whole digits can show: the first number that it cannot.
pub(super) fn range(digits: i16) -> Decimal {
    (0..digits).fold(Decimal::ONE, |range, _| range * Decimal::TEN)
}

/// How far a register went from one figure to another; across its roll-over where the second is the lower one.
#[must_use]
pub fn advance(before: Decimal, after: Decimal, digits: i16) -> Decimal {
    if after < before { after - before + range(digits) } else { after - before }
}

/// Whether a register can have gone from one figure to another: forwards, or across its roll-over by less than half of what
/// it can show.
#[must_use]
pub fn is_plausible(before: Decimal, after: Decimal, digits: i16) -> bool {
    after >= before || advance(before, after, digits) * Decimal::TWO < range(digits)
}

/// Figures of one day on one meter.
struct Reading<'f> {
    read_on: NaiveDate,
    side: Side,
    figures: Vec<&'f Figure>,
}

/// In the order of a day on which one customer goes and another comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Ends,
    Both,
    Begins,
}

impl Side {
    fn of(figure: &Figure) -> Self {
        match figure.why.as_str() {
            "final" | "removed" => Self::Ends,
            "installed" | "opening" => Self::Begins,
            _ => Self::Both,
        }
    }
}

/// What was used between readings that follow each other, in order of days and meters. Between a final reading and the next
/// opening one nothing is told: these days are somebody else's. A reading that has not a figure of each of the meter's
/// registers of energy says nothing.
#[must_use]
pub fn used(figures: &[Figure]) -> Vec<Used> {
    let mut meters: BTreeMap<MeterId, BTreeMap<(NaiveDate, Side), Vec<&Figure>>> = BTreeMap::new();
    for figure in figures {
        meters.entry(figure.meter_id).or_default().entry((figure.read_on, Side::of(figure))).or_default().push(figure);
    }
    let mut found: Vec<Used> = meters.into_iter().flat_map(|(meter, days)| of_meter(meter, days)).collect();
    found.sort_by_key(|used| (used.from_on, used.meter_id));
    found
}

fn of_meter(meter: MeterId, days: BTreeMap<(NaiveDate, Side), Vec<&Figure>>) -> Vec<Used> {
    let is_energy = |figure: &&&Figure| figure.measures == ENERGY;
    let counters: BTreeSet<RegisterId> = days.values().flatten().filter(is_energy).map(|one| one.register_id).collect();
    let mut found = vec![];
    let mut begun: Option<Reading<'_>> = None;
    for ((read_on, side), figures) in days {
        let whole = counters.iter().all(|id| figures.iter().any(|figure| figure.register_id == *id));
        if !whole {
            continue;
        }
        let reading = Reading { read_on, side, figures };
        if let Some(before) = begun.take().filter(|before| side != Side::Begins && before.read_on < read_on) {
            found.push(between(meter, &before, &reading));
        }
        begun = Some(reading).filter(|reading| reading.side != Side::Ends);
    }
    found
}

fn between(meter_id: MeterId, before: &Reading<'_>, after: &Reading<'_>) -> Used {
    let (mut kwh, mut kwh_by_period, mut peak_kw) = (Decimal::ZERO, BTreeMap::new(), None);
    for figure in &after.figures {
        if figure.measures != ENERGY {
            peak_kw = peak_kw.max(Some((figure.figure * figure.multiplier).normalize()));
            continue;
        }
        let Some(start) = before.figures.iter().find(|start| start.register_id == figure.register_id) else { continue };
        let used = advance(start.figure, figure.figure, figure.digits) * figure.multiplier;
        kwh += used;
        if !figure.name.is_empty() {
            *kwh_by_period.entry(figure.name.clone()).or_insert(Decimal::ZERO) += used.normalize();
        }
    }
    let either = |quality: &str| before.figures.iter().chain(&after.figures).any(|figure| figure.quality == quality);
    let quality = ["estimated", "customer"].into_iter().find(|quality| either(quality)).unwrap_or("actual");
    let (from_on, to_on) = (before.read_on, after.read_on);
    Used { meter_id, from_on, to_on, kwh: to_the_wh(kwh), kwh_by_period, peak_kw, quality: quality.to_owned() }
}

/// With three decimals, as energy is kept, and more where the multiplier makes them.
fn to_the_wh(kwh: Decimal) -> Decimal {
    let mut kwh = kwh.normalize();
    if kwh.scale() < 3 {
        kwh.rescale(3);
    }
    kwh
}
