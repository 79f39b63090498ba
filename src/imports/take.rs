//! The second reading of a file: values sorted into the days of their meters, and what is refused.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use chrono_tz::Tz;

use super::matching::{Matched, Target};
use super::survey::{Survey, blocking, read};
use super::{ImportError, REJECTIONS_KEPT};
use crate::ids::MeterId;
use crate::meters::Meter;
use crate::usage::collect::{CollectedDay, CollectedSeries, Collector, Finding, FindingKind, join, told_twice};
use crate::usage::days::{day_start, local_day};
use crate::usage::{DayUsage, Format, Hints, Item, Quality, Reading, Rejected, SeriesKey};

/// A line, or a run of values, refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    pub line: u64,
    pub column: u64,
    pub content: String,
    pub reason: String,
    /// How many values it stands for; 0 where nothing was lost.
    pub values: u64,
}

/// A meter's day as the file has it.
#[derive(Debug, Clone)]
pub(super) struct TakenDay {
    /// Index into [`Taken::meters`].
    pub meter: usize,
    /// Length of its intervals.
    pub minutes: u16,
    pub usage: DayUsage,
}

/// What the file yields.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub meters: Vec<Meter>,
    pub days: Vec<TakenDay>,
    pub refused: Vec<Refused>,
    /// Values refused, also of those not kept in `refused`.
    pub rejected: u64,
    /// Values that stand in the file twice.
    pub duplicates: u64,
    /// Days and stretches with missing values.
    pub gaps: Vec<String>,
    /// Days from which on intervals have another length.
    pub lengths: Vec<String>,
    /// Meters that learn the names of their registers from the file.
    pub learnt: Vec<(MeterId, Vec<String>)>,
    pub first: Option<DateTime<Utc>>,
    pub last: Option<DateTime<Utc>>,
}

impl Taken {
    pub(super) fn refuse(&mut self, refused: Refused) {
        self.rejected += refused.values;
        if self.refused.len() < REJECTIONS_KEPT {
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

/// Reads the file once for every zone that its meters have; days are local to the meter.
pub(super) async fn take(survey: Survey, matched: Matched) -> Result<Taken, ImportError> {
    blocking(move || {
        let mut taken = Taken::default();
        let mut zones: Vec<Tz> = matched.targets.iter().filter_map(Target::zone).collect();
        zones.sort_by_key(|zone| zone.name());
        zones.dedup();
        for (at, zone) in zones.into_iter().enumerate() {
            let targets: Vec<&Target> = matched.targets.iter().filter(|target| target.zone() == Some(zone)).collect();
            pass(&survey, zone, &targets, at == 0, &mut taken)?;
        }
        if matched.targets.is_empty() {
            pass(&survey, Tz::UTC, &[], true, &mut taken)?;
        }
        for refused in matched.refused {
            taken.refuse(refused);
        }
        taken.refused.sort_by_key(|refused| (refused.line, refused.column));
        Ok(taken)
    })
    .await
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

/// The series of a file by the target that takes them.
struct Series<'t>(HashMap<&'t SeriesKey, &'t Target>);

impl<'t> Series<'t> {
    fn new(targets: &[&'t Target]) -> Self {
        let each = |target: &&'t Target| {
            let target = *target;
            target.series.iter().map(move |one| (&one.key, target))
        };
        Self(targets.iter().flat_map(each).collect())
    }

    fn meters_of(&self, key: &SeriesKey) -> Option<&'t [Meter]> {
        self.0.get(key).map(|target| target.meters.as_slice())
    }
}

fn pass(survey: &Survey, zone: Tz, targets: &[&Target], lines: bool, taken: &mut Taken) -> Result<(), ImportError> {
    let series = Series::new(targets);
    let mut collector = Collector::new(zone);
    let mut outside: BTreeMap<SeriesKey, Outside> = BTreeMap::new();
    let hints = Hints { zone: Some(zone), ..survey.hints };
    read(&survey.file.path, &hints, &mut |item| match item {
        Item::Rejected(line) if lines => taken.refuse_line(line),
        Item::Rejected(_) | Item::Zone(_) => {}
        Item::Reading(reading) => {
            let Some(meters) = series.meters_of(&reading.series) else { return };
            let day = local_day(zone, reading.start);
            if meters.iter().any(|meter| meter.covers(day)) {
                collector.push(&reading);
            } else {
                note(&mut outside, &reading, day);
            }
        }
    })?;
    let mut collected = collector.finish();
    for found in std::mem::take(&mut collected.findings) {
        sort_finding(found, taken);
    }
    for (key, run) in outside {
        taken.refuse(out_of_service(&key, &run, series.meters_of(&key).unwrap_or_default()));
    }
    for target in targets {
        let own = |one: &CollectedSeries| target.series.iter().any(|wanted| wanted.key == *one.series);
        let (registers, others) = collected.series.into_iter().partition(own);
        collected.series = others;
        target.place(survey.format, registers, taken);
    }
    Ok(())
}

impl Target {
    /// Adds the registers up and puts each day with the meter that was in service then.
    fn place(&self, format: Format, registers: Vec<CollectedSeries>, taken: &mut Taken) {
        let Some(first) = registers.first() else { return };
        if let Some(fault) = told_twice(format, &registers) {
            return self.refuse(format!("{fault}, and import it again."), taken);
        }
        let key = Arc::new(SeriesKey { register: None, ..SeriesKey::clone(&first.series) });
        let (sum, lacking) = match join(key, &registers) {
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
            let at = taken.meters.iter().position(|known| known.id == meter.id).unwrap_or_else(|| {
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

fn note(outside: &mut BTreeMap<SeriesKey, Outside>, reading: &Reading, day: NaiveDate) {
    match outside.get_mut(&*reading.series) {
        Some(run) => {
            run.values += 1;
            run.first = run.first.min(day);
            run.last = run.last.max(day);
        }
        None => {
            let run = Outside { line: reading.line, values: 1, first: day, last: day };
            outside.insert(SeriesKey::clone(&reading.series), run);
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
    let reason = found.to_string();
    match found.kind {
        FindingKind::Duplicate | FindingKind::Replaced => taken.duplicates += 1,
        FindingKind::Gap { .. } | FindingKind::IncompleteDay { .. } => taken.gaps.push(reason),
        FindingKind::LengthChanged { .. } => taken.lengths.push(reason),
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
