//! Usage: what a meter measured, as files bring it and as rating reads it.
//!
//! A file is a stream of [`Reading`]s ([`read`] tells the formats apart by content); a
//! [`collect::Collector`] sorts them into [`DayUsage`]: one meter, one register and direction, one local day, the
//! day's values in order of time as whole watt-hours. Energy is never a float.

pub mod collect;
mod content;
pub mod csv;
pub mod days;
mod energy;
pub mod green_button;
mod limits;
mod merge;
pub mod nem12;
mod reading;
mod register;
mod sign;
mod unix;

use std::io::{BufRead, BufReader};

use chrono_tz::Tz;

use crate::values::figures::Mark;
pub use content::detect;
pub use days::{DayUsage, Profile};
pub use energy::Energy;
pub use merge::{MergeError, merge};
pub use reading::{Direction, Item, Quality, Reading, Rejected, SeriesKey, UsageError, plausible};
pub use register::RegisterRead;

/// The file formats understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Rows under a header with `interval_start` and `kwh`.
    Csv,
    /// ESPI Atom XML.
    GreenButton,
    /// AEMO's interval file, 100 to 900 records.
    Nem12,
}

/// What a person says of a file that the file does not say itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hints {
    /// The zone of local times without an offset; `None`: such times are refused.
    pub zone: Option<Tz>,
    /// The decimal mark of a CSV file; `None`: its figures tell, or it is refused.
    pub mark: Option<Mark>,
    /// Values are net: above zero bought, below zero fed in. Otherwise values below zero are refused.
    pub net: bool,
}

impl Hints {
    /// The zone alone.
    #[must_use]
    pub const fn of_zone(zone: Tz) -> Self {
        Self { zone: Some(zone), mark: None, net: false }
    }
}

/// Reads a whole file as a stream, telling its format by its first characters.
///
/// `each` is given every reading and every line that was refused. After an error whatever was handed out is to be
/// thrown away: the file as a whole is not to be trusted.
///
/// # Errors
/// [`UsageError`] when the file as a whole cannot be read: unknown format, missing columns, broken XML.
pub fn read(mut input: impl BufRead, hints: &Hints, each: &mut dyn FnMut(Item)) -> Result<Format, UsageError> {
    if content::is_utf16(&mut input)? {
        return read_text(BufReader::new(content::from_utf16(input)), hints, each);
    }
    read_text(input, hints, each)
}

fn read_text(mut input: impl BufRead, hints: &Hints, each: &mut dyn FnMut(Item)) -> Result<Format, UsageError> {
    let format = detect(&mut input)?;
    let mut each = |item| sign::checked(item, hints.net, each);
    match format {
        Format::Csv => csv::read(input, hints, &mut each),
        Format::GreenButton => green_button::read(input, &mut each),
        Format::Nem12 => nem12::read(input, &mut each),
    }?;
    Ok(format)
}
