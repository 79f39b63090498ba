//! Usage as CSV: a header, then one row an interval.
//!
//! Columns, in any order: `interval_start` (RFC 3339, or local time without an offset), `kwh`; optional
//! `meter` (or `serial`), `direction`, `quality`. Separated by commas or, with decimal commas, by
//! semicolons. The interval length is inferred from the first rows of each series and checked on all.

mod length;
mod row;

use std::io::BufRead;

use chrono_tz::Tz;

use super::unix::{Unix, line};
use super::{Item, Rejected, UsageError};
use length::Series;
use row::Columns;

/// A file to fill in.
pub const TEMPLATE: &str = "meter,direction,interval_start,kwh,quality\n\
    M-1001,import,2026-01-01T00:00:00+01:00,0.409,actual\n\
    M-1001,import,2026-01-01T01:00:00+01:00,0.357,estimated\n";

/// Reads CSV as a stream. See [`super::read`].
///
/// # Errors
/// [`UsageError`] when a needed column is missing or no interval length can be told.
pub fn read(mut input: impl BufRead, zone: Tz, each: &mut dyn FnMut(Item)) -> Result<(), UsageError> {
    let delimiter = delimiter(input.fill_buf()?);
    let mut reader = ::csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .has_headers(false)
        .from_reader(Unix::new(input));
    let mut record = ::csv::ByteRecord::new();
    let mut columns = None;
    let mut series = Series::default();
    let mut first: Option<Rejected> = None;
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {}
            Err(fault) => return Err(unreadable(&fault)),
        }
        let line = line(&reader);
        let Some(columns) = &columns else {
            columns = Some(Columns::from_header(&record, line, delimiter == b';')?);
            continue;
        };
        if record.iter().all(|field| field.trim_ascii().is_empty()) {
            continue;
        }
        match columns.read(&record, line, |key, local| series.resolve(zone, key, local)) {
            Ok(reading) => series.push(reading, each),
            Err(fault) => {
                let refused = row::refused(&record, line, &fault);
                first.get_or_insert_with(|| refused.clone());
                each(Item::Rejected(refused));
            }
        }
    }
    if columns.is_none() {
        return Err(UsageError::Empty);
    }
    if series.is_empty() {
        return Err(first.map_or_else(
            || UsageError::at(1, 1, "the file has a header and no rows"),
            |first| {
                UsageError::at(first.line, first.column, format!("no row can be read; of the first: {}", first.reason))
            },
        ));
    }
    series.finish(each)
}

/// A semicolon where the first line has one and no comma.
fn delimiter(head: &[u8]) -> u8 {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or(head);
    if line.contains(&b';') && !line.contains(&b',') { b';' } else { b',' }
}

fn unreadable(fault: &::csv::Error) -> UsageError {
    let line = fault.position().map_or(1, ::csv::Position::line);
    UsageError::at(line, 1, format!("this is not CSV: {fault}"))
}

/// A row that cannot be placed on its series' grid.
fn off_grid(line: u64, start: &str, minutes: u32) -> Rejected {
    Rejected::new(line, 1, start, format!("{start} is not on the {minutes}-minute grid of the rows before"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::reading::MOST_SAID;
    use crate::usage::{Direction, Quality, Reading};
    use chrono_tz::{Europe, UTC};

    fn parse(text: &str, zone: Tz) -> (Vec<Reading>, Vec<String>) {
        let (mut readings, mut refused) = (vec![], vec![]);
        read(text.as_bytes(), zone, &mut |item| match item {
            Item::Reading(reading) => readings.push(reading),
            Item::Rejected(rejected) => refused.push(rejected.to_string()),
        })
        .unwrap();
        (readings, refused)
    }

    #[test]
    fn the_reference_year_has_8760_hours() {
        let text =
            std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/end2end/reference/usage/residential_hourly_2018.csv"))
                .unwrap();
        let (readings, refused) = parse(std::str::from_utf8(&text).unwrap(), UTC);
        assert_eq!((readings.len(), refused.len()), (8760, 0));
        assert!(readings.iter().all(|reading| reading.seconds == 3600));
        assert_eq!(readings[0].wh, 409);
    }

    #[test]
    fn the_template_is_read_as_it_stands() {
        let (readings, refused) = parse(TEMPLATE, UTC);
        assert_eq!((readings.len(), refused.len()), (2, 0));
        assert_eq!(readings[1].series.meter.as_deref(), Some("M-1001"));
        assert_eq!(readings[1].series.direction, Direction::Import);
        assert_eq!(readings[1].quality, Quality::Estimated);
    }

    #[test]
    fn a_bad_row_is_refused_with_its_place_and_the_rest_goes_in() {
        let text = "interval_start,kwh\n2026-01-01T00:00:00Z,1\n2026-01-01T01:00:00Z,abc\nyesterday,1\n2026-01-01T01:30:00Z,1\n2026-01-01T02:00:00Z,1\n2026-01-01T03:00:00Z\n2026-01-01T03:00:00Z,2\n";
        let (readings, refused) = parse(text, UTC);
        assert_eq!(readings.len(), 4, "{readings:?} {refused:?}");
        assert!(refused.iter().any(|fault| fault.starts_with("3:22: \"abc\" is not a number of kWh")), "{refused:?}");
        assert!(refused.iter().any(|fault| fault.starts_with("4:1: \"yesterday\" is not a time")), "{refused:?}");
        assert!(refused.iter().any(|fault| fault.starts_with("7:22: kwh is missing")), "{refused:?}");
    }

    #[test]
    fn a_row_off_the_grid_is_refused() {
        use std::fmt::Write;
        let mut text = String::from("interval_start,kwh\n");
        for hour in 0..20 {
            writeln!(text, "2026-01-01T{hour:02}:00:00Z,1").unwrap();
        }
        text.push_str("2026-01-02T00:10:00Z,1\n");
        let (readings, refused) = parse(&text, UTC);
        assert_eq!(readings.len(), 20);
        assert_eq!(refused, ["22:1: 2026-01-02T00:10:00Z is not on the 60-minute grid of the rows before"]);
    }

    #[test]
    fn local_times_pass_the_hour_that_repeats_and_refuse_the_hour_that_is_not() {
        let text =
            "interval_start,kwh\n2026-10-25 01:00,1\n2026-10-25 02:00,2\n2026-10-25 02:00,3\n2026-10-25 03:00,4\n";
        let (readings, refused) = parse(text, Europe::Berlin);
        assert_eq!(refused, Vec::<String>::new());
        let hours: Vec<i64> = readings.windows(2).map(|pair| (pair[1].start - pair[0].start).num_hours()).collect();
        assert_eq!(hours, [1, 1, 1]);
        let (_, refused) =
            parse("interval_start,kwh\n2026-03-29 01:00,1\n2026-03-29 02:00,2\n2026-03-29 03:00,2\n", Europe::Berlin);
        assert_eq!(refused, ["3:1: 2026-03-29 02:00:00 does not exist in Europe/Berlin: clocks skip it"]);
    }

    #[test]
    fn semicolons_and_decimal_commas_are_understood() {
        let (readings, refused) =
            parse("interval_start;kwh\r\n2026-01-01T00:00;0,409\r\n2026-01-01T00:15;1,5\r\n", UTC);
        assert_eq!((readings[0].wh, readings[1].wh, readings[0].seconds, refused.len()), (409, 1500, 900, 0));
    }

    #[test]
    fn lines_are_counted_right_whatever_their_ends() {
        for end in ["\n", "\r\n"] {
            let text = [
                "interval_start,kwh",
                "2026-01-01T00:00:00Z,1",
                "",
                "2026-01-01T01:00:00Z,x",
                "2026-01-01T02:00:00Z,2",
                "2026-01-01T03:00:00Z,2",
            ]
            .join(end);
            let (_, refused) = parse(&text, UTC);
            assert_eq!(refused, ["4:22: \"x\" is not a number of kWh"]);
        }
    }

    #[test]
    fn a_file_without_its_columns_is_refused_as_a_whole() {
        let fault = |text: &str| read(text.as_bytes(), UTC, &mut |_| ()).unwrap_err().to_string();
        assert!(
            fault("time,kwh\n2026-01-01T00:00:00Z,1\n").starts_with("1:1: the header has no column interval_start")
        );
        assert!(fault("interval_start,energy\n").starts_with("1:1: the header has no column kwh"));
        assert!(fault("interval_start,kwh\n2026-01-01T00:00:00Z,1\n").contains("interval length"));
        assert_eq!(fault("interval_start,kwh\n"), "1:1: the file has a header and no rows");
        assert_eq!(
            fault("interval_start,kwh\n2026-01-01T00:00:00Z,x\n2026-01-01T01:00:00Z,y\n"),
            "2:22: no row can be read; of the first: \"x\" is not a number of kWh"
        );
        let long = format!("interval_start,kwh\n{}", "é".repeat(5_000));
        assert_eq!(fault(&long).chars().count(), "2:1: ".len() + MOST_SAID);
    }

    #[test]
    fn a_field_that_is_not_utf_8_is_refused_where_its_byte_stands() {
        let text = b"meter,interval_start,kwh,quality,direction,place\n\
            Z\xe4hler,2026-01-01T00:00:00Z,1,actual,import,\n\
            \xc3\xa41,2026-01-01T01:00:00Z,1,actual,\xa0,\n\
            M,2026-01-01T02:00:00Z,\xff,actual,import,\n\
            M,2026-01-01T03:00:00Z,1,\xe9,import,\n\
            M,2026-01-01T04:00:00Z,1,actual,import,K\xf6ln\n\
            M,2026-01-01T05:00:00Z,1,actual,import,\n";
        let (mut readings, mut refused) = (0, vec![]);
        read(text.as_slice(), UTC, &mut |item| match item {
            Item::Reading(_) => readings += 1,
            Item::Rejected(rejected) => refused.push(rejected.to_string()),
        })
        .unwrap();
        let told = |place: &str| format!("{place}: this byte is not UTF-8 text");
        assert_eq!(refused, ["2:2", "3:34", "4:24", "5:26"].map(told));
        assert_eq!(readings, 2, "a column that is not read may hold what it likes");
    }

    #[test]
    fn a_direction_or_a_quality_that_nobody_knows_is_refused() {
        let text = "interval_start,kwh,direction,quality\n2026-01-01T00:00:00Z,1,both,\n2026-01-01T01:00:00Z,1,,good\n2026-01-01T02:00:00Z,1,,\n2026-01-01T03:00:00Z,1,,\n";
        let (readings, refused) = parse(text, UTC);
        assert_eq!(readings.len(), 2);
        assert_eq!(
            refused,
            [
                "2:24: \"both\" is not a direction (import, export)",
                "3:25: \"good\" is not a quality (actual, estimated, customer, edited)"
            ]
        );
    }

    #[test]
    fn energy_with_underscores_or_an_exponent_is_refused() {
        let text = "interval_start,kwh\n2026-01-01T00:00:00Z,1_000\n2026-01-01T01:00:00Z,1e2\n2026-01-01T02:00:00Z,1\n2026-01-01T03:00:00Z,-0.5\n";
        let (readings, refused) = parse(text, UTC);
        assert_eq!(readings.iter().map(|reading| reading.wh).collect::<Vec<_>>(), [1000, -500]);
        assert_eq!(refused, ["2:22: \"1_000\" is not a number of kWh", "3:22: \"1e2\" is not a number of kWh"]);
    }
}
