//! Numbers, money and energy as people of a client's locale write them: on pages, in documents, in the log's sentences.
//!
//! Pure functions on plain values: no I/O, no clock, nothing that depends on the
//! machine's own locale. Money and kWh come without their currency or unit where a
//! column names it once ([`money`], [`kwh`]); [`amount`] carries the currency for
//! the places where a figure stands alone.

mod number;

use crate::values::figures::Mark;

pub use number::{
    KWH_PLACES, MONEY_PLACES, amount, count, field, kwh, kwh_short, money, number, percent, percent_exact, price,
    price_exact, rate, write_number,
};

/// Keeps a figure and its unit on one line.
pub const NBSP: &str = "\u{a0}";

/// A locale the portal writes in. Anything unknown reads as American English.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Locale {
    /// `en-US`: 1,234.50 · Dec 14, 2026
    #[default]
    EnUs,
    /// `en-GB`: 1,234.50 · 14 Dec 2026
    EnGb,
    /// `de-DE`: 1.234,50 · 14.12.2026
    DeDe,
    /// `sv-SE`: 1 234,50 · 2026-12-14
    SvSe,
    /// `nl-NL`: 1.234,50 · 14-12-2026
    NlNl,
    /// `fr-FR`: 1 234,50 · 14/12/2026
    FrFr,
}

impl From<&str> for Locale {
    fn from(tag: &str) -> Self {
        match tag {
            "en-GB" => Self::EnGb,
            "de-DE" => Self::DeDe,
            "sv-SE" => Self::SvSe,
            "nl-NL" => Self::NlNl,
            "fr-FR" => Self::FrFr,
            _ => Self::EnUs,
        }
    }
}

impl From<&String> for Locale {
    fn from(tag: &String) -> Self {
        Self::from(tag.as_str())
    }
}

impl Locale {
    /// Every locale, the most used first.
    pub const ALL: [Self; 6] = [Self::EnUs, Self::EnGb, Self::DeDe, Self::SvSe, Self::NlNl, Self::FrFr];

    /// What people call it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::EnUs => "English (United States)",
            Self::EnGb => "English (United Kingdom)",
            Self::DeDe => "German (Germany)",
            Self::SvSe => "Swedish (Sweden)",
            Self::NlNl => "Dutch (Netherlands)",
            Self::FrFr => "French (France)",
        }
    }

    /// The BCP 47 tag.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::EnUs => "en-US",
            Self::EnGb => "en-GB",
            Self::DeDe => "de-DE",
            Self::SvSe => "sv-SE",
            Self::NlNl => "nl-NL",
            Self::FrFr => "fr-FR",
        }
    }

    /// The decimal mark.
    #[must_use]
    pub const fn mark(self) -> Mark {
        match self {
            Self::EnUs | Self::EnGb => Mark::Point,
            Self::DeDe | Self::SvSe | Self::NlNl | Self::FrFr => Mark::Comma,
        }
    }

    /// Thousands separator and decimal mark.
    const fn marks(self) -> (char, char) {
        let group = match self {
            Self::EnUs | Self::EnGb | Self::DeDe | Self::NlNl => self.mark().other().sign(),
            Self::SvSe => '\u{a0}',
            Self::FrFr => '\u{202f}',
        };
        (group, self.mark().sign())
    }
}

/// So many of something: `1 invoice`, `1,240 invoices`.
#[must_use]
pub fn many(count: i64, one: &str, more: &str, locale: Locale) -> String {
    format!("{} {}", number::count(count, locale), if count == 1 { one } else { more })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::Decimal;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap_or_default()
    }

    #[test]
    fn money_groups_thousands_and_rounds_half_away_from_zero() {
        assert_eq!(money(dec("1234567.895"), "en-US"), "1,234,567.90");
        assert_eq!(money(dec("-1234.5"), "de-DE"), "\u{2212}1.234,50");
        assert_eq!(money(dec("0.005"), "en-GB"), "0.01");
        assert_eq!(money(dec("-0.001"), "en-GB"), "0.00");
        assert_eq!(money(dec("0"), "en-US"), "0.00");
        assert_eq!(money(dec("1234.565"), "en-US"), "1,234.57");
        assert_eq!(
            money(Decimal::MIN, "fr-FR"),
            "\u{2212}79 228 162 514 264 337 593 543 950 335,00".replace(' ', "\u{202f}")
        );
        assert_eq!(money(dec("999"), "sv-SE"), "999,00");
        assert_eq!(money(dec("1000"), "fr-FR"), "1\u{202f}000,00");
        assert_eq!(["0.1", "100", "123456"].map(|value| money(dec(value), "en-US")), ["0.10", "100.00", "123,456.00"]);
        assert_eq!((kwh(dec("-0.001"), "en-US"), count(0, "en-US")), ("\u{2212}0.001".to_owned(), "0".to_owned()));
    }

    #[test]
    fn an_amount_puts_its_currency_where_the_locale_does() {
        assert_eq!(amount(dec("142.1"), "USD", "en-US"), "$142.10");
        assert_eq!(amount(dec("-142.1"), "USD", "en-US"), "\u{2212}$142.10");
        assert_eq!(amount(dec("142.1"), "EUR", "de-DE"), "142,10\u{a0}€");
        assert_eq!(amount(dec("142.1"), "SEK", "sv-SE"), "142,10\u{a0}kr");
        assert_eq!(amount(dec("142.1"), "EUR", "nl-NL"), "€\u{a0}142,10");
        assert_eq!(amount(dec("142.1"), "CHF", "en-GB"), "CHF\u{a0}142.10");
    }

    #[test]
    fn a_price_keeps_its_decimals_and_the_place_of_its_currency() {
        assert_eq!(price_exact(dec("0.118200"), "USD", "en-US"), "$0.1182");
        assert_eq!(price_exact(dec("0.28"), "EUR", "de-DE"), "0,28\u{a0}€");
        assert_eq!(price_exact(dec("-0.05"), "USD", "en-US"), "\u{2212}$0.05");
    }

    #[test]
    fn energy_keeps_its_watt_hours() {
        assert_eq!(kwh(dec("1298.64"), "en-US"), "1,298.640");
        assert_eq!(kwh_short(dec("1298.64"), "en-US"), "1,299\u{a0}kWh");
        assert_eq!(kwh_short(dec("12.44"), "en-US"), "12.4\u{a0}kWh");
        assert_eq!(rate(dec("0.123450"), "en-US"), "0.12345");
        assert_eq!(rate(dec("0.1"), "en-US"), "0.10");
        assert_eq!(percent(dec("0.125"), "de-DE"), "12,5\u{a0}%");
        assert_eq!(percent_exact(dec("0.05"), "en-US"), "5%");
        assert_eq!(percent_exact(dec("0.19"), "de-DE"), "19\u{a0}%");
        assert_eq!(count(20_000, "en-US"), "20,000");
    }
}
