//! From links to meters: which unit, direction and meter a block's values have.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::DateTime;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::super::{Direction, Item, Quality, Reading, Rejected, SeriesKey, UsageError, plausible};
use super::entry::{Entry, Kind, Raw, Resource, whole};
use crate::money::Rounding;

/// Values held back for a reading type still to come; a file beyond this order is refused.
pub const HELD: usize = 4_000_000;

/// What the file said so far.
#[derive(Default)]
pub struct Feed {
    /// How many values may be held back.
    most: usize,
    titles: HashMap<String, String>,
    kinds: HashMap<String, Kind>,
    /// Channel by its link: the reading type's link.
    channels: HashMap<String, Option<String>>,
    last_channel: String,
    held: Vec<(Arc<str>, Raw)>,
    blocks: u64,
    refused: HashMap<String, ()>,
}

impl Feed {
    /// Nothing said yet; at most so many values are held back.
    pub fn new(most: usize) -> Self {
        Self { most, ..Self::default() }
    }

    /// Takes a finished entry.
    ///
    /// # Errors
    /// As [`Self::drain`].
    pub fn take(&mut self, mut entry: Entry, each: &mut dyn FnMut(Item)) -> Result<(), UsageError> {
        match entry.resource {
            Resource::UsagePoint => drop(self.titles.insert(entry.self_link.clone(), entry.title.trim().to_owned())),
            Resource::ReadingType => drop(self.kinds.insert(entry.self_link.clone(), entry.kind.clone())),
            Resource::MeterReading => {
                let kind = entry.related.iter().find(|link| link.contains("/ReadingType/")).cloned();
                self.last_channel.clone_from(&entry.self_link);
                self.channels.insert(entry.self_link.clone(), kind);
            }
            Resource::IntervalBlock => {
                self.blocks += 1;
                self.drain(&mut entry, each)?;
            }
            Resource::Other => {}
        }
        Ok(())
    }

    /// Hands on the values of an entry, or holds them back.
    ///
    /// # Errors
    /// When more would be held back than memory is to hold.
    pub fn drain(&mut self, entry: &mut Entry, each: &mut dyn FnMut(Item)) -> Result<(), UsageError> {
        let channel: Arc<str> = self.channel(entry).into();
        let ready = self.held.is_empty() && self.is_complete(&channel);
        for raw in entry.readings.drain(..) {
            if ready {
                self.hand_on(&channel, &raw, each);
            } else if self.held.len() < self.most {
                self.held.push((Arc::clone(&channel), raw));
            } else {
                let message = "the values stand before their ReadingType; the file is too large to hold them back";
                return Err(UsageError::at(raw.line, 1, message));
            }
        }
        Ok(())
    }

    /// Hands on what was held back.
    pub fn finish(mut self, each: &mut dyn FnMut(Item)) -> Result<(), UsageError> {
        if self.blocks == 0 {
            return Err(UsageError::at(1, 1, "there is no interval data (IntervalBlock) in this file"));
        }
        for (channel, raw) in std::mem::take(&mut self.held) {
            self.hand_on(&channel, &raw, each);
        }
        Ok(())
    }

    fn channel(&self, entry: &Entry) -> String {
        let stem = |link: &str| link.find("/IntervalBlock").and_then(|at| link.get(..at)).map(str::to_owned);
        stem(&entry.self_link).or_else(|| stem(&entry.up_link)).unwrap_or_else(|| self.last_channel.clone())
    }

    fn kind(&self, channel: &str) -> Option<&Kind> {
        let known = self.channels.get(channel);
        known.and_then(Option::as_ref).and_then(|link| self.kinds.get(link)).or_else(|| {
            // Files without links have one reading type.
            self.kinds.values().next().filter(|_| self.kinds.len() == 1)
        })
    }

    fn is_complete(&self, channel: &str) -> bool {
        self.channels.contains_key(channel) && self.kind(channel).is_some() && self.titles.contains_key(point(channel))
    }

    fn hand_on(&mut self, channel: &str, raw: &Raw, each: &mut dyn FnMut(Item)) {
        let Some(kind) = self.kind(channel) else {
            return each(Item::Rejected(Rejected::new(raw.line, 1, channel, "no ReadingType says what this value is")));
        };
        if let Some(reason) = useless(kind) {
            if self.refused.insert(channel.to_owned(), ()).is_none() {
                each(Item::Rejected(Rejected::new(raw.line, 1, channel, reason).ignored()));
            }
            return;
        }
        let series = SeriesKey { meter: self.meter(channel), direction: direction(kind), register: None };
        each(match reading(Arc::new(series), kind, raw) {
            Ok(reading) => Item::Reading(reading),
            Err(reason) => Item::Rejected(Rejected::new(
                raw.line,
                1,
                &format!("{} {} {}", raw.start, raw.duration, raw.value),
                reason,
            )),
        });
    }

    /// The usage point's title, or the last part of its link.
    fn meter(&self, channel: &str) -> Option<String> {
        let point = point(channel);
        let title = self.titles.get(point).filter(|title| !title.is_empty()).cloned();
        title.or_else(|| point.rsplit('/').next().filter(|id| !id.is_empty()).map(str::to_owned))
    }
}

/// The usage point's link, a prefix of its channels' links.
fn point(channel: &str) -> &str {
    channel.find("/MeterReading").and_then(|at| channel.get(..at)).unwrap_or(channel)
}

/// Why the values of this kind are not interval energy.
fn useless(kind: &Kind) -> Option<String> {
    match (kind.uom, kind.accumulation) {
        (Some(72) | None, None | Some(0 | 4)) => None,
        (Some(72) | None, Some(other)) => {
            Some(format!("accumulation {other} is not interval data (4): this block is left out"))
        }
        (Some(unit), _) => Some(format!("the unit {unit} is not watt-hours (72): this block is left out")),
    }
}

/// ESPI flow direction: 1 forward (delivered to the customer), 19 reverse (received from).
fn direction(kind: &Kind) -> Direction {
    if kind.flow == Some(19) { Direction::Export } else { Direction::Import }
}

/// ESPI quality of reading: 7 edited, 8 and 9 estimated, 10 questionable, 12 projected, 13 mixed.
fn quality(code: Option<i64>) -> Quality {
    match code {
        Some(7) => Quality::Edited,
        Some(8 | 9 | 10 | 12 | 13) => Quality::Estimated,
        _ => Quality::Actual,
    }
}

fn reading(series: Arc<SeriesKey>, kind: &Kind, raw: &Raw) -> Result<Reading, String> {
    let value = whole("value", &raw.value)?;
    let seconds = if raw.duration.trim().is_empty() {
        i64::from(kind.length.unwrap_or(0))
    } else {
        whole("duration", &raw.duration)?
    };
    let start = DateTime::from_timestamp(whole("start", &raw.start)?, 0)
        .filter(|start| plausible(*start))
        .ok_or_else(|| format!("start {:?} is not a time", raw.start))?;
    let seconds = u32::try_from(seconds)
        .ok()
        .filter(|seconds| (60..=86_400).contains(seconds))
        .ok_or("the interval has no usable duration")?;
    let power = kind.power.unwrap_or(0);
    let wh = watt_hours(value, power)
        .ok_or_else(|| format!("{value} x 10^{power} Wh in one interval is more than any meter measures"))?;
    let quality = quality(raw.quality.clone().transpose()?);
    Ok(Reading { series, start, seconds, wh, quality, line: raw.line })
}

/// Whole watt-hours, half away from zero.
fn watt_hours(value: i64, power: i32) -> Option<i64> {
    let value = Decimal::from(value);
    let factor = Decimal::from(10_i64.checked_pow(power.unsigned_abs())?);
    let exact = if power < 0 { value.checked_div(factor)? } else { value.checked_mul(factor)? };
    Rounding::HalfAwayFromZero.apply(exact, 0).to_i64().filter(|wh| i32::try_from(*wh).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_held_back_beyond_the_limit_are_refused_while_the_file_is_read() {
        let block = |lines: std::ops::Range<u64>| {
            let mut entry = Entry::default();
            entry.resource = Resource::IntervalBlock;
            entry.readings = lines.map(|line| Raw { line, ..Raw::default() }).collect();
            entry
        };
        let mut feed = Feed::new(5);
        assert!(feed.take(block(1..4), &mut |_| ()).is_ok());
        let fault = feed.drain(&mut block(4..8), &mut |_| ()).unwrap_err().to_string();
        assert_eq!(fault, "6:1: the values stand before their ReadingType; the file is too large to hold them back");
        assert_eq!(feed.held.len(), 5);
    }
}
