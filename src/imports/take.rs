//! The second reading of a file: values sorted into the days of their meters, and what is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use chrono_tz::Tz;

use super::matching::Matched;
use super::survey::{Survey, blocking, read};
use super::{ImportError, REJECTIONS_KEPT};
use crate::meters::Meter;
use crate::usage::collect::{CollectedSeries, Collector, Finding, FindingKind};
use crate::usage::days::local_day;
use crate::usage::{DayUsage, Direction, Item, Reading, Rejected, SeriesKey};

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
    pub first: Option<DateTime<Utc>>,
    pub last: Option<DateTime<Utc>>,
}

impl Taken {
    fn refuse(&mut self, refused: Refused) {
        self.rejected += refused.values;
        if self.refused.len() < REJECTIONS_KEPT {
            self.refused.push(refused);
        }
    }

    fn refuse_line(&mut self, line: Rejected) {
        let (reason, values) = if line.ignored { (format!("Left out: {}", line.reason), 0) } else { (line.reason, 1) };
        self.refuse(Refused { line: line.line, column: line.column, content: line.raw, reason, values });
    }
}

/// Reads the file once for every zone that its meters have; days are local to the meter.
pub(super) async fn take(survey: Survey, matched: Matched) -> Result<Taken, ImportError> {
    blocking(move || {
        let zones: BTreeSet<&str> = matched.series.values().filter_map(|m| m.first()).map(|m| &*m.time_zone).collect();
        let mut taken = Taken::default();
        for (at, zone) in zones.into_iter().enumerate() {
            let of_zone = |meters: &&Vec<Meter>| meters.first().is_some_and(|meter| meter.time_zone == zone);
            let series = matched.series.iter().filter(|(_, meters)| of_zone(meters));
            let series = series.map(|(key, meters)| ((key.meter.as_deref(), key.direction), meters)).collect();
            let zone = zone.parse().unwrap_or(Tz::UTC);
            pass(&survey.file.path, zone, &series, at == 0, &mut taken)?;
        }
        if matched.series.is_empty() {
            pass(&survey.file.path, Tz::UTC, &BTreeMap::new(), true, &mut taken)?;
        }
        for refused in matched.refused {
            taken.refuse(refused);
        }
        taken.refused.sort_by_key(|refused| (refused.line, refused.column));
        Ok(taken)
    })
    .await
}

/// Values of a series on days on which its meter is nowhere in service.
struct Outside {
    line: u64,
    values: u64,
    first: NaiveDate,
    last: NaiveDate,
}

/// The meters of a series: what the file calls the meter, and the direction. Registers add up.
type Series<'a> = BTreeMap<(Option<&'a str>, Direction), &'a Vec<Meter>>;

fn meters_of<'a>(series: &Series<'a>, key: &SeriesKey) -> Option<&'a Vec<Meter>> {
    series.get(&(key.meter.as_deref(), key.direction)).copied()
}

fn pass(path: &Path, zone: Tz, series: &Series<'_>, lines: bool, taken: &mut Taken) -> Result<(), ImportError> {
    let mut collector = Collector::new(zone);
    let mut outside: BTreeMap<SeriesKey, Outside> = BTreeMap::new();
    read(path, zone, &mut |item| match item {
        Item::Rejected(line) if lines => taken.refuse_line(line),
        Item::Rejected(_) => {}
        Item::Reading(reading) => {
            let Some(meters) = meters_of(series, &reading.series) else { return };
            let day = local_day(zone, reading.start);
            if meters.iter().any(|meter| meter.covers(day)) {
                span(taken, &reading);
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
    let collected =
        collected.join_registers().map_err(|fault| ImportError::File(format!("{fault}. Nothing was imported.")))?;
    for (key, run) in outside {
        let meters = meters_of(series, &key).map(Vec::as_slice).unwrap_or_default();
        taken.refuse(out_of_service(&key, &run, meters));
    }
    for one in collected.series {
        place(one, series, taken);
    }
    Ok(())
}

fn span(taken: &mut Taken, reading: &Reading) {
    let end = reading.start + Duration::seconds(i64::from(reading.seconds));
    taken.first = Some(taken.first.map_or(reading.start, |first| first.min(reading.start)));
    taken.last = Some(taken.last.map_or(end, |last| last.max(end)));
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
        FindingKind::Duplicate => taken.duplicates += 1,
        FindingKind::Gap { .. } | FindingKind::IncompleteDay { .. } => taken.gaps.push(reason),
        _ => {
            let start = found.start.map(|start| start.to_rfc3339()).unwrap_or_default();
            let line = found.line.unwrap_or(1);
            taken.refuse(Refused { line, column: 1, content: start, reason, values: 1 });
        }
    }
}

fn place(one: CollectedSeries, series: &Series<'_>, taken: &mut Taken) {
    let Some(meters) = meters_of(series, &one.series) else { return };
    for usage in one.profile.days {
        let Some(meter) = meters.iter().find(|meter| meter.covers(usage.date)) else { continue };
        let at = taken.meters.iter().position(|known| known.id == meter.id).unwrap_or_else(|| {
            taken.meters.push(meter.clone());
            taken.meters.len() - 1
        });
        taken.days.push(TakenDay { meter: at, usage });
    }
}
