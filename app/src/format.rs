//! Numbers, money, energy and dates as people of a client's locale write them.
//!
//! Pure functions on plain values: no I/O, no clock, nothing that depends on the
//! machine's own locale. Money and kWh come without their currency or unit where a
//! column names it once ([`money`], [`kwh`]); [`amount`] carries the currency for
//! the places where a figure stands alone.

use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike};
use rust_decimal::{Decimal, RoundingStrategy};

/// Minus as typographers write it: as wide as a digit's plus, unlike the hyphen.
const MINUS: char = '\u{2212}';
/// Keeps a figure and its unit on one line.
const NBSP: &str = "\u{a0}";

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

    /// Thousands separator and decimal mark.
    const fn marks(self) -> (char, char) {
        match self {
            Self::EnUs | Self::EnGb => (',', '.'),
            Self::DeDe | Self::NlNl => ('.', ','),
            Self::SvSe => ('\u{a0}', ','),
            Self::FrFr => ('\u{202f}', ','),
        }
    }

    const fn months(self) -> [&'static str; 12] {
        match self {
            Self::EnUs | Self::EnGb => [
                "January",
                "February",
                "March",
                "April",
                "May",
                "June",
                "July",
                "August",
                "September",
                "October",
                "November",
                "December",
            ],
            Self::DeDe => [
                "Januar",
                "Februar",
                "März",
                "April",
                "Mai",
                "Juni",
                "Juli",
                "August",
                "September",
                "Oktober",
                "November",
                "Dezember",
            ],
            Self::SvSe => [
                "januari",
                "februari",
                "mars",
                "april",
                "maj",
                "juni",
                "juli",
                "augusti",
                "september",
                "oktober",
                "november",
                "december",
            ],
            Self::NlNl => [
                "januari",
                "februari",
                "maart",
                "april",
                "mei",
                "juni",
                "juli",
                "augustus",
                "september",
                "oktober",
                "november",
                "december",
            ],
            Self::FrFr => [
                "janvier",
                "février",
                "mars",
                "avril",
                "mai",
                "juin",
                "juillet",
                "août",
                "septembre",
                "octobre",
                "novembre",
                "décembre",
            ],
        }
    }
}

/// A number with exactly `places` decimals, half away from zero, grouped in thousands.
#[must_use]
pub fn number(value: Decimal, places: u32, locale: impl Into<Locale>) -> String {
    let (group, point) = locale.into().marks();
    let mut value = value.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
    value.rescale(places);
    let digits = value.mantissa().unsigned_abs().to_string();
    let places = usize::try_from(places).unwrap_or_default();
    let negative = value.is_sign_negative() && !value.is_zero();
    let whole = digits.len().saturating_sub(places);
    let mut out = String::with_capacity(digits.len() * 2 + 4);
    if negative {
        out.push(MINUS);
    }
    if whole == 0 {
        out.push('0');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at == whole {
            break;
        }
        if at > 0 && (whole - at) % 3 == 0 {
            out.push(group);
        }
        out.push(digit);
    }
    if places > 0 {
        out.push(point);
        for _ in digits.len()..places {
            out.push('0');
        }
        out.push_str(digits.get(whole..).unwrap_or_default());
    }
    out
}

/// Money without its currency, two decimals: `1,234.50`. The column names the currency.
#[must_use]
pub fn money(value: Decimal, locale: impl Into<Locale>) -> String {
    number(value, 2, locale)
}

/// Money standing alone, with its currency where the locale puts it: `$142.10`, `142,10 €`.
#[must_use]
pub fn amount(value: Decimal, currency: &str, locale: impl Into<Locale>) -> String {
    with_currency(value, 2, currency, locale.into())
}

fn with_currency(value: Decimal, places: u32, currency: &str, locale: Locale) -> String {
    let symbol = match (currency, locale) {
        ("USD", _) => "$",
        ("EUR", _) => "€",
        ("GBP", _) => "£",
        ("SEK", Locale::SvSe) => "kr",
        (code, _) => code,
    };
    let sign = if value.is_sign_negative() && !value.is_zero() { "\u{2212}" } else { "" };
    let figure = number(value.abs(), places, locale);
    match locale {
        Locale::DeDe | Locale::SvSe | Locale::FrFr => format!("{sign}{figure}{NBSP}{symbol}"),
        Locale::NlNl => format!("{symbol}{NBSP}{sign}{figure}"),
        Locale::EnUs | Locale::EnGb if symbol.len() == 3 && symbol.is_ascii() => {
            format!("{sign}{symbol}{NBSP}{figure}")
        }
        Locale::EnUs | Locale::EnGb => format!("{sign}{symbol}{figure}"),
    }
}

/// A price of a unit standing alone, to a hundredth of a cent: `$0.1665`.
#[must_use]
pub fn price(value: Decimal, currency: &str, locale: impl Into<Locale>) -> String {
    let locale = locale.into();
    let places = if value.abs() >= Decimal::TEN { 2 } else { 4 };
    with_currency(value, places, currency, locale)
}

/// Energy to the watt-hour without its unit: `1,298.640`. The column names kWh.
#[must_use]
pub fn kwh(value: Decimal, locale: impl Into<Locale>) -> String {
    number(value, 3, locale)
}

/// Energy standing alone, rounded to whole kWh from 100 kWh on: `1,299 kWh`, `12.4 kWh`.
#[must_use]
pub fn kwh_short(value: Decimal, locale: impl Into<Locale>) -> String {
    let places = u32::from(value.abs() < Decimal::ONE_HUNDRED);
    format!("{}{NBSP}kWh", number(value, places, locale))
}

/// A price per unit with up to six decimals, never fewer than two: `0.123450` reads `0.12345`.
#[must_use]
pub fn rate(value: Decimal, locale: impl Into<Locale>) -> String {
    let places = value.normalize().scale().clamp(2, 6);
    number(value, places, locale)
}

/// A number as a form field takes it: a point for the decimal mark, no groups, no trailing zeros.
#[must_use]
pub fn plain(value: Decimal) -> String {
    value.normalize().to_string()
}

/// A fraction as a percentage with one decimal: `0.12` reads `12.0 %` (or `12.0%` in English).
#[must_use]
pub fn percent(fraction: Decimal, locale: impl Into<Locale>) -> String {
    let locale = locale.into();
    let space = if matches!(locale, Locale::EnUs | Locale::EnGb | Locale::NlNl) { "" } else { NBSP };
    format!("{}{space}%", number(fraction * Decimal::ONE_HUNDRED, 1, locale))
}

/// A count: `20,000`.
#[must_use]
pub fn count(value: i64, locale: impl Into<Locale>) -> String {
    number(Decimal::from(value), 0, locale)
}

/// A date as it stands in a table: `Dec 14, 2026`, `14 Dec 2026`, `14.12.2026`, `2026-12-14`.
#[must_use]
pub fn date(day: NaiveDate, locale: impl Into<Locale>) -> String {
    let locale = locale.into();
    let (y, m, d) = (day.year(), day.month(), day.day());
    match locale {
        Locale::EnUs => format!("{} {d}, {y}", short_month(day, locale)),
        Locale::EnGb => format!("{d} {} {y}", short_month(day, locale)),
        Locale::DeDe => format!("{d:02}.{m:02}.{y}"),
        Locale::SvSe => format!("{y}-{m:02}-{d:02}"),
        Locale::NlNl => format!("{d:02}-{m:02}-{y}"),
        Locale::FrFr => format!("{d:02}/{m:02}/{y}"),
    }
}

/// A date in words, for sentences and headings: `December 14, 2026`, `14 December 2026`.
#[must_use]
pub fn date_long(day: NaiveDate, locale: impl Into<Locale>) -> String {
    let locale = locale.into();
    let (y, d) = (day.year(), day.day());
    let month = month_name(day.month(), locale);
    match locale {
        Locale::EnUs => format!("{month} {d}, {y}"),
        Locale::DeDe => format!("{d}. {month} {y}"),
        _ => format!("{d} {month} {y}"),
    }
}

/// Day and month in words, where the year is plain: `December 14`, `14 December`.
#[must_use]
pub fn day_month(day: NaiveDate, locale: impl Into<Locale>) -> String {
    let locale = locale.into();
    let d = day.day();
    let month = month_name(day.month(), locale);
    match locale {
        Locale::EnUs => format!("{month} {d}"),
        Locale::DeDe => format!("{d}. {month}"),
        _ => format!("{d} {month}"),
    }
}

/// A month in words with its year: `November 2026`.
#[must_use]
pub fn month(day: NaiveDate, locale: impl Into<Locale>) -> String {
    format!("{} {}", month_name(day.month(), locale.into()), day.year())
}

/// Three letters of a month, for axes and narrow columns: `Nov`.
#[must_use]
pub fn short_month(day: NaiveDate, locale: impl Into<Locale>) -> String {
    month_name(day.month(), locale.into()).chars().take(3).collect()
}

/// First to last day, both inclusive, with an en dash: `Nov 1, 2026 – Nov 30, 2026`.
#[must_use]
pub fn date_range(first: NaiveDate, last: NaiveDate, locale: impl Into<Locale>) -> String {
    let locale = locale.into();
    format!("{} – {}", date(first, locale), date(last, locale))
}

/// A moment on a wall clock: `Dec 14, 2026, 3:05 pm`, `14.12.2026 15:05`.
#[must_use]
pub fn date_time(at: NaiveDateTime, locale: impl Into<Locale>) -> String {
    let locale = locale.into();
    let day = date(at.date(), locale);
    if locale == Locale::EnUs {
        let (afternoon, hour) = at.hour12();
        let half = if afternoon { "pm" } else { "am" };
        format!("{day}, {hour}:{:02}{NBSP}{half}", at.minute())
    } else {
        format!("{day} {:02}:{:02}", at.hour(), at.minute())
    }
}

/// Up to two capitals of a name, for the organisation's mark: `Northwind Energy` reads `NE`.
#[must_use]
pub fn initials(name: &str) -> String {
    name.split(|c: char| c.is_whitespace() || c == '-')
        .filter_map(|word| word.chars().find(|c| c.is_alphanumeric()))
        .take(2)
        .flat_map(char::to_uppercase)
        .collect()
}

/// The hue (0–11) of an organisation's colour, from its slug: stable, and spread evenly.
#[must_use]
pub fn hue_of(slug: &str) -> u8 {
    // FNV-1a: tiny, and the same on every machine and release.
    let hash = slug
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    u8::try_from((hash >> 24) % 12).unwrap_or_default()
}

fn month_name(month: u32, locale: Locale) -> &'static str {
    let at = usize::try_from(month).unwrap_or(1).saturating_sub(1);
    locale.months().get(at).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap_or_default()
    }

    fn day() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 12, 4).unwrap_or_default()
    }

    #[test]
    fn money_groups_thousands_and_rounds_half_away_from_zero() {
        assert_eq!(money(dec("1234567.895"), "en-US"), "1,234,567.90");
        assert_eq!(money(dec("-1234.5"), "de-DE"), "\u{2212}1.234,50");
        assert_eq!(money(dec("0.005"), "en-GB"), "0.01");
        assert_eq!(money(dec("-0.001"), "en-GB"), "0.00");
        assert_eq!(money(dec("999"), "sv-SE"), "999,00");
        assert_eq!(money(dec("1000"), "fr-FR"), "1\u{202f}000,00");
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
    fn energy_keeps_its_watt_hours() {
        assert_eq!(kwh(dec("1298.64"), "en-US"), "1,298.640");
        assert_eq!(kwh_short(dec("1298.64"), "en-US"), "1,299\u{a0}kWh");
        assert_eq!(kwh_short(dec("12.44"), "en-US"), "12.4\u{a0}kWh");
        assert_eq!(rate(dec("0.123450"), "en-US"), "0.12345");
        assert_eq!(rate(dec("0.1"), "en-US"), "0.10");
        assert_eq!(percent(dec("0.125"), "de-DE"), "12,5\u{a0}%");
        assert_eq!(count(20_000, "en-US"), "20,000");
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
    fn an_organisation_keeps_its_initials_and_hue() {
        assert_eq!(initials("Northwind Energy Group"), "NE");
        assert_eq!(initials("EIS"), "E");
        assert_eq!(hue_of("northwind"), hue_of("northwind"));
        assert!((0..200).map(|n| hue_of(&format!("org-{n}"))).all(|hue| hue < 12));
    }
}
