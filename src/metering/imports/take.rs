//! The second reading of a file: values sorted into the days of their meters, and what is refused.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use chrono_tz::Tz;

use super::matching::{Matched, Target};
use super::refused::Refused;
use super::survey::{Survey, blocking, read};
use super::{ImportError, REJECTIONS_KEPT};
use crate::metering::meters::Meter;
use crate::usage::collect::{CollectedDay, CollectedSeries, Collector, Finding, FindingKind, join, told_twice};
use crate::usage::days::{day_start, local_day};
use crate::usage::{self, DayUsage, Format, Hints, Item, Quality, Rejected, SeriesKey};
use crate::values::ids::MeterId;

/// A meter's day as the file has it.
#[derive(Debug, Clone)]
pub(super) struct TakenDay {
    /// Index into [`Taken::meters`].
    pub meter: usize,
    /// Length of its intervals.
    pub minutes: u16,
    pub usage: DayUsage,
}

/// What the file yields. Its days are taken out a part at a time.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub meters: Vec<Meter>,
    pub days: Vec<TakenDay>,
    pub refused: Vec<Refused>,
    /// Bytes of those texts.
    told: usize,
    /// Values refused, also of those not kept in `refused`.
    pub rejected: u64,
    /// Values that stand in the file twice.
    pub duplicates: u64,
    /// Days and stretches with missing values.
    pub gaps: Remarks,
    /// Days from which on intervals have another length.
    pub lengths: Remarks,
    /// Meters that learn the names of their registers from the file.
    pub learnt: Vec<(MeterId, Vec<String>)>,
    pub first: Option<DateTime<Utc>>,
    pub last: Option<DateTime<Utc>>,
}

/// Sentences of one kind: the first few, and how many there were.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    first: Vec<String>,
    count: usize,
}

impl Remarks {
    fn add(&mut self, text: String) {
        if self.first.len() < 5 {
            self.first.push(text);
        }
        self.count += 1;
    }

    /// `One; another; and 3 more`; `None` where there are none.
    pub(super) fn told(&self) -> Option<String> {
        let more = self.count - self.first.len();
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        (self.count > 0).then(|| format!("{}{more}", self.first.join("; ")))
    }
}

/// The most bytes of refused lines and their reasons that are kept; more are only counted.
const TOLD: usize = 4 << 20;

impl Taken {
    pub(super) fn refuse(&mut self, refused: Refused) {
        self.rejected += refused.values;
        let bytes = refused.content.len() + refused.reason.len();
        if self.refused.len() < REJECTIONS_KEPT && self.told + bytes <= TOLD {
            self.told += bytes;
            self.refused.push(refused);
        }
    }

    /// Widens the span of the values taken by those of a day.
    fn span(&mut self, zone: Tz, usage: &DayUsage, minutes: u16) {
        let there = |at: &usize| !matches!(usage.quality(*at), Quality::Missing | Quality::Absent);
        let slots = 0..usage.values.len();
        let (Some(begin), Some(end)) = (slots.clone().find(there), slots.rev().find(there)) else { return };
        let at = |slot: usize| day_start(zone, usage.date) + Duration::minutes(i64::from(minutes) * slot_number(slot));
        let (begin, end) = (at(begin), at(end + 1));
        self.first = Some(self.first.map_or(begin, |first| first.min(begin)));
        self.last = Some(self.last.map_or(end, |last| last.max(end)));
    }

    fn refuse_line(&mut self, line: Rejected) {
        let (reason, values) = if line.ignored { (format!("Left out: {}", line.reason), 0) } else { (line.reason, 1) };
        self.refuse(Refused { line: line.line, column: line.column, content: line.raw, reason, values });
    }
}

/// A day has at most some hundred slots.
fn slot_number(slot: usize) -> i64 {
    i64::try_from(slot).unwrap_or_default()
}

/// The memory that the days of one part of a file take at most, in bytes, about.
const PART: usize = 12 << 20;

/// How often a file is read at most. The largest file that is right, NEM12 of values with one digit, is read some 40 times.
const PASSES: u32 = 64;

/// The second reading of a file: the days of as many meters at a time as memory is to hold, until all are read. The file is
/// read once for each such part and zone.
pub(super) struct Reading {
    survey: Arc<Survey>,
    /// What is still to be read.
    targets: Vec<Target>,
    refused: Vec<Refused>,
    passes: u32,
    part: usize,
    /// What was read; its days are those of the last part.
    pub taken: Taken,
}

impl Reading {
    pub(super) fn new(survey: Arc<Survey>, matched: Matched) -> Self {
        let Matched { mut targets, refused } = matched;
        targets.sort_by_key(|target| target.zone().map(Tz::name));
        Self { survey, targets, refused, passes: 0, part: PART, taken: Taken::default() }
    }

    /// The meters that may be written: those of what was read once all is, before that every one that the file names.
    pub(super) fn meters(&self) -> Vec<Meter> {
        let to_come = self.targets.iter().flat_map(|target| &target.meters);
        self.taken.meters.iter().chain(to_come).cloned().collect()
    }

    /// Whether all is read.
    pub(super) fn is_done(&self) -> bool {
        self.passes > 0 && self.targets.is_empty()
    }

    /// Reads the next part.
    pub(super) async fn next(mut self) -> Result<Self, ImportError> {
        blocking(move || {
            self.read_part()?;
            Ok(self)
        })
        .await
    }

    /// As many targets of one zone as there is room for.
    fn read_part(&mut self) -> Result<(), ImportError> {
        let zone = self.targets.first().and_then(Target::zone).unwrap_or(Tz::UTC);
        let beyond = self.targets.iter().position(|target| target.zone() != Some(zone)).unwrap_or(self.targets.len());
        let others = self.targets.split_off(beyond);
        let targets = std::mem::take(&mut self.targets);
        let lines = self.passes == 0;
        self.passes += 1;
        let put_off = Pass::new(zone, &targets, self.part).run(&self.survey, lines, &mut self.taken)?;
        let (left, read) = (put_off.len(), targets.len() - put_off.len());
        // Told at once, and not after the last of them.
        if left > read * usize::try_from(PASSES.saturating_sub(self.passes)).unwrap_or_default() {
            let text = "The file has days of too many meters to be read at once. Split it and send the parts. Nothing was imported.";
            return Err(ImportError::File(text.to_owned()));
        }
        let mut at = 0..targets.len();
        self.targets = targets.into_iter().filter(|_| at.next().is_some_and(|at| put_off.contains(&at))).collect();
        self.targets.extend(others);
        if self.targets.is_empty() {
            for refused in std::mem::take(&mut self.refused) {
                self.taken.refuse(refused);
            }
            self.taken.refused.sort_by_key(|refused| (refused.line, refused.column));
        }
        Ok(())
    }
}

impl Target {
    /// The zone whose days its meters have.
    fn zone(&self) -> Option<Tz> {
        self.meters.first().map(Meter::zone)
    }
}

/// Values of a series on days on which its meter is nowhere in service.
struct Outside {
    line: u64,
    values: u64,
    first: NaiveDate,
    last: NaiveDate,
}

/// One reading of the file, for the meters of one zone.
struct Pass<'t> {
    targets: &'t [Target],
    /// The target of each series, by its place.
    of: HashMap<&'t SeriesKey, usize>,
    collector: Collector,
    outside: BTreeMap<Arc<SeriesKey>, Outside>,
    /// Targets for which there was no room.
    put_off: HashSet<usize>,
    /// The bytes that there is room for.
    most: usize,
}

impl<'t> Pass<'t> {
    fn new(zone: Tz, targets: &'t [Target], most: usize) -> Self {
        let each = |(at, target): (usize, &'t Target)| target.series.iter().map(move |one| (&*one.key, at));
        let of = targets.iter().enumerate().flat_map(each).collect();
        let (collector, outside, put_off) = (Collector::new(zone), BTreeMap::new(), HashSet::new());
        Self { targets, of, collector, outside, put_off, most }
    }

    /// Reads the file; the places of the targets that are to be read another time.
    fn run(mut self, survey: &Survey, lines: bool, taken: &mut Taken) -> Result<HashSet<usize>, ImportError> {
        let zone = self.collector.zone();
        let hints = Hints { zone: Some(zone), ..survey.hints };
        let mut alone = None;
        read(&survey.file, &hints, &mut |item| match item {
            Item::Rejected(line) if lines => taken.refuse_line(line),
            Item::Rejected(_) | Item::Zone(_) => {}
            Item::Reading(reading) => {
                if let Some(target) = self.take(&reading, zone) {
                    alone.get_or_insert((target, reading.line));
                }
            }
        })?;
        if let Some((target, line)) = alone {
            let serial = self.targets.get(target).and_then(|target| target.meters.first());
            let serial = serial.map_or("", |meter| meter.serial.as_str());
            return Err(ImportError::File(format!(
                "Line {line}: the file has more days of meter {serial} than are read at once. Split it by years and send the parts. Nothing was imported."
            )));
        }
        self.place(survey.format, taken);
        Ok(self.put_off)
    }

    /// Takes a value; the target whose values alone find no room.
    fn take(&mut self, reading: &usage::Reading, zone: Tz) -> Option<usize> {
        let at = *self.of.get(&*reading.series)?;
        let target = self.targets.get(at).filter(|_| !self.put_off.contains(&at))?;
        let day = local_day(zone, reading.start);
        if !target.meters.iter().any(|meter| meter.covers(day)) {
            note(&mut self.outside, reading, day);
            return None;
        }
        self.collector.push(reading);
        if self.collector.bytes() <= self.most {
            return None;
        }
        for one in &target.series {
            self.collector.forget(&one.key);
            self.outside.remove(&one.key);
        }
        self.put_off.insert(at);
        (self.collector.held() == 0).then_some(at)
    }

    /// Hands on what was collected.
    fn place(&mut self, format: Format, taken: &mut Taken) {
        let collector = std::mem::replace(&mut self.collector, Collector::new(Tz::UTC));
        let collected = collector.finish();
        taken.duplicates += collected.counts.duplicates + collected.counts.replaced;
        taken.rejected += collected.counts.lost;
        for found in collected.findings {
            sort_finding(found, taken);
        }
        for (key, run) in std::mem::take(&mut self.outside) {
            let target = self.of.get(&*key).and_then(|at| self.targets.get(*at));
            let meters = target.map(|target| target.meters.as_slice()).unwrap_or_default();
            taken.refuse(out_of_service(&key, &run, meters));
        }
        let mut series: HashMap<Arc<SeriesKey>, CollectedSeries> =
            collected.series.into_iter().map(|one| (Arc::clone(&one.series), one)).collect();
        for target in self.targets {
            let registers = target.series.iter().filter_map(|one| series.remove(&one.key)).collect();
            target.place(format, registers, taken);
        }
    }
}

impl Target {
    /// Adds the registers up and puts each day with the meter that was in service then.
    fn place(&self, format: Format, registers: Vec<CollectedSeries>, taken: &mut Taken) {
        let Some(first) = registers.first() else { return };
        if let Some(fault) = told_twice(format, &registers) {
            return self.refuse(format!("{fault}, and import it again."), taken);
        }
        let key = Arc::new(SeriesKey { register: None, ..SeriesKey::clone(&first.series) });
        let (sum, lacking) = match join(key, registers) {
            Ok(joined) => joined,
            Err(fault) => return self.refuse(format!("The registers cannot be added up: {fault}."), taken),
        };
        for found in lacking {
            sort_finding(found, taken);
        }
        if let Some(reason) = self.other_length(&sum) {
            return self.refuse(reason, taken);
        }
        for CollectedDay { minutes, usage } in sum.days {
            let Some(meter) = self.meters.iter().find(|meter| meter.covers(usage.date)) else { continue };
            taken.span(sum.zone, &usage, minutes);
            let at = taken.meters.iter().rposition(|known| known.id == meter.id).unwrap_or_else(|| {
                taken.meters.push(meter.clone());
                if !self.learnt.is_empty() {
                    taken.learnt.push((meter.id, self.learnt.clone()));
                }
                taken.meters.len() - 1
            });
            taken.days.push(TakenDay { meter: at, minutes, usage });
        }
    }

    /// Why the interval lengths of the file are not the meter's: no day has the one that the meter is set to, so it is the
    /// wrong file or the wrong meter.
    fn other_length(&self, sum: &CollectedSeries) -> Option<String> {
        let of = |day: &CollectedDay| self.meters.iter().find(|meter| meter.covers(day.usage.date));
        let set = |meter: &Meter| meter.interval_minutes.and_then(|minutes| u16::try_from(minutes).ok());
        let fits = |day: &CollectedDay| of(day).is_some_and(|meter| set(meter) == Some(day.minutes));
        if sum.days.is_empty() || sum.days.iter().any(fits) {
            return None;
        }
        let day = sum.days.last()?;
        let meter = of(day)?;
        Some(format!(
            "The values of meter {} are {} minutes long, but the meter is set to {}-minute intervals. Correct the meter, or choose the right file.",
            meter.serial,
            day.minutes,
            meter.interval_minutes.map_or_else(|| "no".to_owned(), |minutes| minutes.to_string())
        ))
    }

    fn refuse(&self, reason: String, taken: &mut Taken) {
        for one in &self.series {
            let content = format!("{} values of {}", one.values, one.key);
            taken.refuse(Refused { line: one.line, column: 1, content, reason: reason.clone(), values: one.values });
        }
    }
}

fn note(outside: &mut BTreeMap<Arc<SeriesKey>, Outside>, reading: &usage::Reading, day: NaiveDate) {
    match outside.get_mut(&*reading.series) {
        Some(run) => {
            run.values += 1;
            run.first = run.first.min(day);
            run.last = run.last.max(day);
        }
        None => {
            let run = Outside { line: reading.line, values: 1, first: day, last: day };
            outside.insert(Arc::clone(&reading.series), run);
        }
    }
}

fn out_of_service(key: &SeriesKey, run: &Outside, meters: &[Meter]) -> Refused {
    let days: Vec<String> = meters
        .iter()
        .map(|meter| match meter.valid_to {
            Some(to) => format!("from {} until {to}", meter.valid_from),
            None => format!("from {} on", meter.valid_from),
        })
        .collect();
    let serial = meters.first().map_or("", |meter| meter.serial.as_str());
    let (values, first, last) = (run.values, run.first, run.last);
    Refused {
        line: run.line,
        column: 1,
        content: format!("{values} values of {}, {first} to {last}", key.direction),
        reason: format!(
            "Meter {serial} is in service {}: values of other days are not taken. Correct the meter's dates if they are wrong, and import again.",
            days.join(", ")
        ),
        values,
    }
}

fn sort_finding(found: Finding, taken: &mut Taken) {
    // Most of them are only counted.
    if found.kind.is_again() {
        return;
    }
    let reason = found.to_string();
    match found.kind {
        FindingKind::Gap { .. } | FindingKind::IncompleteDay { .. } => taken.gaps.add(reason),
        FindingKind::LengthChanged { .. } => taken.lengths.add(reason),
        FindingKind::Lacking { values } => {
            let values = u64::try_from(values).unwrap_or(u64::MAX);
            let content = format!("{values} values of {}", found.date);
            taken.refuse(Refused { line: 1, column: 1, content, reason, values });
        }
        _ => {
            let start = found.start.map_or_else(|| found.date.to_string(), |start| start.to_rfc3339());
            // A finding about a whole day has no line of its own.
            let line = found.line.unwrap_or(1);
            taken.refuse(Refused { line, column: 1, content: start, reason, values: 1 });
        }
    }
}
