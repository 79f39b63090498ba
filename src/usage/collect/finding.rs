//! What is wrong with readings that are each right in themselves.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};

use super::super::{Reading, SeriesKey};

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FindingKind {
    /// The same value for the same interval again: nothing is lost.
    Duplicate,
    /// Another value for the same interval; the first stays.
    Conflict {
        /// The value that stays, in watt-hours.
        kept_wh: i32,
    },
    /// The interval lies across two of the series.
    Overlap,
    /// The interval is longer or shorter than the others of the series.
    WrongLength {
        /// Length of the others in minutes; 0 where no interval had a usable length.
        minutes: u16,
    },
    /// More energy than a value can hold.
    OutOfRange,
    /// Whole days without any value, up to and without this one.
    Gap {
        /// The next day with values.
        to: NaiveDate,
    },
    /// A day with some values missing.
    IncompleteDay {
        /// Values there.
        have: usize,
        /// Values that the day should have.
        want: usize,
    },
}

/// One finding with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The meter and direction.
    pub series: Arc<SeriesKey>,
    /// The local day; of a gap, the first day without a value.
    pub date: NaiveDate,
    /// Start of the interval, where it is about one.
    pub start: Option<DateTime<Utc>>,
    /// Line of the file, where it is about one.
    pub line: Option<u64>,
    /// What was found.
    pub kind: FindingKind,
}

impl Finding {
    pub(super) fn of(kind: FindingKind, reading: &Reading, date: NaiveDate) -> Self {
        Self { series: Arc::clone(&reading.series), date, start: Some(reading.start), line: Some(reading.line), kind }
    }

    pub(super) fn wrong_length(reading: &Reading, minutes: u16) -> Self {
        Self::of(FindingKind::WrongLength { minutes }, reading, reading.start.date_naive())
    }

    pub(super) fn gap(series: &Arc<SeriesKey>, last: NaiveDate, to: NaiveDate) -> Self {
        let date = last.succ_opt().unwrap_or(last);
        Self { series: Arc::clone(series), date, start: None, line: None, kind: FindingKind::Gap { to } }
    }

    pub(super) fn incomplete(series: &Arc<SeriesKey>, date: NaiveDate, have: usize, want: usize) -> Self {
        Self {
            series: Arc::clone(series),
            date,
            start: None,
            line: None,
            kind: FindingKind::IncompleteDay { have, want },
        }
    }

    /// Whether usage was lost or doubted; a plain duplicate is not.
    #[must_use]
    pub fn matters(&self) -> bool {
        self.kind != FindingKind::Duplicate
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.start.map(|start| start.format("%Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default();
        match &self.kind {
            FindingKind::Duplicate => write!(f, "{at} is there twice with the same value"),
            FindingKind::Conflict { kept_wh } => {
                write!(f, "{at} is there twice with different values; {kept_wh} Wh, the first, stays")
            }
            FindingKind::Overlap => write!(f, "{at} lies across two intervals"),
            FindingKind::WrongLength { minutes: 0 } => {
                write!(f, "{at} has an interval length other than 5, 15, 30 or 60 minutes")
            }
            FindingKind::WrongLength { minutes } => {
                write!(f, "{at} has another interval length than the {minutes} minutes before")
            }
            FindingKind::OutOfRange => write!(f, "{at} has more energy than one interval can hold"),
            FindingKind::Gap { to } => write!(f, "no values from {} up to {to}", self.date),
            FindingKind::IncompleteDay { have, want } => {
                write!(f, "{} has {have} of {want} values", self.date)
            }
        }
    }
}
