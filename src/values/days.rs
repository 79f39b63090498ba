//! Days that people mean lie within sensible bounds: a year mistyped is told before anything hangs on it.

use chrono::{Months, NaiveDate};

/// How many months back money may have been received.
const RECEIVED_BACK: u32 = 24;
/// How many months back a read of a meter may lie.
const READ_BACK: u32 = 120;
/// How many months ahead a day may be planned.
const PLANNED_AHEAD: u32 = 24;
/// How many months ahead a tariff may be announced.
const ANNOUNCED_AHEAD: u32 = 120;

/// Why a day is hardly meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unlikely {
    /// It lies in the future.
    Future,
    /// It lies before this day, the first that is taken.
    Before(NaiveDate),
    /// It lies after this day, the last that is taken.
    After(NaiveDate),
}

/// The day so many months before or after; a day at the calendar's end stays.
fn back(today: NaiveDate, months: u32) -> NaiveDate {
    today.checked_sub_months(Months::new(months)).unwrap_or(today)
}

fn ahead(today: NaiveDate, months: u32) -> NaiveDate {
    today.checked_add_months(Months::new(months)).unwrap_or(today)
}

fn past(day: NaiveDate, today: NaiveDate, months: u32) -> Option<Unlikely> {
    let least = back(today, months);
    if day > today { Some(Unlikely::Future) } else { (day < least).then_some(Unlikely::Before(least)) }
}

fn until(day: NaiveDate, most: NaiveDate) -> Option<Unlikely> {
    (day > most).then_some(Unlikely::After(most))
}

/// A day on which money was received: not in the future, and of the last two years.
#[must_use]
pub fn received(day: NaiveDate, today: NaiveDate) -> Option<Unlikely> {
    past(day, today, RECEIVED_BACK)
}

/// A day of a read of a meter: not in the future, and of the last ten years.
#[must_use]
pub fn read(day: NaiveDate, today: NaiveDate) -> Option<Unlikely> {
    past(day, today, READ_BACK)
}

/// A day that is planned, like moving in or out: at most two years ahead.
#[must_use]
pub fn planned(day: NaiveDate, today: NaiveDate) -> Option<Unlikely> {
    until(day, ahead(today, PLANNED_AHEAD))
}

/// A day from which a tariff holds or ends: at most ten years ahead.
#[must_use]
pub fn announced(day: NaiveDate, today: NaiveDate) -> Option<Unlikely> {
    until(day, ahead(today, ANNOUNCED_AHEAD))
}
