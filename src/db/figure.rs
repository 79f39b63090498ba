//! Reading `numeric` quickly.
//!
//! A list reads a hundred figures; by way of a vector of digits each, they cost more than the rest of their rows.

use std::fmt;

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::pg::{Pg, PgValue};
use diesel::sql_types::Numeric;
use rust_decimal::Decimal;

/// A `numeric` on its way into a [`Decimal`]: for `#[diesel(deserialize_as = Figure)]`.
#[derive(Clone, Copy, PartialEq, Eq, FromSqlRow)]
pub struct Figure(Decimal);

impl fmt::Debug for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<Figure> for Decimal {
    fn from(figure: Figure) -> Self {
        figure.0
    }
}

impl FromSql<Numeric, Pg> for Figure {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        match short(value.as_bytes()) {
            Some(figure) => Ok(Self(figure)),
            None => <Decimal as FromSql<Numeric, Pg>>::from_sql(value).map(Self),
        }
    }
}

/// A figure of at most 16 digits before and 16 after the point; `None` for others, and for what is no number.
///
/// PostgreSQL sends four 16-bit words (number of digits, weight of the first, sign, decimals shown), then the
/// digits to the base of 10,000.
fn short(bytes: &[u8]) -> Option<Decimal> {
    let word = |at: usize| Some(u16::from_be_bytes(bytes.get(at * 2..at * 2 + 2)?.try_into().ok()?));
    let (count, scale) = (i32::from(word(0)?), i32::from(word(3)?));
    let weight = i32::from(i16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?));
    let negative = match word(2)? {
        0 => false,
        0x4000 => true,
        _ => return None,
    };
    if count > 8 || !(-4..=3).contains(&weight) || scale > 16 {
        return None;
    }
    let mut digits = 0_i128;
    for at in 4..4 + usize::try_from(count).ok()? {
        digits = digits * 10_000 + i128::from(word(at)?);
    }
    // The digits stand for a number with this many decimals; it is shown with `scale` of them.
    let shift = scale - 4 * (count - 1 - weight);
    let power = 10_i128.pow(shift.unsigned_abs());
    let shown = if shift >= 0 { digits * power } else { digits / power };
    Decimal::try_from_i128_with_scale(if negative { -shown } else { shown }, u32::try_from(scale).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As PostgreSQL sends it.
    fn sent(weight: i16, negative: bool, scale: u16, digits: &[u16]) -> Vec<u8> {
        let count = u16::try_from(digits.len()).unwrap();
        let mut words = vec![count, weight.cast_unsigned(), if negative { 0x4000 } else { 0 }, scale];
        words.extend(digits);
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn figures_keep_their_value_and_their_decimals() {
        let read = |bytes: Vec<u8>| short(&bytes).map(|figure| figure.to_string());
        assert_eq!(read(sent(0, false, 2, &[142, 1000])).as_deref(), Some("142.10"));
        assert_eq!(read(sent(1, true, 2, &[1, 2345, 6700])).as_deref(), Some("-12345.67"));
        assert_eq!(read(sent(-1, false, 4, &[12])).as_deref(), Some("0.0012"));
        assert_eq!(read(sent(-2, false, 6, &[1200])).as_deref(), Some("0.000012"));
        assert_eq!(read(sent(1, false, 0, &[5])).as_deref(), Some("50000"));
        assert_eq!(read(sent(0, false, 2, &[])).as_deref(), Some("0.00"));
        assert_eq!(read(sent(0, false, 3, &[1298, 6400])).as_deref(), Some("1298.640"));
    }

    #[test]
    fn what_is_no_short_number_is_left_to_the_library() {
        assert_eq!(short(&sent(0, false, 20, &[1])), None);
        assert_eq!(short(&[0, 0, 0, 0, 0xC0, 0, 0, 0]), None, "NaN");
        assert_eq!(short(&[0, 1, 0]), None, "cut off");
    }
}
