//! Rate structures: for each period its blocks.

use serde_json::Value;

use super::super::{Block, BlockBasis, DemandCharge, EnergyCharge, PriceCell, Ratchet, TariffDocument};
use super::{Rate, fields, schedule};
use rust_decimal::Decimal;

/// The field of energy rates.
const ENERGY_RATES: &str = "energyratestructure";
/// What is told of another unit of demand.
const ONLY_KW: &str = "only kW can be represented";
/// Name of the calendar of energy.
const ENERGY: &str = "energy";
/// Name of the calendar of demand per period.
const DEMAND: &str = "demand";
/// Name of the calendar of flat demand.
const FLAT: &str = "flat demand";

/// Schedules of energy.
const ENERGY_SCHEDULES: [&str; 2] = ["energyweekdayschedule", "energyweekendschedule"];
/// The field of demand rates per period, and its schedules.
const DEMAND_RATES: &str = "demandratestructure";
const DEMAND_SCHEDULES: [&str; 2] = ["demandweekdayschedule", "demandweekendschedule"];

pub fn energy(rate: &mut Rate<'_>, tariff: &mut TariffDocument) {
    if rate.get(ENERGY_RATES).is_none() {
        return rate.fault(ENERGY_RATES, "", "this is missing: no price of energy is given");
    }
    let Some(basis) = energy_basis(rate) else {
        return;
    };
    let Some(cells) = cells(rate, ENERGY_RATES) else {
        return;
    };
    let (mut prices, mut calendar) = (cells, None);
    if prices.len() == 1 {
        if !schedule::only_period(rate, ENERGY_SCHEDULES) {
            return;
        }
    } else {
        let [weekday, weekend] = ENERGY_SCHEDULES;
        let Some(found) = schedule::calendar(rate, weekday, weekend, prices.len()) else {
            return;
        };
        prices = named(prices);
        tariff.calendars.insert(ENERGY.to_owned(), found);
        calendar = Some(ENERGY.to_owned());
    }
    tariff.energy.push(EnergyCharge { name: "Energy".to_owned(), register: None, calendar, blocks_per: basis, prices });
}

pub fn demand(rate: &mut Rate<'_>, tariff: &mut TariffDocument) {
    // What says nothing is kW, as URDB has it.
    for field in ["demandunits", "demandrateunit", "flatdemandunit", "flatdemandunits"] {
        if rate.text(field).is_some_and(|unit| !unit.trim().eq_ignore_ascii_case("kw")) {
            rate.fault(field, "", ONLY_KW);
        }
    }
    let (ratchet, window) = (ratchet(rate), window(rate));
    let charge = |name: &str, calendar, per_period, prices| DemandCharge {
        name: name.to_owned(),
        register: None,
        calendar,
        per_period,
        window_minutes: window,
        prices,
        ratchet: ratchet.clone(),
    };
    if let Some((calendar, prices)) = flat_demand(rate, tariff) {
        tariff.demand.push(charge("Demand", calendar, false, prices));
    }
    if rate.get(DEMAND_RATES).is_none() {
        return schedule::without_structure(rate, DEMAND_RATES, &DEMAND_SCHEDULES);
    }
    let Some(prices) = cells(rate, DEMAND_RATES) else {
        return;
    };
    if prices.len() == 1 {
        if schedule::only_period(rate, DEMAND_SCHEDULES) {
            tariff.demand.push(charge("Demand", None, false, prices));
        }
        return;
    }
    let [weekday, weekend] = DEMAND_SCHEDULES;
    let Some(found) = schedule::calendar(rate, weekday, weekend, prices.len()) else {
        return;
    };
    tariff.calendars.insert(DEMAND.to_owned(), found);
    tariff.demand.push(charge("Time-of-use demand", Some(DEMAND.to_owned()), true, named(prices)));
}

fn flat_demand(rate: &mut Rate<'_>, tariff: &mut TariffDocument) -> Option<(Option<String>, Vec<PriceCell>)> {
    if rate.get("flatdemandstructure").is_none() {
        schedule::without_structure(rate, "flatdemandstructure", &["flatdemandmonths"]);
        return None;
    }
    let prices = cells(rate, "flatdemandstructure")?;
    if prices.len() == 1 && rate.get("flatdemandmonths").is_none() {
        return Some((None, prices));
    }
    let numbers = month_numbers(rate, prices.len())?;
    let (calendar, seasons) = schedule::of_months(&numbers);
    let of = |season: &str, number: &usize| prices.get(*number).map(|cell| cell.clone().in_season(season));
    let cells = seasons.iter().filter_map(|(season, number)| of(season, number)).collect();
    tariff.calendars.insert(FLAT.to_owned(), calendar);
    Some((Some(FLAT.to_owned()), cells))
}

/// The structure of each month, `None` with a fault noted.
fn month_numbers(rate: &mut Rate<'_>, structures: usize) -> Option<Vec<usize>> {
    let months = rate.get("flatdemandmonths").and_then(Value::as_array).filter(|months| months.len() == 12);
    let Some(months) = months else {
        let message = format!("12 numbers of structures are needed, from 0 to {}", structures - 1);
        rate.fault("flatdemandmonths", "", message);
        return None;
    };
    let mut numbers = vec![];
    for (month, value) in months.iter().enumerate() {
        let Some(number) = schedule::index(value).filter(|number| *number < structures) else {
            let message = format!("{value} is no structure: there are {structures}, from 0");
            rate.fault("flatdemandmonths", &format!("[{month}]"), message);
            return None;
        };
        numbers.push(number);
    }
    Some(numbers)
}

/// One cell for each period, each with its blocks; `None` where the field is not there or wrong.
fn cells(rate: &mut Rate<'_>, field: &str) -> Option<Vec<PriceCell>> {
    let periods = rate.get(field)?.as_array().filter(|periods| !periods.is_empty());
    let Some(periods) = periods else {
        rate.fault(field, "", "a rate structure is a list of periods, each a list of blocks");
        return None;
    };
    let mut cells = vec![];
    for (at, blocks) in periods.iter().enumerate() {
        let Some(blocks) = blocks.as_array() else {
            rate.fault(field, &format!("[{at}]"), "a period is a list of blocks");
            return None;
        };
        cells.push(PriceCell { season: None, period: None, blocks: steps(rate, field, at, blocks)? });
    }
    Some(cells)
}

fn steps(rate: &mut Rate<'_>, field: &str, period: usize, blocks: &[Value]) -> Option<Vec<Block>> {
    let mut from = Decimal::ZERO;
    let mut steps = vec![];
    for (at, block) in blocks.iter().enumerate() {
        let place = format!("[{period}][{at}]");
        if !known_keys(rate, field, &place, block) {
            return None;
        }
        let read = |key: &str| block.get(key).filter(|value| !value.is_null()).map(fields::price);
        let Some(price) = read("rate") else {
            rate.fault(field, &place, "the block has no rate; 0 where it costs nothing");
            return None;
        };
        // Most blocks have no adjustment.
        let (Some(price), Some(adjustment)) = (price, read("adj").unwrap_or(Some(Decimal::ZERO))) else {
            rate.fault(field, &place, "rate and adj must be numbers");
            return None;
        };
        let Some(to) = block.get("max").filter(|max| !max.is_null()).map_or(Some(None), fields::limit) else {
            rate.fault(field, &format!("{place}.max"), "max must be a number, and not below zero");
            return None;
        };
        if let Some(end) = to.filter(|end| *end <= from) {
            rate.fault(field, &format!("{place}.max"), format!("the block ends at {end}, not after {from}"));
            return None;
        }
        match (to, at + 1 == blocks.len()) {
            (None, false) => {
                rate.fault(field, &place, "only the last block has no end: those after it would never hold");
                return None;
            }
            (Some(end), true) => {
                rate.fault(
                    field,
                    &format!("{place}.max"),
                    format!("nothing holds from {end} on: the last block must have no end"),
                );
                return None;
            }
            _ => {}
        }
        steps.push(Block { from, to, price: price + adjustment });
        from = to.unwrap_or(from);
    }
    if steps.is_empty() {
        rate.fault(field, &format!("[{period}]"), "a period has at least one block");
        return None;
    }
    Some(steps)
}

/// Whether a block is an object whose unit and sell rate, where it has them, are what they should be; else a fault
/// is noted. So is one of every key that cannot be represented.
fn known_keys(rate: &mut Rate<'_>, field: &str, place: &str, block: &Value) -> bool {
    let Some(block) = block.as_object() else {
        rate.fault(field, place, "a block is an object with rate, adj, max, unit and sell");
        return false;
    };
    let before = rate.faults.len();
    for (key, value) in block.iter().filter(|(_, value)| !value.is_null()) {
        let fault = match key.as_str() {
            "rate" | "adj" | "max" => None,
            "sell" if field == ENERGY_RATES => (!value.is_number()).then_some("sell must be a number"),
            "unit" if value.is_string() => (field != ENERGY_RATES && !is_kw(value)).then_some(ONLY_KW),
            "unit" => Some(fields::NO_TEXT),
            _ => (!fields::empty(value)).then_some("this cannot be represented: a bill may depend on it"),
        };
        if let Some(message) = fault {
            rate.fault(field, &format!("{place}.{key}"), message);
        }
    }
    rate.faults.len() == before
}

/// Whether a unit of demand is kW, or says nothing.
fn is_kw(unit: &Value) -> bool {
    fields::empty(unit) || unit.as_str().is_some_and(|unit| unit.trim().eq_ignore_ascii_case("kw"))
}

/// What block limits are per, by the unit of the blocks.
fn energy_basis(rate: &mut Rate<'_>) -> Option<BlockBasis> {
    let periods = rate.get(ENERGY_RATES).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let blocks = periods.iter().filter_map(Value::as_array).flatten();
    let unit = |block: &Value| block.get("unit").and_then(Value::as_str).unwrap_or_default().trim().to_owned();
    // A limit without a unit is in kWh, as URDB has it; a block without either has nothing to be read.
    let limited = |block: &Value| block.get("max").is_some_and(|max| fields::limit(max).flatten().is_some());
    let told = |block: &Value| match unit(block) {
        unit if unit.is_empty() => limited(block).then(|| "kWh".to_owned()),
        unit => Some(unit),
    };
    let mut units: Vec<String> = blocks.filter_map(told).collect();
    units.sort_unstable();
    units.dedup();
    let all = |name: &str| units.iter().all(|unit| unit.eq_ignore_ascii_case(name));
    match (all("kWh"), all("kWh daily")) {
        (true, _) => Some(BlockBasis::Period),
        (false, true) => Some(BlockBasis::Day),
        (false, false) => {
            let units = units.join(", ");
            rate.fault(
                ENERGY_RATES,
                "",
                format!("blocks in {units} cannot be represented: only all in kWh or all in kWh daily"),
            );
            None
        }
    }
}

fn window(rate: &mut Rate<'_>) -> Option<u16> {
    let value = rate.get("demandwindow").filter(|value| !fields::empty(value))?;
    let demand = ["demandratestructure", "flatdemandstructure"].iter().any(|field| rate.get(field).is_some());
    let minutes = schedule::index(value).and_then(|minutes| u16::try_from(minutes).ok());
    match minutes {
        None => rate.fault("demandwindow", "", "the demand window is a number of minutes"),
        Some(minutes) if demand && !DemandCharge::WINDOWS.contains(&minutes) => {
            rate.fault("demandwindow", "", "a demand window has 5, 15, 30 or 60 minutes");
        }
        Some(_) => {}
    }
    minutes
}

/// Look-back: a fraction of the peaks of the months before, either of `lookbackrange` months or of those
/// that `lookbackmonths` marks within a year.
fn ratchet(rate: &mut Rate<'_>) -> Option<Ratchet> {
    let Some(percent) = rate.get("lookbackpercent") else {
        for field in ["lookbackmonths", "lookbackrange"] {
            if rate.get(field).is_some_and(|value| !fields::empty(value)) {
                rate.fault(field, "", "lookbackpercent is missing: how much of the earlier peak counts?");
            }
        }
        return None;
    };
    // Nought per cent of an earlier peak is no look-back.
    let percent = Some(percent).filter(|value| !fields::empty(value))?;
    let Some(fraction) = fields::price(percent) else {
        rate.fault("lookbackpercent", "", "this is not a number");
        return None;
    };
    if fraction <= Decimal::ZERO || fraction > Decimal::ONE {
        rate.fault("lookbackpercent", "", "a look-back is a fraction, more than 0 and at most 1");
        return None;
    }
    let (only, range) = (marked_months(rate)?, look_back_range(rate)?);
    let months = match (range, only.is_empty()) {
        (0, false) => 11,
        (range, true) if (1..=36).contains(&range) => u8::try_from(range).ok()?,
        _ => {
            rate.fault("lookbackpercent", "", "a look-back needs either lookbackrange (1 to 36) or lookbackmonths");
            return None;
        }
    };
    Some(Ratchet { percent: fraction * Decimal::ONE_HUNDRED, months, only })
}

/// The months that `lookbackmonths` marks, from 1; none where it says nothing, `None` where it is wrong.
fn marked_months(rate: &mut Rate<'_>) -> Option<Vec<u8>> {
    let Some(value) = rate.get("lookbackmonths").filter(|value| !fields::empty(value)) else {
        return Some(vec![]);
    };
    let marks = value.as_array().filter(|marks| marks.len() == 12 && marks.iter().all(is_mark));
    let Some(marks) = marks else {
        rate.fault("lookbackmonths", "", "12 marks are needed, each 0 or 1");
        return None;
    };
    Some(marks.iter().zip(1..=12).filter(|(mark, _)| !fields::empty(mark)).map(|(_, month)| month).collect())
}

fn is_mark(value: &Value) -> bool {
    value.is_null() || value.is_boolean() || schedule::index(value).is_some_and(|mark| mark <= 1)
}

/// `lookbackrange`; 0 where it says nothing, `None` where it is wrong.
fn look_back_range(rate: &mut Rate<'_>) -> Option<usize> {
    let Some(value) = rate.get("lookbackrange").filter(|value| !fields::empty(value)) else {
        return Some(0);
    };
    let range = schedule::index(value);
    if range.is_none() {
        rate.fault("lookbackrange", "", "this is not a number of months");
    }
    range
}

fn named(cells: Vec<PriceCell>) -> Vec<PriceCell> {
    cells.into_iter().enumerate().map(|(at, cell)| cell.in_period(&schedule::period_name(at))).collect()
}
