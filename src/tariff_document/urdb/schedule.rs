//! Schedules: 12 months of 24 hours, for weekdays and for weekends.

use chrono::Month;
use serde_json::Value;

use super::super::{Calendar, DayKind, DayPattern, MonthDay, Season};
use super::Rate;

/// Twelve months of 24 period numbers.
type Grid = Vec<Vec<u8>>;

/// What a period is called.
pub fn period_name(index: usize) -> String {
    format!("Period {}", index + 1)
}

/// The calendar of two schedules over `periods` rate structures; `None` with a fault noted.
pub fn calendar(rate: &mut Rate<'_>, weekday: &str, weekend: &str, periods: usize) -> Option<Calendar> {
    let (weekdays, weekends) = (grid(rate, weekday, periods)?, grid(rate, weekend, periods)?);
    let months: Vec<(Vec<u8>, Vec<u8>)> = weekdays.into_iter().zip(weekends).collect();
    let seasons = runs(&months).into_iter().map(|(first, last)| {
        let (weekday, weekend) = months.get(first).cloned().unwrap_or_default();
        let days = vec![
            DayPattern { on: DayKind::WEEKDAYS.to_vec(), hours: weekday },
            DayPattern { on: DayKind::WEEKEND.to_vec(), hours: weekend },
        ];
        season(first, last, days)
    });
    Some(Calendar {
        seasons: seasons.collect(),
        periods: (0..periods).map(period_name).collect(),
        holidays: vec![],
        no_holidays_in: vec![],
    })
}

/// A calendar of seasons alone, from one number a month; with each season's number.
pub fn of_months(numbers: &[usize]) -> (Calendar, Vec<(String, usize)>) {
    let day = || vec![DayPattern { on: DayKind::WEEK.to_vec(), hours: vec![0; 24] }];
    let runs = runs(numbers);
    let seasons: Vec<Season> = runs.iter().map(|(first, last)| season(*first, *last, day())).collect();
    let numbered = seasons
        .iter()
        .zip(&runs)
        .map(|(season, (first, _))| (season.name.clone(), numbers.get(*first).copied().unwrap_or(0)));
    let numbered = numbered.collect();
    (Calendar { seasons, periods: vec!["Any time".to_owned()], holidays: vec![], no_holidays_in: vec![] }, numbered)
}

/// Runs of equal months, first and last from 0.
fn runs<T: PartialEq>(months: &[T]) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = vec![];
    for month in 0..months.len() {
        match runs.last_mut() {
            Some((first, last)) if months.get(*first) == months.get(month) => *last = month,
            _ => runs.push((month, month)),
        }
    }
    runs
}

fn season(first: usize, last: usize, days: Vec<DayPattern>) -> Season {
    let day = |month: usize, day: u32| MonthDay::new(u32::try_from(month + 1).unwrap_or(1), day);
    let end = (28..=31).rev().find_map(|date| day(last, date));
    let month = |place: usize| u8::try_from(place + 1).ok().and_then(|number| Month::try_from(number).ok());
    let name = |place: usize| month(place).map_or("", |month| month.name());
    let label = match (first, last) {
        (0, 11) => "All year".to_owned(),
        (first, last) if first == last => name(first).to_owned(),
        (first, last) => format!("{} to {}", name(first), name(last)),
    };
    let whole = Season::all_year(days);
    Season { name: label, from: day(first, 1).unwrap_or(whole.from), to: end.unwrap_or(whole.to), ..whole }
}

/// Whether each schedule that is there names the one period that there is; without a schedule it holds all the time.
pub fn only_period(rate: &mut Rate<'_>, schedules: [&str; 2]) -> bool {
    let there = schedules.map(|field| rate.get(field).is_none() || grid(rate, field, 1).is_some());
    there.iter().all(|fine| *fine)
}

/// Notes a fault of each schedule that is there while its rate structure is not.
pub fn without_structure(rate: &mut Rate<'_>, structure: &str, schedules: &[&str]) {
    for field in schedules {
        if rate.get(field).is_some() {
            rate.fault(field, "", format!("it names no period: {structure} is not there"));
        }
    }
}

fn grid(rate: &mut Rate<'_>, field: &str, periods: usize) -> Option<Grid> {
    let Some(value) = rate.get(field) else {
        rate.fault(field, "", "the schedule is missing");
        return None;
    };
    let Some(rows) = value.as_array().filter(|rows| rows.len() == 12) else {
        rate.fault(field, "", "a schedule has 12 months of 24 hours");
        return None;
    };
    let mut grid = vec![];
    for (month, row) in rows.iter().enumerate() {
        let Some(row) = row.as_array().filter(|row| row.len() == 24) else {
            rate.fault(field, &format!("[{month}]"), "a month of a schedule has 24 hours");
            return None;
        };
        let mut hours = vec![];
        for (hour, value) in row.iter().enumerate() {
            hours.push(entry(rate, value, periods, &format!("[{month}][{hour}]"), field)?);
        }
        grid.push(hours);
    }
    Some(grid)
}

fn entry(rate: &mut Rate<'_>, value: &Value, periods: usize, place: &str, field: &str) -> Option<u8> {
    let found = index(value).filter(|index| *index < periods).and_then(|index| u8::try_from(index).ok());
    if found.is_none() {
        rate.fault(field, place, format!("{value} is no period: there are {periods}, from 0"));
    }
    found
}

/// A whole number, also where it is written 1.0.
pub fn index(value: &Value) -> Option<usize> {
    let number = super::fields::decimal(value.as_number()?)?.normalize();
    (number.scale() == 0).then(|| usize::try_from(number.mantissa()).ok()).flatten()
}
