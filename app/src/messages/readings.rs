//! Why a reading is not recorded.

use eis::metering::meter_readings::{Violation, Which};
use eis::metering::registers::{DEMAND, unit};

use crate::format::{self, Locale};
use crate::forms::days;

/// What is said of a meter that tells its values itself.
pub const INTERVAL_METER: &str = "This meter measures in intervals: import the file with its usage.";

/// What the field of a register is called: `figure`, `figure-HT`, `demand`.
#[must_use]
pub fn field(measures: &str, name: &str) -> String {
    let kind = if measures == DEMAND { "demand" } else { "figure" };
    if name.is_empty() {
        return kind.to_owned();
    }
    // Only what an address may hold: the field's name is its place on the page as well.
    let plain =
        |letter: char| if letter.is_alphanumeric() { letter.to_string() } else { format!("_{:x}_", u32::from(letter)) };
    format!("{kind}-{}", name.chars().map(plain).collect::<String>())
}

/// What a register is called in a sentence: `The register`, `The register HT`, `The highest demand`.
fn register(which: &Which) -> String {
    let kind = if which.measures == DEMAND { "The highest demand" } else { "The register" };
    format!("{kind} {}", which.name).trim_end().to_owned()
}

/// The field at which a violation is told, and its words.
#[must_use]
pub fn words(violation: &Violation, locale: Locale) -> (String, String) {
    let at = |which: &Which, text: String| (field(&which.measures, &which.name), text);
    let day = |text: String| ("read_on".to_owned(), text);
    match violation {
        Violation::IntervalMeter => (String::new(), INTERVAL_METER.to_owned()),
        Violation::ReadOn(unlikely) => day(days::words(*unlikely)),
        Violation::InServiceFrom(first) => {
            day(format!("The meter is in service from {} on.", format::date(*first, locale)))
        }
        Violation::Removed(_) => day("The meter was removed before that day.".to_owned()),
        Violation::Missing(which) => at(which, format!("{} has no figure: enter what it shows.", register(which))),
        Violation::TooLong(which, digits, decimals) => {
            let shows = match decimals {
                0 => format!("{digits} digits and no decimals"),
                1 => format!("{digits} digits and one decimal"),
                _ => format!("{digits} digits and {decimals} decimals"),
            };
            at(which, format!("{} shows {shows}: enter the figure as it stands there.", register(which)))
        }
        Violation::BelowLast(which, on, figure) => at(which, beside(which, "below", ("last", *on, *figure), locale)),
        Violation::AboveNext(which, on, figure) => at(which, beside(which, "above", ("next", *on, *figure), locale)),
    }
}

fn beside(
    which: &Which,
    lies: &str,
    (one, on, figure): (&str, chrono::NaiveDate, rust_decimal::Decimal),
    locale: Locale,
) -> String {
    let (figure, unit, on) = (format::field(figure, locale), unit(&which.measures), format::date(on, locale));
    format!("{} lies {lies} the {one} figure, {figure} {unit} of {on}, and it is no roll-over.", register(which))
}

#[cfg(test)]
mod tests {
    use super::*;
    use eis::metering::registers::ENERGY;
    use rust_decimal::Decimal;

    fn which(measures: &str, name: &str) -> Which {
        Which { measures: measures.to_owned(), name: name.to_owned() }
    }

    #[test]
    fn what_is_wrong_with_a_figure_is_told_at_its_register_as_the_client_writes_figures() {
        let on = chrono::NaiveDate::from_ymd_opt(2026, 10, 1).unwrap();
        let below = Violation::BelowLast(which(ENERGY, "HT"), on, Decimal::new(123_455, 1));
        let text = "The register HT lies below the last figure, 12345,5 kWh of 01.10.2026, and it is no roll-over.";
        assert_eq!(words(&below, Locale::DeDe), ("figure-HT".to_owned(), text.to_owned()));
        let (at, text) = words(&Violation::TooLong(which(DEMAND, ""), 3, 1), Locale::EnGb);
        assert_eq!(
            (at.as_str(), text.starts_with("The highest demand shows 3 digits and one decimal")),
            ("demand", true)
        );
    }

    #[test]
    fn the_field_of_a_register_is_an_address_on_its_page() {
        assert_eq!(field(ENERGY, ""), "figure");
        assert_eq!(field(ENERGY, "on peak"), "figure-on_20_peak");
        assert_eq!(field(DEMAND, "NT"), "demand-NT");
    }
}
