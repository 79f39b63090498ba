//! One row: its columns, its time, its energy.

use std::sync::Arc;

use ::csv::ByteRecord;
use chrono::{DateTime, NaiveDateTime, Utc};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::super::{Direction, Quality, Reading, Rejected, SeriesKey, UsageError, plausible};
use crate::money::Rounding;
use crate::plain;

/// Where the columns are.
pub struct Columns {
    start: usize,
    kwh: usize,
    meter: Option<usize>,
    direction: Option<usize>,
    quality: Option<usize>,
    comma: bool,
    /// Columns of the header.
    count: usize,
    last: std::cell::RefCell<Arc<SeriesKey>>,
}

/// The columns that are read.
const COLUMNS: [&str; 6] = ["interval_start", "kwh", "meter", "serial", "direction", "quality"];

/// What is wrong with a field.
pub struct FieldFault {
    field: usize,
    /// Characters of the field before the place at fault.
    within: usize,
    reason: String,
}

impl FieldFault {
    fn new(field: usize, reason: impl Into<String>) -> Self {
        Self { field, within: 0, reason: reason.into() }
    }
}

/// A time as a row has it.
pub enum Stamp {
    /// With an offset.
    Instant(DateTime<Utc>),
    /// Without: local time.
    Local(NaiveDateTime),
}

impl Columns {
    pub fn from_header(header: &ByteRecord, line: u64, comma: bool) -> Result<Self, UsageError> {
        let names: Vec<String> = header
            .iter()
            .map(|name| String::from_utf8_lossy(name).trim().trim_start_matches('\u{feff}').to_lowercase())
            .collect();
        let find = |wanted: &[&str]| names.iter().position(|name| wanted.contains(&name.as_str()));
        let need = |wanted: &str| {
            let found = names.join(", ");
            find(&[wanted])
                .ok_or_else(|| UsageError::at(line, 1, format!("the header has no column {wanted}; it has {found:?}")))
        };
        for (at, name) in names.iter().enumerate().filter(|(_, name)| COLUMNS.contains(&name.as_str())) {
            if names.iter().take(at).any(|other| other == name) {
                return Err(UsageError::at(line, 1, format!("the header has the column {name} twice")));
            }
        }
        Ok(Self {
            start: need("interval_start")?,
            kwh: need("kwh")?,
            meter: find(&["meter", "serial"]),
            direction: find(&["direction"]),
            quality: find(&["quality"]),
            comma,
            count: names.len(),
            last: std::cell::RefCell::default(),
        })
    }

    /// Reads a row; `resolve` turns local times into instants. The length is filled in later.
    pub fn read(
        &self,
        record: &ByteRecord,
        line: u64,
        resolve: impl FnOnce(&Arc<SeriesKey>, NaiveDateTime) -> Result<DateTime<Utc>, String>,
    ) -> Result<Reading, FieldFault> {
        if let Some(more) = (self.count..record.len()).find(|at| !blank(record, *at)) {
            let reason = format!("the row has {} fields and the header {}", record.len(), self.count);
            return Err(FieldFault::new(more, reason));
        }
        let series = self.series(record)?;
        let fault = |reason: String| FieldFault::new(self.start, reason);
        let start = match stamp(text(record, self.start, "interval_start")?).map_err(fault)? {
            Stamp::Instant(instant) => instant,
            Stamp::Local(local) => resolve(&series, local).map_err(fault)?,
        };
        let wh = watt_hours(text(record, self.kwh, "kwh")?, self.comma)
            .map_err(|reason| FieldFault::new(self.kwh, reason))?;
        let quality =
            self.optional(record, self.quality, Quality::parse, "a quality (actual, estimated, customer, edited)")?;
        Ok(Reading { series, start, seconds: 0, wh, quality: quality.unwrap_or_default(), line })
    }

    /// The row's series; the same allocation as the row before where it is the same.
    fn series(&self, record: &ByteRecord) -> Result<Arc<SeriesKey>, FieldFault> {
        let meter = self.meter.map_or(Ok(None), |at| field(record, at))?;
        let direction = self
            .optional(record, self.direction, Direction::parse, "a direction (import, export)")?
            .unwrap_or_default();
        let mut last = self.last.borrow_mut();
        if last.meter.as_deref() != meter || last.direction != direction {
            *last = Arc::new(SeriesKey { meter: meter.map(str::to_owned), direction, register: None });
        }
        Ok(Arc::clone(&last))
    }

    fn optional<T>(
        &self,
        record: &ByteRecord,
        at: Option<usize>,
        parse: impl Fn(&str) -> Option<T>,
        what: &str,
    ) -> Result<Option<T>, FieldFault> {
        let Some(at) = at else { return Ok(None) };
        let Some(value) = field(record, at)? else { return Ok(None) };
        parse(value).map(Some).ok_or_else(|| FieldFault::new(at, format!("{value:?} is not {what}")))
    }
}

fn blank(record: &ByteRecord, at: usize) -> bool {
    record.get(at).is_none_or(|field| field.trim_ascii().is_empty())
}

/// A field's text; `None` where there is nothing in it.
fn field(record: &ByteRecord, at: usize) -> Result<Option<&str>, FieldFault> {
    let bytes = record.get(at).unwrap_or_default();
    let text = std::str::from_utf8(bytes).map_err(|fault| {
        let before = String::from_utf8_lossy(bytes.get(..fault.valid_up_to()).unwrap_or_default());
        FieldFault { within: before.chars().count(), ..FieldFault::new(at, "this byte is not UTF-8 text") }
    })?;
    Ok(Some(text.trim()).filter(|text| !text.is_empty()))
}

fn text<'r>(record: &'r ByteRecord, at: usize, name: &str) -> Result<&'r str, FieldFault> {
    field(record, at)?.ok_or_else(|| FieldFault::new(at, format!("{name} is missing")))
}

/// Reads RFC 3339, or `2026-01-31 13:45[:00]` with a space or `T`.
pub fn stamp(text: &str) -> Result<Stamp, String> {
    let implausible = || format!("{text:?} is not a time that a meter can have measured");
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        let instant = instant.to_utc();
        return if plausible(instant) { Ok(Stamp::Instant(instant)) } else { Err(implausible()) };
    }
    ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
        .ok_or_else(|| format!("{text:?} is not a time such as 2026-01-31T13:45:00Z"))
        .and_then(|local| if plausible(local.and_utc()) { Ok(Stamp::Local(local)) } else { Err(implausible()) })
}

/// Kilowatt-hours as whole watt-hours, half away from zero.
fn watt_hours(text: &str, comma: bool) -> Result<i64, String> {
    let normal = if comma { text.replace(',', ".") } else { text.to_owned() };
    let fault = || format!("{text:?} is not a number of kWh");
    let wh = plain::decimal(&normal).and_then(|kwh| kwh.checked_mul(Decimal::ONE_THOUSAND)).ok_or_else(fault)?;
    Rounding::HalfAwayFromZero
        .apply(wh, 0)
        .to_i64()
        .filter(|wh| i32::try_from(*wh).is_ok())
        .ok_or_else(|| format!("{text} kWh in one interval is more than any meter measures"))
}

/// The row as a refused line; its columns are counted from the fields before.
pub fn refused(record: &ByteRecord, line: u64, fault: &FieldFault) -> Rejected {
    let fields: Vec<_> = record.iter().map(String::from_utf8_lossy).collect();
    let before: usize = fields.iter().take(fault.field).map(|field| field.chars().count() + 1).sum();
    let missing = usize::from(fault.field >= fields.len()) * fault.field.saturating_sub(fields.len());
    let column = u64::try_from(before + missing + fault.within + 1).unwrap_or(1);
    Rejected::new(line, column, &fields.join(","), fault.reason.clone())
}
