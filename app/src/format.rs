//! How figures and dates are written for people: figures as the business writes them ([`eis::values::written`]), and days.

mod date;

pub(crate) use date::write_date;
pub use date::{date, date_long, date_range, date_time, day_month, month, prose, short_month};
pub(crate) use eis::values::written::{KWH_PLACES, MONEY_PLACES, NBSP, write_number};
pub use eis::values::written::{
    Locale, amount, count, field, kwh, kwh_short, many, money, number, percent, percent_exact, price, price_exact, rate,
};

/// Up to two capitals of a name, for the organization's mark: `Northwind Energy` reads `NE`.
#[must_use]
pub fn initials(name: &str) -> String {
    name.split(|c: char| c.is_whitespace() || c == '-')
        .filter_map(|word| word.chars().find(|c| c.is_alphanumeric()))
        .take(2)
        .flat_map(char::to_uppercase)
        .collect()
}

/// The hue (0–11) of an organization's colour, from its slug: stable, and spread evenly.
#[must_use]
pub fn hue_of(slug: &str) -> u8 {
    // FNV-1a: tiny, and the same on every machine and release.
    let hash = slug
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    u8::try_from((hash >> 24) % 12).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;

    fn day() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 12, 4).unwrap_or_default()
    }

    #[test]
    fn dates_are_written_as_the_locale_writes_them() {
        assert_eq!(date(day(), "en-US"), "Dec 4, 2026");
        assert_eq!(date(day(), "en-GB"), "4 Dec 2026");
        assert_eq!(date(day(), "de-DE"), "04.12.2026");
        assert_eq!(date(day(), "sv-SE"), "2026-12-04");
        assert_eq!(date_long(day(), "de-DE"), "4. Dezember 2026");
        assert_eq!(day_month(day(), "en-GB"), "4 December");
        let at = day().and_hms_opt(15, 5, 0).unwrap_or_default();
        assert_eq!(date_time(at, "en-US"), "Dec 4, 2026, 3:05\u{a0}pm");
        assert_eq!(date_time(at, "nl-NL"), "04-12-2026 15:05");
    }

    #[test]
    fn an_organization_keeps_its_initials_and_hue() {
        assert_eq!(initials("Northwind Energy Group"), "NE");
        assert_eq!(initials("EIS"), "E");
        assert_eq!(hue_of("northwind"), hue_of("northwind"));
        assert!((0..200).map(|n| hue_of(&format!("org-{n}"))).all(|hue| hue < 12));
    }

    #[test]
    fn days_within_a_sentence_are_written_as_the_locale_does() {
        let said = |text: &str, locale| prose(text, locale);
        assert_eq!(said("No tariff is agreed for 2026-03-01.", Locale::DeDe), "No tariff is agreed for 01.03.2026.");
        assert_eq!(said("2026-03-01 – 2026-03-02", Locale::NlNl), "01-03-2026 – 02-03-2026");
        for kept in ["Tariff R-2026-03-01 é", "12026-03-01", "2026-03-011", "2026-13-01", "2026-03", ""] {
            assert_eq!(said(kept, Locale::DeDe), kept);
        }
    }
}
