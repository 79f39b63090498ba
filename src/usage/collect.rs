//! From readings to days: sorts a stream into one array per series and local day and says what is wrong.
//!
//! Takes readings in any order. Days that the stream has left behind can be taken out on the way
//! ([`Collector::take_settled`]), so that a file of gigabytes never sits in memory.

mod day;
mod finding;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{Days, NaiveDate};
use chrono_tz::Tz;

use super::days::local_day;
use super::{DayUsage, MergeError, Profile, Quality, Reading, SeriesKey, merge};
use day::Day;
pub use finding::{Finding, FindingKind};

/// One day of one series, as it leaves the collector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectedDay {
    /// The meter and direction.
    pub series: Arc<SeriesKey>,
    /// Length of an interval in minutes.
    pub minutes: u16,
    /// The values; those not in the file carry [`Quality::Missing`].
    pub usage: DayUsage,
}

/// All days of one series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectedSeries {
    /// The meter and direction.
    pub series: Arc<SeriesKey>,
    /// Days in order; values not in the file carry [`Quality::Missing`].
    pub profile: Profile,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Collected {
    /// Every series, by meter and direction.
    pub series: Vec<CollectedSeries>,
    /// Duplicates, overlaps, gaps and incomplete days.
    pub findings: Vec<Finding>,
}

/// Sorts readings into days of one zone.
pub struct Collector {
    zone: Tz,
    series: HashMap<Arc<SeriesKey>, State>,
    findings: Vec<Finding>,
}

#[derive(Default)]
struct State {
    minutes: u16,
    days: BTreeMap<NaiveDate, Day>,
}

impl Collector {
    /// For meters whose days are local to `zone`.
    #[must_use]
    pub fn new(zone: Tz) -> Self {
        Self { zone, series: HashMap::new(), findings: vec![] }
    }

    /// Takes one reading. What cannot be placed becomes a [`Finding`].
    pub fn push(&mut self, reading: &Reading) {
        let zone = self.zone;
        let state = self.series.entry(Arc::clone(&reading.series)).or_default();
        let minutes = u16::try_from(reading.seconds / 60).unwrap_or(0);
        if state.minutes == 0 && matches!(minutes, 5 | 15 | 30 | 60) {
            state.minutes = minutes;
        }
        if minutes != state.minutes || !reading.seconds.is_multiple_of(60) {
            return self.findings.push(Finding::wrong_length(reading, state.minutes));
        }
        let date = local_day(zone, reading.start);
        let day = state.days.entry(date).or_insert_with(|| Day::new(zone, date, minutes));
        self.findings.extend(day.put(reading));
    }

    /// Takes out the days more than two days before the last one of their series. Call it now and then while
    /// streaming; a day that the file comes back to is handed out again with what came later.
    pub fn take_settled(&mut self) -> Vec<CollectedDay> {
        let mut settled = vec![];
        for (series, state) in &mut self.series {
            let Some(limit) = state.days.last_key_value().and_then(|(date, _)| date.checked_sub_days(Days::new(2)))
            else {
                continue;
            };
            let keep = state.days.split_off(&limit);
            for day in std::mem::replace(&mut state.days, keep).into_values() {
                self.findings.extend(day.incomplete(series));
                settled.push(CollectedDay {
                    series: Arc::clone(series),
                    minutes: state.minutes,
                    usage: day.into_usage(),
                });
            }
        }
        settled.sort_by(|one, two| (&one.series, one.usage.date).cmp(&(&two.series, two.usage.date)));
        settled
    }

    /// The findings so far, emptied.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.findings)
    }

    /// Everything not taken out yet. Days missing between the first and the last are findings.
    #[must_use]
    pub fn finish(mut self) -> Collected {
        let mut series = vec![];
        for (key, state) in std::mem::take(&mut self.series) {
            if state.minutes == 0 {
                continue;
            }
            self.findings.extend(gaps(&key, &state));
            self.findings.extend(state.days.values().flat_map(|day| day.incomplete(&key)));
            let days = state.days.into_values().map(Day::into_usage).collect();
            let profile = Profile { zone: self.zone, minutes: state.minutes, direction: key.direction, days };
            series.push(CollectedSeries { series: key, profile });
        }
        series.sort_by(|one, two| one.series.cmp(&two.series));
        self.findings.sort_by(|one, two| (one.line, &one.series, one.date).cmp(&(two.line, &two.series, two.date)));
        Collected { series, findings: self.findings }
    }
}

impl Collected {
    /// The series with the registers of one meter and direction added up.
    ///
    /// # Errors
    /// [`MergeError`] when registers of one meter differ in interval length.
    pub fn join_registers(self) -> Result<Self, MergeError> {
        let mut groups: BTreeMap<SeriesKey, Vec<Profile>> = BTreeMap::new();
        for CollectedSeries { series, profile } in self.series {
            groups.entry(SeriesKey { register: None, ..SeriesKey::clone(&series) }).or_default().push(profile);
        }
        let join = |(key, profiles): (SeriesKey, Vec<Profile>)| {
            let profile = merge(&profiles.iter().collect::<Vec<_>>())?;
            Ok(CollectedSeries { series: Arc::new(key), profile })
        };
        let series = groups.into_iter().map(join).collect::<Result<_, MergeError>>()?;
        Ok(Self { series, findings: self.findings })
    }
}

/// Whole days without any value between the first and the last.
fn gaps(series: &Arc<SeriesKey>, state: &State) -> Vec<Finding> {
    let dates: Vec<NaiveDate> = state.days.keys().copied().collect();
    let pairs = dates.iter().zip(dates.iter().skip(1));
    pairs
        .filter(|(one, two)| one.succ_opt() != Some(**two))
        .map(|(one, two)| Finding::gap(series, *one, *two))
        .collect()
}

/// Marks the missing values before the first and after the last measured one as absent: the file begins
/// and ends there, nothing is lost. What is missing in between stays missing.
pub fn trim_edges(profile: &mut Profile) {
    let measured = |day: &DayUsage, at: usize| day.quality(at) != Quality::Missing;
    if let Some(day) = profile.days.first_mut() {
        let first = (0..day.values.len()).find(|at| measured(day, *at)).unwrap_or(day.values.len());
        mark_absent(day, 0..first);
    }
    if let Some(day) = profile.days.last_mut() {
        let end = (0..day.values.len()).rev().find(|at| measured(day, *at)).map_or(0, |at| at + 1);
        let all = day.values.len();
        mark_absent(day, end..all);
    }
}

fn mark_absent(day: &mut DayUsage, range: std::ops::Range<usize>) {
    if let Some(codes) = day.flags.as_mut().and_then(|flags| flags.get_mut(range)) {
        codes.fill(Quality::Absent.code());
    }
}

#[cfg(test)]
mod tests;
