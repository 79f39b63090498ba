//! One row: its columns, its time, its energy.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use ::csv::ByteRecord;
use chrono::{DateTime, Utc};

use super::super::limits::{self, Names};
use super::super::{Direction, Energy, Quality, Reading, Rejected, SeriesKey, UsageError};
use super::clock::Row;
use super::numbers::Marks;
use super::stamp::{Stamp, Stamps};

/// Where the columns are.
pub struct Columns {
    start: usize,
    kwh: usize,
    meter: Option<usize>,
    register: Option<usize>,
    direction: Option<usize>,
    quality: Option<usize>,
    /// Columns of the header.
    count: usize,
    /// Columns without a name.
    nameless: Vec<usize>,
    last: RefCell<Arc<SeriesKey>>,
    /// Every series so far, by its names without case, and how the file first wrote it.
    known: RefCell<HashMap<Arc<SeriesKey>, Arc<SeriesKey>>>,
    names: RefCell<Names>,
    stamps: Cell<Stamps>,
}

/// The columns that are read.
pub const COLUMNS: [&str; 7] = ["interval_start", "kwh", "meter", "serial", "register", "direction", "quality"];

/// What is wrong with a field.
pub struct FieldFault {
    field: usize,
    /// Characters of the field before the place at fault.
    within: usize,
    reason: String,
    /// It refuses the file, not the row alone.
    whole: bool,
}

impl FieldFault {
    fn new(field: usize, reason: impl Into<String>) -> Self {
        Self { field, within: 0, reason: reason.into(), whole: false }
    }
}

impl From<limits::Full> for FieldFault {
    fn from(full: limits::Full) -> Self {
        Self { whole: true, ..Self::new(0, full.to_string()) }
    }
}

/// The most columns of a file.
const MOST: usize = 1_000;

impl Columns {
    pub fn from_header(header: &ByteRecord, line: u64) -> Result<Self, UsageError> {
        if header.len() > MOST {
            let reason = format!("the header has {} columns; at most {MOST} are read", header.len());
            return Err(UsageError::at(line, 1, reason));
        }
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
        if find(&["meter"]).is_some() && find(&["serial"]).is_some() {
            let reason = "the header has both meter and serial: which of them names the meter cannot be told";
            return Err(UsageError::at(line, 1, reason));
        }
        Ok(Self {
            start: need("interval_start")?,
            kwh: need("kwh")?,
            meter: find(&["meter", "serial"]),
            register: find(&["register"]),
            direction: find(&["direction"]),
            quality: find(&["quality"]),
            count: names.len(),
            nameless: names.iter().enumerate().filter(|(_, name)| name.is_empty()).map(|(at, _)| at).collect(),
            last: RefCell::default(),
            known: RefCell::default(),
            names: RefCell::default(),
            stamps: Cell::default(),
        })
    }

    /// Reads a row; its time may still be local.
    ///
    /// # Errors
    /// The outer one refuses the file, the inner one the row.
    pub fn read(
        &self,
        record: &ByteRecord,
        line: u64,
        marks: &mut Marks,
    ) -> Result<Result<(Stamp, Row), FieldFault>, UsageError> {
        let (series, stamp, quality, kwh) = match self.fields(record) {
            Ok(fields) => fields,
            Err(fault) if fault.whole => return Err(UsageError::at(line, 1, fault.reason)),
            Err(fault) => return Ok(Err(fault)),
        };
        let figure = match marks.read(kwh, line)? {
            Ok(figure) => figure,
            Err(reason) => return Ok(Err(FieldFault::new(self.kwh, reason))),
        };
        let start = if let Stamp::Instant(instant) = stamp { instant } else { DateTime::<Utc>::UNIX_EPOCH };
        let reading = Reading { series, start, seconds: 0, energy: Energy::ZERO, quality, version: 0, line };
        Ok(Ok((stamp, Row { reading, figure })))
    }

    /// Whether every time so far was written as UTC.
    pub const fn all_utc(&self) -> bool {
        self.stamps.get().all_utc()
    }

    /// What of a row does not need the rest of the file: series, time, quality, and the text of its figure.
    fn fields<'r>(&self, record: &'r ByteRecord) -> Result<(Arc<SeriesKey>, Stamp, Quality, &'r str), FieldFault> {
        if let Some(more) = (self.count..record.len()).find(|at| !blank(record, *at)) {
            let reason = format!("the row has {} fields and the header {}", record.len(), self.count);
            return Err(FieldFault::new(more, reason));
        }
        let mut nameless = self.nameless.iter().take_while(|at| **at < record.len());
        if let Some(at) = nameless.find(|at| !blank(record, **at)) {
            let reason = "a column without a name holds something: is it the rest of a figure with a decimal comma?";
            return Err(FieldFault::new(*at, reason));
        }
        if let Some(at) = record.iter().position(|field| field.contains(&b'\n')) {
            let reason = "this field goes on over several lines: is a quote opened and not closed?";
            return Err(FieldFault::new(at, reason));
        }
        let series = self.series(record)?;
        let mut stamps = self.stamps.get();
        let stamp = stamps.read(text(record, self.start, "interval_start")?);
        self.stamps.set(stamps);
        let stamp = stamp.map_err(|reason| FieldFault::new(self.start, reason))?;
        let kwh = text(record, self.kwh, "kwh")?;
        let quality =
            self.optional(record, self.quality, Quality::parse, "a quality (actual, estimated, customer, edited)")?;
        // A file that does not speak of quality holds what was measured.
        Ok((series, stamp, quality.unwrap_or_default(), kwh))
    }

    /// The row's series; the same allocation as the row before where it is the same.
    fn series(&self, record: &ByteRecord) -> Result<Arc<SeriesKey>, FieldFault> {
        let meter = name(record, self.meter, "the meter")?;
        let register = name(record, self.register, "the register")?;
        let direction = self.optional(record, self.direction, Direction::parse, "a direction (import, export)")?;
        // A file that does not speak of direction holds what was bought.
        let direction = direction.unwrap_or_default();
        let mut last = self.last.borrow_mut();
        if last.meter.as_deref() != meter || last.register.as_deref() != register || last.direction != direction {
            let lower = |name: Option<&str>| name.map(str::to_lowercase);
            let canonical = SeriesKey { meter: lower(meter), direction, register: lower(register) };
            let (meter, register) = (meter.map(str::to_owned), register.map(str::to_owned));
            let mut known = self.known.borrow_mut();
            *last = match known.get(&canonical) {
                Some(own) => Arc::clone(own),
                None => {
                    let own = Arc::new(SeriesKey { meter, direction, register });
                    known.insert(self.names.borrow_mut().kept(canonical)?, Arc::clone(&own));
                    own
                }
            };
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

    /// Refuses a row for its time.
    pub fn of_time(&self, reason: String) -> FieldFault {
        FieldFault::new(self.start, reason)
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

/// A name that is kept.
fn name<'r>(record: &'r ByteRecord, at: Option<usize>, what: &str) -> Result<Option<&'r str>, FieldFault> {
    let Some(at) = at else { return Ok(None) };
    let Some(text) = field(record, at)? else { return Ok(None) };
    limits::name(text, what).map(Some).map_err(|reason| FieldFault::new(at, reason))
}

fn text<'r>(record: &'r ByteRecord, at: usize, name: &str) -> Result<&'r str, FieldFault> {
    field(record, at)?.ok_or_else(|| FieldFault::new(at, format!("{name} is missing")))
}

/// The row as a refused line; its columns are counted from the fields before.
pub fn refused(record: &ByteRecord, line: u64, fault: &FieldFault) -> Rejected {
    let fields: Vec<_> = record.iter().map(String::from_utf8_lossy).collect();
    let before: usize = fields.iter().take(fault.field).map(|field| field.chars().count() + 1).sum();
    let missing = usize::from(fault.field >= fields.len()) * fault.field.saturating_sub(fields.len());
    let column = u64::try_from(before + missing + fault.within + 1).unwrap_or(1);
    Rejected::new(line, column, &fields.join(","), fault.reason.clone())
}
