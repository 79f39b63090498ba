//! Days that people type lie within sensible bounds.

use chrono::{Months, NaiveDate};

use super::FieldErrors;

/// How many months back money may have been received.
const RECEIVED_BACK: u32 = 24;
/// How many months back a read of a meter may lie.
const READ_BACK: u32 = 120;
/// How many months ahead a day may be planned.
const PLANNED_AHEAD: u32 = 24;
/// How many months ahead a tariff may be announced.
const ANNOUNCED_AHEAD: u32 = 120;

/// The day so many months before or after; a day at the calendar's end stays.
fn back(today: NaiveDate, months: u32) -> NaiveDate {
    today.checked_sub_months(Months::new(months)).unwrap_or(today)
}

fn ahead(today: NaiveDate, months: u32) -> NaiveDate {
    today.checked_add_months(Months::new(months)).unwrap_or(today)
}

/// A day on which money was received: not in the future, and of the last two years.
pub fn received(errors: &mut FieldErrors, field: &str, day: Option<NaiveDate>, today: NaiveDate) {
    past(errors, field, day, today, RECEIVED_BACK);
}

/// A day of a read of a meter: not in the future, and of the last ten years.
pub fn read(errors: &mut FieldErrors, field: &str, day: Option<NaiveDate>, today: NaiveDate) {
    past(errors, field, day, today, READ_BACK);
}

fn past(errors: &mut FieldErrors, field: &str, day: Option<NaiveDate>, today: NaiveDate, months: u32) {
    let least = back(today, months);
    match day {
        Some(day) if day > today => errors.add(field, "Enter a day that is not in the future."),
        Some(day) if day < least => errors.add(field, format!("Enter a day from {least} on: is the year right?")),
        _ => {}
    }
}

/// A day that is planned, like moving in or out: at most two years ahead.
pub fn planned(errors: &mut FieldErrors, field: &str, day: Option<NaiveDate>, today: NaiveDate) {
    before(errors, field, day, ahead(today, PLANNED_AHEAD));
}

/// A day from which a tariff holds or ends: at most ten years ahead.
pub fn announced(errors: &mut FieldErrors, field: &str, day: Option<NaiveDate>, today: NaiveDate) {
    before(errors, field, day, ahead(today, ANNOUNCED_AHEAD));
}

fn before(errors: &mut FieldErrors, field: &str, day: Option<NaiveDate>, most: NaiveDate) {
    if day.is_some_and(|day| day > most) {
        errors.add(field, format!("Enter a day until {most}: is the year right?"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn faults(check: fn(&mut FieldErrors, &str, Option<NaiveDate>, NaiveDate), typed: &str) -> usize {
        let mut errors = FieldErrors::default();
        check(&mut errors, "on", Some(day(typed)), day("2026-11-30"));
        errors.0.len()
    }

    #[test]
    fn money_is_received_in_the_last_two_years_and_never_tomorrow() {
        for (typed, wrong) in
            [("2026-11-30", 0), ("2026-12-01", 1), ("2024-11-30", 0), ("2024-11-29", 1), ("1926-11-30", 1)]
        {
            assert_eq!(faults(received, typed), wrong, "{typed}");
        }
    }

    #[test]
    fn a_read_of_ten_years_ago_and_a_move_in_two_years_are_the_furthest() {
        for (typed, wrong) in [("2016-11-30", 0), ("2016-11-29", 1), ("2026-12-01", 1)] {
            assert_eq!(faults(read, typed), wrong, "{typed}");
        }
        for (typed, wrong) in [("1950-01-01", 0), ("2028-11-30", 0), ("2028-12-01", 1), ("2126-11-30", 1)] {
            assert_eq!(faults(planned, typed), wrong, "{typed}");
        }
        assert_eq!((faults(announced, "2036-11-30"), faults(announced, "2036-12-01")), (0, 1));
    }
}
