//! The end of a bill: taxes once per rate on the summed lines, sums, the payable amount.

use rust_decimal::Decimal;

use super::bill::{Bill, BillLine, Carried, LineKind, Unit};
use super::error::RatingError;
use super::input::Supply;
use super::part::Part;
use super::{registers, walk};
use crate::money::{Money, Rounding};

/// Makes the bill of the lines of all parts.
pub fn bill(parts: &[Part<'_>], mut lines: Vec<BillLine>) -> Result<Bill, RatingError> {
    let Some(last) = parts.last() else { return Err(RatingError::TooLarge("versions".to_owned())) };
    let net: Money = lines.iter().map(|line| line.amount).sum();
    let taxes = taxes(last, &lines);
    let tax: Money = taxes.iter().map(|line| line.amount).sum();
    lines.extend(taxes);
    let total = net + tax;
    let payable_rounding = payable_rounding(last, total);
    Ok(Bill {
        period: last.whole,
        currency: last.tariff.document.currency.clone(),
        kwh: imported(last)?,
        exported_kwh: Decimal::ZERO,
        peak_kw: None,
        peaks: std::collections::BTreeMap::new(),
        estimated: lines.iter().any(|line| line.estimated),
        lines,
        net,
        tax,
        total,
        payable_rounding,
        payable: total + payable_rounding,
        carried: Carried::default(),
    })
}

/// One line for each tax and rate, on the sum of the lines that bear it (rule 6; EN 16931 BR-CO-17).
fn taxes(part: &Part<'_>, lines: &[BillLine]) -> Vec<BillLine> {
    let mut bases: Vec<(&(String, Decimal), Money)> = vec![];
    for line in lines {
        for tax in &line.taxes {
            match bases.iter_mut().find(|(known, _)| *known == tax) {
                Some((_, base)) => *base += line.amount,
                None => bases.push((tax, line.amount)),
            }
        }
    }
    bases.into_iter().map(|((name, percent), base)| tax_line(part, name, *percent, base)).collect()
}

fn tax_line(part: &Part<'_>, name: &str, percent: Decimal, base: Money) -> BillLine {
    let price = percent / Decimal::ONE_HUNDRED;
    BillLine {
        kind: LineKind::Tax,
        name: name.to_owned(),
        description: format!("{name}, {} % of {base}", percent.normalize()),
        period: part.whole,
        season: None,
        tou_period: None,
        block: None,
        quantity: base.amount(),
        unit: Unit::Amount,
        price,
        amount: Money::rounded(base.amount() * price, part.tariff.document.rounding.money),
        tax_rate: None,
        estimated: false,
        trace: vec![],
        taxes: vec![],
    }
}

/// What makes the total a multiple of the tariff's step: an amount of its own.
fn payable_rounding(part: &Part<'_>, total: Money) -> Money {
    let step = part.tariff.document.rounding.payable_step.filter(|step| *step > Decimal::ZERO);
    step.map_or(Money::ZERO, |step| {
        let multiple = Rounding::HalfAwayFromZero.apply(total.amount() / step, 0) * step;
        Money::new(multiple) - total
    })
}

/// Energy bought in the billing period, in kWh.
fn imported(part: &Part<'_>) -> Result<Decimal, RatingError> {
    Ok(match part.usage.import {
        Supply::Profile(profile) => {
            Decimal::new(walk::days(profile, part.whole)?.iter().map(|day| walk::sum(&day.values)).sum(), 3)
        }
        Supply::Reads(reads) => Decimal::new(reads.iter().map(|read| registers::watt_hours(read.kwh)).sum(), 3),
    })
}
