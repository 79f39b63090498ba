//! A usage file as days; any refused line is a fault.

use std::io::BufRead;

use chrono_tz::Tz;

use super::{RateFiles, shortened};
use crate::usage::collect::{CollectedDay, CollectedSeries, Collector, Finding, FindingKind};
use crate::usage::{self, Format, Hints, Item, Quality, Reading, Rejected};

/// What a usage file holds.
pub struct Collected {
    /// The zone whose days these are.
    pub zone: Tz,
    pub format: Format,
    pub series: Vec<CollectedSeries>,
    /// What to know of the file though it is read.
    pub notes: Vec<String>,
}

/// The usage by day of the zone given, or else of the one that the file names.
pub fn collect(files: &RateFiles<'_>, zone: Option<Tz>, input: impl BufRead) -> Result<Collected, Vec<String>> {
    let mut file = File { zone, is_given: zone.is_some(), ..File::default() };
    let hints = Hints { zone, mark: files.mark, net: files.net };
    let read = usage::read(input, &hints, &mut |item| file.take(item));
    let told = |text: &dyn std::fmt::Display| format!("{}:{text}", files.usage_name);
    let mut faults: Vec<String> = file.refused.iter().map(|refused| told(refused)).collect();
    let format = match read {
        Ok(format) => format,
        Err(fault) => {
            faults.push(told(&fault));
            return Err(shortened(faults));
        }
    };
    let asks = || {
        vec![format!(
            "{}:1:1: this rate names no time zone, and the usage file does not tell a single one: say it, such as --zone America/Denver",
            files.tariff_name
        )]
    };
    if file.is_without_zone() || file.disagrees {
        return Err(asks());
    }
    let utc = zone.is_none() && format == Format::Csv;
    // What a file without any reading is cut by does not matter.
    let zone = file.zone.unwrap_or(Tz::UTC);
    let left_out = std::mem::take(&mut file.left_out);
    let collected = file.finish(zone);
    let placed = |finding: &Finding| format!("{}:{}:1: {finding}", files.usage_name, finding.line.unwrap_or(1));
    faults.extend(collected.findings.iter().filter(|finding| finding.kind.is_fault()).map(placed));
    if collected.counts.lost > 0 {
        faults.push(told(&format!("1:1: {} more values cannot be placed", collected.counts.lost)));
    }
    if collected.series.is_empty() && faults.is_empty() {
        faults = left_out.iter().map(|line| told(line)).collect();
        if faults.is_empty() {
            faults.push(told(&"1:1: there are no readings in this file"));
        }
    }
    if !faults.is_empty() {
        return Err(shortened(faults));
    }
    // Times written as UTC may still be those of another place, whose days begin at another hour.
    if utc && !collected.series.iter().all(has_whole_days) {
        return Err(asks());
    }
    let mut notes: Vec<String> = left_out.iter().map(|line| told(line)).collect();
    if utc {
        notes.push(told(
            &"1:1: all times are written as UTC, so days and hours are those of UTC; --zone names another zone",
        ));
    }
    for (count, what) in [
        (collected.counts.duplicates, "stand twice in the file with the same value: they count once"),
        (collected.counts.replaced, "stand in the file in two versions: the later counts"),
    ] {
        if count > 0 {
            notes.push(told(&format!("1:1: {count} intervals {what}")));
        }
    }
    let changed = |finding: &&Finding| matches!(finding.kind, FindingKind::LengthChanged { .. });
    notes.extend(collected.findings.iter().filter(changed).map(placed));
    Ok(Collected { zone, format, series: collected.series, notes: shortened(notes) })
}

/// Whether the first and the last day of a series are whole.
fn has_whole_days(one: &CollectedSeries) -> bool {
    let whole = |day: &CollectedDay| day.usage.count(Quality::Missing) == 0;
    one.days.first().is_some_and(whole) && one.days.last().is_some_and(whole)
}

/// A file while it is read.
#[derive(Default)]
struct File {
    zone: Option<Tz>,
    /// A person or the tariff says the zone.
    is_given: bool,
    /// The file names two zones.
    disagrees: bool,
    collector: Option<Collector>,
    /// Readings that wait for the zone.
    waiting: Vec<Reading>,
    refused: Vec<Rejected>,
    left_out: Vec<Rejected>,
}

impl File {
    fn take(&mut self, item: Item) {
        match item {
            Item::Reading(reading) => self.push(reading),
            Item::Rejected(rejected) if rejected.ignored => self.left_out.push(rejected),
            Item::Rejected(rejected) => self.refused.push(rejected),
            Item::Zone(zone) => {
                self.disagrees |= !self.is_given && self.zone.is_some_and(|known| known != zone);
                self.zone = self.zone.or(Some(zone));
            }
        }
    }

    fn push(&mut self, reading: Reading) {
        let Some(zone) = self.zone else { return self.waiting.push(reading) };
        let collector = self.collector.get_or_insert_with(|| Collector::new(zone));
        for waiting in std::mem::take(&mut self.waiting) {
            collector.push(&waiting);
        }
        collector.push(&reading);
    }

    fn is_without_zone(&self) -> bool {
        self.zone.is_none() && !self.waiting.is_empty()
    }

    fn finish(self, zone: Tz) -> usage::collect::Collected {
        let mut collector = self.collector.unwrap_or_else(|| Collector::new(zone));
        self.waiting.iter().for_each(|reading| collector.push(reading));
        collector.finish()
    }
}
