//! One measured interval, and what may be wrong with a line or a file.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::Energy;

/// Which way the energy went, seen from the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the grid to the customer: what is bought.
    #[default]
    Import,
    /// From the customer to the grid: what is fed in.
    Export,
}

impl Direction {
    /// `import` or `export`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Export => "export",
        }
    }

    /// Reads the usual words: import, delivered, consumption; export, received, generation.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "import" | "delivered" | "consumption" => Some(Self::Import),
            "export" | "received" | "generation" => Some(Self::Export),
            _ => None,
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Quality {
    /// Measured.
    #[default]
    Actual = 0,
    /// Worked out, to be trued up when the actual value arrives (rule 7).
    Estimated = 1,
    /// Read by the customer.
    Customer = 2,
    /// Corrected by hand.
    Edited = 3,
    /// Not expected: the meter was not in service then. Counts as nothing.
    Absent = 254,
    /// Expected and not there. Rating refuses it.
    Missing = 255,
}

impl Quality {
    /// The code kept in [`DayUsage::flags`](super::DayUsage).
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The quality of a code; an unknown code counts as edited.
    #[must_use]
    pub const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Actual,
            1 => Self::Estimated,
            2 => Self::Customer,
            254 => Self::Absent,
            255 => Self::Missing,
            _ => Self::Edited,
        }
    }

    /// The quality of a sum: missing wins over anything, absent loses to anything, otherwise the less certain wins.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        match (self, other) {
            (Self::Absent, only) | (only, Self::Absent) => only,
            (one, other) => one.max(other),
        }
    }

    /// Reads the usual words and letters: actual, estimated, customer, edited; A, E, C.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "" | "a" | "actual" | "measured" => Some(Self::Actual),
            "e" | "estimated" | "estimate" => Some(Self::Estimated),
            "c" | "customer" => Some(Self::Customer),
            "edited" | "corrected" => Some(Self::Edited),
            _ => None,
        }
    }
}

/// Which meter and direction a reading belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct SeriesKey {
    /// What the file calls the meter; `None` where it names none.
    pub meter: Option<String>,
    /// Import or export.
    pub direction: Direction,
    /// Which register of the meter, where a meter has several (NEM12: E1, E2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub register: Option<String>,
}

impl fmt::Display for SeriesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.meter {
            Some(meter) => write!(f, "meter {meter}, ")?,
            None => f.write_str("the meter, ")?,
        }
        if let Some(register) = &self.register {
            write!(f, "register {register}, ")?;
        }
        self.direction.fmt(f)
    }
}

/// One measured interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The meter and direction.
    pub series: Arc<SeriesKey>,
    /// First instant of the interval.
    pub start: DateTime<Utc>,
    /// Length of the interval in seconds; 0 where the file does not say (CSV).
    pub seconds: u32,
    /// What was used, or fed in.
    pub energy: Energy,
    /// Measured, estimated …
    pub quality: Quality,
    /// Of two values of one interval the one with the greater figure counts (NEM12: when it was last updated, as
    /// 20260131120000); 0 where the file does not say.
    pub version: i64,
    /// Line of the file, from 1.
    pub line: u64,
}

/// Whether an instant is one that a meter can have measured: from 1970 to 2199.
#[must_use]
pub fn plausible(instant: DateTime<Utc>) -> bool {
    (0..7_258_118_400).contains(&instant.timestamp())
}

/// The most characters of a sentence about a file, whatever of the file it quotes.
pub(super) const MOST_SAID: usize = 400;

/// A sentence about a file, cut where it is too long.
fn said(text: String) -> String {
    if text.chars().count() <= MOST_SAID {
        return text;
    }
    text.chars().take(MOST_SAID - 1).chain(['…']).collect()
}

/// A line that was refused while the rest of the file went in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{line}:{column}: {reason}")]
pub struct Rejected {
    /// Line of the file, from 1.
    pub line: u64,
    /// Column of the field at fault, from 1.
    pub column: u64,
    /// The line as it stands in the file, at most 200 characters.
    pub raw: String,
    /// What is wrong with it, as a sentence for a person.
    pub reason: String,
    /// True where nothing is wrong and the portal has no use for it, such as reactive energy.
    pub ignored: bool,
}

impl Rejected {
    /// A refused line; `raw` is cut at 200 characters.
    #[must_use]
    pub fn new(line: u64, column: u64, raw: &str, reason: impl Into<String>) -> Self {
        let raw = raw.trim_end().chars().take(200).collect();
        Self { line, column, raw, reason: said(reason.into()), ignored: false }
    }

    /// The same, for something that is right and of no use here.
    #[must_use]
    pub fn ignored(mut self) -> Self {
        self.ignored = true;
        self
    }
}

/// What a file yields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A measured interval.
    Reading(Reading),
    /// A refused line.
    Rejected(Rejected),
    /// The zone that the file says its clocks show: Green Button's LocalTimeParameters, UTC where all times of a CSV file are
    /// written so. Its times have offsets all the same.
    Zone(Tz),
}

/// Why a file as a whole cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    /// Nothing in it.
    #[error("1:1: the file is empty")]
    Empty,
    /// The file cannot be read.
    #[error("1:1: the file cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// The file is not what it claims to be.
    #[error("{line}:{column}: {message}")]
    Invalid {
        /// Line of the file, from 1.
        line: u64,
        /// Column, from 1.
        column: u64,
        /// What is wrong, as a sentence for a person.
        message: String,
    },
}

impl UsageError {
    /// A fault at a place.
    #[must_use]
    pub fn at(line: u64, column: u64, message: impl Into<String>) -> Self {
        Self::Invalid { line, column, message: said(message.into()) }
    }
}
