//! Days that people type lie within the business's bounds ([`eis::values::days`]); what is wrong with one is told at its field.

use chrono::NaiveDate;
use eis::values::days::{self, Unlikely};

use super::FieldErrors;

/// What is said of a day that is hardly meant.
#[must_use]
pub fn words(unlikely: Unlikely) -> String {
    match unlikely {
        Unlikely::Future => "Enter a day that is not in the future.".to_owned(),
        Unlikely::Before(least) => format!("Enter a day from {least} on: is the year right?"),
        Unlikely::After(most) => format!("Enter a day until {most}: is the year right?"),
    }
}

/// One of the business's bounds.
type Bound = fn(NaiveDate, NaiveDate) -> Option<Unlikely>;

fn tell(errors: &mut FieldErrors, field: &str, day: Option<NaiveDate>, today: NaiveDate, bound: Bound) {
    if let Some(unlikely) = day.and_then(|day| bound(day, today)) {
        errors.add(field, words(unlikely));
    }
}

/// A day on which money was received: not in the future, and of the last two years.
pub fn received(errors: &mut FieldErrors, field: &str, day: Option<NaiveDate>, today: NaiveDate) {
    tell(errors, field, day, today, days::received);
}

/// A day of a read of a meter: not in the future, and of the last ten years.
pub fn read(errors: &mut FieldErrors, field: &str, day: Option<NaiveDate>, today: NaiveDate) {
    tell(errors, field, day, today, days::read);
}

/// A day that is planned, like moving in or out: at most two years ahead.
pub fn planned(errors: &mut FieldErrors, field: &str, day: Option<NaiveDate>, today: NaiveDate) {
    tell(errors, field, day, today, days::planned);
}

/// A day from which a tariff holds or ends: at most ten years ahead.
pub fn announced(errors: &mut FieldErrors, field: &str, day: Option<NaiveDate>, today: NaiveDate) {
    tell(errors, field, day, today, days::announced);
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
