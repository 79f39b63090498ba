//! Energy fed in: net metering, net billing, buy-all/sell-all are three different things.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::Datelike;
use rust_decimal::Decimal;

use super::bill::{BillLine, LineKind, TraceDay};
use super::compile::Charge;
use super::energy::{Bucket, Counter, Scale, Sum};
use super::error::RatingError;
use super::input::Supply;
use super::item::Unit;
use super::measure::Measured;
use super::part::{Part, State, trace};
use super::{registers, walk};
use crate::tariff_document::{ExportCredit, Netting};
use crate::usage::{DayUsage, Profile, Quality};
use crate::values::money::Money;

/// What energy charges and credits are worked out from.
pub enum Flow {
    /// Imports as they are.
    Gross,
    /// Imports less exports, interval by interval: positive where energy was bought.
    Net {
        net: Profile,
        /// Only what was bought, where that is what charges bill.
        bought: Option<Profile>,
    },
}

impl Flow {
    /// What energy charges are worked out from where it is not what was imported.
    pub fn bought(&self) -> Option<&Profile> {
        match self {
            Self::Gross => None,
            Self::Net { net, bought } => Some(bought.as_ref().unwrap_or(net)),
        }
    }
}

/// How a part's usage flows into its charges.
pub fn flow(part: &Part<'_>) -> Result<Flow, RatingError> {
    let fault = |text: &str| Err(RatingError::Export(text.to_owned()));
    match (&part.tariff.document.export, part.usage.import, part.usage.export) {
        (None, _, Some(_)) => fault("the tariff has no rule for energy fed in"),
        (None, _, None) | (Some(ExportCredit::BuyAllSellAll { .. }), ..) | (_, _, None) => Ok(Flow::Gross),
        (Some(rules), Supply::Profile(import), Some(Supply::Profile(export))) => {
            let mut net = net(part, import, export)?;
            if by_the_hour(rules) {
                net = hours(net)?;
            }
            let metering = matches!(rules, ExportCredit::NetMetering(_));
            Ok(Flow::Net { bought: (!metering).then(|| one_way(&net, 1)), net })
        }
        (Some(rules), Supply::Reads(_), Some(Supply::Reads(_))) if by_the_hour(rules) => {
            let why = "register reads do not tell what was bought and fed in within an hour".to_owned();
            Err(RatingError::NeedsIntervals { charge: "net billing by the hour".to_owned(), why })
        }
        // A register that counts one way has netted within each moment.
        (_, Supply::Reads(_), Some(Supply::Reads(_))) => Ok(Flow::Gross),
        _ => fault("import and export must both be interval data or both register reads"),
    }
}

fn net(part: &Part<'_>, import: &Profile, export: &Profile) -> Result<Profile, RatingError> {
    if import.minutes != export.minutes || import.zone != export.zone {
        return Err(RatingError::Export("import and export differ in interval length or zone".to_owned()));
    }
    let (bought, sold) = (walk::days(import, part.period)?, walk::days(export, part.period)?);
    let less = |one: &DayUsage, other: &DayUsage| DayUsage {
        date: one.date,
        values: one.values.iter().zip(&other.values).map(|(one, other)| one.saturating_sub(*other)).collect(),
        flags: if walk::estimated(one) || !walk::estimated(other) { one.flags.clone() } else { other.flags.clone() },
    };
    let days = bought.iter().zip(sold).map(|(one, other)| less(one, other)).collect();
    Ok(Profile { days, ..*import })
}

fn by_the_hour(rules: &ExportCredit) -> bool {
    matches!(rules, ExportCredit::NetBilling { netting: Netting::Hour, .. })
}

/// The same in hours of the clock, each the sum of its intervals. Days begin with an hour.
fn hours(net: Profile) -> Result<Profile, RatingError> {
    let fault = |text: String| RatingError::Export(text);
    if net.minutes == 0 || 60 % net.minutes != 0 {
        let text = format!("intervals of {} minutes do not make hours, over which they are netted", net.minutes);
        return Err(fault(text));
    }
    let count = usize::from(60 / net.minutes);
    let day = |day: DayUsage| {
        if !day.values.len().is_multiple_of(count) {
            return Err(fault(format!("{} has no whole hours, over which they are netted", day.date)));
        }
        let hour = |values: &[i32]| values.iter().fold(0_i32, |sum, value| sum.saturating_add(*value));
        Ok(DayUsage {
            date: day.date,
            values: day.values.chunks(count).map(hour).collect(),
            flags: day.flags.map(|flags| flags.chunks(count).map(worst).collect()),
        })
    };
    let days: Result<Vec<DayUsage>, RatingError> = net.days.into_iter().map(day).collect();
    Ok(Profile { days: days?, minutes: 60, ..net })
}

/// The quality of an hour: estimated where any of its values is.
fn worst(flags: &[u8]) -> u8 {
    let estimated = Quality::Estimated.code();
    if flags.contains(&estimated) { estimated } else { flags.iter().copied().max().unwrap_or(Quality::Actual.code()) }
}

/// Only what was bought (`sign` 1) or only what was fed in (`sign` -1) of a netted profile.
pub fn one_way(net: &Profile, sign: i32) -> Profile {
    let way = |value: &i32| value.saturating_mul(sign).max(0);
    let day = |day: &DayUsage| DayUsage {
        date: day.date,
        values: day.values.iter().map(way).collect(),
        flags: day.flags.clone(),
    };
    Profile { days: net.days.iter().map(day).collect(), ..*net }
}

/// Adds the credit lines of a part: net billing and buy-all/sell-all.
pub fn credits(part: &Part<'_>, flow: &Flow, lines: &mut Vec<BillLine>) -> Result<(), RatingError> {
    let (Some(charge), Some(export)) = (&part.tariff.export, part.usage.export) else {
        return Ok(());
    };
    let scale = Scale { numerator: 1, denominator: 1 };
    let sums = match (flow, export) {
        (Flow::Net { net, .. }, _) => sold(part, charge, &one_way(net, -1), scale)?,
        (Flow::Gross, Supply::Profile(profile)) => sold(part, charge, profile, scale)?,
        (Flow::Gross, Supply::Reads(reads)) => {
            registers::tile(reads, part.period)?;
            registers::energy(charge, reads, scale)?
        }
    };
    for sum in sums.into_iter().filter(|sum| sum.bucket.wh != 0) {
        if let Some(item) = charge.prices.get(sum.price).and_then(|price| price.items.get(sum.block)) {
            lines.push(part.line(item, -part.kwh(sum.bucket.wh), trace(&sum.bucket, -1, export.reads()))?);
        }
    }
    Ok(())
}

fn sold(part: &Part<'_>, charge: &Charge, profile: &Profile, scale: Scale) -> Result<Vec<Sum>, RatingError> {
    part.walk(charge, &Measured::of(profile, part.period, &part.tariff.grid)?, scale)
}

/// Net metering over the period: exports are taken off imports of the same time-of-use period, then off what
/// earlier bills left over; what remains is spread over the blocks in proportion, since the order of time has
/// no meaning for what was netted over the whole period.
pub fn net_metering(
    part: &Part<'_>,
    charge: &Charge,
    net: &[Sum],
    scale: Scale,
    state: &mut State,
    first: bool,
) -> Vec<Sum> {
    let mut left: Vec<i64> = vec![0; charge.prices.len()];
    for sum in net {
        if let Some(total) = left.get_mut(sum.price) {
            *total += sum.bucket.wh;
        }
    }
    if first {
        draw(charge, &mut left, &mut state.bank);
        state.billed_wh = left.iter().sum();
    } else {
        left.iter_mut().for_each(|wh| *wh = (*wh).max(0));
        fit(&mut left, state.billed_wh);
    }
    spread(part, charge, &left, scale)
}

/// Puts what is left over into the bank and takes what is needed out of it.
fn draw(charge: &Charge, left: &mut [i64], bank: &mut BTreeMap<String, i64>) {
    let name = |at: usize| charge.prices.get(at).and_then(|price| price.period.clone()).unwrap_or_default();
    for (at, wh) in left.iter_mut().enumerate().filter(|(_, wh)| **wh < 0) {
        *bank.entry(name(at)).or_default() -= *wh;
        *wh = 0;
    }
    for (at, wh) in left.iter_mut().enumerate() {
        if let Some(banked) = bank.get_mut(&name(at)) {
            let used = (*banked).min(*wh);
            *banked -= used;
            *wh -= used;
        }
    }
    bank.retain(|_, wh| *wh > 0);
}

/// Scales to a total, to the watt-hour.
fn fit(shares: &mut [i64], total: i64) {
    let sum: i64 = shares.iter().sum();
    let (mut before, mut given) = (0_i128, 0_i64);
    for share in shares.iter_mut() {
        before += i128::from(*share);
        let upto = if sum == 0 { 0 } else { i64::try_from(before * i128::from(total) / i128::from(sum)).unwrap_or(0) };
        *share = upto - given;
        given = upto;
    }
}

/// Spreads the energy of each price over the blocks of the total.
fn spread(part: &Part<'_>, charge: &Charge, left: &[i64], scale: Scale) -> Vec<Sum> {
    let total: i64 = left.iter().sum();
    let mut counter = Counter::new(charge, scale);
    counter.step(0, part.period.from(), total, false, &mut |_, _| ());
    let stretches = counter.stretches();
    let mut buckets: Vec<i64> = vec![];
    let mut open = left.to_vec();
    for wh in stretches {
        let mut shares = open.clone();
        fit(&mut shares, wh);
        open.iter_mut().zip(&shares).for_each(|(open, share)| *open -= share);
        buckets.extend(shares);
    }
    let bucket =
        |wh: &i64| Bucket { wh: *wh, days: if *wh == 0 { vec![] } else { vec![(part.period.from(), *wh, false)] } };
    Counter::with_buckets(charge, scale, buckets.iter().map(bucket).collect()).finish(scale)
}

/// Pays out or forgets what net metering left over.
pub fn settle(part: &Part<'_>, state: &mut State, lines: &mut Vec<BillLine>) -> Result<(), RatingError> {
    let Some(ExportCredit::NetMetering(rules)) = &part.tariff.document.export else {
        return Ok(());
    };
    let due = rules
        .settlement
        .as_ref()
        .filter(|settlement| settlement.month == 0 || u32::from(settlement.month) == part.whole.last().month());
    let banked: i64 = state.bank.values().sum();
    if let Some(settlement) = due
        && banked > 0
    {
        let item = part.tariff.item(LineKind::Credit, "Energy left over", Unit::KilowattHour, settlement.price);
        let quantity = -part.kwh(banked);
        let trace = vec![TraceDay { date: part.whole.from(), until: part.whole.to(), quantity, estimated: false }];
        lines.push(part.line_of_bill(Arc::new(item), quantity, trace)?);
    }
    if due.is_some() || !rules.roll_over {
        state.bank.clear();
    }
    Ok(())
}

/// Uses credit of earlier bills, and keeps for later ones what charges do not use up. Returns what is kept.
pub fn roll_over(part: &Part<'_>, lines: &mut Vec<BillLine>) -> Result<Money, RatingError> {
    let rolls = matches!(
        &part.tariff.document.export,
        Some(ExportCredit::NetBilling { roll_over: true, .. } | ExportCredit::BuyAllSellAll { roll_over: true, .. })
    );
    let earlier = part.history.carried.credit;
    let net: Money = lines.iter().map(|line| line.amount).sum();
    let mut add = |name: &str, amount: Money| -> Result<(), RatingError> {
        let quantity = if amount.is_negative() { Decimal::NEGATIVE_ONE } else { Decimal::ONE };
        let item = part.tariff.item(LineKind::Credit, name, Unit::Each, amount.abs().amount());
        lines.push(part.line_of_bill(Arc::new(item), quantity, vec![])?);
        Ok(())
    };
    if net.is_negative() && rolls {
        add("Credit kept for later bills", -net)?;
        return Ok(earlier - net);
    }
    let used = earlier.min(net);
    if used > Money::ZERO {
        add("Credit from earlier bills", -used)?;
        return Ok(earlier - used);
    }
    Ok(earlier)
}

/// Exported energy in the billing period, in kWh.
pub fn exported(part: &Part<'_>) -> Result<Decimal, RatingError> {
    Ok(match part.whole_usage.export {
        None => Decimal::ZERO,
        Some(Supply::Profile(profile)) => {
            Decimal::new(walk::days(profile, part.whole)?.iter().map(DayUsage::wh).sum(), 3)
        }
        Some(Supply::Reads(reads)) => Decimal::new(registers::total(reads), 3),
    })
}
