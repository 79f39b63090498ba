//! Household usage made from the reference load: the same weekday and season, scaled, shifted and varied.
//! Whole watt-hours all along.

use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;

use super::seed::Seed;
use crate::usage::days::intervals;
use crate::values::period::Period;

const REFERENCE: &str = include_str!("residential_2018.csv");

/// The reference year: 365 days of 24 hours in watt-hours.
pub struct Reference {
    days: Vec<Vec<i64>>,
    totals: Vec<i64>,
}

/// How one customer differs from the reference.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Permille of the reference.
    pub scale: i64,
    /// Permille for each month of the year.
    pub season: [i64; 12],
    /// Hours by which the day begins later.
    pub shift: usize,
    /// Chance of its own.
    pub seed: Seed,
}

impl Reference {
    pub fn read() -> Self {
        let days: Vec<Vec<i64>> =
            REFERENCE.lines().map(|line| line.split(',').filter_map(|value| value.parse().ok()).collect()).collect();
        let totals = days.iter().map(|day: &Vec<i64>| day.iter().sum()).collect();
        Self { days, totals }
    }

    /// The day of 2018 nearest in the year that falls on the same weekday.
    fn like(&self, date: NaiveDate) -> usize {
        let at = i64::from(date.ordinal0().min(364));
        // 1 January 2018 was a Monday.
        let apart = (i64::from(date.weekday().num_days_from_monday()) - at % 7).rem_euclid(7);
        let near = if apart > 3 { at + apart - 7 } else { at + apart };
        let inside = if near < 0 {
            near + 7
        } else if near > 364 {
            near - 7
        } else {
            near
        };
        usize::try_from(inside).unwrap_or(0)
    }

    /// The values of a local day, `minutes` apart.
    pub fn day(&self, shape: &mut Shape, zone: Tz, date: NaiveDate, minutes: u16) -> Vec<i32> {
        let hours = &self.days[self.like(date)];
        let away = if shape.seed.chance(3) { 320 } else { 1000 };
        let level = shape.scale * shape.season[month(date)] / 1000 * away / 1000;
        let per_hour = usize::from(60 / minutes.max(1)).max(1);
        (0..intervals(zone, date, minutes))
            .map(|at| {
                let value = hours[(at / per_hour + 24 - shape.shift) % 24] * level / 1000;
                let varied = value * shape.seed.between(780, 1220) / 1000 / i64::try_from(per_hour).unwrap_or(1);
                i32::try_from(varied).unwrap_or(0)
            })
            .collect()
    }

    /// Whole kWh that a register advances over some days.
    pub fn advance(&self, shape: &mut Shape, period: Period) -> i64 {
        let wh: i64 = period
            .dates()
            .map(|date| self.totals[self.like(date)] * shape.scale / 1000 * shape.season[month(date)] / 1000)
            .sum();
        (wh * shape.seed.between(880, 1120) / 1_000_000).max(1)
    }
}

fn month(date: NaiveDate) -> usize {
    usize::try_from(date.month0()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_takes_after_one_of_the_same_weekday_and_season() {
        let reference = Reference::read();
        for date in "2024-01-01".parse::<NaiveDate>().unwrap().iter_days().take(1500) {
            let like = NaiveDate::from_yo_opt(2018, u32::try_from(reference.like(date)).unwrap() + 1).unwrap();
            assert_eq!(like.weekday(), date.weekday(), "{date} {like}");
            assert!((i64::from(like.ordinal()) - i64::from(date.ordinal())).abs() <= 7, "{date} {like}");
        }
    }

    #[test]
    fn a_day_of_changing_clocks_has_23_or_25_hours() {
        let reference = Reference::read();
        let mut shape = Shape { scale: 1000, season: [1000; 12], shift: 0, seed: Seed::named("test") };
        let mut count =
            |date: &str| reference.day(&mut shape, chrono_tz::Europe::Berlin, date.parse().unwrap(), 60).len();
        assert_eq!((count("2026-03-29"), count("2026-10-25"), count("2026-01-01")), (23, 25, 24));
    }
}
