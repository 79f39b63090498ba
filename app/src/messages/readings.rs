//! Why a reading is not recorded.

use eis::meter_readings::Violation;

use crate::format::{self, Locale};
use crate::forms::days;

/// What is said of a meter that tells its values itself.
pub const INTERVAL_METER: &str = "This meter measures in intervals: import the file with its usage.";

/// The field at which a violation is told, and its words.
#[must_use]
pub fn words(violation: &Violation, locale: Locale) -> (&'static str, String) {
    match violation {
        Violation::IntervalMeter => ("", INTERVAL_METER.to_owned()),
        Violation::ReadOn(unlikely) => ("to_on", days::words(*unlikely)),
        Violation::EndsBeforeItBegins => ("to_on", "Enter a day after the first day.".to_owned()),
        Violation::InServiceFrom(first) => ("from_on", format!("The meter is in service from {first} on.")),
        Violation::Removed(_) => ("to_on", "The meter was removed before that day.".to_owned()),
        Violation::PeriodsAddUp { sum, total } => {
            let [sum, total] = [sum, total].map(|kwh| format::field(*kwh, locale));
            ("kwh_by_period", format!("The periods add up to {sum} kWh, and {total} kWh were used."))
        }
        Violation::Overlaps(there) => {
            let last = there.to().pred_opt().unwrap_or(there.to());
            let days = format::date_range(there.from(), last, locale);
            let text =
                format!("There is a reading of {days} already. Enter the same days to correct it, or other days.");
            ("from_on", text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::Decimal;

    #[test]
    fn figures_of_periods_are_told_as_the_client_writes_them() {
        let wrong = Violation::PeriodsAddUp { sum: Decimal::new(95, 1), total: Decimal::from(10) };
        let (field, text) = words(&wrong, Locale::DeDe);
        assert_eq!((field, text.as_str()), ("kwh_by_period", "The periods add up to 9,5 kWh, and 10 kWh were used."));
    }
}
