//! Local days and the values of a day.
//!
//! Rule 3: on the days when clocks change a day has 92 or 100 quarter-hours instead of 96. A day is a run
//! of instants from its first to the next day's first, so that such days need no special case.

use chrono::{DateTime, Datelike, Days, Duration, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone, Utc};
use chrono_tz::Tz;

use super::{Direction, MergeError, Quality};

/// The lengths that an interval may have, in minutes.
pub const LENGTHS: [u16; 4] = [5, 15, 30, 60];

/// The values of one meter, direction and local day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayUsage {
    /// The local day.
    pub date: NaiveDate,
    /// Watt-hours of each interval in order of time; as many as the day has intervals.
    pub values: Vec<i32>,
    /// Codes of [`Quality`], one a value; `None` where all are actual.
    pub flags: Option<Vec<u8>>,
}

impl DayUsage {
    /// A day of measured values.
    #[must_use]
    pub const fn actual(date: NaiveDate, values: Vec<i32>) -> Self {
        Self { date, values, flags: None }
    }

    /// Energy of the day in watt-hours.
    #[must_use]
    pub fn wh(&self) -> i64 {
        self.values.iter().map(|value| i64::from(*value)).sum()
    }

    /// The quality of the value at `index`.
    #[must_use]
    pub fn quality(&self, index: usize) -> Quality {
        self.flags.as_ref().and_then(|flags| flags.get(index)).map_or(Quality::Actual, |code| Quality::from_code(*code))
    }

    /// The day in longer intervals: as many values as make one are added up. A part that is missing makes it missing.
    ///
    /// # Errors
    /// [`MergeError::Day`] where they do not come out even.
    pub fn coarser(&self, minutes: u16, longer: u16) -> Result<Self, MergeError> {
        if minutes == longer {
            return Ok(self.clone());
        }
        let each = usize::from(longer / minutes.max(1));
        if each == 0 || !longer.is_multiple_of(minutes) || !self.values.len().is_multiple_of(each) {
            return Err(MergeError::Day(self.date));
        }
        let sum = |part: &[i32]| i32::try_from(part.iter().map(|value| i64::from(*value)).sum::<i64>());
        let values = self.values.chunks(each).map(sum).collect::<Result<_, _>>();
        let quality = |codes: &[u8]| {
            let all = codes.iter().map(|code| Quality::from_code(*code));
            all.reduce(Quality::with).map_or(0, Quality::code)
        };
        let flags: Option<Vec<u8>> = self.flags.as_ref().map(|flags| flags.chunks(each).map(quality).collect());
        let flags = flags.filter(|flags| flags.iter().any(|code| *code != 0));
        Ok(Self { date: self.date, values: values.map_err(|_| MergeError::TooMuch(self.date))?, flags })
    }

    /// How many values are of this quality.
    #[must_use]
    pub fn count(&self, quality: Quality) -> usize {
        match &self.flags {
            None if quality == Quality::Actual => self.values.len(),
            None => 0,
            Some(flags) => flags.iter().filter(|code| **code == quality.code()).count(),
        }
    }
}

/// Consecutive days of one direction, as rating reads them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The zone whose days these are.
    pub zone: Tz,
    /// Length of an interval in minutes: 5, 15, 30 or 60.
    pub minutes: u16,
    /// Import or export.
    pub direction: Direction,
    /// The days in order.
    pub days: Vec<DayUsage>,
}

impl Profile {
    /// Days of which each has its own interval length, as a profile of the longest of them.
    ///
    /// # Errors
    /// [`MergeError::Day`] for a day that cannot be divided into the longest length.
    pub fn of_days<'d>(
        zone: Tz,
        direction: Direction,
        days: impl Iterator<Item = (u16, &'d DayUsage)> + Clone,
    ) -> Result<Self, MergeError> {
        // Without a day there is nothing to divide.
        let minutes = days.clone().map(|(minutes, _)| minutes).max().unwrap_or(60);
        let days = days.map(|(own, day)| day.coarser(own, minutes)).collect::<Result<_, _>>()?;
        Ok(Self { zone, minutes, direction, days })
    }

    /// Energy of all days in watt-hours.
    #[must_use]
    pub fn wh(&self) -> i64 {
        self.days.iter().map(DayUsage::wh).sum()
    }
}

/// The first instant of a local day. Where clocks skip midnight, the first instant after the gap.
#[must_use]
pub fn day_start(zone: Tz, date: NaiveDate) -> DateTime<Utc> {
    let midnight = date.and_time(NaiveTime::MIN);
    // The longest gap on record skipped a whole day (Samoa, 30 December 2011).
    (0..=96)
        .find_map(|quarter| zone.from_local_datetime(&(midnight + Duration::minutes(15 * quarter))).earliest())
        .map_or_else(|| midnight.and_utc(), |start| start.with_timezone(&Utc))
}

/// The first instant of the day after.
#[must_use]
pub fn day_end(zone: Tz, date: NaiveDate) -> DateTime<Utc> {
    day_start(zone, date.checked_add_days(Days::new(1)).unwrap_or(date))
}

/// How many intervals of `minutes` a local day has: 92, 96 or 100 quarter-hours, 23, 24 or 25 hours.
#[must_use]
pub fn intervals(zone: Tz, date: NaiveDate, minutes: u16) -> usize {
    let length = day_end(zone, date) - day_start(zone, date);
    usize::try_from(length.num_minutes() / i64::from(minutes.max(1))).unwrap_or(0)
}

pub use crate::values::clock::local_day;

/// The instants that a local time may mean: none in the spring gap, two in the autumn hour that repeats.
#[must_use]
pub fn instants(zone: Tz, local: NaiveDateTime) -> (Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
    let found = zone.from_local_datetime(&local);
    (found.earliest().map(|at| at.with_timezone(&Utc)), found.latest().map(|at| at.with_timezone(&Utc)))
}

/// Minutes east of UTC that the zone's clocks show at an instant.
#[must_use]
pub fn offset_minutes(zone: Tz, instant: DateTime<Utc>) -> i32 {
    zone.offset_from_utc_datetime(&instant.naive_utc()).fix().local_minus_utc() / 60
}

/// Minutes east of UTC of the zone's standard time in a year: the lesser of January's and July's.
#[must_use]
pub fn standard_offset_minutes(zone: Tz, year: i32) -> i32 {
    let at = |month| {
        NaiveDate::from_ymd_opt(year, month, 1).map(|day| offset_minutes(zone, day.and_time(NaiveTime::MIN).and_utc()))
    };
    at(1).into_iter().chain(at(7)).min().unwrap_or(0)
}

/// Whether 29 February exists in the year of `date`.
#[must_use]
pub fn is_leap(date: NaiveDate) -> bool {
    NaiveDate::from_ymd_opt(date.year(), 2, 29).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::{Africa, America, Asia, Australia, Europe, Pacific};

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_has_92_96_or_100_quarter_hours_in_both_hemispheres() {
        for (zone, date, quarters) in [
            (America::New_York, "2012-03-11", 92),
            (America::New_York, "2012-11-04", 100),
            (Europe::Berlin, "2026-03-29", 92),
            (Europe::Berlin, "2026-10-25", 100),
            (Australia::Sydney, "2026-10-04", 92),
            (Australia::Sydney, "2026-04-05", 100),
            (Australia::Lord_Howe, "2026-10-04", 94),
            (Australia::Brisbane, "2026-10-04", 96),
        ] {
            assert_eq!(intervals(zone, day(date), 15), quarters, "{zone} {date}");
            assert_eq!(intervals(zone, day(date), 60), quarters / 4, "{zone} {date}");
        }
    }

    #[test]
    fn a_day_without_midnight_starts_after_the_gap() {
        // Beirut's clocks go from 24:00 to 01:00.
        let start = day_start(Asia::Beirut, day("2026-03-29"));
        assert_eq!(start.with_timezone(&Asia::Beirut).to_rfc3339(), "2026-03-29T01:00:00+03:00");
        assert_eq!(intervals(Asia::Beirut, day("2026-03-29"), 60), 23);
        // Samoa crossed the date line and had no 30 December 2011.
        assert_eq!(intervals(Pacific::Apia, day("2011-12-30"), 60), 0);
    }

    #[test]
    fn standard_time_is_the_winter_clock() {
        assert_eq!(standard_offset_minutes(America::New_York, 2026), -300);
        assert_eq!(standard_offset_minutes(Australia::Sydney, 2026), 600);
        assert_eq!(standard_offset_minutes(Europe::Dublin, 2026), 0);
        assert_eq!(standard_offset_minutes(Africa::Casablanca, 2026), 60);
    }

    #[test]
    fn a_year_of_local_days_holds_as_many_hours_as_the_calendar_says() {
        for (year, hours) in [(2026, 8760), (2028, 8784)] {
            let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
            let days = first.iter_days().take_while(|day| day.year() == year);
            assert_eq!(days.map(|day| intervals(Europe::Berlin, day, 60)).sum::<usize>(), hours);
        }
    }
}
