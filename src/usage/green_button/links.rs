//! From links to meters: which unit, direction and meter a block's values have.

use std::collections::{HashMap, HashSet};
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
    /// Usage points by their link.
    points: HashMap<String, Point>,
    kinds: HashMap<String, Kind>,
    /// Channels (MeterReading) by their link: what they are related to.
    channels: HashMap<String, Vec<String>>,
    /// The channel of what is related to one, such as its blocks; `None` where several name it.
    of_related: HashMap<String, Option<String>>,
    held: Vec<(Arc<str>, Raw)>,
    blocks: u64,
    refused: HashSet<String>,
    /// Which ways the energy of a usage point went: 1 net, 2 delivered or received.
    ways: HashMap<String, u8>,
}

/// A usage point.
struct Point {
    /// What its meter is called.
    name: String,
    /// What it is of: 0 electricity.
    service: Option<i64>,
}

/// Between the links of a block that does not name its channel by its folders.
const AND: char = '\u{1f}';

impl Feed {
    /// Nothing said yet; at most so many values are held back.
    pub fn new(most: usize) -> Self {
        Self { most, ..Self::default() }
    }

    /// Takes a finished entry.
    ///
    /// # Errors
    /// As [`Self::drain`], and where two entries of one link say different things.
    pub fn take(&mut self, mut entry: Entry, each: &mut dyn FnMut(Item)) -> Result<(), UsageError> {
        let link = entry.self_link.clone();
        let twice = |what: &str| {
            UsageError::at(entry.line, 1, format!("two entries of the link {link:?} are of different {what}"))
        };
        match entry.resource {
            Resource::UsagePoint => self.add_point(&entry.self_link, entry.service),
            Resource::LocalTime => match local_time::zone(&entry.local) {
                Some(zone) => each(Item::Zone(zone)),
                None => {
                    let reason = "no zone that the portal knows has these clocks";
                    each(Item::Rejected(Rejected::new(entry.line, 1, "LocalTimeParameters", reason).ignored()));
                }
            },
            Resource::ReadingType => {
                let before = self.kinds.insert(link.clone(), entry.kind.clone());
                if before.is_some_and(|before| before != entry.kind) {
                    return Err(twice("reading types"));
                }
            }
            Resource::MeterReading => {
                for related in &entry.related {
                    let known = self.of_related.entry(related.clone()).or_insert_with(|| Some(link.clone()));
                    if known.as_ref() != Some(&link) {
                        *known = None;
                    }
                }
                let before = self.channels.insert(link.clone(), entry.related.clone());
                if before.is_some_and(|before| before != entry.related) {
                    return Err(twice("relations"));
                }
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
        let channel: Arc<str> = channel_of(entry).into();
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
            match self.resolved(&channel) {
                Some(channel) => self.hand_on(&channel, &raw, each),
                None => {
                    let told = channel.replace(AND, " ");
                    if self.refused.insert(channel.to_string()) {
                        let reason = format!("no link says which MeterReading the block {:?} belongs to", told.trim());
                        each(Item::Rejected(Rejected::new(raw.line, 1, &told, reason)));
                    }
                }
            }
        }
        Ok(())
    }

    /// The channel of a block: by the folders of its links, by what a channel is related to, or the only one there is.
    fn resolved(&self, channel: &str) -> Option<String> {
        let Some((own, up)) = channel.split_once(AND) else { return Some(channel.to_owned()) };
        let by_link = |link: &str| named(&self.of_related, link).filter(|_| !link.is_empty()).cloned();
        match by_link(own).or_else(|| by_link(up)) {
            Some(found) => found,
            None if self.channels.len() < 2 => Some(self.channels.keys().next().cloned().unwrap_or_default()),
            None => None,
        }
    }

    /// A meter is told by the last part of its usage point's link, by the whole link where another one ends the same.
    fn add_point(&mut self, link: &str, service: Option<i64>) {
        let last = last_part(link);
        let taken = self.points.iter().any(|(other, point)| other != link && point.name == last);
        let name = if taken { link.to_owned() } else { last.to_owned() };
        self.points.insert(link.to_owned(), Point { name, service });
    }

    /// What the values of a channel are.
    fn kind(&self, channel: &str) -> Result<&Kind, &'static str> {
        let related = named(&self.channels, channel).map(Vec::as_slice).unwrap_or_default();
        let mut found = related.iter().filter_map(|link| named(&self.kinds, link));
        match (found.next(), self.kinds.len()) {
            (Some(first), _) if found.all(|other| other == first) => Ok(first),
            (Some(_), _) => Err("the MeterReading of this value names several ReadingTypes that differ"),
            // Files without links have one reading type.
            (None, 1) if !related.iter().any(|link| in_folder(link, "ReadingType")) => {
                self.kinds.values().next().ok_or("no ReadingType says what this value is")
            }
            _ => Err("no ReadingType says what this value is"),
        }
    }

    /// Whether all is known of a channel that its values need.
    fn is_complete(&self, channel: &str) -> bool {
        let Some(related) = self.channels.get(channel) else { return false };
        let known = |link: &&String| named(&self.kinds, link).is_some();
        let types = || related.iter().filter(|link| in_folder(link, "ReadingType"));
        types().next().is_some() && types().all(|link| known(&link)) && self.points.contains_key(point(channel))
    }

    fn hand_on(&mut self, channel: &str, raw: &Raw, each: &mut dyn FnMut(Item)) {
        let refused = |reason: &str| Item::Rejected(Rejected::new(raw.line, 1, channel, reason));
        let kind = match self.kind(channel) {
            Ok(kind) => kind.clone(),
            Err(reason) => return each(refused(reason)),
        };
        let service = named(&self.points, point(channel)).and_then(|point| point.service);
        let used = match service.filter(|service| *service != 0) {
            Some(other) => {
                Use::Nothing(format!("the service kind {other} is not electricity (0): this block is left out"))
            }
            None => direction(&kind),
        };
        let direction = match used {
            Use::Energy(direction) => direction,
            Use::Nothing(reason) => {
                if self.refused.insert(channel.to_owned()) {
                    each(Item::Rejected(Rejected::new(raw.line, 1, channel, reason).ignored()));
                }
                return;
            }
            Use::Unknown(reason) => return each(refused(&reason)),
        };
        if self.is_net_beside_others(channel, &kind) {
            let reason =
                "the usage point has net values (flow 4) beside delivered or received ones: they tell the same energy";
            return each(refused(reason));
        }
        let register = Some(last_part(channel)).filter(|_| in_folder(channel, "MeterReading")).map(str::to_owned);
        let series = Arc::new(SeriesKey { meter: self.meter(channel), direction, register });
        each(match reading(series, &kind, raw) {
            Ok(reading) => Item::Reading(reading),
            Err(reason) => Item::Rejected(Rejected::new(
                raw.line,
                1,
                &format!("{} {} {}", raw.start, raw.duration, raw.value),
                reason,
            )),
        });
    }

    /// Notes which way a usage point's energy went; whether it is net and something else.
    fn is_net_beside_others(&mut self, channel: &str, kind: &Kind) -> bool {
        let ways = self.ways.entry(point(channel).to_owned()).or_default();
        *ways |= if kind.flow == Some(4) { 1 } else { 2 };
        *ways == 3
    }

    /// What the usage point's meter is called.
    fn meter(&self, channel: &str) -> Option<String> {
        let point = point(channel);
        let known = named(&self.points, point).map_or_else(|| last_part(point), |point| point.name.as_str());
        Some(known).filter(|name| !name.is_empty()).map(str::to_owned)
    }
}

/// The link of a block's channel where its folders tell it; its links where they do not.
fn channel_of(entry: &Entry) -> String {
    let stem = |link: &str| link.find("/IntervalBlock").and_then(|at| link.get(..at)).map(str::to_owned);
    let told = stem(&entry.self_link).or_else(|| stem(&entry.up_link));
    told.unwrap_or_else(|| format!("{}{AND}{}", entry.self_link, entry.up_link))
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
        (_, _, _) if kind.commodity.is_some_and(|commodity| !matches!(commodity, 0..=2)) => Use::Nothing(format!(
            "the commodity {} is not electricity (1, 2): this block is left out",
            kind.commodity.unwrap_or_default()
        )),
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
