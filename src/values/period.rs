//! Periods: runs of local calendar days, from the first day to the day after the last.

use std::fmt;

use chrono::{Datelike, Days, Months, NaiveDate};
use serde::{Deserialize, Serialize};

/// A run of whole local days, half-open: `from` is the first day, `to` the day after the last.
///
/// Never empty. Which zone the days are local to is said by whoever holds the period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Bounds", into = "Bounds")]
pub struct Period {
    from: NaiveDate,
    to: NaiveDate,
}

/// The form in which a period is written.
#[derive(Serialize, Deserialize)]
struct Bounds {
    from: NaiveDate,
    to: NaiveDate,
}

impl TryFrom<Bounds> for Period {
    type Error = PeriodError;
    fn try_from(bounds: Bounds) -> Result<Self, PeriodError> {
        Self::new(bounds.from, bounds.to)
    }
}

impl From<Period> for Bounds {
    fn from(period: Period) -> Self {
        Self { from: period.from, to: period.to }
    }
}

/// Why two dates are not a period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// The end is not after the start.
    #[error("a period must end after it starts: {from} to {to}")]
    Empty {
        /// First day.
        from: NaiveDate,
        /// The day after the last.
        to: NaiveDate,
    },
    /// There is no such month.
    #[error("{year}-{month:02} is not a month")]
    NoSuchMonth {
        /// Calendar year.
        year: i32,
        /// Month, which should be 1 to 12.
        month: u32,
    },
}

impl Period {
    /// From the first day to the day after the last.
    ///
    /// # Errors
    /// [`PeriodError::Empty`] when `to` is not after `from`.
    pub fn new(from: NaiveDate, to: NaiveDate) -> Result<Self, PeriodError> {
        if from < to { Ok(Self { from, to }) } else { Err(PeriodError::Empty { from, to }) }
    }

    /// A calendar month.
    ///
    /// # Errors
    /// [`PeriodError::NoSuchMonth`] when there is none.
    pub fn month(year: i32, month: u32) -> Result<Self, PeriodError> {
        let fault = PeriodError::NoSuchMonth { year, month };
        let from = NaiveDate::from_ymd_opt(year, month, 1).ok_or(fault.clone())?;
        let to = from.checked_add_months(Months::new(1)).ok_or(fault)?;
        Self::new(from, to)
    }

    /// The calendar month in which `day` lies.
    #[must_use]
    pub fn month_of(day: NaiveDate) -> Self {
        let from = first_of_month(day);
        Self { from, to: next_month(from) }
    }

    /// One day.
    #[must_use]
    pub fn day(day: NaiveDate) -> Self {
        Self { from: day, to: next_day(day) }
    }

    /// The first day.
    #[must_use]
    pub const fn from(&self) -> NaiveDate {
        self.from
    }

    /// The day after the last.
    #[must_use]
    pub const fn to(&self) -> NaiveDate {
        self.to
    }

    /// The last day.
    #[must_use]
    pub fn last(&self) -> NaiveDate {
        self.to.pred_opt().unwrap_or(self.from)
    }

    /// How many days; at least 1.
    #[must_use]
    pub fn days(&self) -> i64 {
        (self.to - self.from).num_days()
    }

    /// Whether the day lies inside.
    #[must_use]
    pub fn contains(&self, day: NaiveDate) -> bool {
        self.from <= day && day < self.to
    }

    /// The parts before and from `at`, or nothing when `at` is not strictly inside.
    #[must_use]
    pub fn split(&self, at: NaiveDate) -> Option<(Self, Self)> {
        let inside = self.from < at && at < self.to;
        inside.then_some((Self { from: self.from, to: at }, Self { from: at, to: self.to }))
    }

    /// The days in both.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        Self::new(self.from.max(other.from), self.to.min(other.to)).ok()
    }

    /// Every day in order.
    pub fn dates(&self) -> impl Iterator<Item = NaiveDate> + use<> {
        let to = self.to;
        self.from.iter_days().take_while(move |day| *day < to)
    }

    /// The calendar months it touches, the first and last clipped to the period.
    pub fn months(&self) -> impl Iterator<Item = Self> + use<> {
        let (mut from, to) = (self.from, self.to);
        std::iter::from_fn(move || {
            let part = (from < to).then(|| Self { from, to: next_month(first_of_month(from)).min(to) })?;
            from = part.to;
            Some(part)
        })
    }

    /// Whether it is exactly one calendar month.
    #[must_use]
    pub fn is_calendar_month(&self) -> bool {
        *self == Self::month_of(self.from)
    }
}

fn first_of_month(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

fn next_month(first: NaiveDate) -> NaiveDate {
    first.checked_add_months(Months::new(1)).unwrap_or(NaiveDate::MAX)
}

fn next_day(day: NaiveDate) -> NaiveDate {
    day.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX)
}

impl fmt::Display for Period {
    /// First and last day, both included: `2026-01-01 to 2026-01-31`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.days() == 1 { write!(f, "{}", self.from) } else { write!(f, "{} to {}", self.from, self.last()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_period_must_end_after_it_starts() {
        assert!(Period::new(day("2026-01-02"), day("2026-01-02")).is_err());
        assert!(serde_json::from_str::<Period>(r#"{"from":"2026-01-02","to":"2026-01-01"}"#).is_err());
        assert_eq!(Period::day(day("2026-01-02")).days(), 1);
    }

    #[test]
    fn a_period_holds_its_first_day_and_not_its_end() {
        let january = Period::month(2026, 1).unwrap();
        assert!(january.contains(day("2026-01-01")) && january.contains(day("2026-01-31")));
        assert!(!january.contains(day("2026-02-01")));
        assert_eq!(january.to_string(), "2026-01-01 to 2026-01-31");
        assert_eq!(january.dates().count(), 31);
    }

    #[test]
    fn february_has_a_29th_in_a_leap_year() {
        assert_eq!(Period::month(2028, 2).unwrap().days(), 29);
        assert_eq!(Period::month(2100, 2).unwrap().days(), 28);
        assert!(Period::month(2026, 13).is_err());
    }

    #[test]
    fn a_split_loses_no_day() {
        let january = Period::month(2026, 1).unwrap();
        let (before, after) = january.split(day("2026-01-16")).unwrap();
        assert_eq!((before.days(), after.days()), (15, 16));
        assert_eq!(january.split(day("2026-01-01")), None);
        assert_eq!(before.intersect(&after), None);
        assert_eq!(january.intersect(&after), Some(after));
    }

    #[test]
    fn months_are_clipped_to_the_period() {
        let period = Period::new(day("2025-12-20"), day("2026-02-03")).unwrap();
        let days: Vec<i64> = period.months().map(|month| month.days()).collect();
        assert_eq!(days, [12, 31, 2]);
        assert!(Period::month(2026, 1).unwrap().is_calendar_month());
        assert!(!period.is_calendar_month());
    }
}
