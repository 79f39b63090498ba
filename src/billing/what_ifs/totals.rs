//! What a what-if comes to: sums, who pays more and who less, and how the changes are spread. Pure.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Bands of percent on either side of "no change"; beyond them lies one more.
const SIDE: usize = 5;
/// All bands: beyond, [`SIDE`] less, no change, [`SIDE`] more, beyond.
pub const BANDS: usize = 2 * SIDE + 3;
/// How wide a band may be, in percent.
const WIDTHS: [i64; 6] = [1, 2, 5, 10, 20, 50];
/// Reasons that are told apart; further ones are counted together.
const REASONS: usize = 8;

/// A customer's months under one candidate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Share {
    /// Months that were rated both now and under the candidate: the figures are sums of these.
    pub months: i16,
    /// Energy.
    pub kwh: Decimal,
    /// What they cost now.
    pub now: Decimal,
    /// What they would cost.
    pub cost: Decimal,
    /// Why others were not rated; empty: all were.
    pub problem: String,
}

/// A customer's part in the totals.
#[derive(Debug, Clone, Default)]
pub struct Compared {
    /// Months supplied.
    pub supplied: i16,
    /// Whether some of the usage was estimated.
    pub estimated: bool,
    /// Under each candidate.
    pub shares: Vec<Share>,
}

/// What a candidate does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Customers compared in some month.
    pub compared: i64,
    /// Those of them who lack a month.
    pub in_part: i64,
    /// Their energy.
    pub kwh: Decimal,
    /// Revenue from them now.
    pub now: Decimal,
    /// Revenue from them under the candidate.
    pub total: Decimal,
    /// Customers who would pay more.
    pub more: i64,
    /// By how much in all.
    pub more_by: Decimal,
    /// Customers who would pay less.
    pub less: i64,
    /// By how much in all, as a positive amount.
    pub less_by: Decimal,
    /// Customers for whom nothing changes.
    pub same: i64,
    /// Customers by band of their change in percent: [`Totals::edges`].
    pub bands: Vec<i64>,
    /// Customers who pay nothing now, or are paid: their change has no percentage.
    pub without_percent: i64,
    /// Why customers or months were left out, the most frequent first.
    pub reasons: Vec<Reason>,
}

impl Outcome {
    /// What it does to revenue.
    #[must_use]
    pub fn change(&self) -> Decimal {
        self.total - self.now
    }
}

/// Customers who could not be compared, or not in every month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Why, without its days.
    pub text: String,
    /// How many have no month at all.
    pub left_out: i64,
    /// How many have some months.
    pub in_part: i64,
}

/// What a what-if comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Customers looked at.
    pub customers: i64,
    /// Those of them with estimated usage.
    pub estimated: i64,
    /// Under each candidate.
    pub candidates: Vec<Outcome>,
    /// Width of a band, in percent.
    pub width: i64,
}

fn count(found: usize) -> i64 {
    i64::try_from(found).unwrap_or(i64::MAX)
}

impl Totals {
    /// Sums customers up.
    #[must_use]
    pub fn of(customers: &[Compared], candidates: usize) -> Self {
        let width = width(customers);
        Self {
            customers: count(customers.len()),
            estimated: count(customers.iter().filter(|row| row.estimated).count()),
            candidates: (0..candidates).map(|at| outcome(customers, at, width)).collect(),
            width,
        }
    }

    /// The bands' edges in percent, from least to most: `(from, to)`, both `None` in the middle, where nothing changes.
    #[must_use]
    pub fn edges(&self) -> Vec<(Option<i64>, Option<i64>)> {
        let (side, width) = (count(SIDE), self.width.max(1));
        let most = side * width;
        let less = (0..side).map(|at| (Some(at * width - most), Some((at + 1) * width - most)));
        let more = (0..side).map(|at| (Some(at * width), Some((at + 1) * width)));
        let (low, high) = ((None, Some(-most)), (Some(most), None));
        [low].into_iter().chain(less).chain([(None, None)]).chain(more).chain([high]).collect()
    }
}

/// The change in percent of what is paid now; `None` where nothing is.
#[must_use]
pub fn percent(now: Decimal, cost: Decimal) -> Option<Decimal> {
    (now > Decimal::ZERO).then(|| (cost - now) * Decimal::ONE_HUNDRED / now)
}

/// The narrowest bands that hold nineteen in twenty changes.
fn width(customers: &[Compared]) -> i64 {
    let compared = customers.iter().flat_map(|row| &row.shares).filter(|share| share.months > 0);
    let mut changes: Vec<Decimal> =
        compared.filter_map(|share| percent(share.now, share.cost)).map(|change| change.abs()).collect();
    changes.sort_unstable();
    let most = changes.get((changes.len() * 19 / 20).min(changes.len().saturating_sub(1))).copied().unwrap_or_default();
    let holds = |width: &i64| most <= Decimal::from(width * count(SIDE));
    WIDTHS.into_iter().find(holds).unwrap_or(WIDTHS[WIDTHS.len() - 1])
}

/// In which band a change lies.
fn band(change: Decimal, width: i64) -> usize {
    let steps = (change.abs() / Decimal::from(width.max(1))).ceil();
    let steps = usize::try_from(steps).unwrap_or(usize::MAX).min(SIDE + 1);
    if change < Decimal::ZERO { SIDE + 1 - steps } else { SIDE + 1 + steps }
}

fn outcome(customers: &[Compared], at: usize, width: i64) -> Outcome {
    let shares = || customers.iter().filter_map(|row| Some((row.supplied, row.shares.get(at)?)));
    let mut found =
        Outcome { bands: vec![0; BANDS], reasons: reasons(shares().map(|(_, share)| share)), ..Outcome::default() };
    for (supplied, share) in shares().filter(|(_, share)| share.months > 0) {
        found.compared += 1;
        found.in_part += i64::from(share.months < supplied);
        found.kwh += share.kwh;
        found.now += share.now;
        found.total += share.cost;
        let change = share.cost - share.now;
        if change > Decimal::ZERO {
            found.more += 1;
            found.more_by += change;
        } else if change < Decimal::ZERO {
            found.less += 1;
            found.less_by -= change;
        } else {
            found.same += 1;
        }
        match percent(share.now, share.cost) {
            Some(percent) => {
                if let Some(count) = found.bands.get_mut(band(percent, width)) {
                    *count += 1;
                }
            }
            None => found.without_percent += 1,
        }
    }
    found
}

fn reasons<'a>(shares: impl Iterator<Item = &'a Share>) -> Vec<Reason> {
    let mut found: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for share in shares.filter(|share| !share.problem.is_empty()) {
        let (left_out, in_part) = found.entry(kind_of(&share.problem)).or_default();
        if share.months == 0 { *left_out += 1 } else { *in_part += 1 }
    }
    let mut reasons: Vec<Reason> =
        found.into_iter().map(|(text, (left_out, in_part))| Reason { text, left_out, in_part }).collect();
    reasons.sort_by_key(|reason| -(reason.left_out + reason.in_part));
    if reasons.len() > REASONS {
        let rest = reasons.split_off(REASONS - 1);
        let sum = |of: fn(&Reason) -> i64| rest.iter().map(of).sum();
        let (left_out, in_part) = (sum(|reason| reason.left_out), sum(|reason| reason.in_part));
        reasons.push(Reason { text: "Other reasons.".to_owned(), left_out, in_part });
    }
    reasons
}

/// A reason without the days and figures that differ from customer to customer: `Usage is missing.`
fn kind_of(problem: &str) -> String {
    let head = problem.split(": 2").next().unwrap_or(problem);
    let mut words: Vec<&str> = vec![];
    for word in head.split_whitespace() {
        let plain = word.trim_end_matches(['.', ',', ';', ':']);
        if plain.parse::<NaiveDate>().is_ok() {
            while matches!(words.last(), Some(&("for" | "on" | "from" | "to" | "between" | "until"))) {
                words.pop();
            }
        } else {
            words.push(word);
        }
    }
    let text = words.join(" ");
    format!("{}.", text.trim_end_matches(['.', ',', ';', ':']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(now: i64, costs: &[i64]) -> Compared {
        let share = |cost: &i64| Share { months: 12, now: now.into(), cost: (*cost).into(), ..Share::default() };
        Compared { supplied: 12, shares: costs.iter().map(share).collect(), ..Compared::default() }
    }

    fn lacking(problem: &str, months: i16) -> Compared {
        let share = Share { months, problem: problem.to_owned(), ..Share::default() };
        Compared { supplied: 12, shares: vec![share], ..Compared::default() }
    }

    #[test]
    fn who_pays_more_and_who_less_adds_up_to_the_effect_on_revenue() {
        let rows = [row(100, &[110, 90]), row(200, &[180, 200]), row(50, &[50, 51])];
        let totals = Totals::of(&rows, 2);
        assert_eq!(totals.customers, 3);
        for outcome in &totals.candidates {
            assert_eq!((outcome.compared, outcome.now), (3, 350.into()));
            assert_eq!(outcome.change(), outcome.more_by - outcome.less_by);
            assert_eq!(outcome.more + outcome.less + outcome.same, outcome.compared);
            assert_eq!(outcome.bands.iter().sum::<i64>() + outcome.without_percent, outcome.compared);
        }
        let first = &totals.candidates[0];
        assert_eq!((first.total, first.more, first.less, first.same), (340.into(), 1, 1, 1));
        assert_eq!((first.more_by, first.less_by), (10.into(), 20.into()));
    }

    #[test]
    fn who_cannot_be_rated_under_one_candidate_is_compared_under_the_other() {
        let mut half = row(100, &[90, 80]);
        half.shares[1] = Share { problem: "The register is missing.".to_owned(), ..Share::default() };
        let totals = Totals::of(&[half, row(100, &[100, 70])], 2);
        let figures =
            |at: usize| (totals.candidates[at].compared, totals.candidates[at].now, totals.candidates[at].total);
        assert_eq!(figures(0), (2, 200.into(), 190.into()));
        assert_eq!(figures(1), (1, 100.into(), 70.into()), "like is compared with like");
        assert!(totals.candidates[0].reasons.is_empty());
        assert_eq!(totals.candidates[1].reasons[0].left_out, 1);
    }

    #[test]
    fn each_change_lies_in_the_band_that_names_it() {
        let changes = ["-100", "-10.01", "-10", "-8", "-0.01", "0", "0.01", "2", "2.01", "10", "10.01", "900"];
        let totals = Totals { width: 2, ..Totals::default() };
        let edges = totals.edges();
        assert_eq!(edges.len(), BANDS);
        for change in changes {
            let change: Decimal = change.parse().unwrap();
            let (from, to) = edges[band(change, 2)];
            let (from, to) = (from.map(Decimal::from), to.map(Decimal::from));
            if change.is_zero() {
                assert_eq!((from, to), (None, None));
            } else if change > Decimal::ZERO {
                assert!(from.unwrap() < change && to.is_none_or(|to| change <= to), "{change} {from:?} {to:?}");
            } else {
                assert!(from.is_none_or(|from| from <= change) && change < to.unwrap(), "{change} {from:?} {to:?}");
            }
        }
    }

    #[test]
    fn bands_are_as_wide_as_the_changes_are_spread() {
        let spread = |most: i64| Totals::of(&[row(1000, &[1000 + most * 10]), row(1000, &[1000])], 1).width;
        assert_eq!((spread(1), spread(9), spread(20), spread(49), spread(5000)), (1, 2, 5, 10, 50));
        assert_eq!(Totals::of(&[], 1).width, 1);
    }

    #[test]
    fn who_pays_nothing_now_has_no_percentage_and_counts_all_the_same() {
        let totals = Totals::of(&[row(0, &[10]), row(-5, &[-5])], 1);
        let outcome = &totals.candidates[0];
        assert_eq!((outcome.more, outcome.same, outcome.without_percent), (1, 1, 2));
    }

    #[test]
    fn reasons_are_told_without_the_days_that_differ() {
        let rows = [
            lacking("Usage is missing: 2026-11-07.", 0),
            lacking("Usage is missing: 2026-11-09, 2026-11-11.", 0),
            lacking("No tariff is agreed for 2026-01-01.", 0),
            lacking("No meter is in place from 2026-01-01 to 2026-01-31.", 0),
            lacking("Usage is missing: 2026-03-01.", 11),
        ];
        let totals = Totals::of(&rows, 1);
        let outcome = &totals.candidates[0];
        assert_eq!((totals.customers, outcome.compared, outcome.in_part), (5, 1, 1));
        let told: Vec<(&str, i64, i64)> =
            outcome.reasons.iter().map(|reason| (&*reason.text, reason.left_out, reason.in_part)).collect();
        assert_eq!(
            told,
            [("Usage is missing.", 2, 1), ("No meter is in place.", 1, 0), ("No tariff is agreed.", 1, 0)]
        );
    }
}
