//! Numbers, money and energy.

use super::{Locale, NBSP};
use crate::values::figures;
use rust_decimal::{Decimal, RoundingStrategy};

/// Minus as typographers write it: as wide as a plus, unlike the hyphen.
const MINUS: char = '\u{2212}';

/// A number with exactly `places` decimals, half away from zero, grouped in thousands.
#[must_use]
pub fn number(value: Decimal, places: u32, locale: impl Into<Locale>) -> String {
    let mut out = String::with_capacity(16);
    write_number(&mut out, value, places, locale.into());
    out
}

/// Appends what [`number`] gives, without a text of its own: a list writes a hundred of these. No character of it means
/// anything in HTML.
pub fn write_number(out: &mut String, value: Decimal, places: u32, locale: Locale) {
    let (group, point) = locale.marks();
    let value = if value.scale() > places {
        value.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero)
    } else {
        value
    };
    let missing = places.saturating_sub(value.scale());
    let figure = value.mantissa().unsigned_abs().saturating_mul(10_u128.saturating_pow(missing));
    let mut buffer = itoa::Buffer::new();
    // Almost every figure fits the machine's own integer.
    let digits = match u64::try_from(figure) {
        Ok(short) => buffer.format(short),
        Err(_) => buffer.format(figure),
    };
    let places = usize::try_from(places).unwrap_or_default();
    let (whole, decimals) = digits.split_at(digits.len().saturating_sub(places));
    if value.is_sign_negative() && figure != 0 {
        out.push(MINUS);
    }
    let (first, mut rest) = if whole.is_empty() { ("0", "") } else { whole.split_at((whole.len() - 1) % 3 + 1) };
    out.push_str(first);
    while let Some((three, after)) = rest.split_at_checked(3) {
        out.push(group);
        out.push_str(three);
        rest = after;
    }
    if places > 0 {
        out.push(point);
        for _ in decimals.len()..places {
            out.push('0');
        }
        out.push_str(decimals);
    }
}

/// Decimals of money.
pub const MONEY_PLACES: u32 = 2;
/// Decimals of energy in kWh: down to the watt-hour.
pub const KWH_PLACES: u32 = 3;

/// Money without its currency, two decimals: `1,234.50`. The column names the currency.
#[must_use]
pub fn money(value: Decimal, locale: impl Into<Locale>) -> String {
    number(value, MONEY_PLACES, locale)
}

/// Money standing alone, with its currency where the locale puts it: `$142.10`, `142,10 €`.
#[must_use]
pub fn amount(value: Decimal, currency: &str, locale: impl Into<Locale>) -> String {
    with_currency(value, MONEY_PLACES, currency, locale.into())
}

fn with_currency(value: Decimal, places: u32, currency: &str, locale: Locale) -> String {
    let symbol = match (currency, locale) {
        ("SEK", locale) if locale != Locale::SvSe => currency,
        (code, _) => figures::sign_of(code).unwrap_or(code),
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

/// A price with its currency where the locale puts it and as many decimals as it has: `$0.1182`, `0,28 €`.
#[must_use]
pub fn price_exact(value: Decimal, currency: &str, locale: impl Into<Locale>) -> String {
    with_currency(value, value.normalize().scale().clamp(2, 6), currency, locale.into())
}

/// A number as a form's field shows it to be changed: with the decimal mark of its locale and without trailing zeros,
/// and without groups, since one digit more or less would put their marks in the wrong place.
#[must_use]
pub fn field(value: Decimal, locale: impl Into<Locale>) -> String {
    figures::spelled(value.normalize(), locale.into().mark())
}

/// Energy to the watt-hour without its unit: `1,298.640`. The column names kWh.
#[must_use]
pub fn kwh(value: Decimal, locale: impl Into<Locale>) -> String {
    number(value, KWH_PLACES, locale)
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

/// A fraction as a percentage with one decimal: `0.12` reads `12.0 %` (or `12.0%` in English).
#[must_use]
pub fn percent(fraction: Decimal, locale: impl Into<Locale>) -> String {
    percent_to(fraction, 1, locale)
}

/// A fraction as a percentage with just the decimals it has, four at most: `0.05` reads `5 %` (or `5%`).
#[must_use]
pub fn percent_exact(fraction: Decimal, locale: impl Into<Locale>) -> String {
    let places = (fraction * Decimal::ONE_HUNDRED).normalize().scale().min(4);
    percent_to(fraction, places, locale)
}

fn percent_to(fraction: Decimal, places: u32, locale: impl Into<Locale>) -> String {
    let locale = locale.into();
    let space = if matches!(locale, Locale::EnUs | Locale::EnGb | Locale::NlNl) { "" } else { NBSP };
    format!("{}{space}%", number(fraction * Decimal::ONE_HUNDRED, places, locale))
}

/// A count: `20,000`.
#[must_use]
pub fn count(value: i64, locale: impl Into<Locale>) -> String {
    number(Decimal::from(value), 0, locale)
}
