//! Money: an amount with two decimals, and the one place where anything is rounded.
//!
//! Rule 6 of rating: money is never rounded per interval; a line has at most two decimals and is rounded
//! half away from zero unless the tariff says otherwise.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};
use std::str::FromStr;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// How a figure with too many decimals becomes one with fewer. Part of a tariff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// 0.005 becomes 0.01 and -0.005 becomes -0.01: the rule unless a tariff says otherwise.
    #[default]
    HalfAwayFromZero,
    /// 0.005 becomes 0.00 and 0.015 becomes 0.02 (banker's rounding).
    HalfToEven,
    /// Cut off: 0.019 becomes 0.01 and -0.019 becomes -0.01.
    TowardsZero,
    /// 0.011 becomes 0.02 and -0.011 becomes -0.02.
    AwayFromZero,
}

impl Rounding {
    /// Rounds `value` to `decimals` places.
    #[must_use]
    pub fn apply(self, value: Decimal, decimals: u32) -> Decimal {
        let strategy = match self {
            Self::HalfAwayFromZero => RoundingStrategy::MidpointAwayFromZero,
            Self::HalfToEven => RoundingStrategy::MidpointNearestEven,
            Self::TowardsZero => RoundingStrategy::ToZero,
            Self::AwayFromZero => RoundingStrategy::AwayFromZero,
        };
        value.round_dp_with_strategy(decimals, strategy)
    }
}

/// An amount of money with exactly two decimals; the currency is known from the context.
///
/// Shown and serialised as a string such as `"-12.50"`, never as a float.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(Decimal);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// Rounds half away from zero to two decimals.
    #[must_use]
    pub fn new(value: Decimal) -> Self {
        Self::rounded(value, Rounding::HalfAwayFromZero)
    }

    /// Rounds to two decimals by the given rule.
    #[must_use]
    pub fn rounded(value: Decimal, rounding: Rounding) -> Self {
        let mut amount = rounding.apply(value, 2);
        amount.rescale(2);
        if amount.is_zero() {
            amount.set_sign_positive(true);
        }
        Self(amount)
    }

    /// So many hundredths: `Money::from_cents(1250)` is 12.50.
    #[must_use]
    pub fn from_cents(cents: i64) -> Self {
        Self(Decimal::new(cents, 2))
    }

    /// So many hundredths.
    #[must_use]
    pub fn cents(self) -> i128 {
        let mut amount = self.0;
        amount.rescale(2);
        amount.mantissa()
    }

    /// The amount as a decimal with two places.
    #[must_use]
    pub const fn amount(self) -> Decimal {
        self.0
    }

    /// Whether it is 0.00.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// Whether it is below 0.00.
    #[must_use]
    pub fn is_negative(self) -> bool {
        self.0 < Decimal::ZERO
    }

    /// The amount without its sign.
    #[must_use]
    pub fn abs(self) -> Self {
        Self(self.0.abs())
    }
}

impl Default for Money {
    fn default() -> Self {
        Self::ZERO
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:.2}", self.0))
    }
}

/// A text that is not an amount with at most two decimals.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an amount with at most two decimals")]
pub struct NotMoney(pub String);

impl FromStr for Money {
    type Err = NotMoney;

    fn from_str(text: &str) -> Result<Self, NotMoney> {
        let value = Decimal::from_str(text.trim()).map_err(|_| NotMoney(text.to_owned()))?;
        if value.normalize().scale() > 2 {
            return Err(NotMoney(text.to_owned()));
        }
        Ok(Self::new(value))
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl Add for Money {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Money {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Money {
    type Output = Self;
    fn neg(self) -> Self {
        if self.is_zero() { self } else { Self(-self.0) }
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl SubAssign for Money {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::from_str(text).unwrap()
    }

    #[test]
    fn an_amount_is_rounded_half_away_from_zero() {
        for (from, to) in
            [("0.005", "0.01"), ("-0.005", "-0.01"), ("0.0049", "0.00"), ("2.675", "2.68"), ("-0.001", "0.00")]
        {
            assert_eq!(Money::new(decimal(from)).to_string(), to, "{from}");
        }
    }

    #[test]
    fn the_tariff_may_choose_another_rounding() {
        let round = |rule| Money::rounded(decimal("-0.125"), rule).to_string();
        assert_eq!(round(Rounding::HalfToEven), "-0.12");
        assert_eq!(round(Rounding::TowardsZero), "-0.12");
        assert_eq!(round(Rounding::AwayFromZero), "-0.13");
        assert_eq!(round(Rounding::HalfAwayFromZero), "-0.13");
    }

    #[test]
    fn money_is_written_as_a_string_with_two_decimals_and_read_back() {
        let five = Money::new(decimal("5"));
        assert_eq!(serde_json::to_string(&five).unwrap(), "\"5.00\"");
        assert_eq!(serde_json::from_str::<Money>("\"5\"").unwrap(), five);
        assert!(serde_json::from_str::<Money>("\"5.001\"").is_err());
        assert!(serde_json::from_str::<Money>("5.0").is_err(), "a float is not money");
    }

    #[test]
    fn amounts_add_up() {
        let total: Money = [Money::from_cents(1250), -Money::from_cents(250)].into_iter().sum();
        assert_eq!(total, Money::from_cents(1000));
        assert_eq!(format!("{total:>8}"), "   10.00");
    }
}
