//! The zone behind LocalTimeParameters: offsets and coded days of the clock changes, held against the zones that have them.

use chrono::{Datelike, Days, NaiveDate, NaiveTime};
use chrono_tz::Tz;

use super::super::days::offset_minutes;
use super::entry::LocalTime;

/// Zones that stand for those with the same clocks, the most common first.
const ZONES: [Tz; 32] = [
    Tz::America__New_York,
    Tz::America__Chicago,
    Tz::America__Denver,
    Tz::America__Los_Angeles,
    Tz::America__Anchorage,
    Tz::America__Halifax,
    Tz::America__St_Johns,
    Tz::America__Phoenix,
    Tz::America__Regina,
    Tz::America__Panama,
    Tz::America__Puerto_Rico,
    Tz::Pacific__Honolulu,
    Tz::Europe__London,
    Tz::Europe__Berlin,
    Tz::Europe__Athens,
    Tz::Atlantic__Azores,
    Tz::Australia__Sydney,
    Tz::Australia__Adelaide,
    Tz::Australia__Lord_Howe,
    Tz::Australia__Brisbane,
    Tz::Australia__Darwin,
    Tz::Australia__Perth,
    Tz::Pacific__Auckland,
    Tz::Asia__Kolkata,
    Tz::Asia__Tokyo,
    Tz::Asia__Singapore,
    Tz::Asia__Dubai,
    Tz::Africa__Johannesburg,
    Tz::Africa__Lagos,
    Tz::America__Sao_Paulo,
    Tz::Etc__GMTPlus2,
    Tz::UTC,
];

/// A year in which all these zones have the clocks that they have today.
const YEAR: i32 = 2024;

/// The zone whose clocks these are; `None` where none of those known has them.
pub fn zone(local: &LocalTime) -> Option<Tz> {
    let standard = minutes(local.offset?)?;
    // Without a saving the clocks never change.
    let saving = minutes(local.saving.unwrap_or(0))?;
    if saving == 0 {
        return ZONES
            .into_iter()
            .find(|zone| offset(*zone, 1, 15) == Some(standard) && offset(*zone, 7, 15) == Some(standard));
    }
    let (start, end) = (changes_on(&local.start)?, changes_on(&local.end)?);
    let fits = |zone: &Tz| {
        let at = |day: NaiveDate| offset_minutes(*zone, day.and_time(NaiveTime::MIN).and_utc());
        let turns = |day: NaiveDate, before: i32, after: i32| {
            let (one, other) = (day.checked_sub_days(Days::new(1)), day.checked_add_days(Days::new(2)));
            one.zip(other).is_some_and(|(one, other)| at(one) == before && at(other) == after)
        };
        turns(start, standard, standard + saving) && turns(end, standard + saving, standard)
    };
    ZONES.into_iter().find(fits)
}

fn minutes(seconds: i64) -> Option<i32> {
    i32::try_from(seconds / 60).ok().filter(|_| seconds % 60 == 0)
}

fn offset(zone: Tz, month: u32, day: u32) -> Option<i32> {
    NaiveDate::from_ymd_opt(YEAR, month, day).map(|day| offset_minutes(zone, day.and_time(NaiveTime::MIN).and_utc()))
}

/// The day of a coded clock change. From the highest bit: month (4), which day (3), day of the month (5), day of the week
/// from 1 for Monday (3), hour (5), seconds (12). Which day: 0 the day of the month, 1 the weekday on or after it, 2 to 6
/// the first to fifth weekday of the month, 7 the last.
fn changes_on(code: &str) -> Option<NaiveDate> {
    let code = u32::from_str_radix(code.trim(), 16).ok()?;
    let (month, which) = (code >> 28, code >> 25 & 7);
    let (day, weekday) = (code >> 20 & 31, code >> 17 & 7);
    let first = NaiveDate::from_ymd_opt(YEAR, month, 1)?;
    let all = first.iter_days().take_while(|day| day.month() == month);
    let mut of_weekday = all.filter(|day| day.weekday().number_from_monday() == weekday);
    match which {
        0 => NaiveDate::from_ymd_opt(YEAR, month, day),
        1 => of_weekday.find(|found| found.day() >= day),
        7 => of_weekday.last(),
        nth => of_weekday.nth(usize::try_from(nth).ok()?.checked_sub(2)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(offset: i64, saving: i64, start: &str, end: &str) -> Option<Tz> {
        let local = LocalTime { offset: Some(offset), saving: Some(saving), start: start.into(), end: end.into() };
        zone(&local)
    }

    #[test]
    fn offsets_and_coded_changes_name_a_zone_with_these_clocks() {
        for (hours, zone) in [
            (-5, Tz::America__New_York),
            (-6, Tz::America__Chicago),
            (-7, Tz::America__Denver),
            (-8, Tz::America__Los_Angeles),
        ] {
            assert_eq!(told(hours * 3600, 3600, "360E2000", "B40E2000"), Some(zone));
        }
        assert_eq!(told(-7 * 3600, 0, "", ""), Some(Tz::America__Phoenix));
        // The last Sundays of March and October.
        assert_eq!(told(3600, 3600, "3E0E2000", "AE0E3000"), Some(Tz::Europe__Berlin));
        assert_eq!(told(0, 3600, "3E0E1000", "AE0E2000"), Some(Tz::Europe__London));
        // The first Sundays of October and April.
        assert_eq!(told(36_000, 3600, "A40E2000", "440E3000"), Some(Tz::Australia__Sydney));
    }

    #[test]
    fn clocks_that_no_known_zone_has_name_none() {
        assert_eq!(told(-8 * 3600, 3600, "460E2000", "B40E2000"), None, "from April on, as nobody does any more");
        assert_eq!(told(1234, 0, "", ""), None);
        assert_eq!(told(-8 * 3600, 3600, "", "B40E2000"), None);
        assert_eq!(zone(&LocalTime::default()), None);
    }
}
