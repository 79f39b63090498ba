//! The usage and the prices of a bill that might have been.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;

use super::super::compile::CompiledTariff;
use super::super::input::{Register, Supply, UsageInput};
use super::Case;
use crate::usage::days::intervals;
use crate::usage::{DayUsage, Profile, Quality, RegisterRead};
use crate::values::money::Rounding;
use crate::values::period::Period;

/// Usage made for a hypothesis.
pub struct Usage<'a> {
    import: Made<'a>,
    export: Option<Made<'a>>,
    /// Each register of the usage that was measured.
    registers: Vec<(Register<'a>, Made<'a>)>,
}

enum Made<'a> {
    /// As it was.
    Own(Supply<'a>),
    Profile(Profile),
    Reads(Vec<RegisterRead>),
}

impl Made<'_> {
    fn supply(&self) -> Supply<'_> {
        match self {
            Self::Own(supply) => *supply,
            Self::Profile(profile) => Supply::Profile(profile),
            Self::Reads(reads) => Supply::Reads(reads),
        }
    }
}

impl Usage<'_> {
    /// Its registers, for [`Usage::input`].
    pub fn registers(&self) -> Vec<Register<'_>> {
        self.registers.iter().map(|(register, made)| Register { supply: made.supply(), ..*register }).collect()
    }

    pub fn input<'u>(&'u self, registers: &'u [Register<'u>]) -> UsageInput<'u> {
        UsageInput { import: self.import.supply(), export: self.export.as_ref().map(Made::supply), registers }
    }
}

/// What was measured in one case and estimated in the other, on the days of a period.
pub fn usage<'a>(measured: &Case<'a>, estimated: &Case<'a>, days: Period) -> Usage<'a> {
    if std::ptr::eq(measured, estimated) && measured.period == days {
        let own = |register: &Register<'a>| (*register, Made::Own(register.supply));
        let registers = measured.usage.registers.iter().map(own).collect();
        let export = measured.usage.export.map(Made::Own);
        return Usage { import: Made::Own(measured.usage.import), export, registers };
    }
    let import = mixed((measured.usage.import, measured.period), (estimated.usage.import, estimated.period), days);
    let export = measured.usage.export.map(|export| {
        let other = estimated.usage.export.map_or((export, measured.period), |other| (other, estimated.period));
        mixed((export, measured.period), other, days)
    });
    let register = |register: &Register<'a>| {
        let own = (register.supply, measured.period);
        let same = |other: &&Register<'a>| other.direction == register.direction && other.names == register.names;
        let other = estimated.usage.registers.iter().find(same);
        let other = other.map_or(own, |other| (other.supply, estimated.period));
        (*register, mixed(own, other, days))
    };
    let registers = measured.usage.registers.iter().map(register).collect();
    Usage { import, export, registers }
}

/// The versions that hold on some days: a case's own where these are its days; on others its last one, for the price of a
/// bill is what it ends with.
pub fn versions<'a>(prices: &Case<'a>, days: &Case<'_>) -> Vec<(NaiveDate, &'a CompiledTariff)> {
    if prices.period == days.period {
        return prices.versions.to_vec();
    }
    let held = prices.versions.iter().filter(|(from, _)| *from < prices.period.to());
    held.max_by_key(|(from, _)| *from).map(|(_, tariff)| (days.period.from(), *tariff)).into_iter().collect()
}

fn mixed(measured: (Supply<'_>, Period), estimated: (Supply<'_>, Period), days: Period) -> Made<'static> {
    match (measured.0, estimated.0) {
        (Supply::Profile(one), Supply::Profile(other)) if one.minutes == other.minutes && one.zone == other.zone => {
            Made::Profile(profile((one, measured.1), (other, estimated.1), days))
        }
        // Meters of another kind have no estimates in common: all of it is usage.
        (Supply::Profile(one), _) => Made::Profile(profile((one, measured.1), (one, measured.1), days)),
        (Supply::Reads(one), Supply::Reads(other)) => {
            Made::Reads(vec![read((one, measured.1), (other, estimated.1), days)])
        }
        (Supply::Reads(one), _) => Made::Reads(vec![read((one, measured.1), (one, measured.1), days)]),
    }
}

/// Each day of the period as the like day of either case: the same weekday in the same week of its period.
fn profile(measured: (&Profile, Period), estimated: (&Profile, Period), days: Period) -> Profile {
    let (one, other) = (Days::of(measured), Days::of(estimated));
    let made = days.dates().enumerate().map(|(at, date)| {
        let count = intervals(measured.0.zone, date, measured.0.minutes);
        let own = one.like(at, date).map(|day| part(day, count, false)).unwrap_or_else(|| vec![0; count]);
        let guess = other.like(at, date).map(|day| part(day, count, true)).unwrap_or_else(|| vec![0; count]);
        let values = own.iter().zip(&guess).map(|(own, guess)| own.saturating_add(*guess)).collect();
        DayUsage::actual(date, values)
    });
    Profile { days: made.collect(), ..*measured.0 }
}

/// The values of a day that were measured, or those that were estimated, the others 0. A day of another length, when clocks
/// change, is stretched.
fn part(day: &DayUsage, count: usize, estimated: bool) -> Vec<i32> {
    let length = day.values.len();
    let of = |at: usize| {
        let from = at * length / count.max(1);
        let wanted = (day.quality(from) == Quality::Estimated) == estimated;
        if wanted { day.values.get(from).copied().unwrap_or(0) } else { 0 }
    };
    (0..count).map(of).collect()
}

/// The days of a case by weekday.
struct Days<'p> {
    all: Vec<&'p DayUsage>,
    weekdays: [Vec<&'p DayUsage>; 7],
}

impl<'p> Days<'p> {
    fn of((profile, period): (&'p Profile, Period)) -> Self {
        let all: Vec<&DayUsage> = profile.days.iter().filter(|day| period.contains(day.date)).collect();
        let mut weekdays: [Vec<&DayUsage>; 7] = Default::default();
        for day in &all {
            if let Some(days) = weekdays.get_mut(weekday(day.date)) {
                days.push(day);
            }
        }
        Self { all, weekdays }
    }

    /// The day like the `at`th of a period: itself in its own period.
    fn like(&self, at: usize, date: NaiveDate) -> Option<&'p DayUsage> {
        let same = self.weekdays.get(weekday(date)).filter(|days| !days.is_empty()).unwrap_or(&self.all);
        let place = if std::ptr::eq(same, &self.all) { at } else { at / 7 };
        same.get(place % same.len().max(1)).copied()
    }
}

fn weekday(date: NaiveDate) -> usize {
    usize::try_from(date.weekday().num_days_from_monday()).unwrap_or(0)
}

/// One read for the period: energy by days, the highest demand as it was.
fn read(measured: (&[RegisterRead], Period), estimated: (&[RegisterRead], Period), days: Period) -> RegisterRead {
    let mut sum = RegisterRead::total(days.from(), days.to(), Decimal::ZERO);
    let mut peaks: BTreeMap<String, Decimal> = BTreeMap::new();
    for ((reads, period), guess) in [(measured, false), (estimated, true)] {
        let scaled = |kwh: Decimal| {
            let exact = kwh * Decimal::from(days.days()) / Decimal::from(period.days());
            Rounding::HalfAwayFromZero.apply(exact, 3)
        };
        for read in reads {
            // Every register is there, also where it counts nothing.
            let counts = (read.quality == Quality::Estimated) == guess;
            let kwh = |kwh: Decimal| if counts { scaled(kwh) } else { Decimal::ZERO };
            sum.kwh += kwh(read.kwh);
            for (name, value) in &read.tou {
                *sum.tou.entry(name.clone()).or_default() += kwh(*value);
            }
            if counts || sum.peak_kw.is_none() {
                sum.peak_kw = sum.peak_kw.max(read.peak_kw);
                for (name, kw) in &read.tou_peak_kw {
                    let highest = peaks.entry(name.clone()).or_default();
                    *highest = (*highest).max(*kw);
                }
            }
        }
    }
    sum.tou_peak_kw = peaks;
    sum
}
