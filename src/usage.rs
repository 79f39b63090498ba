//! Usage: what a meter measured, as files bring it and as rating reads it.
//!
//! A file is a stream of [`Reading`]s ([`read`] tells the formats apart by content); a
//! [`collect::Collector`] sorts them into [`DayUsage`]: one meter, one direction, one local day, the
//! day's values in order of time as whole watt-hours. Energy is never a float.

pub mod collect;
pub mod csv;
pub mod days;
pub mod green_button;
mod merge;
pub mod nem12;
mod reading;
mod register;
mod unix;

use std::io::BufRead;

use chrono_tz::Tz;

pub use days::{DayUsage, Profile};
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

/// Reads a whole file as a stream, telling its format by its first characters.
///
/// `zone` is the meter's zone, for local times without an offset. `each` is given every reading and every
/// line that was refused, in the order of the file. After an error whatever was handed out is to be
/// thrown away: the file as a whole is not to be trusted.
///
/// # Errors
/// [`UsageError`] when the file as a whole cannot be read: unknown format, missing columns, broken XML.
pub fn read(mut input: impl BufRead, zone: Tz, each: &mut dyn FnMut(Item)) -> Result<Format, UsageError> {
    let format = detect(&mut input)?;
    match format {
        Format::Csv => csv::read(input, zone, each),
        Format::GreenButton => green_button::read(input, each),
        Format::Nem12 => nem12::read(input, each),
    }?;
    Ok(format)
}

/// Tells the format by the first characters, taking none of them but a byte order mark.
///
/// # Errors
/// [`UsageError::Empty`] for an empty file, [`UsageError::Io`] when it cannot be read.
pub fn detect(input: &mut impl BufRead) -> Result<Format, UsageError> {
    if input.fill_buf()?.starts_with(b"\xEF\xBB\xBF") {
        input.consume(3);
    }
    let head = input.fill_buf()?;
    let head = head.trim_ascii_start();
    if head.is_empty() {
        return Err(UsageError::Empty);
    }
    let record = |code: &[u8]| head.starts_with(code);
    Ok(match head {
        [b'<', ..] => Format::GreenButton,
        _ if record(b"100,") || record(b"200,") || record(b"300,") => Format::Nem12,
        _ => Format::Csv,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_told_by_its_content() {
        let of = |text: &str| detect(&mut text.as_bytes());
        assert_eq!(of("\u{feff}interval_start,kwh\n").unwrap(), Format::Csv);
        assert_eq!(of("  \n<?xml version=\"1.0\"?>").unwrap(), Format::GreenButton);
        assert_eq!(of("100,NEM12,2005").unwrap(), Format::Nem12);
        assert!(matches!(of(" \n"), Err(UsageError::Empty)));
    }
}
