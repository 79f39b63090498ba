//! Made-up usage, the same every time: for measuring, and for showing what a tariff comes to.

use chrono_tz::Tz;

use crate::period::Period;
use crate::usage::days::intervals;
use crate::usage::{DayUsage, Direction, Profile};

/// A small business: a base load, a working day on top, and some noise; `seed` makes another one.
#[must_use]
pub fn profile(zone: Tz, minutes: u16, period: Period, seed: u64) -> Profile {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut noise = move || {
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
            let load = if (8..19).contains(&hour) { 9_000 } else { 2_500 };
            (load + noise() * 12) * length / 60
        });
        DayUsage::actual(date, values.collect())
    };
    Profile { zone, minutes, direction: Direction::Import, days: period.dates().map(&mut day).collect() }
}
