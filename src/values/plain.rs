//! Decimal numbers in plain spelling, for figures of meters and of tariffs alike.
//!
//! An optional sign, digits, at most one point: `12`, `-0.5`, `.25`. Digits grouped by underscores and
//! exponents, which a decimal's own parser takes, are refused, as the documents say.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

/// The number that a text is in plain spelling; `None` for anything else and for what a decimal cannot hold.
#[must_use]
pub fn decimal(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if plain { Decimal::from_str(text).ok() } else { None }
}

/// For `#[serde(deserialize_with)]`: a text in plain spelling, or a number by its shortest spelling.
///
/// # Errors
/// The deserializer's, for anything else.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    Plain::deserialize(deserializer).map(|plain| plain.0)
}

/// The same for a field that may be null.
///
/// # Errors
/// The deserializer's, for anything else.
pub fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
    Option::<Plain>::deserialize(deserializer).map(|plain| plain.map(|plain| plain.0))
}

/// A decimal that is read in plain spelling alone.
struct Plain(Decimal);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Spelling).map(Self)
    }
}

struct Spelling;

impl Visitor<'_> for Spelling {
    type Value = Decimal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain decimal number such as \"0.28\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Decimal, E> {
        decimal(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Decimal, E> {
        Ok(Decimal::from(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Decimal, E> {
        Ok(Decimal::from(number))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Decimal, E> {
        // Rust writes floats by their shortest digits and never with an exponent.
        decimal(&number.to_string()).ok_or_else(|| E::invalid_value(Unexpected::Float(number), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_numbers_are_read_and_other_spellings_are_not() {
        for (text, number) in [("12", "12"), ("-0.50", "-0.50"), ("+1", "1"), (".25", "0.25"), ("7.", "7")] {
            assert_eq!(decimal(text).map(|number| number.to_string()).as_deref(), Some(number), "{text}");
        }
        for text in ["", "-", ".", "1_0", "_1", "1e2", "1E-2", "1,5", "--1", "1.2.3", " 1", "0x1", "NaN", "\u{661}"] {
            assert_eq!(decimal(text), None, "{text:?}");
        }
    }
}
