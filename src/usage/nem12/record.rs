//! Registers (200) and days (300, 400).

use std::sync::Arc;

use ::csv::StringRecord;
use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};

use super::super::limits::{self, Names};
use super::super::{Direction, Energy, Item, Quality, Reading, Rejected, SeriesKey, UsageError, plausible};
use super::raw;
use crate::values::plain;

/// A register of a meter.
pub struct Register {
    series: Arc<SeriesKey>,
    suffix: String,
    unit: String,
    minutes: u32,
}

impl Register {
    pub fn read(record: &StringRecord, line: u64, names: &mut Names) -> Result<Self, UsageError> {
        if record.len() < 9 {
            return Err(UsageError::at(line, 1, format!("a 200 record has 10 fields; this one has {}", record.len())));
        }
        let field = |at: usize| record.get(at).unwrap_or_default().trim().to_owned();
        let minutes = field(8).parse().ok().filter(|minutes| matches!(minutes, 5 | 15 | 30));
        let minutes = minutes.ok_or_else(|| {
            UsageError::at(line, column(record, 8), format!("{:?} is not an interval length (5, 15, 30)", field(8)))
        })?;
        let meter = Some(field(6)).filter(|serial| !serial.is_empty()).unwrap_or_else(|| field(1));
        let suffix = field(4);
        for (name, what) in [(&meter, "the meter"), (&suffix, "the register"), (&field(7), "the unit")] {
            limits::name(name, what).map_err(|reason| UsageError::at(line, 1, reason))?;
        }
        let direction = if suffix.starts_with('B') { Direction::Export } else { Direction::Import };
        let key = SeriesKey { meter: Some(meter), direction, register: Some(suffix.clone()) };
        let series = names.kept(key).map_err(|full| UsageError::at(line, 1, full.to_string()))?;
        Ok(Self { series, suffix, unit: field(7).to_uppercase(), minutes })
    }

    /// Why the register has nothing to bill.
    pub fn useless(&self) -> Option<String> {
        let energy = matches!(self.unit.as_str(), "WH" | "KWH" | "MWH") && self.suffix.starts_with(['E', 'B']);
        (!energy).then(|| format!("register {} in {} is not active energy: it is left out", self.suffix, self.unit))
    }

    fn values(&self) -> usize {
        usize::try_from(1440 / self.minutes).unwrap_or(0)
    }

    /// The energy of a value; below zero too, for whoever checks signs to tell.
    fn energy(&self, text: &str) -> Option<Energy> {
        let power = match self.unit.as_str() {
            "WH" => 0,
            "KWH" => 3,
            _ => 6,
        };
        Energy::scaled(plain::decimal(text.trim())?, power)
    }
}

/// A day of values.
pub struct Day {
    line: u64,
    start: DateTime<Utc>,
    fields: StringRecord,
    count: usize,
    /// When the day was last updated, as 20260131120000; 0 where the record does not say.
    version: i64,
    /// One a value; empty until 400 records tell, where the day says so (V).
    qualities: Vec<Option<Letter>>,
}

/// A quality letter: A actual, E estimated, F final substituted, S substituted, N null.
type Letter = char;

impl Day {
    /// The outer error is about the file, the inner about the line.
    pub fn read(register: &Register, record: &StringRecord, line: u64) -> Result<Result<Self, Rejected>, UsageError> {
        let count = register.values();
        let want = count + 7;
        if record.len() < count + 3 {
            let (have, minutes) = (record.len(), register.minutes);
            let message = format!(
                "a 300 record of {minutes}-minute intervals has {count} values and {want} fields; this one has {have} fields"
            );
            return Err(UsageError::at(line, 1, message));
        }
        let quality = record.get(count + 2).unwrap_or_default();
        let Some(letter) = quality.chars().next().filter(|letter| "AEFNSV".contains(*letter)) else {
            let message = format!("{quality:?} is not a quality (A, E, F, N, S, V): the number of values is wrong");
            return Err(UsageError::at(line, column(record, count + 2), message));
        };
        let Some(start) = market_day(record.get(1).unwrap_or_default()) else {
            let reason = format!("{:?} is not a day such as 20260131", record.get(1).unwrap_or_default());
            return Ok(Err(Rejected::new(line, column(record, 1), &raw(record), reason)));
        };
        let known = if letter == 'V' { None } else { Some(letter) };
        let Some(version) = updated(record.get(count + 5).unwrap_or_default()) else {
            let reason =
                format!("{:?} is not a moment such as 20260131120000", record.get(count + 5).unwrap_or_default());
            return Ok(Err(Rejected::new(line, column(record, count + 5), &raw(record), reason)));
        };
        Ok(Ok(Self { version, line, start, fields: record.clone(), count, qualities: vec![known; count] }))
    }

    /// Takes a 400 record: first and last interval, from 1, and their quality.
    pub fn quality(&mut self, record: &StringRecord, line: u64) -> Result<(), UsageError> {
        let number = |at: usize| record.get(at).and_then(|text| text.trim().parse::<usize>().ok());
        let letter =
            record.get(3).and_then(|quality| quality.chars().next()).filter(|letter| "AEFNS".contains(*letter));
        let (Some(first), Some(last), Some(letter)) = (number(1), number(2), letter) else {
            return Err(UsageError::at(line, 1, "a 400 record has a first and a last interval and a quality"));
        };
        let Some(range) = first.checked_sub(1).and_then(|first| self.qualities.get_mut(first..last)) else {
            return Err(UsageError::at(
                line,
                1,
                format!("there are no intervals {first} to {last}: the day has {}", self.count),
            ));
        };
        range.fill(Some(letter));
        Ok(())
    }

    pub fn hand_on(self, register: &Register, each: &mut dyn FnMut(Item)) -> Result<(), UsageError> {
        if self.qualities.contains(&None) {
            return Err(UsageError::at(
                self.line,
                column(&self.fields, self.count + 2),
                "quality V needs 400 records for all intervals of the day",
            ));
        }
        let minutes = i64::from(register.minutes);
        for (at, letter) in self.qualities.iter().flatten().enumerate() {
            let text = self.fields.get(at + 2).unwrap_or_default();
            let start = self.start + Duration::minutes(minutes * i64::try_from(at).unwrap_or(0));
            // N: nothing is known of this interval, whatever stands there; that is known.
            let energy = if *letter == 'N' { Some(Energy::ZERO) } else { register.energy(text) };
            each(match energy {
                Some(energy) => Item::Reading(Reading {
                    series: Arc::clone(&register.series),
                    start,
                    seconds: register.minutes * 60,
                    energy,
                    version: self.version,
                    quality: match *letter {
                        'A' => Quality::Actual,
                        'N' => Quality::Missing,
                        _ => Quality::Estimated,
                    },
                    line: self.line,
                }),
                None => {
                    let reason = format!(
                        "value {} of the day, {text:?}, is not a number of {} that a meter measures",
                        at + 1,
                        register.unit
                    );
                    Item::Rejected(Rejected::new(self.line, column(&self.fields, at + 2), &raw(&self.fields), reason))
                }
            });
        }
        Ok(())
    }
}

/// Column of a field, from 1.
fn column(record: &StringRecord, field: usize) -> u64 {
    let before: usize = record.iter().take(field).map(|field| field.chars().count() + 1).sum();
    u64::try_from(before + 1).unwrap_or(1)
}

/// The moment of an update as a number that grows with it; 0 where there is none.
fn updated(text: &str) -> Option<i64> {
    let text = text.trim();
    let number = || text.parse::<i64>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    match text.len() {
        0 => Some(0),
        // Without seconds.
        12 => number().map(|minutes| minutes * 100),
        14 => number(),
        _ => None,
    }
}

/// Start of a day of market time, UTC+10 without daylight saving.
fn market_day(text: &str) -> Option<DateTime<Utc>> {
    let date = NaiveDate::parse_from_str(text.trim(), "%Y%m%d").ok()?;
    let midnight = Some(date.and_time(NaiveTime::MIN).and_utc()).filter(|midnight| plausible(*midnight))?;
    midnight.checked_sub_signed(Duration::hours(10))
}
