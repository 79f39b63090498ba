//! From links to meters: which unit, direction and meter a block's values have.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::DateTime;
use rust_decimal::Decimal;

use super::super::limits::{self, Account, Names};
use super::super::{Direction, Energy, Item, Quality, Reading, Rejected, SeriesKey, UsageError, plausible};
use super::entry::{Entry, Kind, NO_DURATION, Raw, Resource, USABLE, Value};
use super::local_time;

/// Values held back for a reading type still to come; a file beyond this order is refused.
pub const HELD: usize = 1_000_000;

/// Unreadable values held back likewise.
const HELD_BAD: usize = 1_000;

/// What the file said so far.
#[derive(Default)]
pub struct Feed {
    /// How many values may be held back.
    most: usize,
    /// Usage points by their link.
    points: HashMap<String, Point>,
    /// The links of usage points by what their meters are called.
    called: HashMap<String, String>,
    kinds: HashMap<String, Kind>,
    /// Channels (MeterReading) by their link: what they are related to.
    channels: HashMap<String, Vec<String>>,
    /// The channel of what is related to one, such as its blocks; `None` where several name it.
    of_related: HashMap<String, Option<String>>,
    held: Vec<Held>,
    /// How many values those are.
    values: usize,
    bad: Vec<(Arc<str>, Bad)>,
    /// The channels of what is held back.
    waiting: HashSet<Arc<str>>,
    /// What is known of channels; until the file says more.
    known: HashMap<String, Channel>,
    names: Names,
    account: Account,
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

/// Values that wait for their reading type.
struct Held {
    channel: Arc<str>,
    values: Vec<Value>,
}

/// A value that cannot be read.
struct Bad {
    line: u64,
    content: String,
    reason: String,
}

impl Bad {
    fn new(raw: &Raw, reason: String) -> Self {
        Self { line: raw.line, content: format!("{} {} {}", raw.start, raw.duration, raw.value), reason }
    }
}

/// What the values of a channel are.
#[derive(Clone)]
enum Channel {
    /// Energy of a series.
    Energy(Arc<SeriesKey>, Kind),
    /// Nothing that a bill needs; why.
    Nothing(String),
    /// It cannot be told; why.
    Unknown(String),
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
        match entry.resource {
            Resource::UsagePoint | Resource::ReadingType | Resource::MeterReading => {
                let line = entry.line;
                self.learn(entry).map_err(|reason| UsageError::at(line, 1, reason))?;
            }
            Resource::LocalTime => match local_time::zone(&entry.local) {
                Some(zone) => each(Item::Zone(zone)),
                None => {
                    let reason = "no zone that the portal knows has these clocks";
                    each(Item::Rejected(Rejected::new(entry.line, 1, "LocalTimeParameters", reason).ignored()));
                }
            },
            Resource::IntervalBlock => {
                self.blocks += 1;
                self.drain(&mut entry, each)?;
            }
            Resource::Other => {}
        }
        Ok(())
    }

    /// Keeps what an entry says of others.
    fn learn(&mut self, entry: Entry) -> Result<(), String> {
        // What it says may change what values of a channel are.
        self.known.clear();
        let link = entry.self_link;
        self.account.charge(link.len(), 3).map_err(|full| full.to_string())?;
        let twice = |what: &str| Err(format!("two entries of the link {link:?} are of different {what}"));
        match entry.resource {
            Resource::UsagePoint => self.add_point(&link, entry.service),
            Resource::ReadingType => {
                let before = self.kinds.insert(link.clone(), entry.kind.clone());
                if before.is_some_and(|before| before != entry.kind) {
                    return twice("reading types");
                }
            }
            _ => {
                for related in &entry.related {
                    self.account.charge(related.len() + link.len(), 2).map_err(|full| full.to_string())?;
                    let known = self.of_related.entry(related.clone()).or_insert_with(|| Some(link.clone()));
                    if known.as_ref() != Some(&link) {
                        *known = None;
                    }
                }
                let before = self.channels.insert(link.clone(), entry.related.clone());
                if before.is_some_and(|before| before != entry.related) {
                    return twice("relations");
                }
            }
        }
        Ok(())
    }

    /// Hands on the values of an entry, or holds them back.
    ///
    /// # Errors
    /// When more would be held back than memory is to hold.
    pub fn drain(&mut self, entry: &mut Entry, each: &mut dyn FnMut(Item)) -> Result<(), UsageError> {
        let channel = channel_of(entry);
        let readings = std::mem::take(&mut entry.readings);
        if self.held.is_empty() && self.bad.is_empty() && self.is_complete(&channel) {
            for raw in &readings {
                let read = Value::of(raw).map_err(|reason| Bad::new(raw, reason));
                self.hand_on(&channel, read, each)?;
            }
            return Ok(());
        }
        self.hold(&channel, &readings)
    }

    fn hold(&mut self, channel: &str, readings: &[Raw]) -> Result<(), UsageError> {
        let Some(first) = readings.first() else { return Ok(()) };
        let full = |line: u64| {
            UsageError::at(
                line,
                1,
                "the values stand before their ReadingType; the file is too large to hold them back",
            )
        };
        let channel = match self.waiting.get(channel) {
            Some(known) => Arc::clone(known),
            None => {
                let full = |full: limits::Full| UsageError::at(first.line, 1, full.to_string());
                self.account.charge(channel.len(), 1).map_err(full)?;
                let channel: Arc<str> = channel.into();
                self.waiting.insert(Arc::clone(&channel));
                channel
            }
        };
        let mut values = Vec::with_capacity(readings.len().min(self.most.saturating_sub(self.values)));
        for raw in readings {
            match Value::of(raw) {
                Ok(value) if self.values < self.most => {
                    self.values += 1;
                    values.push(value);
                }
                Err(reason) if self.bad.len() < HELD_BAD => {
                    self.bad.push((Arc::clone(&channel), Bad::new(raw, reason)));
                }
                _ => return Err(full(raw.line)),
            }
        }
        self.held.push(Held { channel, values });
        Ok(())
    }

    /// Hands on what was held back.
    pub fn finish(mut self, each: &mut dyn FnMut(Item)) -> Result<(), UsageError> {
        if self.blocks == 0 {
            return Err(UsageError::at(1, 1, "there is no interval data (IntervalBlock) in this file"));
        }
        for Held { channel, values } in std::mem::take(&mut self.held) {
            for value in values {
                self.hand_on_held(&channel, u64::from(value.line), Ok(value), each)?;
            }
        }
        for (channel, bad) in std::mem::take(&mut self.bad) {
            self.hand_on_held(&channel, bad.line, Err(bad), each)?;
        }
        Ok(())
    }

    fn hand_on_held(
        &mut self,
        channel: &str,
        line: u64,
        read: Result<Value, Bad>,
        each: &mut dyn FnMut(Item),
    ) -> Result<(), UsageError> {
        if let Some(channel) = self.resolved(channel) {
            return self.hand_on(&channel, read, each);
        }
        let told = channel.replace(AND, " ");
        if self.refused.insert(channel.to_owned()) {
            let reason = format!("no link says which MeterReading the block {:?} belongs to", told.trim());
            each(Item::Rejected(Rejected::new(line, 1, &told, reason)));
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
        let taken = self.called.get(last).is_some_and(|other| other != link);
        let name = if taken { link.to_owned() } else { last.to_owned() };
        self.called.insert(name.clone(), link.to_owned());
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

    fn hand_on(
        &mut self,
        channel: &str,
        read: Result<Value, Bad>,
        each: &mut dyn FnMut(Item),
    ) -> Result<(), UsageError> {
        let line = read.as_ref().map_or_else(|bad| bad.line, |value| u64::from(value.line));
        let refused = |reason: &str| Item::Rejected(Rejected::new(line, 1, channel, reason));
        let full = |full: limits::Full| UsageError::at(line, 1, full.to_string());
        if !self.known.contains_key(channel) {
            self.account.charge(channel.len(), 3).map_err(full)?;
            let found = self.channel(channel).map_err(full)?;
            self.known.insert(channel.to_owned(), found);
        }
        let (series, kind) = match self.known.get(channel) {
            Some(Channel::Energy(series, kind)) => (Arc::clone(series), kind.clone()),
            Some(Channel::Nothing(reason)) => {
                if self.refused.insert(channel.to_owned()) {
                    each(Item::Rejected(Rejected::new(line, 1, channel, reason).ignored()));
                }
                return Ok(());
            }
            Some(Channel::Unknown(reason)) => {
                each(refused(reason));
                return Ok(());
            }
            None => return Ok(()),
        };
        if self.is_net_beside_others(channel, &kind) {
            let reason =
                "the usage point has net values (flow 4) beside delivered or received ones: they tell the same energy";
            each(refused(reason));
            return Ok(());
        }
        let refused = |bad: Bad| Item::Rejected(Rejected::new(bad.line, 1, &bad.content, bad.reason));
        each(match read {
            Err(bad) => refused(bad),
            Ok(value) => match reading(series, &kind, &value) {
                Ok(reading) => Item::Reading(reading),
                Err(reason) => {
                    let content = format!("{} {} {}", value.start, value.duration, value.value);
                    refused(Bad { line, content, reason })
                }
            },
        });
        Ok(())
    }

    /// What the values of a channel are, as far as the file has told.
    fn channel(&mut self, channel: &str) -> Result<Channel, limits::Full> {
        let kind = match self.kind(channel) {
            Ok(kind) => kind.clone(),
            Err(reason) => return Ok(Channel::Unknown(reason.to_owned())),
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
            Use::Nothing(reason) => return Ok(Channel::Nothing(reason)),
            Use::Unknown(reason) => return Ok(Channel::Unknown(reason)),
        };
        let register = Some(last_part(channel)).filter(|_| in_folder(channel, "MeterReading")).map(str::to_owned);
        let meter = self.meter(channel);
        for (name, what) in [(&meter, "the meter"), (&register, "the channel")] {
            if let Err(reason) = limits::name(name.as_deref().unwrap_or_default(), what) {
                return Ok(Channel::Unknown(reason));
            }
        }
        let series = self.names.kept(SeriesKey { meter, direction, register })?;
        Ok(Channel::Energy(series, kind))
    }

    /// Notes which way a usage point's energy went; whether it is net and something else.
    fn is_net_beside_others(&mut self, channel: &str, kind: &Kind) -> bool {
        let point = point(channel);
        let way = if kind.flow == Some(4) { 1 } else { 2 };
        match self.ways.get_mut(point) {
            Some(ways) => {
                *ways |= way;
                *ways == 3
            }
            None => {
                self.ways.insert(point.to_owned(), way);
                false
            }
        }
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
const fn quality(code: u8) -> Quality {
    match code {
        7 => Quality::Edited,
        8 | 9 | 10 | 12 | 13 => Quality::Estimated,
        _ => Quality::Actual,
    }
}

fn reading(series: Arc<SeriesKey>, kind: &Kind, read: &Value) -> Result<Reading, String> {
    let Value { start, value, duration, line, quality: code } = *read;
    let seconds = match duration {
        0 => kind.length.ok_or("neither the interval nor its ReadingType says how long it is")?,
        said => said,
    };
    let start = DateTime::from_timestamp(start, 0)
        .filter(|start| plausible(*start))
        .ok_or_else(|| format!("start {:?} is not a time", start.to_string()))?;
    let seconds = Some(seconds).filter(|seconds| USABLE.contains(seconds)).ok_or(NO_DURATION)?;
    // A kind that says no power counts in watt-hours.
    let power = kind.power.unwrap_or(0);
    let energy = energy(value, power)
        .ok_or_else(|| format!("{value} x 10^{power} Wh in one interval is more than any meter measures"))?;
    Ok(Reading { series, start, seconds, energy, quality: quality(code), version: 0, line: u64::from(line) })
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
            let raw = |line| Raw { line, value: "1".into(), start: "0".into(), ..Raw::default() };
            entry.readings = lines.map(raw).collect();
            entry
        };
        let mut feed = Feed::new(5);
        assert!(feed.take(block(1..4), &mut |_| ()).is_ok());
        let fault = feed.drain(&mut block(4..8), &mut |_| ()).unwrap_err().to_string();
        assert_eq!(fault, "6:1: the values stand before their ReadingType; the file is too large to hold them back");
        assert_eq!(feed.values, 5);
    }
}
