//! From the series of a file to what is bought and fed in: each series whole by itself, then added up.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, NaiveDate, Utc};
use chrono_tz::Tz;

use super::super::{Register, Supply};
use super::collect::Collected;
use super::{RateFiles, shortened};
use crate::usage::collect::{CollectedDay, CollectedSeries, told_twice};
use crate::usage::days::{day_start, intervals};
use crate::usage::{DayUsage, Direction, MergeError, Profile, Quality, merge};
use crate::values::period::Period;

/// What one register counted, or one series without the name of a register.
pub struct Counted {
    names: Vec<String>,
    meters: String,
    profile: Profile,
}

impl Counted {
    /// As rating takes it.
    pub fn register(&self) -> Register<'_> {
        let supply = Supply::Profile(&self.profile);
        Register { names: &self.names, meter: &self.meters, direction: self.profile.direction, supply }
    }
}

/// The usage of a file over the days to rate.
pub struct Usage {
    zone: Tz,
    period: Period,
    imports: Vec<CollectedSeries>,
    exports: Vec<CollectedSeries>,
}

impl Usage {
    /// The usage of the days asked for, or of the file's own.
    ///
    /// # Errors
    /// Every day and time that a series lacks, each with its series.
    pub fn new(files: &RateFiles<'_>, collected: Collected) -> Result<Self, Vec<String>> {
        let at = |text: String| format!("{}:1:1: {text}", files.usage_name);
        if let Some(fault) = told_twice(collected.format, &collected.series) {
            return Err(vec![at(fault)]);
        }
        let zone = collected.zone;
        let (imports, exports): (Vec<_>, Vec<_>) =
            collected.series.into_iter().partition(|one| one.series.direction == Direction::Import);
        if imports.is_empty() {
            return Err(vec![at("there is no energy bought in this file".to_owned())]);
        }
        let period = period(files, &imports, &exports).map_err(|fault| vec![at(fault)])?;
        let usage = Self { zone, period, imports, exports };
        let mut faults = usage.lacking(&usage.imports, true);
        faults.extend(usage.lacking(&usage.exports, false));
        if !faults.is_empty() {
            if files.from.is_none() && files.to.is_none() {
                faults.extend(usage.whole_days());
            }
            return Err(shortened(faults.into_iter().map(at).collect()));
        }
        Ok(usage)
    }

    /// The days to rate.
    pub const fn period(&self) -> Period {
        self.period
    }

    /// What each register counted in a month, those of several meters by their names; nothing before and after it counts.
    ///
    /// # Errors
    /// When series cannot be added.
    pub fn registers(&self, month: Period) -> Result<Vec<Counted>, MergeError> {
        let mut groups: BTreeMap<(Direction, String), Vec<CollectedSeries>> = BTreeMap::new();
        for one in self.imports.iter().chain(&self.exports) {
            let register = one.series.register.as_deref().unwrap_or_default();
            groups.entry((one.series.direction, register.trim().to_lowercase())).or_default().push(one.clone());
        }
        groups.into_values().map(|series| self.counted(&series, month)).collect()
    }

    fn counted(&self, series: &[CollectedSeries], month: Period) -> Result<Counted, MergeError> {
        let profile = match self.sum(series, month) {
            Ok(profile) => padded(profile, month),
            Err(MergeError::Nothing) => padded(self.nothing(60), month),
            Err(fault) => return Err(fault),
        };
        let direction = series.first().map(|one| one.series.direction).unwrap_or_default();
        let names = series.first().and_then(|one| one.series.register.clone()).into_iter().collect();
        let mut meters: Vec<&str> = series.iter().filter_map(|one| one.series.meter.as_deref()).collect();
        meters.dedup();
        Ok(Counted { names, meters: meters.join(", "), profile: Profile { direction, ..profile } })
    }

    /// What was bought in a month, and what was fed in where the file has any.
    ///
    /// # Errors
    /// When series cannot be added.
    pub fn of(&self, month: Period) -> Result<(Profile, Option<Profile>), MergeError> {
        let import = self.sum(&self.imports, month)?;
        if self.exports.is_empty() {
            return Ok((import, None));
        }
        let export = match self.sum(&self.exports, month) {
            Ok(export) => padded(export, month),
            Err(MergeError::Nothing) => padded(self.nothing(import.minutes), month),
            Err(fault) => return Err(fault),
        };
        Ok((import, Some(export)))
    }

    fn nothing(&self, minutes: u16) -> Profile {
        Profile { zone: self.zone, minutes, direction: Direction::Export, days: vec![] }
    }

    fn sum(&self, series: &[CollectedSeries], month: Period) -> Result<Profile, MergeError> {
        let mut profiles = vec![];
        for one in series {
            let days = one.days.iter().filter(|day| month.contains(day.usage.date));
            let days: Vec<(u16, DayUsage)> = days.map(|day| (day.minutes, in_service(one, day))).collect();
            if let [(..), ..] = days.as_slice() {
                let direction = one.series.direction;
                profiles.push(Profile::of_days(
                    self.zone,
                    direction,
                    days.iter().map(|(minutes, day)| (*minutes, day)),
                )?);
            }
        }
        merge(&profiles.iter().collect::<Vec<_>>())
    }

    /// What the series of a direction lack of the period. One may begin where another one ends, as a meter follows the one
    /// before; what is fed in may begin later.
    fn lacking(&self, series: &[CollectedSeries], from_the_first: bool) -> Vec<String> {
        let (begin, end) = (day_start(self.zone, self.period.from()), day_start(self.zone, self.period.to()));
        let spans: Vec<(DateTime<Utc>, DateTime<Utc>)> = series.iter().filter_map(|one| span(self.zone, one)).collect();
        let mut faults = vec![];
        let name = |one: &CollectedSeries| one.series.register.as_deref().map(|name| name.trim().to_lowercase());
        // A meter is followed by one other: at that moment as many series of the register end as begin.
        let follows = |one: &CollectedSeries, at: DateTime<Utc>| {
            let same = || {
                let pairs = series.iter().zip(&spans);
                pairs.filter(|(other, span)| name(other) == name(one) && span.0 < span.1)
            };
            let (ends, begins) = (same().filter(|(_, span)| span.1 == at), same().filter(|(_, span)| span.0 == at));
            let (ends, begins) = (ends.count(), begins.count());
            ends > 0 && ends == begins
        };
        for (one, (first, last)) in series.iter().zip(&spans) {
            if first == last {
                faults.push(self.no_values(one, begin, end));
                continue;
            }
            if from_the_first && *first > begin && !follows(one, *first) {
                faults.push(self.no_values(one, begin, (*first).min(end)));
            }
            if *last < end && !follows(one, *last) {
                faults.push(self.no_values(one, (*last).max(begin), end));
            }
            faults.extend(self.holes(one));
        }
        faults
    }

    fn no_values(&self, one: &CollectedSeries, from: DateTime<Utc>, to: DateTime<Utc>) -> String {
        let local = |at: DateTime<Utc>| at.with_timezone(&self.zone).format("%Y-%m-%d %H:%M");
        format!("{}: no values from {} up to {}", one.series, local(from), local(to))
    }

    /// Days and values missing between the first and the last value of a series.
    fn holes(&self, one: &CollectedSeries) -> Vec<String> {
        let (Some(first), Some(last)) = (one.days.first(), one.days.last()) else { return vec![] };
        let told = |date: NaiveDate| {
            if date < first.usage.date || date > last.usage.date {
                return None;
            }
            let Some(day) = one.day(date) else { return Some(format!("{}: no values on {date}", one.series)) };
            let missing = in_service(one, day).count(Quality::Missing);
            let all = day.usage.values.len();
            (missing > 0).then(|| format!("{}: {missing} of {all} values are missing on {date}", one.series))
        };
        self.period.dates().filter_map(told).collect()
    }

    /// How to leave out days at the edges that are not whole.
    fn whole_days(&self) -> Option<String> {
        let whole = |date: &NaiveDate| {
            let full = |one: &CollectedSeries| one.day(*date).is_some_and(|day| day.usage.count(Quality::Missing) == 0);
            self.imports.iter().all(full)
        };
        let (first, last) = (self.period.dates().find(whole)?, self.period.dates().filter(whole).last()?);
        let to = last.succ_opt()?;
        let inside = Period::new(first, to).ok()?;
        let all = inside.dates().all(|date| whole(&date));
        (all && inside != self.period)
            .then(|| format!("the days {first} to {last} are whole: --from {first} --to {to} rates them"))
    }

    /// What was added up, and what begins within the period; `apart`: each register bought has a price of its own.
    pub fn notes(&self, apart: bool) -> Vec<String> {
        let names: BTreeSet<Option<String>> =
            self.imports.iter().map(|one| one.series.register.as_deref().map(str::to_lowercase)).collect();
        // Several meters of one register are added up all the same.
        let bought_apart = apart && names.len() == self.imports.len();
        let mut notes = vec![];
        for (what, series, apart) in [("bought", &self.imports, bought_apart), ("fed in", &self.exports, false)] {
            if series.len() > 1 && !apart {
                let names: Vec<String> = series.iter().map(|one| one.series.to_string()).collect();
                notes.push(format!("energy {what} is the sum of {}", names.join(" and ")));
            }
        }
        let begin = day_start(self.zone, self.period.from());
        for one in &self.exports {
            if let Some((first, _)) = span(self.zone, one).filter(|(first, _)| *first > begin) {
                let first = first.with_timezone(&self.zone).format("%Y-%m-%d %H:%M");
                notes.push(format!("{}: begins at {first}; nothing was fed in before", one.series));
            }
        }
        notes
    }
}

/// The days to rate, within those of the usage.
fn period(files: &RateFiles<'_>, imports: &[CollectedSeries], exports: &[CollectedSeries]) -> Result<Period, String> {
    let dates = || imports.iter().chain(exports).flat_map(|one| one.days.iter().map(|day| day.usage.date));
    let (Some(first), Some(last)) = (dates().min(), dates().max()) else {
        return Err("there are no readings".to_owned());
    };
    let end = last.succ_opt().ok_or("the last day of the usage has no day after it")?;
    let (from, to) = (files.from.unwrap_or(first), files.to.unwrap_or(end));
    let period = Period::new(from, to).map_err(|empty| empty.to_string())?;
    if from < first || to > end {
        return Err(format!("the usage has the days {first} to {last}, not all of {period}"));
    }
    Ok(period)
}

/// The instants between which a series has values.
fn span(zone: Tz, one: &CollectedSeries) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let (first, last) = (one.days.first()?, one.days.last()?);
    let at = |day: &CollectedDay, slot: usize| {
        let minutes = i64::from(day.minutes).checked_mul(i64::try_from(slot).ok()?)?;
        Some(day_start(zone, day.usage.date) + Duration::minutes(minutes))
    };
    Some((at(first, edges(&first.usage).0)?, at(last, edges(&last.usage).1)?))
}

/// The first slot of a day with a value, and the one after the last.
fn edges(day: &DayUsage) -> (usize, usize) {
    let measured = |at: &usize| day.quality(*at) != Quality::Missing;
    let slots = 0..day.values.len();
    // A day without any value is not collected.
    (slots.clone().find(measured).unwrap_or(0), slots.rev().find(measured).map_or(0, |at| at + 1))
}

/// A day of a series; before its first and after its last value it was not in service.
fn in_service(one: &CollectedSeries, day: &CollectedDay) -> DayUsage {
    let mut usage = day.usage.clone();
    let (begin, end) = edges(&usage);
    let all = usage.values.len();
    let is = |edge: Option<&CollectedDay>| edge.is_some_and(|edge| edge.usage.date == usage.date);
    let (first, last) = (is(one.days.first()), is(one.days.last()));
    if let Some(flags) = &mut usage.flags {
        let absent = |range: Option<&mut [u8]>| range.into_iter().for_each(|codes| codes.fill(Quality::Absent.code()));
        if first {
            absent(flags.get_mut(..begin));
        }
        if last {
            absent(flags.get_mut(end..all));
        }
    }
    usage
}

/// Days of a month without any export count as nothing.
fn padded(mut export: Profile, month: Period) -> Profile {
    let without: Vec<NaiveDate> =
        month.dates().filter(|date| export.days.binary_search_by_key(date, |day| day.date).is_err()).collect();
    for date in without {
        let count = intervals(export.zone, date, export.minutes);
        export.days.push(DayUsage::actual(date, vec![0; count]));
    }
    export.days.sort_by_key(|day| day.date);
    export
}
