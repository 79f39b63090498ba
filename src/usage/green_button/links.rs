//! From links to meters: which unit, direction and meter a block's values have.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::DateTime;
use rust_decimal::Decimal;

use super::super::{Direction, Energy, Item, Quality, Reading, Rejected, SeriesKey, UsageError, plausible};
use super::entry::{Entry, Kind, Raw, Resource, whole};
use super::local_time;

/// Values held back for a reading type still to come; a file beyond this order is refused.
pub const HELD: usize = 4_000_000;

/// What the file said so far.
#[derive(Default)]
pub struct Feed {
    /// How many values may be held back.
    most: usize,
    /// Usage points by their link: what their meter is called.
    points: HashMap<String, String>,
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
            Resource::UsagePoint => self.add_point(&entry.self_link),
            Resource::LocalTime => match local_time::zone(&entry.local) {
                Some(zone) => each(Item::Zone(zone)),
                None => {
                    let reason = "no zone that the portal knows has these clocks";
                    each(Item::Rejected(Rejected::new(entry.line, 1, "LocalTimeParameters", reason).ignored()));
                }
            },
            Resource::ReadingType => drop(self.kinds.insert(entry.self_link.clone(), entry.kind.clone())),
            Resource::MeterReading => {
                let kind = entry.related.iter().find(|link| in_folder(link, "ReadingType")).cloned();
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

    /// A meter is told by the last part of its usage point's link, by the whole link where another one ends the same.
    fn add_point(&mut self, link: &str) {
        let last = last_part(link);
        let taken = self.points.iter().any(|(other, name)| other != link && name == last);
        self.points.insert(link.to_owned(), if taken { link.to_owned() } else { last.to_owned() });
    }

    fn kind(&self, channel: &str) -> Option<&Kind> {
        let Some(link) = named(&self.channels, channel).and_then(Option::as_ref) else {
            // Files without links have one reading type.
            return self.kinds.values().next().filter(|_| self.kinds.len() == 1);
        };
        named(&self.kinds, link)
    }

    fn is_complete(&self, channel: &str) -> bool {
        self.channels.contains_key(channel) && self.kind(channel).is_some() && self.points.contains_key(point(channel))
    }

    fn hand_on(&mut self, channel: &str, raw: &Raw, each: &mut dyn FnMut(Item)) {
        let Some(kind) = self.kind(channel) else {
            return each(Item::Rejected(Rejected::new(raw.line, 1, channel, "no ReadingType says what this value is")));
        };
        let direction = match direction(kind) {
            Use::Energy(direction) => direction,
            Use::Nothing(reason) => {
                if self.refused.insert(channel.to_owned(), ()).is_none() {
                    each(Item::Rejected(Rejected::new(raw.line, 1, channel, reason).ignored()));
                }
                return;
            }
            Use::Unknown(reason) => return each(Item::Rejected(Rejected::new(raw.line, 1, channel, reason))),
        };
        let register = Some(last_part(channel)).filter(|_| in_folder(channel, "MeterReading")).map(str::to_owned);
        let series = Arc::new(SeriesKey { meter: self.meter(channel), direction, register });
        each(match reading(series, kind, raw) {
            Ok(reading) => Item::Reading(reading),
            Err(reason) => Item::Rejected(Rejected::new(
                raw.line,
                1,
                &format!("{} {} {}", raw.start, raw.duration, raw.value),
                reason,
            )),
        });
    }

    /// What the usage point's meter is called.
    fn meter(&self, channel: &str) -> Option<String> {
        let point = point(channel);
        let known = named(&self.points, point).map_or_else(|| last_part(point), String::as_str);
        Some(known).filter(|name| !name.is_empty()).map(str::to_owned)
    }
}

/// The usage point's link, a prefix of its channels' links.
fn point(channel: &str) -> &str {
    channel.find("/MeterReading").and_then(|at| channel.get(..at)).unwrap_or(channel)
}

fn last_part(link: &str) -> &str {
    link.rsplit('/').next().unwrap_or(link)
}

/// Whether a link is to something in a folder of this name, from wherever it starts.
fn in_folder(link: &str, folder: &str) -> bool {
    let mut parts = link.rsplit('/');
    parts.next().is_some_and(|last| !last.is_empty()) && parts.next() == Some(folder)
}

/// What a link names: the entry whose own link it is, or the only one whose link ends as it does, where one of the two has
/// folders before it that the other leaves out.
fn named<'m, T>(entries: &'m HashMap<String, T>, link: &str) -> Option<&'m T> {
    entries.get(link).or_else(|| {
        let mut found = entries.iter().filter(|(own, _)| ends_with_link(own, link) || ends_with_link(link, own));
        found.next().filter(|_| found.next().is_none()).map(|(_, entry)| entry)
    })
}

/// Whether a link ends with the whole parts of a shorter one.
fn ends_with_link(link: &str, shorter: &str) -> bool {
    !shorter.is_empty() && link.strip_suffix(shorter).is_some_and(|before| before.ends_with('/'))
}

/// What values of a kind are good for.
enum Use {
    /// Interval energy of a direction.
    Energy(Direction),
    /// Something else, that no bill needs; why.
    Nothing(String),
    /// Energy whose direction is none that can be billed; why.
    Unknown(String),
}

/// ESPI: unit 72 is watt-hours; accumulation 4 is per interval; flow 1 is forward (delivered to the customer), 19 reverse
/// (received), 4 net. A kind that does not say its flow is what was delivered: a value below zero is refused later.
fn direction(kind: &Kind) -> Use {
    match (kind.uom, kind.accumulation, kind.flow) {
        (Some(unit), ..) if unit != 72 => {
            Use::Nothing(format!("the unit {unit} is not watt-hours (72): this block is left out"))
        }
        (None, ..) => Use::Unknown("the ReadingType names no unit (uom): 72 is watt-hours".to_owned()),
        (_, Some(other), _) if !matches!(other, 0 | 4) => {
            Use::Nothing(format!("accumulation {other} is not interval data (4): this block is left out"))
        }
        (_, _, None | Some(0 | 1 | 4)) => Use::Energy(Direction::Import),
        (_, _, Some(19)) => Use::Energy(Direction::Export),
        (_, _, Some(flow)) => Use::Unknown(format!(
            "flow direction {flow} is neither delivered (1), received (19) nor net (4): it cannot be billed"
        )),
    }
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
        i64::from(kind.length.ok_or("neither the interval nor its ReadingType says how long it is")?)
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
    // A kind that says no power counts in watt-hours.
    let power = kind.power.unwrap_or(0);
    let energy = energy(value, power)
        .ok_or_else(|| format!("{value} x 10^{power} Wh in one interval is more than any meter measures"))?;
    let quality = quality(raw.quality.clone().transpose()?);
    Ok(Reading { series, start, seconds, energy, quality, version: 0, line: raw.line })
}

fn energy(value: i64, power: i32) -> Option<Energy> {
    let value = Decimal::from(value);
    let factor = Decimal::from(10_i64.checked_pow(power.unsigned_abs())?);
    Energy::of_wh(if power < 0 { value.checked_div(factor)? } else { value.checked_mul(factor)? })
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
