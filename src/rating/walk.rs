//! The days of a profile: which of them, and whether they are whole.

use crate::usage::days::intervals;
use crate::usage::{DayUsage, Profile, Quality};
use crate::values::period::Period;

use rust_decimal::Decimal;

use super::error::RatingError;

/// The days of a period, every one of them and whole.
///
/// # Errors
/// The first day that is not there, has values missing, or has the wrong number of them.
pub fn days(profile: &Profile, period: Period) -> Result<&[DayUsage], RatingError> {
    let first = profile.days.partition_point(|day| day.date < period.from());
    let after = profile.days.partition_point(|day| day.date < period.to());
    let days = profile.days.get(first..after).unwrap_or_default();
    let mut date = period.from();
    for day in days {
        if day.date != date {
            return Err(RatingError::DayMissing(date));
        }
        whole(profile, day)?;
        date = date.succ_opt().unwrap_or(date);
    }
    if date == period.to() { Ok(days) } else { Err(RatingError::DayMissing(date)) }
}

fn whole(profile: &Profile, day: &DayUsage) -> Result<(), RatingError> {
    let have = day.values.len();
    // A day of the usual length is taken at its word: to ask the zone is a hundred times slower.
    if have * usize::from(profile.minutes) != 1440 || day.flags.as_ref().is_some_and(|flags| flags.len() != have) {
        let want = intervals(profile.zone, day.date, profile.minutes);
        if have != want || day.flags.as_ref().is_some_and(|flags| flags.len() != have) {
            return Err(RatingError::DayLength { date: day.date, have, want });
        }
    }
    let missing = if day.flags.is_some() { day.count(Quality::Missing) } else { 0 };
    if missing > 0 { Err(RatingError::ValuesMissing { date: day.date, missing }) } else { Ok(()) }
}

/// Whether any value of the day was estimated.
pub fn estimated(day: &DayUsage) -> bool {
    day.flags.as_ref().is_some_and(|flags| flags.contains(&Quality::Estimated.code()))
}

/// Watt-hours within a window of some minutes as average kW: in milliwatts, half away from zero.
pub fn kilowatts(wh: i64, minutes: u16) -> Decimal {
    let minutes = i64::from(minutes.max(1));
    // The energy of a window is a sum of few 32-bit values: 60,000 times that has room.
    let energy = wh.saturating_mul(60_000);
    let mut power = (energy.abs() + minutes / 2) / minutes * energy.signum();
    let mut scale = 6;
    while scale > 0 && power % 10 == 0 {
        power /= 10;
        scale -= 1;
    }
    Decimal::new(power, scale)
}
