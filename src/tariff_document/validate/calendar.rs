//! A calendar tells exactly one period for every moment.

use std::collections::HashSet;

use chrono::Datelike;

use super::super::{Calendar, DayKind, MonthDay, Season};
use super::Faults;

pub fn check(faults: &mut Faults, name: &str, calendar: &Calendar) {
    let path = format!("calendars.{name}");
    faults.check(!calendar.periods.is_empty(), &format!("{path}.periods"), "a calendar needs at least one period");
    faults.check(calendar.periods.len() <= 24, &format!("{path}.periods"), "a calendar has at most 24 periods");
    faults.check(calendar.seasons.len() <= 24, &format!("{path}.seasons"), "a calendar has at most 24 seasons");
    unique(faults, &format!("{path}.periods"), calendar.periods.iter());
    for (at, period) in calendar.periods.iter().enumerate() {
        faults.printable(period, &format!("{path}.periods[{at}]"));
    }
    for (at, year) in calendar.no_holidays_in.iter().enumerate() {
        let path = format!("{path}.no_holidays_in[{at}]");
        faults.check((1900..=2200).contains(year), &path, "a year is 1900 to 2200");
        let listed = calendar.holidays.iter().any(|day| day.year() == *year);
        faults.check(!listed, &path, "holidays of this year are listed");
    }
    unique(faults, &format!("{path}.seasons"), calendar.seasons.iter().map(|season| &season.name));
    year(faults, &format!("{path}.seasons"), &calendar.seasons);
    for (at, season) in calendar.seasons.iter().enumerate() {
        patterns(faults, &format!("{path}.seasons[{at}].days"), season, calendar);
    }
}

fn unique<'n>(faults: &mut Faults, path: &str, names: impl Iterator<Item = &'n String>) {
    let mut seen = HashSet::new();
    for (at, name) in names.enumerate() {
        faults.check(!name.trim().is_empty(), &format!("{path}[{at}]"), "a name is missing");
        if !seen.insert(name) {
            faults.add(format!("{path}[{at}]"), format!("{name:?} is there twice"));
        }
    }
}

/// Every day of a leap year lies in one season.
fn year(faults: &mut Faults, path: &str, seasons: &[Season]) {
    let mut open: Option<(MonthDay, MonthDay, usize)> = None;
    let mut runs = vec![];
    for day in MonthDay::all() {
        let count = seasons.iter().filter(|season| season.contains(day)).count();
        match &mut open {
            Some((_, last, same)) if *same == count => *last = day,
            _ => runs.extend(open.replace((day, day, count))),
        }
    }
    runs.extend(open);
    for (from, to, count) in runs.into_iter().filter(|(.., count)| *count != 1) {
        let fault = if count == 0 { "lie in no season: a gap" } else { "lie in more than one season: an overlap" };
        faults.add(path, format!("the days {from} to {to} {fault}"));
    }
}

fn patterns(faults: &mut Faults, path: &str, season: &Season, calendar: &Calendar) {
    let mut count = [0_u8; 8];
    for (at, pattern) in season.days.iter().enumerate() {
        pattern.on.iter().for_each(|day| count[day.index()] = count[day.index()].saturating_add(1));
        let right = matches!(pattern.hours.len(), 24 | 48 | 96);
        faults.check(right, &format!("{path}[{at}].hours"), "a day has 24 hours, 48 half-hours or 96 quarter-hours");
        for (hour, period) in
            pattern.hours.iter().enumerate().filter(|(_, period)| usize::from(**period) >= calendar.periods.len())
        {
            faults.add(format!("{path}[{at}].hours[{hour}]"), format!("there is no period {period}; the first is 0"));
        }
    }
    for day in DayKind::WEEK {
        match count[day.index()] {
            1 => {}
            0 => faults.add(path, format!("{day:?} has no pattern: a gap")),
            _ => faults.add(path, format!("{day:?} has more than one pattern: an overlap")),
        }
    }
    match count[DayKind::Holiday.index()] {
        0 if !calendar.holidays.is_empty() => faults.add(path, "there are holidays and no pattern for them"),
        0 | 1 => {}
        _ => faults.add(path, "holidays have more than one pattern: an overlap"),
    }
}
