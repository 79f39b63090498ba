//! Made-up usage, the same every time: for measuring, and for showing what a tariff comes to.

use chrono_tz::Tz;

use crate::usage::days::intervals;
use crate::usage::{DayUsage, Direction, Profile};
use crate::values::period::Period;

/// A small business: a base load, a working day on top, and some noise; `seed` makes another one.
#[must_use]
pub fn profile(zone: Tz, minutes: u16, period: Period, seed: u64) -> Profile {
    made_up(zone, minutes, period, seed, 12, |hour| if (8..19).contains(&hour) { 9_000 } else { 2_500 })
}

/// A household: little at night, a morning, a long evening; some 300 kWh a month.
#[must_use]
pub fn household(zone: Tz, minutes: u16, period: Period, seed: u64) -> Profile {
    made_up(zone, minutes, period, seed, 1, |hour| match hour {
        0..6 => 140,
        6..9 => 420,
        9..16 => 260,
        16..22 => 780,
        _ => 300,
    })
}

/// `load` in watts by the hour of the day; `noise` up to 255 times as many watts on top.
fn made_up(zone: Tz, minutes: u16, period: Period, seed: u64, noise: i32, load: fn(usize) -> i32) -> Profile {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut random = move || {
        // xorshift64*: quick, and nothing depends on its quality.
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        i32::try_from(state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 56).unwrap_or(0)
    };
    let length = i32::from(minutes);
    let mut day = |date| {
        let count = intervals(zone, date, minutes);
        let values = (0..count).map(|at| {
            let hour = at * usize::from(minutes) / 60;
            (load(hour) + random() * noise) * length / 60
        });
        DayUsage::actual(date, values.collect())
    };
    Profile { zone, minutes, direction: Direction::Import, days: period.dates().map(&mut day).collect() }
}
