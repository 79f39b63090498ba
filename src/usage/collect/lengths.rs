//! How long the intervals of each day are, where the file does not say.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;

use super::super::SeriesKey;
use super::day::Day;
use super::finding::{Finding, FindingKind};

/// Gives every day slots of its own interval length. Findings: days with values missing, lengths that are none, days from
/// which on the length is another.
///
/// A day that lacks values, and a single day whose values lie further apart than those of the days beside it, have the
/// length of the days beside them: every second half-hour is not a day of hours.
pub fn settle(series: &Arc<SeriesKey>, days: &mut BTreeMap<NaiveDate, Day>) -> Vec<Finding> {
    let single = |day: &Day| !day.is_stated() && day.have() == 1;
    if days.len() > 1 && days.values().all(single) {
        let first = days.keys().next().copied();
        let kind = FindingKind::UnknownLength { seconds: 86_400 };
        return first.map(|date| Finding::of_day(kind, series, date)).into_iter().collect();
    }
    let own: Vec<(u16, bool)> = days.values().map(own_length).collect();
    let beside = beside(&own);
    let mut findings = vec![];
    let mut before = None;
    for (at, (date, day)) in days.iter_mut().enumerate() {
        let (minutes, whole) = own.get(at).copied().unwrap_or((day.minutes(), true));
        let beside = beside.get(at).copied().flatten().unwrap_or(minutes);
        let minutes = if whole && !(alone(&own, at) && beside < minutes) { minutes } else { minutes.min(beside) };
        if let Some(odd) = day.odd_distance().filter(|_| !day.is_stated()) {
            let seconds = u32::from(odd) * 60;
            findings.push(Finding::of_day(FindingKind::UnknownLength { seconds }, series, *date));
            continue;
        }
        let minutes = match day.strays(beside) {
            Some(strays) if !whole => {
                findings.extend(strays.into_iter().map(|start| Finding::stray(series, *date, start, beside)));
                beside
            }
            _ => minutes,
        };
        day.set_slots(minutes);
        if day.have() < day.want() {
            let kind = FindingKind::IncompleteDay { have: day.have(), want: day.want() };
            findings.push(Finding::of_day(kind, series, *date));
        }
        if let Some(before) = before.replace(minutes).filter(|before| *before != minutes) {
            findings.push(Finding::of_day(FindingKind::LengthChanged { before, minutes }, series, *date));
        }
    }
    findings
}

/// What a day alone says of its length, and whether it has all values then.
fn own_length(day: &Day) -> (u16, bool) {
    let minutes = if day.is_stated() { day.minutes() } else { day.own_minutes() };
    (minutes, day.is_stated() || day.is_full(minutes))
}

/// Of each day the shorter length of the whole days next to it, before and after.
fn beside(own: &[(u16, bool)]) -> Vec<Option<u16>> {
    // The whole day passed last, before this one.
    let passed = |last: &mut Option<u16>, (minutes, whole): &(u16, bool)| {
        let before = *last;
        *last = if *whole { Some(*minutes) } else { before };
        Some(before)
    };
    let before: Vec<Option<u16>> = own.iter().scan(None, passed).collect();
    let mut after: Vec<Option<u16>> = own.iter().rev().scan(None, passed).collect();
    after.reverse();
    before.into_iter().zip(after).map(|(before, after)| before.into_iter().chain(after).min()).collect()
}

/// Whether neither neighbour of a day has its length.
fn alone(own: &[(u16, bool)], at: usize) -> bool {
    let of = |at: Option<usize>| at.and_then(|at| own.get(at)).map(|(minutes, _)| *minutes);
    let this = of(Some(at));
    of(at.checked_sub(1)) != this && of(at.checked_add(1)) != this
}
