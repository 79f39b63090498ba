//! From readings to days: sorts a stream into one array per series and local day and says what is wrong.
//!
//! Takes readings in any order. A day has intervals of one length; from one day to the next the length may change. Where
//! the file does not say it (CSV), the distances of a day's values do, held against the days beside it.

mod day;
mod finding;
mod lengths;

use std::collections::HashMap;
use std::collections::btree_map::{BTreeMap, Entry};
use std::sync::Arc;

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::days::{LENGTHS, local_day};
use super::{DayUsage, Direction, Format, MergeError, Profile, Reading, SeriesKey, merge};
use day::Day;
pub use finding::{Finding, FindingKind};

/// One day of one series, as it leaves the collector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectedDay {
    /// Length of an interval in minutes.
    pub minutes: u16,
    /// The values; those not in the file carry [`Quality::Missing`].
    pub usage: DayUsage,
}

/// All days of one series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectedSeries {
    /// The meter, register and direction.
    pub series: Arc<SeriesKey>,
    /// The zone whose days these are.
    pub zone: Tz,
    /// Days in order; those of which the file does not speak are left out.
    pub days: Vec<CollectedDay>,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Collected {
    /// Every series, by meter, direction and register.
    pub series: Vec<CollectedSeries>,
    /// Duplicates, overlaps, gaps and incomplete days; of those about values the first thousands.
    pub findings: Vec<Finding>,
    /// How many findings there were, also those not kept.
    pub counts: Counts,
}

/// Findings by what they mean for values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// The same value again.
    pub duplicates: u64,
    /// Versions that a later one replaces.
    pub replaced: u64,
    /// Values that were not taken and whose finding was not kept.
    pub lost: u64,
}

/// Findings about values that are kept of all series together; more are only counted. Those that cost no value have a room
/// of their own.
const FINDINGS_KEPT: (usize, usize) = (10_000, 1_000);

/// Sorts readings into days of one zone.
pub struct Collector {
    zone: Tz,
    series: HashMap<Arc<SeriesKey>, State>,
    /// The memory that the days take, about.
    bytes: usize,
    /// Findings about values: those that cost one, and the others.
    findings: (usize, usize),
}

/// A series while it is read.
#[derive(Default)]
struct State {
    days: BTreeMap<NaiveDate, Day>,
    /// The length of the last day filled: a guess for the next one, where the file does not say.
    minutes: Option<u16>,
    bytes: usize,
    findings: Vec<Finding>,
    counts: Counts,
}

impl Collector {
    /// For meters whose days are local to `zone`.
    #[must_use]
    pub fn new(zone: Tz) -> Self {
        Self { zone, series: HashMap::new(), bytes: 0, findings: (0, 0) }
    }

    /// The zone whose days these are.
    #[must_use]
    pub const fn zone(&self) -> Tz {
        self.zone
    }

    /// The memory that the days take, in bytes, about.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many series have values.
    #[must_use]
    pub fn held(&self) -> usize {
        self.series.len()
    }

    /// Gives up what was read of a series.
    pub fn forget(&mut self, series: &SeriesKey) {
        if let Some(state) = self.series.remove(series) {
            self.bytes -= state.bytes;
            let again = state.findings.iter().filter(|found| found.kind.is_again()).count();
            self.findings.0 -= state.findings.len() - again;
            self.findings.1 -= again;
        }
    }

    /// Takes one reading. What cannot be placed becomes a [`Finding`].
    pub fn push(&mut self, reading: &Reading) {
        let zone = self.zone;
        let date = local_day(zone, reading.start);
        let minutes = u16::try_from(reading.seconds / 60).ok().filter(|minutes| LENGTHS.contains(minutes));
        let stated = reading.seconds > 0;
        let state = match self.series.get_mut(&reading.series) {
            Some(state) => state,
            None => {
                self.bytes += SERIES;
                let state = self.series.entry(Arc::clone(&reading.series)).or_default();
                state.bytes = SERIES;
                state
            }
        };
        let found = if stated && (minutes.is_none() || !reading.seconds.is_multiple_of(60)) {
            let kind = FindingKind::UnknownLength { seconds: reading.seconds };
            Some(Finding::of(kind, reading, date))
        } else {
            let before = state.bytes;
            let found = state.put(zone, date, minutes, reading);
            self.bytes = self.bytes + state.bytes - before;
            found
        };
        if let Some(found) = found {
            let (kept, most) = match found.kind.is_again() {
                false => (&mut self.findings.0, FINDINGS_KEPT.0),
                true => (&mut self.findings.1, FINDINGS_KEPT.1),
            };
            let room = *kept < most;
            *kept += usize::from(room);
            state.note(found, room);
        }
    }

    /// Everything, days in order. Days missing between the first and the last of a series are findings.
    #[must_use]
    pub fn finish(self) -> Collected {
        let mut collected = Collected::default();
        for (key, mut state) in self.series {
            collected.counts = collected.counts.with(state.counts);
            collected.findings.append(&mut state.findings);
            // A series without a day has values that no day takes.
            if state.days.is_empty() {
                continue;
            }
            collected.findings.extend(lengths::settle(&key, &mut state.days));
            collected.findings.extend(gaps(&key, &state.days));
            let days = state.days.into_values().filter(Day::is_told);
            let days = days.map(|day| CollectedDay { minutes: day.minutes(), usage: day.into_usage() }).collect();
            collected.series.push(CollectedSeries { series: key, zone: self.zone, days });
        }
        collected.series.sort_by(|one, two| one.series.cmp(&two.series));
        let order =
            |one: &Finding, two: &Finding| (one.line, &one.series, one.date).cmp(&(two.line, &two.series, two.date));
        collected.findings.sort_by(order);
        collected
    }
}

/// What a series takes beside its days, about.
const SERIES: usize = 512;

impl State {
    /// Puts a value into its day.
    fn put(&mut self, zone: Tz, date: NaiveDate, minutes: Option<u16>, reading: &Reading) -> Option<Finding> {
        // Without a length said or seen, an hour: a value that lies closer makes the day's slots shorter.
        let guess = minutes.or(self.minutes).unwrap_or(60);
        let mut before = 0;
        let day = match self.days.entry(date) {
            Entry::Occupied(day) => {
                let day = day.into_mut();
                before = day.bytes();
                day
            }
            Entry::Vacant(place) => place.insert(Day::new(zone, date, guess, reading.seconds > 0)),
        };
        let found = day.put(reading);
        self.minutes = Some(day.minutes());
        self.bytes = self.bytes + day.bytes() - before;
        found
    }

    fn note(&mut self, found: Finding, keep: bool) {
        match found.kind {
            FindingKind::Duplicate => self.counts.duplicates += 1,
            FindingKind::Replaced => self.counts.replaced += 1,
            _ if !keep => self.counts.lost += 1,
            _ => {}
        }
        if keep {
            self.findings.push(found);
        }
    }
}

impl Counts {
    /// The counts of both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self {
            duplicates: self.duplicates + other.duplicates,
            replaced: self.replaced + other.replaced,
            lost: self.lost + other.lost,
        }
    }
}

impl CollectedSeries {
    /// The series as one profile: its longest interval length, days with shorter ones added up to it.
    ///
    /// # Errors
    /// [`MergeError`] when a day cannot be divided so.
    pub fn profile(&self) -> Result<Profile, MergeError> {
        Profile::of_days(self.zone, self.series.direction, self.days.iter().map(|day| (day.minutes, &day.usage)))
    }

    /// The day's values.
    #[must_use]
    pub fn day(&self, date: NaiveDate) -> Option<&CollectedDay> {
        self.days.binary_search_by_key(&date, |day| day.usage.date).ok().and_then(|at| self.days.get(at))
    }
}

/// Adds up registers of one meter and direction. A day that one of them lacks is not whole and left out; where one has only
/// a part of a day, the sum has no more. Findings say whose days are lacking.
///
/// # Errors
/// [`MergeError`] when the registers of a day cannot be added.
pub fn join(
    series: Arc<SeriesKey>,
    mut registers: Vec<CollectedSeries>,
) -> Result<(CollectedSeries, Vec<Finding>), MergeError> {
    // One register is its own sum; a copy of it would take as much memory again.
    if let [alone] = registers.as_mut_slice() {
        let days = std::mem::take(&mut alone.days);
        return Ok((CollectedSeries { series, zone: alone.zone, days }, vec![]));
    }
    let mut dates: Vec<NaiveDate> =
        registers.iter().flat_map(|one| one.days.iter().map(|day| day.usage.date)).collect();
    dates.sort_unstable();
    dates.dedup();
    let (mut days, mut findings) = (vec![], vec![]);
    for date in dates {
        let parts: Vec<&CollectedDay> = registers.iter().filter_map(|one| one.day(date)).collect();
        if parts.len() == registers.len() {
            days.push(sum(&parts)?);
            continue;
        }
        let mut values: usize = parts.iter().map(|part| part.usage.values.len()).sum();
        for lacking in registers.iter().filter(|one| one.day(date).is_none()) {
            // The values left out are told once.
            let kind = FindingKind::Lacking { values: std::mem::take(&mut values) };
            findings.push(Finding::of_day(kind, &lacking.series, date));
        }
    }
    // Registers of one file are of one zone; without a register there is no day.
    let zone = registers.first().map_or(Tz::UTC, |one| one.zone);
    Ok((CollectedSeries { series, zone, days }, findings))
}

/// What is wrong with channels of one usage point that tell the same energy: hours beside quarter-hours, or all values alike.
/// Green Button does not say whether channels add up; registers of other formats do.
#[must_use]
pub fn told_twice(format: Format, series: &[CollectedSeries]) -> Option<String> {
    if format != Format::GreenButton {
        return None;
    }
    let same_meter = |one: &CollectedSeries, other: &CollectedSeries| {
        (&one.series.meter, one.series.direction) == (&other.series.meter, other.series.direction)
    };
    let length = |one: &CollectedSeries| one.days.first().map(|day| day.minutes);
    series.iter().enumerate().find_map(|(at, one)| {
        let mut others = series.iter().skip(at + 1).filter(|other| same_meter(one, other));
        let other = others.find(|other| length(one) != length(other) || one.days == other.days)?;
        Some(format!(
            "{} and {} seem to tell the same energy twice: take one of them out of the file",
            one.series, other.series
        ))
    })
}

/// A day of several registers.
fn sum(parts: &[&CollectedDay]) -> Result<CollectedDay, MergeError> {
    // Nothing is longer than an hour.
    let minutes = parts.iter().map(|part| part.minutes).max().unwrap_or(60);
    let profile =
        |part: &&CollectedDay| Profile::of_days(Tz::UTC, Direction::Import, [(part.minutes, &part.usage)].into_iter());
    let profiles = parts.iter().map(profile).collect::<Result<Vec<_>, _>>()?;
    let sum = merge(&profiles.iter().collect::<Vec<_>>())?;
    let usage = sum.days.into_iter().next().ok_or(MergeError::Nothing)?;
    Ok(CollectedDay { minutes, usage })
}

/// Whole days without any value between the first and the last.
fn gaps(series: &Arc<SeriesKey>, days: &BTreeMap<NaiveDate, Day>) -> Vec<Finding> {
    let dates: Vec<NaiveDate> = days.iter().filter(|(_, day)| day.is_told()).map(|(date, _)| *date).collect();
    let pairs = dates.iter().zip(dates.iter().skip(1));
    let apart = pairs.filter(|(one, two)| one.succ_opt() != Some(**two));
    let gap = |(one, two): (&NaiveDate, &NaiveDate)| {
        // A day before another one has a day after it.
        let first = one.succ_opt().unwrap_or(*one);
        Finding::of_day(FindingKind::Gap { to: *two }, series, first)
    };
    apart.map(gap).collect()
}

#[cfg(test)]
mod tests;
