//! The end of a bill: taxes once per rate on the summed lines, sums, the payable amount.

use std::sync::Arc;

use rust_decimal::Decimal;

use super::bill::{Bill, BillLine, Carried, LineKind};
use super::error::RatingError;
use super::item::Unit;
use super::item::{Item, TaxOn};
use super::measure::Measured;
use super::part::{MOST, Part, State};
use super::{adjust, export, registers, walk};
use crate::tariff_document::MinimumBasis;
use crate::usage::Direction;
use crate::values::money::{Money, Rounding};

/// Makes the bill of the lines of all parts.
pub fn bill(parts: &[Part<'_>], mut state: State, mut lines: Vec<BillLine>) -> Result<Bill, RatingError> {
    let Some(last) = parts.last() else {
        return Err(RatingError::TooLarge("versions".to_owned()));
    };
    export::settle(last, &mut state, &mut lines)?;
    let credit = export::roll_over(last, &mut lines)?;
    adjust::minimums(parts, &mut lines)?;
    let net: Money = lines.iter().map(|line| line.amount).sum();
    let year_to_date = year_to_date(last, &lines);
    let taxes = taxes(last, &lines);
    let tax: Money = taxes.iter().map(|line| line.amount).sum();
    lines.extend(taxes);
    let total = net + tax;
    if total.abs() >= MOST {
        return Err(RatingError::TooLarge("total".to_owned()));
    }
    let payable_rounding = payable_rounding(last, total)?;
    let bank_kwh = state.bank.iter().map(|(period, wh)| (period.clone(), Decimal::new(*wh, 3))).collect();
    Ok(Bill {
        period: last.whole,
        currency: last.tariff.document.currency.clone(),
        kwh: imported(last),
        exported_kwh: export::exported(last)?,
        peak_kw: peak(last),
        peaks: state.peaks,
        estimated: lines.iter().any(|line| line.estimated),
        lines,
        net,
        tax,
        total,
        payable_rounding,
        payable: total + payable_rounding,
        added: added(parts, last),
        carried: Carried { bank_kwh, credit, year_to_date },
    })
}

/// Names of the registers of a direction that were added up, where there were several. What was bought is not added up
/// where every price is one of a register.
fn added(parts: &[Part<'_>], last: &Part<'_>) -> Vec<String> {
    let apart = parts.iter().all(|part| part.tariff.document.names_registers());
    let of = |direction: Direction| {
        let registers = last.whole_usage.registers.iter().filter(move |register| register.direction == direction);
        let mut names = vec![];
        for register in registers {
            if register.names.is_empty() {
                names.push(register.label());
            }
            names.extend(register.names.iter().cloned());
        }
        if names.len() > 1 { names } else { vec![] }
    };
    let mut names = if apart { vec![] } else { of(Direction::Import) };
    names.extend(of(Direction::Export));
    names
}

/// What counts towards a minimum per year, this bill included.
fn year_to_date(part: &Part<'_>, lines: &[BillLine]) -> Money {
    let yearly = part.tariff.document.minimums.iter().find(|minimum| minimum.per == MinimumBasis::Year);
    part.history.carried.year_to_date + yearly.map_or(Money::ZERO, |minimum| adjust::counted(minimum, lines))
}

/// Highest demand at any time, over the window of the first demand charge.
fn peak(part: &Part<'_>) -> Option<Decimal> {
    let Some(measured) = &part.measured else {
        // Of several reads the highest is known only where each tells its own.
        let peaks: Option<Vec<Decimal>> = part.whole_usage.import.reads().iter().map(|read| read.peak_kw).collect();
        return peaks?.into_iter().max();
    };
    let minutes = measured.profile().minutes;
    let window = part.tariff.document.demand.iter().find_map(|charge| charge.window_minutes);
    let window = window.unwrap_or(minutes).max(minutes);
    let highest = measured.highest(usize::from(window / minutes.max(1)));
    highest.iter().flatten().map(|highest| highest.wh).max().map(|wh| walk::kilowatts(wh, window))
}

/// One line for each tax and rate, on the sum of the lines that bear it (rule 6; EN 16931 BR-CO-17).
fn taxes(part: &Part<'_>, lines: &[BillLine]) -> Vec<BillLine> {
    let mut bases: Vec<(&TaxOn, Money)> = vec![];
    for line in lines {
        for tax in &line.item.taxes {
            match bases.iter_mut().find(|(known, _)| *known == tax) {
                Some((_, base)) => *base += line.amount,
                None => bases.push((tax, line.amount)),
            }
        }
    }
    bases.into_iter().map(|(tax, base)| tax_line(part, tax, base)).collect()
}

fn tax_line(part: &Part<'_>, tax: &TaxOn, base: Money) -> BillLine {
    let item = Item::new(LineKind::Tax, &tax.name, Unit::Amount, tax.percent / Decimal::ONE_HUNDRED, &[]);
    let description = format!("{}, {} % of {base}", tax.name, tax.percent.normalize());
    BillLine {
        period: part.whole,
        quantity: base.amount(),
        amount: Money::rounded(base.amount() * item.price, part.tariff.document.rounding.money),
        estimated: false,
        trace: vec![],
        item: Arc::new(Item { description, ..item }),
    }
}

/// What makes the total a multiple of the tariff's step: an amount of its own.
fn payable_rounding(part: &Part<'_>, total: Money) -> Result<Money, RatingError> {
    let Some(step) = part.tariff.document.rounding.payable_step else {
        return Ok(Money::ZERO);
    };
    let steps = total.amount().checked_div(step).map(|steps| Rounding::HalfAwayFromZero.apply(steps, 0));
    let payable = steps.and_then(|steps| steps.checked_mul(step)).map(Money::new);
    let payable = payable.filter(|payable| payable.abs() < MOST);
    Ok(payable.ok_or_else(|| RatingError::TooLarge("payable".to_owned()))? - total)
}

/// Energy bought in the billing period, in kWh.
fn imported(part: &Part<'_>) -> Decimal {
    let reads = || registers::total(part.whole_usage.import.reads());
    Decimal::new(part.measured.as_ref().map_or_else(reads, Measured::wh), 3)
}
