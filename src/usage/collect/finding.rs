//! What is wrong with readings that are each right in themselves.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};

use super::super::{Energy, Reading, SeriesKey};

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FindingKind {
    /// The same value for the same interval again: nothing is lost.
    Duplicate,
    /// Two versions of an interval's value: the later counts.
    Replaced,
    /// Another value for the same interval; the first stays.
    Conflict {
        /// The value that stays.
        kept: Energy,
        /// The one that was not taken.
        other: Energy,
    },
    /// The interval does not begin where one of this length does.
    Overlap {
        /// Length of the day's intervals in minutes.
        minutes: u16,
    },
    /// The interval is longer or shorter than the others of its day.
    WrongLength {
        /// Length of the others in minutes.
        minutes: u16,
    },
    /// An interval length that the portal does not know.
    UnknownLength {
        /// In seconds.
        seconds: u32,
    },
    /// Whole days without any value, up to and without this one.
    Gap {
        /// The next day with values.
        to: NaiveDate,
    },
    /// A day that this register lacks and another one of its meter has.
    Lacking {
        /// Values of the others that are left out therefore.
        values: usize,
    },
    /// A day with some values missing.
    IncompleteDay {
        /// Values there.
        have: usize,
        /// Values that the day should have.
        want: usize,
    },
    /// From this day on intervals have another length.
    LengthChanged {
        /// Minutes before.
        before: u16,
        /// Minutes from this day on.
        minutes: u16,
    },
}

impl FindingKind {
    /// Whether a value stands in the file again, and none is lost.
    #[must_use]
    pub const fn is_again(&self) -> bool {
        matches!(self, Self::Duplicate | Self::Replaced)
    }

    /// Whether a value was lost or doubted. What is missing is for the reader of the days to judge.
    #[must_use]
    pub const fn is_fault(&self) -> bool {
        matches!(
            self,
            Self::Conflict { .. } | Self::Overlap { .. } | Self::WrongLength { .. } | Self::UnknownLength { .. }
        )
    }
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

    /// A value that stands beside the grid of its day.
    pub(super) fn stray(series: &Arc<SeriesKey>, date: NaiveDate, start: DateTime<Utc>, minutes: u16) -> Self {
        Self { start: Some(start), ..Self::of_day(FindingKind::Overlap { minutes }, series, date) }
    }

    /// A finding about a day, or about days from it on.
    pub(super) fn of_day(kind: FindingKind, series: &Arc<SeriesKey>, date: NaiveDate) -> Self {
        Self { series: Arc::clone(series), date, start: None, line: None, kind }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = match self.start {
            Some(start) => start.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            None => format!("{}: {}", self.series, self.date),
        };
        match &self.kind {
            FindingKind::Duplicate => write!(f, "{at} is there twice with the same value"),
            FindingKind::Replaced => write!(f, "{at} is there twice; the later version counts"),
            FindingKind::Conflict { kept, other } => write!(
                f,
                "{at} is there twice, with {} Wh and with {} Wh: which of them holds cannot be told; take one out",
                kept.wh(),
                other.wh()
            ),
            FindingKind::Overlap { minutes } => {
                write!(
                    f,
                    "{at} is not the start of an interval of {minutes} minutes, as the others of {} are",
                    self.date
                )
            }
            FindingKind::WrongLength { minutes } => {
                write!(f, "{at} has another interval length than the {minutes} minutes of the others of {}", self.date)
            }
            FindingKind::UnknownLength { seconds } => write!(
                f,
                "{at} has values of {}: intervals of 5, 15, 30 or 60 minutes are read, no others and no values of a day",
                spoken(*seconds)
            ),
            FindingKind::Gap { to } => write!(f, "{}: no values from {} up to {to}", self.series, self.date),
            FindingKind::Lacking { .. } => write!(
                f,
                "{}: no values on {}, while other registers of the meter have some: the day is not whole and was not taken",
                self.series, self.date
            ),
            FindingKind::IncompleteDay { have, want } => {
                write!(f, "{}: {} has {have} of {want} values", self.series, self.date)
            }
            FindingKind::LengthChanged { before, minutes } => write!(
                f,
                "{}: from {} on intervals are {minutes} minutes long, before {before}",
                self.series, self.date
            ),
        }
    }
}

/// A length for people.
fn spoken(seconds: u32) -> String {
    match seconds {
        0 => "no length".to_owned(),
        _ if seconds.is_multiple_of(3600) => format!("{} hours", seconds / 3600),
        _ if seconds.is_multiple_of(60) => format!("{} minutes", seconds / 60),
        _ => format!("{seconds} seconds"),
    }
}
