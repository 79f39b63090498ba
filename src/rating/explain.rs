//! Why one bill differs from another: usage, days, price, tariff change, estimates, and what earlier bills left, each with
//! its share of the difference. The shares sum to the difference to the cent.
//!
//! How: every factor is either as it was in the earlier bill or as it is in the later one. For each choice of factors the
//! bill that would have come of it is rated ([`hypothesis`]): the earlier month's usage on the later month's days, at the
//! earlier prices, and so on. A factor's share is its Shapley value: what changing it adds to the bill, on average over every
//! order in which the factors could have changed. So no order is preferred, a factor that did not change has no share, and
//! the comparison the other way round has the same shares with the other sign.

mod hypothesis;
mod shapley;

use chrono::NaiveDate;

use super::compile::CompiledTariff;
use super::error::RatingError;
use super::input::{History, UsageInput};
use super::versions::rate_versions;
use crate::values::money::Money;
use crate::values::period::Period;

/// What a bill was made of.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The days billed.
    pub period: Period,
    /// The versions of the tariff, each from its first day on.
    pub versions: &'a [(NaiveDate, &'a CompiledTariff)],
    /// What agreements call the tariff.
    pub tariff: &'a str,
    /// The usage of these days.
    pub usage: &'a UsageInput<'a>,
    /// What earlier bills left.
    pub history: &'a History,
    /// What was asked for.
    pub payable: Money,
}

/// A reason for a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Factor {
    /// Measured energy and demand, on days alike.
    Usage,
    /// Energy that was estimated in either bill, until it is measured.
    Estimates,
    /// How many days, and which: a season has prices of its own.
    Days,
    /// Another version of the same tariff.
    Price,
    /// Another tariff.
    Tariff,
    /// Credit, kWh and peaks of earlier bills, and what was put right since the earlier bill was made.
    Earlier,
}

/// A factor with its share of the difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Share {
    /// The factor.
    pub factor: Factor,
    /// What it adds to the later bill.
    pub amount: Money,
}

/// Why a bill differs from an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Explanation {
    /// The later bill less the earlier one.
    pub difference: Money,
    /// All factors in the order of [`Factor`]; they sum to the difference.
    pub shares: Vec<Share>,
}

/// The factors that can be changed one by one, each a bit of a choice. Price and tariff are one: prices come of one of them.
const CHANGES: [Factor; 5] = [Factor::Usage, Factor::Estimates, Factor::Days, Factor::Price, Factor::Earlier];

/// Explains why `now` differs from `before`.
///
/// # Errors
/// [`RatingError`] when a bill that might have been cannot be rated: intervals against register reads that the other
/// tariff cannot rate, say.
pub fn explain(before: &Case<'_>, now: &Case<'_>) -> Result<Explanation, RatingError> {
    let mut bills = Vec::with_capacity(1 << CHANGES.len());
    for choice in 0..1_u32 << CHANGES.len() {
        bills.push(payable(before, now, choice)?);
    }
    let mut shares = shapley::shares(&bills);
    // What was billed then and now may be other than what the same inputs come to today.
    let (was, is) = (bills.first().copied().unwrap_or_default(), bills.last().copied().unwrap_or_default());
    if let Some(earlier) = shares.last_mut() {
        *earlier += (was - before.payable) + (now.payable - is);
    }
    let changed = if before.tariff == now.tariff { Factor::Price } else { Factor::Tariff };
    let of = |factor: Factor| {
        let place = CHANGES.iter().position(|known| {
            *known == if factor == changed { Factor::Price } else { factor }
                && (factor != Factor::Price || factor == changed)
        });
        place.and_then(|at| shares.get(at)).copied().unwrap_or_default()
    };
    let all = [Factor::Usage, Factor::Estimates, Factor::Days, Factor::Price, Factor::Tariff, Factor::Earlier];
    Ok(Explanation {
        difference: now.payable - before.payable,
        shares: all.map(|factor| Share { factor, amount: of(factor) }).to_vec(),
    })
}

/// The bill of a choice: each factor as it is now where its bit is set, else as it was before.
fn payable(before: &Case<'_>, now: &Case<'_>, choice: u32) -> Result<Money, RatingError> {
    let of = |factor: Factor| {
        let bit = CHANGES.iter().position(|known| *known == factor).unwrap_or_default();
        if choice >> bit & 1 == 1 { now } else { before }
    };
    let days = of(Factor::Days);
    let usage = hypothesis::usage(of(Factor::Usage), of(Factor::Estimates), days.period);
    let registers = usage.registers();
    let versions = hypothesis::versions(of(Factor::Price), days);
    let bill = rate_versions(&versions, &usage.input(&registers), days.period, of(Factor::Earlier).history)?;
    Ok(bill.payable)
}
