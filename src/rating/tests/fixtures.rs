//! Small tariffs and profiles.

use chrono::NaiveDate;
use chrono_tz::Tz;
use rust_decimal::Decimal;

use super::super::{Bill, CompiledTariff, History, LineKind, UsageInput, rate};
use crate::tariff_document::TariffDocument;
use crate::usage::days::intervals;
use crate::usage::{DayUsage, Direction, Profile};
use crate::values::period::Period;

pub fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Written `2026-01-01/2026-02-01`.
pub fn period(text: &str) -> Period {
    let (from, to) = text.split_once('/').unwrap();
    Period::new(date(from), date(to)).unwrap()
}

pub fn compile(tariff: &TariffDocument) -> CompiledTariff {
    CompiledTariff::new(tariff).unwrap_or_else(|faults| panic!("{faults:?}"))
}

/// A profile of whole local days; `wh` tells the value by day and interval.
pub fn profile_of(zone: Tz, minutes: u16, period: Period, wh: impl Fn(NaiveDate, usize) -> i32) -> Profile {
    let day = |date| DayUsage::actual(date, (0..intervals(zone, date, minutes)).map(|at| wh(date, at)).collect());
    Profile { zone, minutes, direction: Direction::Import, days: period.dates().map(day).collect() }
}

pub fn bill(tariff: &TariffDocument, profile: &Profile, period: Period) -> Bill {
    rate(&compile(tariff), &UsageInput::profile(profile), period, &History::default()).unwrap()
}

/// The lines of a kind as (period, block, quantity, amount).
pub fn brief(bill: &Bill, kind: LineKind) -> Vec<(String, u16, String, String)> {
    let lines = bill.lines.iter().filter(|line| line.item.kind == kind);
    lines
        .map(|line| {
            (
                line.item.tou_period.clone().unwrap_or_default(),
                line.item.block.unwrap_or(0),
                line.quantity.normalize().to_string(),
                line.amount.to_string(),
            )
        })
        .collect()
}

/// The same from text: `on-peak/1/100/12.50`.
pub fn lines(texts: &[&str]) -> Vec<(String, u16, String, String)> {
    let line = |text: &&str| {
        let mut parts = text.split('/').map(str::to_owned);
        let mut next = || parts.next().unwrap();
        (next(), next().parse().unwrap(), next(), next())
    };
    texts.iter().map(line).collect()
}

/// On-peak from 16:00 to 21:00 on weekdays.
pub fn tou(zone: Tz, on_peak: &str, off_peak: &str) -> TariffDocument {
    let mut weekday = [0; 24];
    weekday[16..21].fill(1);
    TariffDocument::time_of_use(
        "T",
        "EUR",
        zone,
        &[("off-peak", decimal(off_peak)), ("on-peak", decimal(on_peak))],
        weekday,
        [0; 24],
    )
}

/// 0.10 up to 100 kWh, then 0.20.
pub fn tiered(zone: Tz) -> TariffDocument {
    TariffDocument::tiered("T", "EUR", zone, &[(Some(decimal("100")), decimal("0.1")), (None, decimal("0.2"))])
}
