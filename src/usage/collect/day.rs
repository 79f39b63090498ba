//! One day being filled.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::super::days::{day_start, intervals};
use super::super::{DayUsage, Quality, Reading, SeriesKey};
use super::finding::{Finding, FindingKind};

/// One day being filled.
pub struct Day {
    usage: DayUsage,
    flags: Vec<u8>,
    start: DateTime<Utc>,
    minutes: u16,
}

impl Day {
    pub fn new(zone: Tz, date: NaiveDate, minutes: u16) -> Self {
        let count = intervals(zone, date, minutes);
        let usage = DayUsage::actual(date, vec![0; count]);
        Self { usage, flags: vec![Quality::Missing.code(); count], start: day_start(zone, date), minutes }
    }

    /// Puts a value in its place; a value that is there already stays.
    pub fn put(&mut self, reading: &Reading) -> Option<Finding> {
        let length = i64::from(self.minutes) * 60;
        let offset = (reading.start - self.start).num_seconds();
        let found = |kind| Some(Finding::of(kind, reading, self.usage.date));
        let place = usize::try_from(offset / length).ok();
        if offset % length != 0 {
            return found(FindingKind::Overlap);
        }
        let (Some(value), Some(flag)) =
            (place.and_then(|at| self.usage.values.get_mut(at)), place.and_then(|at| self.flags.get_mut(at)))
        else {
            return found(FindingKind::Overlap);
        };
        let Ok(wh) = i32::try_from(reading.wh) else {
            return found(FindingKind::OutOfRange);
        };
        if *flag != Quality::Missing.code() {
            let kind = if *value == wh { FindingKind::Duplicate } else { FindingKind::Conflict { kept_wh: *value } };
            return found(kind);
        }
        (*value, *flag) = (wh, reading.quality.code());
        None
    }

    /// What is missing.
    pub fn incomplete(&self, series: &Arc<SeriesKey>) -> Option<Finding> {
        let missing = self.flags.iter().filter(|code| **code == Quality::Missing.code()).count();
        (missing > 0)
            .then(|| Finding::incomplete(series, self.usage.date, self.flags.len() - missing, self.flags.len()))
    }

    pub fn into_usage(self) -> DayUsage {
        let flags = self.flags.iter().any(|code| *code != 0).then_some(self.flags);
        DayUsage { flags, ..self.usage }
    }
}
