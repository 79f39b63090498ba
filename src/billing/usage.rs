//! From rows to the usage that rating reads, or the days that are missing from it. Pure.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::load::{DayRow, MeterRow, ReadRow};
use crate::db::Unreadable;
use crate::invoices::UsageSource;
use crate::period::Period;
use crate::rating::Supply;
use crate::usage::days::intervals;
use crate::usage::{DayUsage, Direction, Profile, Quality, RegisterRead, merge};

/// The usage of one direction.
pub(super) enum Measured {
    Profile(Profile),
    Reads(Vec<RegisterRead>),
}

impl Measured {
    pub fn supply(&self) -> Supply<'_> {
        match self {
            Self::Profile(profile) => Supply::Profile(profile),
            Self::Reads(reads) => Supply::Reads(reads),
        }
    }

    /// How many intervals or reads it is made of.
    pub fn count_into(&self, source: &mut UsageSource) {
        match self {
            Self::Profile(profile) => {
                source.intervals += profile.days.iter().map(|day| day.values.len()).sum::<usize>()
            }
            Self::Reads(reads) => source.reads += reads.len(),
        }
    }
}

/// Why there is no usage to rate: a kind of exception and a sentence.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Lacking(pub &'static str, pub String);

/// Puts the usage of some meters of one direction together.
pub(super) fn measure(
    meters: &[&MeterRow],
    days: &[&DayRow],
    reads: &[&ReadRow],
    span: Period,
) -> Result<Measured, Lacking> {
    let mut missing: Vec<String> =
        runs(&span.dates().filter(|day| !meters.iter().any(|meter| in_place(meter, *day))).collect::<Vec<_>>());
    missing.iter_mut().for_each(|run| *run = format!("{run} (no meter)"));
    let (by_interval, by_register): (Vec<&MeterRow>, Vec<&MeterRow>) =
        meters.iter().partition(|meter| meter.kind == "interval");
    if !by_interval.is_empty() && !by_register.is_empty() {
        let text =
            "An interval meter and a register meter are in place in the same period; they cannot be billed together.";
        return Err(Lacking("rating_failed", text.to_owned()));
    }
    let nothing = days.is_empty() && reads.is_empty();
    let measured = if by_register.is_empty() {
        profile(&by_interval, days, span, &mut missing)?
    } else {
        Measured::Reads(registers(&by_register, reads, span, &mut missing)?)
    };
    if nothing {
        return Err(Lacking("no_usage", format!("No usage is there for {span}.")));
    }
    if missing.is_empty() { Ok(measured) } else { Err(Lacking("missing_usage", told(&missing))) }
}

fn told(missing: &[String]) -> String {
    let shown = missing.iter().take(8).cloned().collect::<Vec<_>>().join(", ");
    let more = missing.len().saturating_sub(8);
    if more > 0 { format!("Usage is missing: {shown} and {more} more.") } else { format!("Usage is missing: {shown}.") }
}

fn in_place(meter: &MeterRow, day: NaiveDate) -> bool {
    meter.valid_from <= day && meter.valid_to.is_none_or(|to| day < to)
}

/// Days as runs: `2026-03-04 to 2026-03-06`.
fn runs(days: &[NaiveDate]) -> Vec<String> {
    let mut runs: Vec<Period> = vec![];
    for day in days.iter().map(|day| Period::day(*day)) {
        match runs.last_mut().filter(|run| run.to() == day.from()) {
            Some(run) => *run = Period::new(run.from(), day.to()).unwrap_or(day),
            None => runs.push(day),
        }
    }
    runs.iter().map(ToString::to_string).collect()
}

fn profile(
    meters: &[&MeterRow],
    rows: &[&DayRow],
    span: Period,
    missing: &mut Vec<String>,
) -> Result<Measured, Lacking> {
    let mut profiles = vec![];
    for meter in meters {
        let zone = Unreadable::zone(&meter.time_zone, "meters", meter.id).map_err(unreadable)?;
        let Some(minutes) = meter.interval_minutes.and_then(|minutes| u16::try_from(minutes).ok()) else {
            return Err(unreadable(Unreadable::new(
                "meters",
                meter.id,
                "interval_minutes",
                "it is no length of an interval",
            )));
        };
        let mut found: BTreeMap<NaiveDate, DayUsage> = BTreeMap::new();
        for row in
            rows.iter().filter(|row| row.meter_id == meter.id && span.contains(row.day) && in_place(meter, row.day))
        {
            if u16::try_from(row.interval_minutes) != Ok(minutes) {
                let text = format!(
                    "Meter {} measures every {minutes} minutes, and its values of {} are of {}.",
                    meter.serial, row.day, row.interval_minutes
                );
                return Err(Lacking("rating_failed", text));
            }
            found.insert(row.day, day(row)?);
        }
        let gone: Vec<NaiveDate> =
            span.dates().filter(|day| in_place(meter, *day) && !found.contains_key(day)).collect();
        missing.extend(runs(&gone));
        for day in found.values() {
            let want = if day.values.len() * usize::from(minutes) == 1440 {
                day.values.len()
            } else {
                intervals(zone, day.date, minutes)
            };
            let have = day.values.len().min(want) - day.count(Quality::Missing).min(want);
            if have < want || day.values.len() != want {
                missing.push(format!("{} ({have} of {want} values)", day.date));
            }
        }
        profiles.push(Profile { zone, minutes, direction: Direction::Import, days: found.into_values().collect() });
    }
    let parts: Vec<&Profile> = profiles.iter().collect();
    let whole =
        merge(&parts).map_err(|error| Lacking("rating_failed", format!("The meters cannot be added up: {error}.")))?;
    Ok(Measured::Profile(whole))
}

/// A stored value that cannot be read: the customer gets no bill, and the exception names the row.
fn unreadable(fault: Unreadable) -> Lacking {
    Lacking("rating_failed", format!("{fault}."))
}

fn day(row: &DayRow) -> Result<DayUsage, Lacking> {
    let fault = || {
        let day = format!("of meter {} on {}", row.meter_id, row.day);
        unreadable(Unreadable::new("interval_days", day, "flags", "a flag is no quality of a value"))
    };
    let code = |(at, value): (usize, &Option<i32>)| match (value, &row.flags) {
        (None, _) => Ok(Quality::Missing.code()),
        (Some(_), None) => Ok(Quality::Actual.code()),
        (Some(_), Some(flags)) => {
            let flag = flags.get(at).copied().flatten().and_then(|flag| u8::try_from(flag).ok());
            flag.filter(|flag| *flag <= Quality::Edited.code()).ok_or_else(fault)
        }
    };
    let kept = row.flags.is_some() || row.wh.contains(&None);
    let flags = kept.then(|| row.wh.iter().enumerate().map(code).collect::<Result<_, _>>()).transpose()?;
    // A gap counts nothing, and its flag says that it is one.
    let values = row.wh.iter().map(|value| value.unwrap_or(0)).collect();
    Ok(DayUsage { date: row.day, values, flags })
}

fn registers(
    meters: &[&MeterRow],
    rows: &[&ReadRow],
    span: Period,
    missing: &mut Vec<String>,
) -> Result<Vec<RegisterRead>, Lacking> {
    let mut reads: BTreeMap<(NaiveDate, NaiveDate), RegisterRead> = BTreeMap::new();
    for meter in meters {
        let to = meter.valid_to.map_or(span.to(), |to| to.min(span.to()));
        let mut reached = meter.valid_from.max(span.from());
        for row in rows.iter().filter(|row| row.meter_id == meter.id) {
            if row.from_on < reached || row.to_on > to {
                missing.push(format!(
                    "the read {} to {} of meter {} reaches beyond the days billed",
                    row.from_on, row.to_on, meter.serial
                ));
                reached = reached.max(row.to_on);
                continue;
            }
            missing.extend(Period::new(reached, row.from_on).ok().map(|gap| gap.to_string()));
            reached = row.to_on;
            let read = register_read(row)?;
            match reads.get_mut(&(read.from, read.to)) {
                Some(sum) => add(sum, &read),
                None => drop(reads.insert((read.from, read.to), read)),
            }
        }
        missing.extend(Period::new(reached, to).ok().map(|gap| gap.to_string()));
    }
    Ok(reads.into_values().collect())
}

fn register_read(row: &ReadRow) -> Result<RegisterRead, Lacking> {
    let place = || format!("of meter {} from {}", row.meter_id, row.from_on);
    let quality =
        || Unreadable::new("meter_readings", place(), "quality", format!("\"{}\" is no quality", row.quality));
    Ok(RegisterRead {
        tou: Unreadable::json(&row.kwh_by_period, "meter_readings", place(), "kwh_by_period").map_err(unreadable)?,
        peak_kw: row.peak_kw,
        quality: Quality::parse(&row.quality).ok_or_else(|| unreadable(quality()))?,
        ..RegisterRead::total(row.from_on, row.to_on, row.kwh)
    })
}

/// Two meters side by side: energy adds up, their highest demands do not.
fn add(sum: &mut RegisterRead, read: &RegisterRead) {
    sum.kwh += read.kwh;
    for (period, kwh) in &read.tou {
        *sum.tou.entry(period.clone()).or_insert(Decimal::ZERO) += *kwh;
    }
    sum.peak_kw = None;
    sum.quality = sum.quality.max(read.quality);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{CustomerId, MeterId};

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn meter(kind: &str) -> MeterRow {
        MeterRow {
            id: MeterId::fresh(),
            customer_id: CustomerId::fresh(),
            serial: "M1".into(),
            direction: "import".into(),
            kind: kind.into(),
            interval_minutes: (kind == "interval").then_some(15),
            registers: vec![],
            time_zone: "America/New_York".into(),
            valid_from: day("2012-01-01"),
            valid_to: None,
        }
    }

    fn values(meter: &MeterRow, date: &str, count: usize) -> DayRow {
        DayRow { meter_id: meter.id, day: day(date), interval_minutes: 15, wh: vec![Some(10); count], flags: None }
    }

    fn read(meter: &MeterRow, from: &str, to: &str) -> ReadRow {
        let kwh_by_period = serde_json::json!({"on": "4.5"});
        let (from_on, to_on) = (day(from), day(to));
        ReadRow {
            meter_id: meter.id,
            from_on,
            to_on,
            kwh: 10.into(),
            kwh_by_period,
            peak_kw: None,
            quality: "actual".into(),
        }
    }

    fn span(from: &str, to: &str) -> Period {
        Period::new(day(from), day(to)).unwrap()
    }

    #[test]
    fn a_short_day_of_a_clock_change_is_whole() {
        let meter = meter("interval");
        let days = [values(&meter, "2012-03-10", 96), values(&meter, "2012-03-11", 92)];
        let days: Vec<&DayRow> = days.iter().collect();
        let Ok(Measured::Profile(profile)) = measure(&[&meter], &days, &[], span("2012-03-10", "2012-03-12")) else {
            panic!()
        };
        assert_eq!(profile.days.iter().map(|day| day.values.len()).sum::<usize>(), 188);
    }

    #[test]
    fn missing_days_and_values_are_named() {
        let meter = meter("interval");
        let mut days = [values(&meter, "2012-03-01", 96), values(&meter, "2012-03-05", 96)];
        days[1].wh[7] = None;
        let days: Vec<&DayRow> = days.iter().collect();
        let lacking = measure(&[&meter], &days, &[], span("2012-03-01", "2012-03-06")).err().unwrap();
        assert_eq!(
            lacking,
            Lacking(
                "missing_usage",
                "Usage is missing: 2012-03-02 to 2012-03-04, 2012-03-05 (95 of 96 values).".into()
            )
        );
        assert_eq!(measure(&[&meter], &[], &[], span("2012-03-01", "2012-03-06")).err().unwrap().0, "no_usage");
    }

    #[test]
    fn reads_must_follow_each_other_over_the_days_billed() {
        let meter = meter("register");
        let reads = [read(&meter, "2012-03-01", "2012-03-11"), read(&meter, "2012-03-15", "2012-04-01")];
        let reads: Vec<&ReadRow> = reads.iter().collect();
        let lacking = measure(&[&meter], &[], &reads, span("2012-03-01", "2012-04-01")).err().unwrap();
        assert_eq!(lacking.1, "Usage is missing: 2012-03-11 to 2012-03-14.");
        let lacking = measure(&[&meter], &[], &reads, span("2012-03-01", "2012-03-20")).err().unwrap();
        assert!(lacking.1.contains("reaches beyond"), "{}", lacking.1);
    }

    #[test]
    fn an_exchanged_register_meter_continues_where_the_old_one_ended() {
        let (mut old, mut new) = (meter("register"), meter("register"));
        old.valid_to = Some(day("2012-03-11"));
        new.valid_from = day("2012-03-11");
        let reads = [read(&old, "2012-03-01", "2012-03-11"), read(&new, "2012-03-11", "2012-04-01")];
        let reads: Vec<&ReadRow> = reads.iter().collect();
        let Ok(Measured::Reads(reads)) = measure(&[&old, &new], &[], &reads, span("2012-03-01", "2012-04-01")) else {
            panic!()
        };
        assert_eq!((reads.len(), reads[0].tou["on"].to_string()), (2, "4.5".to_owned()));
    }
}
