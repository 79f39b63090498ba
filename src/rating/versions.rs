//! A rate change inside a billing period: the period is split by effective date (rule 5).

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::bill::Bill;
use super::compile::CompiledTariff;
use super::costs::{self, IntervalCost};
use super::error::RatingError;
use super::finish;
use super::input::{History, Register, Supply, UsageInput};
use super::part::{Part, State};
use super::registers;
use crate::usage::{Quality, RegisterRead};
use crate::values::money::Rounding;
use crate::values::period::Period;

/// Rates a billing period under the versions of a tariff, each from its effective date on.
///
/// Each version rates its own days: block limits, monthly fixed charges and minimums have their share of the
/// days; demand is the whole period's, each price with its share of the days. Register reads across a change
/// are divided by days and marked as estimated. Taxes are worked out once per rate on all lines.
///
/// # Errors
/// [`RatingError::NoVersion`] when none holds on the first day; otherwise as [`rate`](super::rate).
pub fn rate_versions(
    versions: &[(NaiveDate, &CompiledTariff)],
    usage: &UsageInput<'_>,
    period: Period,
    history: &History,
) -> Result<Bill, RatingError> {
    with_parts(versions, usage, period, history, |parts| {
        let mut state = State::from_history(history);
        let mut lines = vec![];
        for part in parts {
            lines.extend(part.lines(&mut state)?);
        }
        finish::bill(parts, state, lines)
    })
}

/// What each interval costs: its energy, at the price and block that it fell into.
///
/// The costs of all intervals sum exactly to the bill's energy lines: what rounding a line added or took is
/// put on the line's largest interval. Under net metering, where energy is netted over the whole period, a
/// line is shared out by the energy bought.
///
/// # Errors
/// [`RatingError::NeedsIntervals`] for register reads; otherwise as [`rate_versions`].
pub fn interval_costs(
    versions: &[(NaiveDate, &CompiledTariff)],
    usage: &UsageInput<'_>,
    period: Period,
    history: &History,
) -> Result<Vec<IntervalCost>, RatingError> {
    with_parts(versions, usage, period, history, |parts| {
        let mut state = State::from_history(history);
        let costs: Result<Vec<_>, _> = parts.iter().map(|part| costs::of_part(part, &mut state)).collect();
        costs.map(|parts| parts.into_iter().flatten().collect())
    })
}

fn with_parts<T>(
    versions: &[(NaiveDate, &CompiledTariff)],
    usage: &UsageInput<'_>,
    period: Period,
    history: &History,
    work: impl FnOnce(&[Part<'_>]) -> Result<T, RatingError>,
) -> Result<T, RatingError> {
    for reads in [Some(usage.import), usage.export].into_iter().flatten().map(|supply| supply.reads()) {
        if !reads.is_empty() {
            registers::tile(reads, period)?;
        }
    }
    let spans = spans(versions, period)?;
    let cut: Vec<Pieces> = spans.iter().map(|(span, _)| Pieces::of(usage, *span)).collect();
    let named: Vec<Vec<Register<'_>>> = cut.iter().map(|pieces| pieces.named(usage)).collect();
    let usages: Vec<UsageInput<'_>> =
        cut.iter().zip(&named).map(|(pieces, named)| pieces.input(usage, named)).collect();
    let part = |((span, tariff), piece)| Part::new(tariff, (span, piece), (period, usage), history);
    let parts: Result<Vec<Part<'_>>, _> = spans.into_iter().zip(&usages).map(part).collect();
    work(&parts?)
}

/// The days of each version within the period.
fn spans<'v>(
    versions: &[(NaiveDate, &'v CompiledTariff)],
    period: Period,
) -> Result<Vec<(Period, &'v CompiledTariff)>, RatingError> {
    let mut versions = versions.to_vec();
    versions.sort_by_key(|(from, _)| *from);
    if versions.first().is_none_or(|(from, _)| *from > period.from()) {
        return Err(RatingError::NoVersion(period.from()));
    }
    let ends = versions.iter().skip(1).map(|(from, _)| *from).chain([NaiveDate::MAX]);
    let spans = versions
        .iter()
        .zip(ends)
        .filter_map(|((from, tariff), to)| Some((Period::new(*from, to).ok()?.intersect(&period)?, *tariff)));
    Ok(spans.collect())
}

/// The register reads of a span of days.
struct Pieces {
    import: Vec<RegisterRead>,
    export: Vec<RegisterRead>,
    /// Those of each register.
    registers: Vec<Vec<RegisterRead>>,
}

impl Pieces {
    fn of(usage: &UsageInput<'_>, span: Period) -> Self {
        let cut = |supply: Option<Supply<'_>>| match supply {
            Some(Supply::Reads(reads)) => reads.iter().filter_map(|read| piece(read, span)).collect(),
            _ => vec![],
        };
        let registers = usage.registers.iter().map(|register| cut(Some(register.supply))).collect();
        Self { import: cut(Some(usage.import)), export: cut(usage.export), registers }
    }

    fn named<'p>(&'p self, usage: &UsageInput<'p>) -> Vec<Register<'p>> {
        let registers = usage.registers.iter().zip(&self.registers);
        let piece = |(register, reads): (&Register<'p>, &'p Vec<RegisterRead>)| match register.supply {
            Supply::Reads(_) => Register { supply: Supply::Reads(reads), ..*register },
            Supply::Profile(_) => *register,
        };
        registers.map(piece).collect()
    }

    fn input<'p>(&'p self, usage: &UsageInput<'p>, registers: &'p [Register<'p>]) -> UsageInput<'p> {
        let import = if matches!(usage.import, Supply::Reads(_)) { Supply::Reads(&self.import) } else { usage.import };
        let export = usage
            .export
            .map(|export| if matches!(export, Supply::Reads(_)) { Supply::Reads(&self.export) } else { export });
        UsageInput { import, export, registers }
    }
}

/// A read's share of a span by days; cumulative shares are rounded, so that the pieces sum to the read.
fn piece(read: &RegisterRead, span: Period) -> Option<RegisterRead> {
    let whole = Period::new(read.from, read.to).ok()?;
    let part = whole.intersect(&span)?;
    if part == whole {
        return Some(read.clone());
    }
    let upto = |kwh: Decimal, date: NaiveDate| {
        let days = Decimal::from((date - read.from).num_days());
        Rounding::HalfAwayFromZero.apply(kwh * days / Decimal::from(whole.days()), 3)
    };
    let share = |kwh: Decimal| upto(kwh, part.to()) - upto(kwh, part.from());
    let tou = read.tou.iter().map(|(period, kwh)| (period.clone(), share(*kwh))).collect();
    Some(RegisterRead {
        from: part.from(),
        to: part.to(),
        kwh: share(read.kwh),
        tou,
        quality: Quality::Estimated,
        ..read.clone()
    })
}
