//! Shapley values to the cent, in whole numbers.

use crate::values::money::Money;

/// The share of each factor in the difference of the last and the first bill. `bills` has one for each choice of factors: the
/// factors changed are the bits of its place. The shares sum to the difference: what is left over from rounding down goes to
/// those that lost most by it, the first of equals first.
pub fn shares(bills: &[Money]) -> Vec<Money> {
    let factors = bills.len().trailing_zeros();
    let cents: Vec<i128> = bills.iter().map(|bill| bill.cents()).collect();
    let whole: i128 = (1..=i128::from(factors)).product();
    let exact: Vec<i128> = (0..factors).map(|factor| value(&cents, factor, factors)).collect();
    let mut shares: Vec<i128> = exact.iter().map(|exact| exact.div_euclid(whole)).collect();
    let difference = cents.last().copied().unwrap_or(0) - cents.first().copied().unwrap_or(0);
    let missing = usize::try_from(difference - shares.iter().sum::<i128>()).unwrap_or(0);
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(exact.get(*at).map_or(0, |exact| exact.rem_euclid(whole))));
    for at in order.into_iter().take(missing) {
        if let Some(share) = shares.get_mut(at) {
            *share += 1;
        }
    }
    shares.into_iter().map(|cents| Money::from_cents(i64::try_from(cents).unwrap_or(0))).collect()
}

/// A factor's value times the number of orders: over all choices without it, what it adds, as often as there are orders in
/// which exactly these changed before it.
fn value(cents: &[i128], factor: u32, factors: u32) -> i128 {
    let without = (0..cents.len()).filter(|choice| choice >> factor & 1 == 0);
    let added = without.map(|choice| {
        let before = choice.count_ones();
        let orders = factorial(before) * factorial(factors - before - 1);
        let of = |choice: usize| cents.get(choice).copied().unwrap_or(0);
        orders * (of(choice | 1 << factor) - of(choice))
    });
    added.sum()
}

fn factorial(of: u32) -> i128 {
    (1..=i128::from(of)).product()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn money(cents: &[i64]) -> Vec<Money> {
        cents.iter().map(|cents| Money::from_cents(*cents)).collect()
    }

    #[test]
    fn what_two_factors_do_only_together_is_shared_evenly() {
        // 10 kWh at 1 becomes 20 kWh at 2: 10 for usage, 10 for the price, and 10 for both together.
        assert_eq!(shares(&money(&[1000, 2000, 2000, 4000])), money(&[1500, 1500]));
        assert_eq!(shares(&money(&[0, 0, 0, 1])), money(&[1, 0]), "a cent is not halved");
        assert_eq!(shares(&money(&[1, 0, 0, 0])), money(&[0, -1]));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn shares_sum_to_the_difference(cents in prop::collection::vec(-1_000_000_i64..1_000_000, 32)) {
            let sum: Money = shares(&money(&cents)).into_iter().sum();
            prop_assert_eq!(sum, Money::from_cents(cents[31] - cents[0]));
        }

        #[test]
        fn a_factor_that_changes_nothing_has_no_share(half in prop::collection::vec(-1_000_000_i64..1_000_000, 16), factor in 0_usize..5) {
            // Every pair of choices that differ in this factor alone has the same bill.
            let low = (1_usize << factor) - 1;
            let cents: Vec<i64> = (0..32).map(|choice: usize| half[(choice & low) | (choice >> 1 & !low)]).collect();
            prop_assert_eq!(shares(&money(&cents))[factor], Money::ZERO);
        }

        #[test]
        fn no_share_is_a_cent_off_its_exact_value(cents in prop::collection::vec(-1_000_000_i64..1_000_000, 32)) {
            let wide: Vec<i128> = cents.iter().map(|cents| i128::from(*cents)).collect();
            for (at, share) in shares(&money(&cents)).into_iter().enumerate() {
                let exact = value(&wide, u32::try_from(at).unwrap(), 5);
                prop_assert!((share.cents() * 120 - exact).abs() < 120);
            }
        }
    }
}
