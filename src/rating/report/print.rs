//! Bills as JSON and as text.

use std::fmt::Write;

use rust_decimal::Decimal;
use serde::Serialize;

use super::super::{Bill, BillLine, LineKind, Unit};
use crate::values::money::Money;

/// A bill as the command line prints it; amounts are decimal strings. `period_end` is the day after the last.
#[derive(Serialize)]
struct Printed<'b> {
    period_start: String,
    period_end: String,
    currency: &'b str,
    kwh: String,
    peak_kw: Option<String>,
    lines: Vec<PrintedLine<'b>>,
    total: Money,
}

#[derive(Serialize)]
struct PrintedLine<'b> {
    kind: LineKind,
    description: &'b str,
    tou_period: Option<&'b str>,
    block: Option<u16>,
    quantity: String,
    unit: Unit,
    price: String,
    amount: Money,
}

/// Bills as a JSON array.
#[must_use]
pub fn json(bills: &[Bill]) -> String {
    let printed: Vec<Printed<'_>> = bills.iter().map(printed).collect();
    // Texts and numbers under names that are texts: nothing of it fails to be written.
    serde_json::to_string_pretty(&printed).unwrap_or_default()
}

fn printed(bill: &Bill) -> Printed<'_> {
    Printed {
        period_start: bill.period.from().to_string(),
        period_end: bill.period.to().to_string(),
        currency: &bill.currency,
        kwh: plain(bill.kwh),
        peak_kw: bill.peak_kw.map(plain),
        lines: bill.lines.iter().map(line).collect(),
        total: bill.total,
    }
}

fn line(line: &BillLine) -> PrintedLine<'_> {
    PrintedLine {
        kind: line.item.kind,
        description: &line.item.description,
        tou_period: line.item.tou_period.as_deref(),
        block: line.item.block,
        quantity: plain(line.quantity),
        unit: line.item.unit,
        price: plain(line.item.price),
        amount: line.amount,
    }
}

/// A decimal without trailing zeros.
fn plain(value: Decimal) -> String {
    value.normalize().to_string()
}

/// Bills as text for a terminal.
#[must_use]
pub fn text(bills: &[Bill]) -> String {
    let mut out = String::new();
    for bill in bills {
        let peak = bill.peak_kw.map(|kw| format!(", peak {} kW", plain(kw))).unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{}: {} kWh{peak}", bill.period, plain(bill.kwh));
        for line in &bill.lines {
            let quantity = format!("{} {}", plain(line.quantity), line.item.unit);
            let _ = writeln!(
                out,
                "  {:<56} {quantity:>18} x {:>10} {:>14}",
                line.item.description,
                plain(line.item.price),
                line.amount
            );
        }
        let _ = writeln!(out, "  {:<56} {:>18}   {:>10} {:>14}\n", "Total", "", bill.currency, bill.total);
    }
    out
}
