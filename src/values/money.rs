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

    /// Rounds so many units of the last of `scale` decimals to cents; `None` where 64 bits do not hold it.
    fn cents(self, units: i64, scale: u32) -> Option<i64> {
        let Some(dropped) = scale.checked_sub(2) else {
            return units.checked_mul(10_i64.pow(2 - scale));
        };
        let one = 10_i64.checked_pow(dropped)?;
        let (cut, rest) = (units / one, units % one);
        let half = rest.unsigned_abs().cmp(&(one.unsigned_abs() - rest.unsigned_abs()));
        let away = match self {
            Self::HalfAwayFromZero => half.is_ge(),
            Self::HalfToEven => half.is_gt() || (half.is_eq() && cut % 2 != 0),
            Self::TowardsZero => false,
            Self::AwayFromZero => rest != 0,
        };
        Some(if away { cut + units.signum() } else { cut })
    }
}

/// An amount of money in whole hundredths; the currency is known from the context.
///
/// Shown and serialised as a string such as `"-12.50"`, never as a float.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Money(i128);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Rounds half away from zero to two decimals.
    #[must_use]
    pub fn new(value: Decimal) -> Self {
        Self::rounded(value, Rounding::HalfAwayFromZero)
    }

    /// Rounds to two decimals by the given rule.
    #[must_use]
    pub fn rounded(value: Decimal, rounding: Rounding) -> Self {
        let amount = rounding.apply(value, 2);
        // A decimal has 96 bits: a hundred times one has room.
        Self(amount.mantissa() * 10_i128.pow(2_u32.saturating_sub(amount.scale())))
    }

    /// `quantity` x `price`, rounded once by the given rule; `None` where the product is beyond a decimal.
    #[must_use]
    pub fn product(quantity: Decimal, price: Decimal, rounding: Rounding) -> Option<Self> {
        let whole = |value: Decimal| i64::try_from(value.mantissa()).ok();
        let units = whole(quantity).zip(whole(price)).and_then(|(quantity, price)| quantity.checked_mul(price));
        let cents = units.and_then(|units| rounding.cents(units, quantity.scale() + price.scale()));
        match cents {
            Some(cents) => Some(Self::from_cents(cents)),
            None => quantity.checked_mul(price).map(|exact| Self::rounded(exact, rounding)),
        }
    }

    /// So many hundredths: `Money::from_cents(1250)` is 12.50.
    #[must_use]
    pub const fn from_cents(cents: i64) -> Self {
        Self(cents as i128)
    }

    /// So many hundredths.
    #[must_use]
    pub const fn cents(self) -> i128 {
        self.0
    }

    /// The amount as a decimal with two places; with none where it is beyond what a decimal holds with two.
    #[must_use]
    pub fn amount(self) -> Decimal {
        Decimal::try_from_i128_with_scale(self.0, 2)
            .or_else(|_| Decimal::try_from_i128_with_scale(self.0 / 100, 0))
            .unwrap_or(if self.is_negative() { Decimal::MIN } else { Decimal::MAX })
    }

    /// Whether it is 0.00.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Whether it is below 0.00.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// The amount without its sign.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.abs())
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, size) = (if self.is_negative() { "-" } else { "" }, self.0.unsigned_abs());
        f.pad(&format!("{sign}{}.{:02}", size / 100, size % 100))
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
        Self(-self.0)
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
    fn a_product_is_rounded_as_the_exact_one_is() {
        let rules = [Rounding::HalfAwayFromZero, Rounding::HalfToEven, Rounding::TowardsZero, Rounding::AwayFromZero];
        let figures = ["0", "1", "-1", "0.005", "0.015", "-0.025", "2.5", "1016.770", "0.082949", "-0.000001"];
        let large = ["9999999999.99", "79228162514264337593543950335", "0.0000000000000000000000000001"];
        let figures: Vec<Decimal> = figures.iter().chain(&large).map(|text| decimal(text)).collect();
        for (one, other) in figures.iter().flat_map(|one| figures.iter().map(move |other| (*one, *other))) {
            for rule in rules {
                let exact = one.checked_mul(other).map(|exact| Money::rounded(exact, rule));
                assert_eq!(Money::product(one, other, rule), exact, "{one} x {other}, {rule:?}");
            }
        }
    }

    #[test]
    fn what_a_decimal_holds_money_holds() {
        for most in [Decimal::MAX, Decimal::MIN] {
            assert_eq!(Money::new(most).amount(), most);
            assert_eq!(Money::new(most).to_string(), format!("{most}.00"));
        }
    }

    #[test]
    fn amounts_add_up() {
        let total: Money = [Money::from_cents(1250), -Money::from_cents(250)].into_iter().sum();
        assert_eq!(total, Money::from_cents(1000));
        assert_eq!(format!("{total:>8}"), "   10.00");
    }
}
