//! Usage as CSV: a header, then one row an interval.
//!
//! Columns, in any order: `interval_start` (ISO 8601, or local time without an offset), `kwh`; optional `meter` (or
//! `serial`), `register`, `direction`, `quality`; others are not looked at. Separated by commas, semicolons, tabs or
//! bars; a first line `sep=;` may name the separator. Rows may come in any order. A file whose times are all written as UTC
//! (`Z`) says at its end that this is its zone.

mod clock;
mod numbers;
mod row;
mod stamp;

use std::io::{BufRead, Cursor, Read};

use chrono_tz::Tz;

use super::limits::{self, Pace, Paced};
use super::unix::{Ends, Unix, line};
use super::{Hints, Item, Reading, Rejected, UsageError};
use crate::values::figures::Mark;
use clock::{Clock, Row};
use numbers::{Figure, Marks};
use row::Columns;
use stamp::Stamp;

/// A file to fill in.
pub const TEMPLATE: &str = "meter,direction,interval_start,kwh,quality\n\
    M-1001,import,2026-01-01T00:00:00+01:00,0.409,actual\n\
    M-1001,import,2026-01-01T01:00:00+01:00,0.357,estimated\n";

/// The longest first line that is looked at.
const FIRST_LINE: u64 = 1 << 16;

/// Values held back until the file tells its decimal mark; a file that says so later is refused.
const HELD: usize = 100_000;

/// Reads CSV as a stream. See [`super::read`].
///
/// # Errors
/// [`UsageError`] when a needed column is missing, or figures may be either of two numbers.
pub fn read(input: impl BufRead, hints: &Hints, each: &mut dyn FnMut(Item)) -> Result<(), UsageError> {
    let (input, pace) = Paced::new(input);
    let Opened { input, separator, skipped, ends } = opened(input, &pace)?;
    let mut reader = ::csv::ReaderBuilder::new()
        .delimiter(separator)
        .flexible(true)
        .has_headers(false)
        .from_reader(Unix::new(input, ends));
    let mut record = ::csv::ByteRecord::new();
    let mut columns = None;
    let mut file = File::new(separator, hints);
    let mut before = skipped;
    loop {
        pace.taken();
        match reader.read_byte_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {}
            Err(fault) => return Err(unreadable(&fault, before + 1)),
        }
        let line = line(&reader) + skipped;
        before = line;
        let Some(columns) = &columns else {
            columns = Some(Columns::from_header(&record, line)?);
            continue;
        };
        if !record.iter().all(|field| field.trim_ascii().is_empty()) {
            file.take(columns, &record, line, each)?;
        }
    }
    let columns = columns.ok_or(UsageError::Empty)?;
    file.finish(each)?;
    if columns.all_utc() {
        each(Item::Zone(Tz::UTC));
    }
    Ok(())
}

/// A file from its header on.
struct Opened<R> {
    input: R,
    separator: u8,
    /// How many lines stand before the header.
    skipped: u64,
    ends: Ends,
}

/// Looks at the lines before the header: blank ones, and one that names the separator.
fn opened<R: BufRead>(mut input: R, pace: &Pace) -> Result<Opened<impl BufRead>, UsageError> {
    let mut first = vec![];
    let mut blank = 0;
    loop {
        first.clear();
        pace.taken();
        let read = input.by_ref().take(FIRST_LINE).read_until(b'\n', &mut first)?;
        if read == 0 || !first.trim_ascii().is_empty() {
            break;
        }
        blank += 1;
    }
    // Old Macintosh programs end lines so; a file with other ends has one in its first line.
    let ends = if first.contains(&b'\r') && !first.contains(&b'\n') { Ends::Return } else { Ends::Feed };
    if ends == Ends::Return {
        let header = first.trim_ascii_start();
        let header = header.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let separator = separator(header);
        return Ok(Opened { input: Cursor::new(first).chain(input), separator, skipped: blank, ends });
    }
    let named = first.trim_ascii().to_ascii_lowercase();
    let named = named.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(&named);
    let Some(named) = named.strip_prefix(b"sep=") else {
        let separator = separator(&first);
        return Ok(Opened { input: Cursor::new(first).chain(input), separator, skipped: blank, ends });
    };
    let separator = match *named {
        [separator] if separator.is_ascii() => separator,
        // `sep=` and a tab: the tab went with the space around.
        [] => b'\t',
        _ => {
            let reason = "the line sep= names the one character between fields, such as sep=;";
            return Err(UsageError::at(blank + 1, 1, reason));
        }
    };
    Ok(Opened { input: Cursor::new(vec![]).chain(input), separator, skipped: blank + 1, ends })
}

/// The separator that makes a column of the header; a comma where none does, so that the header's fault is told.
fn separator(header: &[u8]) -> u8 {
    let makes = |separator: &u8| {
        let mut names = header.split(|byte| byte == separator).map(<[u8]>::trim_ascii);
        names.any(|name| name.eq_ignore_ascii_case(b"kwh") || name.eq_ignore_ascii_case(b"\"kwh\""))
    };
    b",;\t|".iter().copied().find(makes).unwrap_or(b',')
}

/// A file while it is read.
struct File {
    marks: Marks,
    clock: Clock,
    /// Values that wait for the file's decimal mark.
    held: Vec<(Reading, Mark)>,
    taken: bool,
    first: Option<Rejected>,
}

impl File {
    fn new(separator: u8, hints: &Hints) -> Self {
        let marks = Marks::new(separator == b',', hints.mark);
        Self { marks, clock: Clock::new(hints.zone), held: vec![], taken: false, first: None }
    }

    fn take(
        &mut self,
        columns: &Columns,
        record: &::csv::ByteRecord,
        line: u64,
        each: &mut dyn FnMut(Item),
    ) -> Result<(), UsageError> {
        let (stamp, row) = match columns.read(record, line, &mut self.marks)? {
            Ok(read) => read,
            Err(fault) => {
                let breaks = record.iter().flatten().filter(|byte| **byte == b'\n').count();
                let first = line.saturating_sub(u64::try_from(breaks).unwrap_or_default());
                let refused = row::refused(record, first, &fault);
                self.first.get_or_insert_with(|| refused.clone());
                each(Item::Rejected(refused));
                return Ok(());
            }
        };
        self.taken = true;
        let local = match stamp {
            Stamp::Instant(_) => return self.hand_on(row, each),
            Stamp::Local(local) => local,
        };
        let mut settled = vec![];
        let nothing = matches!(row.figure, Figure::Energy(energy) if energy == super::Energy::ZERO);
        self.clock.take(local, row, &mut |row| settled.push(row))?;
        for row in settled {
            match row {
                Ok(row) => self.hand_on(row, each)?,
                Err(nowhere) if nowhere.line == line => {
                    let refused = row::refused(record, line, &columns.of_time(nowhere.reason));
                    // A row of nothing for an hour that is not says nothing.
                    each(Item::Rejected(if nothing { refused.ignored() } else { refused }));
                }
                Err(nowhere) => each(elsewhere(nowhere)),
            }
        }
        Ok(())
    }

    /// Hands on a row as soon as its figure is known.
    fn hand_on(&mut self, row: Row, each: &mut dyn FnMut(Item)) -> Result<(), UsageError> {
        let Row { mut reading, figure } = row;
        match figure {
            Figure::Energy(energy) => {
                reading.energy = energy;
                each(Item::Reading(reading));
            }
            Figure::Either(energy, mark) => {
                reading.energy = energy;
                if self.held.len() >= HELD {
                    self.marks.finish()?;
                }
                self.held.push((reading, mark));
            }
        }
        if let Some(known) = self.marks.known() {
            self.release(known, each);
        }
        Ok(())
    }

    fn release(&mut self, known: Mark, each: &mut dyn FnMut(Item)) {
        for (mut reading, mark) in std::mem::take(&mut self.held) {
            if mark != known {
                reading.energy = reading.energy.thousandfold();
            }
            each(Item::Reading(reading));
        }
    }

    fn finish(mut self, each: &mut dyn FnMut(Item)) -> Result<(), UsageError> {
        if !self.taken {
            let Some(first) = self.first else {
                return Err(UsageError::at(1, 1, "the file has a header and no rows"));
            };
            let reason = format!("no row can be read; of the first: {}", first.reason);
            return Err(UsageError::at(first.line, first.column, reason));
        }
        let mut settled = vec![];
        std::mem::replace(&mut self.clock, Clock::new(None)).finish(&mut |row| settled.push(row));
        for row in settled {
            match row {
                Ok(row) => self.hand_on(row, each)?,
                Err(nowhere) => each(elsewhere(nowhere)),
            }
        }
        self.marks.finish()
    }
}

/// A row refused after others were read.
fn elsewhere(nowhere: clock::Nowhere) -> Item {
    let local = nowhere.local.to_string();
    Item::Rejected(Rejected::new(nowhere.line, 1, &local, nowhere.reason))
}

/// Why no row can be read that begins at this line.
fn unreadable(fault: &::csv::Error, begins: u64) -> UsageError {
    if let ::csv::ErrorKind::Io(fault) = fault.kind()
        && limits::is_too_long(fault)
    {
        let reason = format!("this row {}: is a quote opened and not closed?", limits::TOO_LONG);
        return UsageError::at(begins, 1, reason);
    }
    let line = fault.position().map_or(1, ::csv::Position::line);
    UsageError::at(line, 1, format!("this is not CSV: {fault}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::reading::MOST_SAID;
    use crate::usage::{Direction, Energy, Quality};
    use chrono_tz::{Europe, Tz, UTC};

    fn parse(text: &str, zone: Tz) -> (Vec<Reading>, Vec<String>) {
        let (mut readings, mut refused) = (vec![], vec![]);
        read(text.as_bytes(), &Hints::of_zone(zone), &mut |item| match item {
            Item::Reading(reading) => readings.push(reading),
            Item::Rejected(rejected) => refused.push(rejected.to_string()),
            Item::Zone(zone) => assert_eq!(zone, UTC),
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
        assert!(readings.iter().all(|reading| reading.seconds == 0), "the file does not say");
        assert_eq!(readings[0].energy, Energy::whole(409));
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
        assert_eq!((readings[0].energy, readings[1].energy), (Energy::whole(409), Energy::whole(1500)));
        assert_eq!(refused, Vec::<String>::new());
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
        let fault = |text: &str| read(text.as_bytes(), &Hints::of_zone(UTC), &mut |_| ()).unwrap_err().to_string();
        assert!(
            fault("time,kwh\n2026-01-01T00:00:00Z,1\n").starts_with("1:1: the header has no column interval_start")
        );
        assert!(fault("interval_start,energy\n").starts_with("1:1: the header has no column kwh"));
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
        read(text.as_slice(), &Hints::of_zone(UTC), &mut |item| match item {
            Item::Reading(_) => readings += 1,
            Item::Rejected(rejected) => refused.push(rejected.to_string()),
            Item::Zone(zone) => assert_eq!(zone, UTC),
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
        assert_eq!(readings.iter().map(|reading| reading.energy).collect::<Vec<_>>(), [1000, -500].map(Energy::whole));
        assert_eq!(refused, ["2:22: \"1_000\" is not a number of kWh", "3:22: \"1e2\" is not a number of kWh"]);
    }
}
