//! From rows to the usage that rating reads, or the days that are missing from it. Pure.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::load::{DayRow, MeterRow, ReadRow};
use crate::db::Unreadable;
use crate::metering::interval_days;
use crate::rating::{Register, Supply};
use crate::receivables::invoices::UsageSource;
use crate::usage::days::intervals;
use crate::usage::{DayUsage, Direction, MergeError, Profile, Quality, RegisterRead, merge};
use crate::values::period::Period;

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

/// The registers of one direction, as far as they are known apart.
pub(super) struct Counted {
    names: Vec<String>,
    meters: String,
    direction: Direction,
    /// `None`: it is all that the direction has.
    own: Option<Measured>,
}

impl Counted {
    /// Which way it counts.
    pub const fn direction(&self) -> Direction {
        self.direction
    }

    /// The register, of what all of its direction come to.
    pub fn register<'u>(&'u self, all: &'u Measured) -> Register<'u> {
        let supply = self.own.as_ref().unwrap_or(all).supply();
        Register { names: &self.names, meter: &self.meters, direction: self.direction, supply }
    }
}

/// Sorts meters of one direction by the names of their registers, and measures each by itself where there are several.
pub(super) fn apart(
    meters: &[&MeterRow],
    direction: Direction,
    days: &[&DayRow],
    reads: &[&ReadRow],
    span: Period,
) -> Result<Vec<Counted>, Lacking> {
    let key = |meter: &MeterRow| meter.registers.iter().map(|name| name.trim().to_lowercase()).collect::<Vec<_>>();
    let mut groups: BTreeMap<Vec<String>, Vec<&MeterRow>> = BTreeMap::new();
    for meter in meters {
        groups.entry(key(meter)).or_default().push(*meter);
    }
    let several = groups.len() > 1;
    let counted = |group: Vec<&MeterRow>| {
        let mut serials: Vec<&str> = group.iter().map(|meter| meter.serial.as_str()).collect();
        serials.dedup();
        let own = several.then(|| alone(&group, days, reads, span)).transpose()?;
        let names = group.first().map(|meter| meter.registers.clone()).unwrap_or_default();
        Ok(Counted { names, meters: serials.join(", "), direction, own })
    };
    groups.into_values().map(counted).collect()
}

/// What some meters of a direction counted by themselves. On days when none of them is in place they counted nothing:
/// that some other meter is was looked at when all were added up.
fn alone(meters: &[&MeterRow], days: &[&DayRow], reads: &[&ReadRow], span: Period) -> Result<Measured, Lacking> {
    let mut missing = vec![];
    let measured = if meters.iter().all(|meter| meter.kind == "interval") {
        match profile(meters, days, span, &mut missing)? {
            Measured::Profile(profile) => Measured::Profile(filled(profile, span)),
            reads => reads,
        }
    } else {
        Measured::Reads(filled_reads(registers(meters, reads, span, &mut missing)?, span))
    };
    if missing.is_empty() { Ok(measured) } else { Err(Lacking("missing_usage", told(&missing))) }
}

fn filled(profile: Profile, span: Period) -> Profile {
    let nothing = |date| DayUsage::actual(date, vec![0; intervals(profile.zone, date, profile.minutes)]);
    let mut days: BTreeMap<NaiveDate, DayUsage> = profile.days.iter().map(|day| (day.date, day.clone())).collect();
    for date in span.dates() {
        days.entry(date).or_insert_with(|| nothing(date));
    }
    Profile { days: days.into_values().collect(), ..profile }
}

fn filled_reads(reads: Vec<RegisterRead>, span: Period) -> Vec<RegisterRead> {
    let nothing = |from, to, like: Option<&RegisterRead>| {
        let zero =
            |figures: &BTreeMap<String, Decimal>| figures.keys().map(|name| (name.clone(), Decimal::ZERO)).collect();
        let like = like.cloned().unwrap_or_else(|| RegisterRead::total(from, to, Decimal::ZERO));
        RegisterRead {
            tou: zero(&like.tou),
            peak_kw: like.peak_kw.map(|_| Decimal::ZERO),
            tou_peak_kw: zero(&like.tou_peak_kw),
            ..RegisterRead::total(from, to, Decimal::ZERO)
        }
    };
    let like = reads.first().cloned();
    let (mut reached, mut whole) = (span.from(), vec![]);
    for read in reads {
        if reached < read.from {
            whole.push(nothing(reached, read.from, like.as_ref()));
        }
        reached = read.to;
        whole.push(read);
    }
    if reached < span.to() {
        whole.push(nothing(reached, span.to(), like.as_ref()));
    }
    whole
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
        let mut found: BTreeMap<NaiveDate, (u16, DayUsage)> = BTreeMap::new();
        for row in
            rows.iter().filter(|row| row.meter_id == meter.id && span.contains(row.day) && in_place(meter, row.day))
        {
            // A meter may be set to another length from a day on: each day has its own.
            let Ok(minutes) = u16::try_from(row.interval_minutes) else {
                let day = format!("of meter {} on {}", row.meter_id, row.day);
                let fault = Unreadable::new("interval_days", day, "interval_minutes", "it is no length of an interval");
                return Err(unreadable(fault));
            };
            found.insert(row.day, (minutes, day(row)?));
        }
        let gone: Vec<NaiveDate> =
            span.dates().filter(|day| in_place(meter, *day) && !found.contains_key(day)).collect();
        missing.extend(runs(&gone));
        for (minutes, day) in found.values() {
            let want = if day.values.len() * usize::from(*minutes) == 1440 {
                day.values.len()
            } else {
                intervals(zone, day.date, *minutes)
            };
            let have = day.values.len().min(want) - day.count(Quality::Missing).min(want);
            if have < want || day.values.len() != want {
                missing.push(format!("{} ({have} of {want} values)", day.date));
            }
        }
        profiles.push(if found.is_empty() {
            Profile { zone, minutes, direction: Direction::Import, days: vec![] }
        } else {
            let days = found.values().map(|(minutes, day)| (*minutes, day));
            Profile::of_days(zone, Direction::Import, days).map_err(|error| not_added(&error))?
        });
    }
    let parts: Vec<&Profile> = profiles.iter().collect();
    Ok(Measured::Profile(merge(&parts).map_err(|error| not_added(&error))?))
}

fn not_added(error: &MergeError) -> Lacking {
    Lacking("rating_failed", format!("The meters cannot be added up: {error}."))
}

/// A stored value that cannot be read: the customer gets no bill, and the exception names the row.
fn unreadable(fault: Unreadable) -> Lacking {
    Lacking("rating_failed", format!("{fault}."))
}

fn day(row: &DayRow) -> Result<DayUsage, Lacking> {
    interval_days::read(row.meter_id, row.day, &row.wh, row.flags.as_deref()).map_err(unreadable)
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
    use crate::values::ids::{ContractId, MeterId};

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn meter(kind: &str) -> MeterRow {
        MeterRow {
            id: MeterId::fresh(),
            contract_id: ContractId::fresh(),
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
    fn registers_are_known_apart_by_their_names_and_one_that_came_later_counted_nothing_before() {
        let (mut own, mut night) = (meter("interval"), meter("interval"));
        own.registers = vec!["E1".to_owned()];
        (night.registers, night.valid_from) = (vec!["E2".to_owned()], day("2012-03-02"));
        let days = [values(&own, "2012-03-01", 96), values(&own, "2012-03-02", 96), values(&night, "2012-03-02", 96)];
        let (days, span): (Vec<&DayRow>, _) = (days.iter().collect(), span("2012-03-01", "2012-03-03"));
        let all = measure(&[&own, &night], &days, &[], span).unwrap();
        let counted = apart(&[&own, &night], Direction::Import, &days, &[], span).unwrap();
        let told = counted.iter().map(|counted| {
            let register = counted.register(&all);
            let Supply::Profile(profile) = register.supply else { panic!() };
            (register.name().unwrap().to_owned(), profile.days.len(), profile.wh())
        });
        assert_eq!(told.collect::<Vec<_>>(), [("E1".to_owned(), 2, 1920), ("E2".to_owned(), 2, 960)]);
        own.registers.clear();
        let one = apart(&[&own], Direction::Import, &days, &[], span).unwrap();
        assert_eq!((one.len(), one[0].register(&all).name(), one[0].register(&all).meter), (1, None, "M1"));
    }

    #[test]
    fn what_is_stored_and_cannot_be_read_is_told_with_its_meter() {
        let meter = meter("register");
        let mut row = read(&meter, "2012-03-01", "2012-04-01");
        row.quality = "guess".to_owned();
        let lacking = measure(&[&meter], &[], &[&row], span("2012-03-01", "2012-04-01")).err().unwrap();
        let place = format!("of the row of meter {} from 2012-03-01 cannot be read", meter.id);
        assert_eq!(lacking.1, format!("meter_readings.quality {place}: \"guess\" is no quality."));
        (row.quality, row.kwh_by_period) = ("actual".to_owned(), serde_json::json!(["on"]));
        let lacking = measure(&[&meter], &[], &[&row], span("2012-03-01", "2012-04-01")).err().unwrap();
        assert!(lacking.1.starts_with(&format!("meter_readings.kwh_by_period {place}")), "{}", lacking.1);
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
