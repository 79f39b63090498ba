//! The hours of a day in words: `On-peak 16:00–21:00; Shoulder 12:00–16:00`. Hours that are not named belong to the
//! calendar's first period.

use super::DayKind;

/// A day's pattern ([`DayPattern::hours`](super::DayPattern::hours)) in words; empty where the first period holds all day.
#[must_use]
pub fn write(hours: &[u8], periods: &[String]) -> String {
    let parts = periods.iter().enumerate().skip(1).filter_map(|(index, name)| {
        let runs = runs(hours, index);
        match runs.as_slice() {
            [] => None,
            [(0, end)] if *end == hours.len() => Some(name.clone()),
            _ => Some(format!("{name} {}", of(hours, index))),
        }
    });
    parts.collect::<Vec<_>>().join("; ")
}

/// The hours of one period: `16:00–21:00, 23:00–24:00`; empty where it has none.
#[must_use]
pub fn of(hours: &[u8], period: usize) -> String {
    let clocks = |(from, to): (usize, usize)| clock(from, hours.len()) + "–" + &clock(to, hours.len());
    runs(hours, period).into_iter().map(clocks).collect::<Vec<_>>().join(", ")
}

/// Where a period begins and ends, as places in the pattern.
fn runs(hours: &[u8], period: usize) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = vec![];
    for (at, _) in hours.iter().enumerate().filter(|(_, index)| usize::from(**index) == period) {
        match runs.last_mut() {
            Some((_, end)) if *end == at => *end = at + 1,
            _ => runs.push((at, at + 1)),
        }
    }
    runs
}

/// `16:30`: the beginning of a part of a day that has so many.
fn clock(part: usize, parts: usize) -> String {
    let minutes = part * 24 * 60 / parts.max(1);
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Reads what [`write`] writes; `16-21` does for `16:00–21:00`. The pattern has 24 parts, or 48 or 96 where it must.
///
/// # Errors
/// A sentence that names what cannot be read.
pub fn read(text: &str, periods: &[String]) -> Result<Vec<u8>, String> {
    let mut quarters = [None; 96];
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (index, after) = period(rest, periods)?;
        let (ranges, next) = after.split_once(';').unwrap_or((after, ""));
        let mut named = false;
        for range in ranges.split([',', ' ']).map(str::trim).filter(|range| !range.is_empty()) {
            let (from, to) = quarter_range(range)?;
            fill(&mut quarters, from..to, index, range)?;
            named = true;
        }
        if !named {
            fill(&mut quarters, 0..96, index, "the whole day")?;
        }
        rest = next.trim();
    }
    Ok(coarse(&quarters.map(Option::unwrap_or_default)))
}

/// The period that a text begins with, the longest name first, and what follows it.
fn period<'t>(text: &'t str, periods: &[String]) -> Result<(u8, &'t str), String> {
    let begins = |name: &String| {
        let head = text.get(..name.len()).filter(|head| !name.is_empty() && head.eq_ignore_ascii_case(name))?;
        let after = text.get(head.len()..)?;
        after.chars().next().is_none_or(|c| c.is_whitespace() || matches!(c, ':' | ';')).then_some(after)
    };
    let found = periods.iter().enumerate().filter_map(|(at, name)| Some((at, name.len(), begins(name)?)));
    let (at, _, after) = found.max_by_key(|(_, length, _)| *length).ok_or_else(|| {
        format!(
            "“{text}” does not begin with a period of this calendar. Write for example “{} 16–21”.",
            example(periods)
        )
    })?;
    let index = u8::try_from(at).map_err(|_| "A calendar has at most 24 periods.".to_owned())?;
    Ok((index, after.trim_start().trim_start_matches(':')))
}

fn example(periods: &[String]) -> &str {
    periods.get(1).or_else(|| periods.first()).map_or("On-peak", String::as_str)
}

fn fill(quarters: &mut [Option<u8>; 96], range: std::ops::Range<usize>, index: u8, told: &str) -> Result<(), String> {
    for quarter in quarters.get_mut(range).unwrap_or_default() {
        if quarter.is_some_and(|other| other != index) {
            return Err(format!("{told} overlaps with hours of another period."));
        }
        *quarter = Some(index);
    }
    Ok(())
}

/// `16–21`, `16:30-21:00` as quarter-hours.
fn quarter_range(text: &str) -> Result<(usize, usize), String> {
    let wrong = || format!("“{text}” is not a span of hours such as 16–21 or 16:30–21:00.");
    let (from, to) = text.split_once(['-', '–']).ok_or_else(wrong)?;
    let (from, to) = (quarter(from).ok_or_else(wrong)?, quarter(to).ok_or_else(wrong)?);
    if from < to { Ok((from, to)) } else { Err(format!("“{text}” must end after it begins; hours end at 24.")) }
}

fn quarter(text: &str) -> Option<usize> {
    let (hour, minute) = text.trim().split_once(':').unwrap_or((text.trim(), "0"));
    let (hour, minute) = (hour.parse::<usize>().ok()?, minute.parse::<usize>().ok()?);
    (minute < 60 && minute % 15 == 0 && hour * 60 + minute <= 24 * 60).then_some(hour * 4 + minute / 15)
}

/// The fewest parts that tell the same.
fn coarse(quarters: &[u8; 96]) -> Vec<u8> {
    let fits = |size: &usize| quarters.chunks(*size).all(|part| part.iter().all(|index| Some(index) == part.first()));
    let size = [4, 2].into_iter().find(fits).unwrap_or(1);
    quarters.iter().copied().step_by(size).collect()
}

/// Days in words: `Monday to Friday`, `Every day, Holiday`.
#[must_use]
pub fn days(days: &[DayKind]) -> String {
    let has = |some: &[DayKind]| some.iter().all(|day| days.contains(day));
    let mut rest: Vec<DayKind> = days.to_vec();
    let mut parts = vec![];
    if has(&DayKind::WEEK) {
        parts.push("Every day".to_owned());
        rest.retain(|day| !DayKind::WEEK.contains(day));
    } else if has(&DayKind::WEEKDAYS) {
        parts.push("Monday to Friday".to_owned());
        rest.retain(|day| !DayKind::WEEKDAYS.contains(day));
    }
    if has(&DayKind::WEEKEND) && !has(&DayKind::WEEK) {
        parts.push("Saturday and Sunday".to_owned());
        rest.retain(|day| !DayKind::WEEKEND.contains(day));
    }
    parts.extend(rest.iter().map(|day| format!("{day:?}")));
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn periods() -> Vec<String> {
        ["Off-peak", "On-peak", "On-peak 2", "1"].map(str::to_owned).to_vec()
    }

    #[test]
    fn hours_are_written_and_read_back() {
        let mut hours = vec![0; 24];
        hours[16..21].fill(1);
        hours[6..8].fill(2);
        hours[22..24].fill(3);
        let text = write(&hours, &periods());
        assert_eq!(text, "On-peak 16:00–21:00; On-peak 2 06:00–08:00; 1 22:00–24:00");
        assert_eq!(read(&text, &periods()), Ok(hours));
        assert_eq!(write(&[1; 24], &periods()), "On-peak");
        assert_eq!(read("on-peak", &periods()), Ok(vec![1; 24]));
        assert_eq!(read(" ", &periods()), Ok(vec![0; 24]));
    }

    #[test]
    fn the_hours_of_one_period_are_told_as_runs() {
        let mut hours = vec![0; 24];
        hours[16..21].fill(1);
        assert_eq!((of(&hours, 1), of(&hours, 0)), ("16:00–21:00".to_owned(), "00:00–16:00, 21:00–24:00".to_owned()));
    }

    #[test]
    fn half_hours_and_quarters_have_their_own_parts() {
        let half = read("On-peak 16:30-21", &periods()).unwrap();
        assert_eq!((half.len(), half[32], half[33]), (48, 0, 1));
        let quarter = read("On-peak: 16:15-17 18-19", &periods()).unwrap();
        assert_eq!((quarter.len(), quarter[65], quarter[72]), (96, 1, 1));
        assert_eq!(write(&quarter, &periods()), "On-peak 16:15–17:00, 18:00–19:00");
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let told = |text| read(text, &periods()).unwrap_err();
        assert!(told("Peak 16-21").contains("does not begin with a period"));
        assert!(told("On-peak 21-16").contains("must end after it begins"));
        assert!(told("On-peak 16-25").contains("is not a span"));
        assert!(told("On-peak 16:10-17").contains("is not a span"));
        assert!(told("On-peak 16-21; 1 20-22").contains("overlaps"));
    }

    #[test]
    fn days_are_told_in_words() {
        assert_eq!(days(&DayKind::WEEKDAYS), "Monday to Friday");
        assert_eq!(days(&DayKind::WEEK), "Every day");
        assert_eq!(days(&[DayKind::Saturday, DayKind::Sunday, DayKind::Holiday]), "Saturday and Sunday, Holiday");
    }
}
