//! NEM12: AEMO's interval file (MDFF specification NEM12 & NEM13), read as a stream.
//!
//! 100 header, 200 a register, 300 a day of values, 400 qualities of parts of that day, 500 manual reads,
//! 900 end. Days are of market time, UTC+10 all year. Suffixes beginning with E are energy to the customer,
//! with B from the customer; other registers (reactive energy) are left out and said. A register of a meter
//! is a series of its own. A record with the wrong number of fields makes the file invalid, as AEMO has it.

mod record;

use std::io::BufRead;

use super::limits::{self, Names, Paced};
use super::unix::{Ends, Unix, line};
use super::{Item, Rejected, UsageError};
use record::{Day, Register};

/// Reads NEM12 as a stream. See [`super::read`].
///
/// # Errors
/// [`UsageError`] when a record is missing, out of order or incomplete.
pub fn read(input: impl BufRead, each: &mut dyn FnMut(Item)) -> Result<(), UsageError> {
    let (input, pace) = Paced::new(input);
    let input = Unix::new(input, Ends::Feed);
    let mut reader = ::csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(input);
    let mut record = ::csv::StringRecord::new();
    let mut file = File::default();
    loop {
        pace.taken();
        let place = |fault: &::csv::Error| fault.position().map_or(1, ::csv::Position::line);
        match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => file.take(&record, line(&reader), each)?,
            Err(fault) => {
                if let ::csv::ErrorKind::Io(fault) = fault.kind()
                    && limits::is_too_long(fault)
                {
                    let reason = format!("this record {}: no record of NEM12 is so long", limits::TOO_LONG);
                    return Err(UsageError::at(file.line + 1, 1, reason));
                }
                return Err(UsageError::at(place(&fault), 1, format!("this is not NEM12: {fault}")));
            }
        }
    }
    file.finish()
}

/// What of the file was seen.
#[derive(Default)]
struct File {
    header: bool,
    end: bool,
    line: u64,
    register: Option<Register>,
    day: Option<Day>,
    names: Names,
}

impl File {
    fn take(&mut self, record: &::csv::StringRecord, line: u64, each: &mut dyn FnMut(Item)) -> Result<(), UsageError> {
        let code = record.get(0).unwrap_or_default().trim();
        self.line = line;
        let fault = |message: String| Err(UsageError::at(line, 1, message));
        if !self.header && code != "100" {
            return fault(format!("the file begins with a {code:?} record; a 100 record is missing"));
        }
        if self.end {
            return fault("there is more after the 900 record".to_owned());
        }
        if code != "400" {
            self.close_day(each)?;
        }
        match code {
            "100" if record.get(1).map(str::trim) != Some("NEM12") => {
                fault("this is not NEM12 (field 2 of the 100 record)".to_owned())
            }
            "100" => {
                self.header = true;
                Ok(())
            }
            "200" => {
                let register = Register::read(record, line, &mut self.names)?;
                if let Some(reason) = register.useless() {
                    each(Item::Rejected(Rejected::new(line, 1, &raw(record), reason).ignored()));
                }
                self.register = Some(register);
                Ok(())
            }
            "300" => self.open_day(record, line, each),
            "400" => self.quality(record, line),
            "500" => Ok(()),
            "900" => {
                self.end = true;
                Ok(())
            }
            other => fault(format!("{other:?} is not a record of NEM12 (100, 200, 300, 400, 500, 900)")),
        }
    }

    fn open_day(
        &mut self,
        record: &::csv::StringRecord,
        line: u64,
        each: &mut dyn FnMut(Item),
    ) -> Result<(), UsageError> {
        let register = self
            .register
            .as_ref()
            .ok_or_else(|| UsageError::at(line, 1, "a 300 record without a 200 record before it"))?;
        match Day::read(register, record, line)? {
            Ok(day) => self.day = Some(day),
            Err(rejected) => each(Item::Rejected(rejected)),
        }
        Ok(())
    }

    fn quality(&mut self, record: &::csv::StringRecord, line: u64) -> Result<(), UsageError> {
        // A day that was refused takes its qualities with it.
        self.day.as_mut().map_or(Ok(()), |day| day.quality(record, line))
    }

    fn close_day(&mut self, each: &mut dyn FnMut(Item)) -> Result<(), UsageError> {
        match (&self.register, self.day.take()) {
            (Some(register), Some(day)) if register.useless().is_none() => day.hand_on(register, each),
            _ => Ok(()),
        }
    }

    fn finish(self) -> Result<(), UsageError> {
        if self.end { Ok(()) } else { Err(UsageError::at(self.line.max(1), 1, "the file ends without a 900 record")) }
    }
}

/// The beginning of a record as it stands in the file: as much as is kept of a refused line.
fn raw(record: &::csv::StringRecord) -> String {
    let mut text = String::new();
    for (at, field) in record.iter().enumerate() {
        if text.len() > 1_000 {
            break;
        }
        if at > 0 {
            text.push(',');
        }
        text.extend(field.chars().take(1_000));
    }
    text
}

#[cfg(test)]
mod tests;
