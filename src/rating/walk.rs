//! Walking the days of a profile: which days, whether they are whole, and their values.

use crate::period::Period;
use crate::usage::days::intervals;
use crate::usage::{DayUsage, Profile, Quality};

use rust_decimal::Decimal;

use super::calendar::Segment;
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

/// Watt-hours of some values: their lower and upper halves apart, which processors add up four at a time.
pub fn sum(values: &[i32]) -> i64 {
    let chunk = |values: &[i32]| {
        let (mut low, mut high) = (0, 0);
        for value in values {
            low += value & 0xFFFF;
            high += value >> 16;
        }
        i64::from(high) * 0x1_0000 + i64::from(low)
    };
    // So few that neither half can overflow.
    values.chunks(0x7FFF).map(chunk).sum()
}

/// Tells the energy of every window of `length` intervals with the cell in which it begins; where a window
/// is one interval, only the greatest of each segment.
pub fn windows(values: &[i32], segments: &[Segment], length: usize, mut note: impl FnMut(u16, i64)) {
    for segment in segments {
        if length <= 1 {
            let values = values.get(segment.from..segment.to).unwrap_or_default();
            if !values.is_empty() {
                note(segment.cell, values.iter().copied().fold(i32::MIN, i32::max).into());
            }
            continue;
        }
        let first = segment.from.next_multiple_of(length);
        for start in (first..segment.to).step_by(length) {
            let end = (start + length).min(values.len());
            note(segment.cell, sum(values.get(start..end).unwrap_or_default()));
        }
    }
}

/// Watt-hours within a window of some minutes as average kW.
pub fn kilowatts(wh: i64, minutes: u16) -> Decimal {
    // In milliwatts, half away from zero.
    let (energy, minutes) = (i128::from(wh) * 60_000, i128::from(minutes.max(1)));
    let mut power = (energy.abs() * 2 + minutes) / (minutes * 2) * energy.signum();
    let mut scale = 6;
    while scale > 0 && power % 10 == 0 {
        power /= 10;
        scale -= 1;
    }
    Decimal::from_i128_with_scale(power, scale)
}
