//! Energy of an interval, finer than a watt-hour.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::values::money::Rounding;

/// Energy in millionths of a watt-hour: what an interval has below a watt-hour is kept until its day is summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Energy(i64);

/// Parts of a watt-hour.
const PARTS: i64 = 1_000_000;

impl Energy {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Whole watt-hours.
    #[must_use]
    pub const fn whole(wh: i32) -> Self {
        Self(wh as i64 * PARTS)
    }

    /// Watt-hours to six decimals, half away from zero; `None` for more than a meter measures in one interval.
    #[must_use]
    pub fn of_wh(wh: Decimal) -> Option<Self> {
        Self::scaled(wh, 0)
    }

    /// A figure times ten to a power from 0 to 6, in watt-hours; `None` as for [`Self::of_wh`].
    #[must_use]
    pub fn scaled(figure: Decimal, power: u32) -> Option<Self> {
        // A figure of a usual file needs no more than its own digits.
        if let Some(places) = (power + 6).checked_sub(figure.scale()) {
            let parts = i64::try_from(figure.mantissa()).ok()?.checked_mul(10_i64.checked_pow(places)?)?;
            return i32::try_from(parts / PARTS).ok().map(|_| Self(parts));
        }
        let wh = figure.checked_mul(Decimal::from(10_i64.checked_pow(power)?))?;
        let parts = Rounding::HalfAwayFromZero.apply(wh.checked_mul(Decimal::from(PARTS))?, 0).to_i64()?;
        i32::try_from(parts / PARTS).ok().map(|_| Self(parts))
    }

    /// Kilowatt-hours to nine decimals; `None` as for [`Self::of_wh`].
    #[must_use]
    pub fn of_kwh(kwh: Decimal) -> Option<Self> {
        Self::scaled(kwh, 3)
    }

    /// Below zero.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Without its sign.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.abs())
    }

    /// A thousand times as much: what a figure comes to whose mark parts thousands and was taken for the decimal one. Such
    /// a figure has at most six digits.
    #[must_use]
    pub(super) const fn thousandfold(self) -> Self {
        Self(self.0 * 1_000)
    }

    /// Watt-hours as a decimal number.
    #[must_use]
    pub fn wh(self) -> Decimal {
        Decimal::new(self.0, 6).normalize()
    }

    /// Whole watt-hours, rounded down, and the millionths above them.
    #[must_use]
    pub(super) const fn split(self) -> (i64, i32) {
        // A remainder by a million fits.
        (self.0.div_euclid(PARTS), self.0.rem_euclid(PARTS) as i32)
    }

    /// What [`Self::split`] took apart.
    pub(super) const fn joined(wh: i32, parts: i32) -> Self {
        Self(wh as i64 * PARTS + parts as i64)
    }
}

/// Turns the energies of a day into whole watt-hours whose sum is the exact sum, rounded once: what an interval has
/// below a watt-hour is carried to the next.
#[derive(Debug, Default)]
pub(super) struct Carry {
    exact: i64,
    given: i64,
}

impl Carry {
    /// The watt-hours of the next interval.
    pub fn next(&mut self, energy: Energy) -> i64 {
        self.exact += energy.0;
        // Half away from zero, of the day so far.
        let half = if self.exact < 0 { -PARTS / 2 } else { PARTS / 2 };
        let until_now = (self.exact + half) / PARTS;
        let wh = until_now - self.given;
        self.given = until_now;
        wh
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kilowatt_hours_are_read_to_the_millionth_of_a_watt_hour() {
        let kwh = |text: &str| Energy::of_kwh(text.parse().unwrap());
        assert_eq!(kwh("0.0625"), Some(Energy(62_500_000)));
        assert_eq!(kwh("-1.5"), Some(Energy(-1_500_000_000)));
        assert_eq!(kwh("0.00000000149"), Some(Energy(1)));
        assert_eq!(kwh("0.30000000000000004"), Some(Energy(300_000_000)));
        assert_eq!((kwh("2147483.648"), kwh("79228162514264")), (None, None));
    }

    #[test]
    fn a_day_of_sixteenths_sums_to_the_watt_hour() {
        let mut carry = Carry::default();
        let given: Vec<i64> = (0..96).map(|_| carry.next(Energy::of_wh("62.5".parse().unwrap()).unwrap())).collect();
        assert_eq!((given.iter().sum::<i64>(), given[0], given[1]), (6_000, 63, 62));
        let mut carry = Carry::default();
        let given: i64 = (0..288).map(|_| carry.next(Energy::of_wh("0.3333".parse().unwrap()).unwrap())).sum();
        assert_eq!(given, 96);
    }

    #[test]
    fn what_is_taken_apart_is_put_together_again() {
        for text in ["0", "0.4", "-0.4", "-7", "2147483646.999999"] {
            let energy = Energy::of_wh(text.parse().unwrap()).unwrap();
            let (wh, parts) = energy.split();
            assert_eq!(Energy::joined(i32::try_from(wh).unwrap(), parts), energy, "{text}");
        }
    }
}
