//! Several meters of one account as one profile: a second meter beside the first, or one that replaced it.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::{DayUsage, Profile};

/// Why profiles cannot be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// Nothing to add.
    #[error("there is no profile to add up")]
    Nothing,
    /// Zones or directions differ.
    #[error("profiles of different {0} cannot be added")]
    Different(&'static str),
    /// A day has different numbers of values.
    #[error("{0} has different numbers of intervals")]
    Day(NaiveDate),
    /// More energy in an interval than a value holds.
    #[error("an interval of {0} comes to more energy than any meter measures")]
    TooMuch(NaiveDate),
}

/// Adds profiles interval by interval, in the longest interval that one of them has. A meter that was not in service
/// ([`Quality::Absent`], or a day that it does not have) adds nothing, so that an exchanged meter and its successor become
/// one profile.
///
/// # Errors
/// [`MergeError`] when the profiles are not alike.
pub fn merge(profiles: &[&Profile]) -> Result<Profile, MergeError> {
    let first = profiles.first().ok_or(MergeError::Nothing)?;
    if let [only] = profiles {
        return Ok(Profile::clone(only));
    }
    // There is a first one.
    let minutes = profiles.iter().map(|profile| profile.minutes).max().unwrap_or(first.minutes);
    let mut days: BTreeMap<NaiveDate, DayUsage> = BTreeMap::new();
    for profile in profiles {
        alike(first, profile)?;
        for day in &profile.days {
            let day = day.coarser(profile.minutes, minutes)?;
            match days.get_mut(&day.date) {
                None => drop(days.insert(day.date, day)),
                Some(sum) => add(sum, &day)?,
            }
        }
    }
    Ok(Profile { days: days.into_values().collect(), minutes, ..Profile::clone(first) })
}

fn alike(one: &Profile, other: &Profile) -> Result<(), MergeError> {
    let same = [(one.zone == other.zone, "zones"), (one.direction == other.direction, "directions")];
    same.into_iter().find(|(same, _)| !same).map_or(Ok(()), |(_, what)| Err(MergeError::Different(what)))
}

fn add(sum: &mut DayUsage, day: &DayUsage) -> Result<(), MergeError> {
    if sum.values.len() != day.values.len() {
        return Err(MergeError::Day(day.date));
    }
    let flags: Vec<u8> = (0..day.values.len()).map(|at| sum.quality(at).with(day.quality(at)).code()).collect();
    for (total, value) in sum.values.iter_mut().zip(&day.values) {
        *total = total.checked_add(*value).ok_or(MergeError::TooMuch(day.date))?;
    }
    sum.flags = flags.iter().any(|code| *code != 0).then_some(flags);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::{Direction, Quality};

    fn profile(date: &str, values: Vec<i32>, flags: Option<Vec<u8>>) -> Profile {
        let day = DayUsage { date: date.parse().unwrap(), values, flags };
        Profile { zone: chrono_tz::UTC, minutes: 60, direction: Direction::Import, days: vec![day] }
    }

    #[test]
    fn an_exchanged_meter_and_its_successor_are_one_profile() {
        let absent = Quality::Absent.code();
        let old = profile("2026-01-01", vec![1, 2, 0], Some(vec![0, 0, absent]));
        let new = profile("2026-01-01", vec![0, 0, 4], Some(vec![absent, absent, 0]));
        let both = merge(&[&old, &new]).unwrap();
        assert_eq!(both.days, [DayUsage::actual("2026-01-01".parse().unwrap(), vec![1, 2, 4])]);
    }

    #[test]
    fn a_value_missing_in_one_meter_is_missing_in_the_sum() {
        let one = profile("2026-01-01", vec![1, 2], None);
        let two = profile("2026-01-01", vec![1, 0], Some(vec![1, 255]));
        assert_eq!(merge(&[&one, &two]).unwrap().days[0].flags, Some(vec![1, 255]));
    }

    #[test]
    fn meters_of_different_interval_lengths_are_added_in_the_longer_one() {
        let fine = profile("2026-01-01", vec![1, 2, 3, 4], Some(vec![0, 1, 0, 255]));
        let fine = Profile { minutes: 30, ..fine };
        let both = merge(&[&fine, &profile("2026-01-01", vec![10, 20], None)]).unwrap();
        assert_eq!((both.minutes, &both.days[0].values), (60, &vec![13, 27]));
        assert_eq!(both.days[0].flags, Some(vec![1, 255]), "estimated in part, missing in part");
        let odd = Profile { minutes: 30, ..profile("2026-01-01", vec![1, 2, 3], None) };
        assert!(matches!(merge(&[&odd, &profile("2026-01-01", vec![1, 2], None)]), Err(MergeError::Day(_))));
    }

    #[test]
    fn more_than_a_value_holds_is_refused_and_not_cut_off() {
        let one = profile("2026-01-01", vec![i32::MAX], None);
        assert!(matches!(merge(&[&one, &one]), Err(MergeError::TooMuch(_))));
    }
}
