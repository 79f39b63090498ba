//! Rating from files, as the command line does it: `portal rate --tariff FILE --usage FILE`.
//!
//! [`rate_files`] takes texts and readers and gives one bill per calendar month of the usage, or every fault as
//! `file:line:column: message`; [`json`] and [`text`] print bills. No database, no file access of its own.

mod print;

use std::io::BufRead;

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::{Bill, CompiledTariff, History, Supply, UsageInput, rate};
use crate::period::Period;
use crate::tariff_document;
use crate::usage::collect::{Collected, Collector, FindingKind, trim_edges};
use crate::usage::{self, Direction, Item, Profile, Quality};
pub use print::{json, text};

/// What to rate.
#[derive(Debug, Clone, Copy)]
pub struct RateFiles<'f> {
    /// Name of the tariff file, for faults.
    pub tariff_name: &'f str,
    /// Its text: the portal's own format or URDB.
    pub tariff: &'f str,
    /// Name of the usage file, for faults.
    pub usage_name: &'f str,
    /// Zone of local times and of the billing days. `None`: the tariff's, or UTC where it has none (URDB).
    pub zone: Option<Tz>,
    /// First day; `None`: the first day of the usage.
    pub from: Option<NaiveDate>,
    /// The day after the last; `None`: the day after the last of the usage.
    pub to: Option<NaiveDate>,
}

/// Faults told before the rest is only counted.
const TOLD: usize = 50;

/// Rates every calendar month of the usage, or of the days asked for; the first and last month may be parts.
///
/// All imports of the file are added up, and so are all exports. What each month leaves behind (peaks for
/// ratchets, kWh and credit carried over) the next takes over.
///
/// # Errors
/// Every fault as `file:line:column: message`; never empty. Exit code 2 for the command line.
pub fn rate_files(files: &RateFiles<'_>, usage: impl BufRead) -> Result<Vec<Bill>, Vec<String>> {
    let told = |faults: Vec<tariff_document::Fault>| {
        shortened(faults.iter().map(|fault| fault.of_file(files.tariff_name)).collect())
    };
    let mut document = tariff_document::read(files.tariff, files.zone.unwrap_or(Tz::UTC)).map_err(told)?;
    document.zone = files.zone.unwrap_or(document.zone);
    let tariff = CompiledTariff::new(&document).map_err(told)?;
    let collected = collect(files, document.zone, usage)?;
    let (import, export) = (added(files, &collected, Direction::Import)?, added(files, &collected, Direction::Export)?);
    let Some(import) = import else {
        return Err(vec![format!("{}:1:1: there is no energy bought in this file", files.usage_name)]);
    };
    let period = period(files, &import)?;
    let export = export.map(|export| padded(export, &import));
    let incomplete: Vec<String> = [Some(&import), export.as_ref()]
        .into_iter()
        .flatten()
        .flat_map(|profile| missing(files, profile, period))
        .collect();
    if !incomplete.is_empty() {
        return Err(shortened(incomplete));
    }
    let input = UsageInput { import: Supply::Profile(&import), export: export.as_ref().map(Supply::Profile) };
    months(&tariff, &input, period).map_err(|fault| vec![format!("{}:1:1: {fault}", files.usage_name)])
}

fn months(tariff: &CompiledTariff, input: &UsageInput<'_>, period: Period) -> Result<Vec<Bill>, super::RatingError> {
    let mut history = History::default();
    let mut bills = vec![];
    for month in period.months() {
        let bill = rate(tariff, input, month, &history)?;
        history = history.after(&bill);
        bills.push(bill);
    }
    Ok(bills)
}

/// The usage by day; any refused line is a fault.
fn collect(files: &RateFiles<'_>, zone: Tz, input: impl BufRead) -> Result<Collected, Vec<String>> {
    let mut collector = Collector::new(zone);
    let (mut faults, mut left_out) = (vec![], vec![]);
    let told = |text: &dyn std::fmt::Display| format!("{}:{text}", files.usage_name);
    let read = usage::read(input, zone, &mut |item| match item {
        Item::Reading(reading) => collector.push(&reading),
        Item::Rejected(rejected) if rejected.ignored => left_out.push(told(&rejected)),
        Item::Rejected(rejected) => faults.push(told(&rejected)),
    });
    faults.extend(read.err().map(|fault| told(&fault)));
    let collected = collector.finish();
    let wrong = |kind: &FindingKind| {
        !matches!(kind, FindingKind::Duplicate | FindingKind::Gap { .. } | FindingKind::IncompleteDay { .. })
    };
    let findings = collected.findings.iter().filter(|finding| wrong(&finding.kind));
    faults.extend(findings.map(|finding| format!("{}:{}:1: {finding}", files.usage_name, finding.line.unwrap_or(1))));
    if collected.series.is_empty() && faults.is_empty() {
        faults = left_out;
    }
    if collected.series.is_empty() && faults.is_empty() {
        faults.push(told(&"1:1: there are no readings in this file"));
    }
    if faults.is_empty() { Ok(collected) } else { Err(shortened(faults)) }
}

fn shortened(mut faults: Vec<String>) -> Vec<String> {
    let more = faults.len().saturating_sub(TOLD);
    if more > 0 {
        faults.truncate(TOLD);
        let place = faults.last().and_then(|fault| fault.split(": ").next()).unwrap_or_default().to_owned();
        faults.push(format!("{place}: and {more} more faults of this kind"));
    }
    faults
}

/// All series of a direction, added up.
fn added(files: &RateFiles<'_>, collected: &Collected, direction: Direction) -> Result<Option<Profile>, Vec<String>> {
    let mut profiles: Vec<Profile> = collected
        .series
        .iter()
        .map(|series| &series.profile)
        .filter(|profile| profile.direction == direction)
        .cloned()
        .collect();
    profiles.iter_mut().for_each(trim_edges);
    if profiles.is_empty() {
        return Ok(None);
    }
    let sum = usage::merge(&profiles.iter().collect::<Vec<_>>());
    sum.map(Some).map_err(|fault| vec![format!("{}:1:1: {fault}", files.usage_name)])
}

/// The days to rate, within those of the usage.
fn period(files: &RateFiles<'_>, import: &Profile) -> Result<Period, Vec<String>> {
    let fault = |text: String| vec![format!("{}:1:1: {text}", files.usage_name)];
    let (Some(first), Some(last)) = (import.days.first(), import.days.last()) else {
        return Err(fault("there are no readings".to_owned()));
    };
    let end = last.date.succ_opt().unwrap_or(last.date);
    let (from, to) = (files.from.unwrap_or(first.date), files.to.unwrap_or(end));
    let period = Period::new(from, to).map_err(|empty| fault(empty.to_string()))?;
    if from < first.date || to > end {
        return Err(fault(format!("the usage has the days {} to {}, not all of {period}", first.date, last.date)));
    }
    Ok(period)
}

/// Days without any export, outside the exports' own, count as nothing.
fn padded(mut export: Profile, import: &Profile) -> Profile {
    let (first, last) = (export.days.first().map(|day| day.date), export.days.last().map(|day| day.date));
    let outside = import.days.iter().filter(|day| Some(day.date) < first || Some(day.date) > last);
    let nothing = outside.map(|day| usage::DayUsage {
        date: day.date,
        values: vec![0; usage::days::intervals(export.zone, day.date, export.minutes)],
        flags: None,
    });
    let nothing: Vec<_> = nothing.collect();
    export.days.extend(nothing);
    export.days.sort_by_key(|day| day.date);
    export
}

/// Every day of the period with something missing.
fn missing(files: &RateFiles<'_>, profile: &Profile, period: Period) -> Vec<String> {
    let name = files.usage_name;
    let found = |date: NaiveDate| {
        profile.days.binary_search_by_key(&date, |day| day.date).ok().and_then(|at| profile.days.get(at))
    };
    let told = |date: NaiveDate| match found(date) {
        None => Some(format!("{name}:1:1: {}: no values on {date}", profile.direction)),
        Some(day) => {
            let missing = day.count(Quality::Missing);
            (missing > 0).then(|| {
                format!(
                    "{name}:1:1: {}: {missing} of {} values are missing on {date}",
                    profile.direction,
                    day.values.len()
                )
            })
        }
    };
    period.dates().filter_map(told).collect()
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
