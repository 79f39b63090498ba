//! Fixed and minimum charges, and the rules for generators.

use rust_decimal::Decimal;
use serde_json::Value;

use super::super::{
    ExportCredit, FixedBasis, FixedCharge, Minimum, MinimumBasis, NetMetering, PriceCell, Proration, TariffDocument,
};
use super::{Rate, fields, schedule};

/// A number that is there and not zero.
fn amount(rate: &mut Rate<'_>, field: &str) -> Option<Decimal> {
    let value = rate.get(field).filter(|value| !fields::empty(value))?;
    let amount = fields::price(value);
    if amount.is_none() {
        rate.fault(field, "", "this is not a number");
    }
    amount
}

pub fn fixed(rate: &mut Rate<'_>, tariff: &mut TariffDocument) {
    let charge = |price, per| FixedCharge { name: "Fixed charge".to_owned(), price, per, proration: Proration::None };
    let (monthly, first) = (amount(rate, "fixedmonthlycharge"), amount(rate, "fixedchargefirstmeter"));
    if monthly.is_some() && first.is_some() {
        rate.fault("fixedmonthlycharge", "", "fixedchargefirstmeter is there too: only one of them can hold");
    }
    tariff.fixed.extend(monthly.map(|price| charge(price, FixedBasis::Month)));
    let units = rate.text("fixedchargeunits");
    let Some(price) = first else { return };
    match units.as_deref() {
        None | Some("$/month") => tariff.fixed.push(charge(price, FixedBasis::Month)),
        Some("$/day") => tariff.fixed.push(charge(price, FixedBasis::AverageMonthDay)),
        Some("$/year") => tariff.fixed.push(charge((price / Decimal::from(12)).round_dp(6), FixedBasis::Month)),
        Some(other) => {
            let message = format!("{other:?} cannot be represented: only $/month, $/day and $/year");
            rate.fault("fixedchargeunits", "", message);
        }
    }
}

pub fn minimums(rate: &mut Rate<'_>, tariff: &mut TariffDocument) {
    let minimum = |amount, per| Minimum { name: "Minimum charge".to_owned(), amount, per, counts: vec![] };
    tariff.minimums.extend(amount(rate, "minmonthlycharge").map(|amount| minimum(amount, MinimumBasis::Period)));
    tariff.minimums.extend(amount(rate, "annualmincharge").map(|amount| minimum(amount, MinimumBasis::Year)));
    let units = rate.text("minchargeunits");
    let Some(least) = amount(rate, "mincharge") else {
        return;
    };
    match units.as_deref() {
        None | Some("$/month") => tariff.minimums.push(minimum(least, MinimumBasis::Period)),
        Some("$/day") => tariff.minimums.push(minimum(least, MinimumBasis::Day)),
        Some("$/year") => tariff.minimums.push(minimum(least, MinimumBasis::Year)),
        Some(other) => {
            let message = format!("{other:?} cannot be represented: only $/month, $/day and $/year");
            rate.fault("minchargeunits", "", message);
        }
    }
}

pub fn export(rate: &mut Rate<'_>, tariff: &mut TariffDocument) {
    let rules = rate.text("dgrules").unwrap_or_default().to_lowercase();
    let metering = flag(rate, "usenetmetering");
    let net_metering = || ExportCredit::NetMetering(NetMetering { roll_over: true, settlement: None });
    let sells = sells(rate);
    tariff.export = match rules.as_str() {
        "" if metering => Some(net_metering()),
        "" => None,
        "net metering" => Some(net_metering()),
        "net billing instantaneous" | "net billing hourly" => {
            prices(rate).map(|prices| ExportCredit::NetBilling { calendar: calendar(tariff), prices, roll_over: true })
        }
        "buy all sell all" => prices(rate).map(|prices| ExportCredit::BuyAllSellAll {
            calendar: calendar(tariff),
            prices,
            roll_over: false,
        }),
        other => {
            let message = format!("{other:?} cannot be represented");
            rate.fault("dgrules", "", message);
            None
        }
    };
    if sells && matches!(tariff.export, None | Some(ExportCredit::NetMetering(_))) {
        rate.fault(
            "energyratestructure",
            "",
            "sell rates without net billing or buy all sell all cannot be represented",
        );
    }
}

/// Whether a field that is true or false is true; 1 is true, what says nothing is false.
fn flag(rate: &mut Rate<'_>, field: &str) -> bool {
    let Some(value) = rate.get(field).filter(|value| !fields::empty(value)) else {
        return false;
    };
    let set = value == &Value::Bool(true) || fields::price(value) == Some(Decimal::ONE);
    if !set {
        rate.fault(field, "", "this is neither true nor false");
    }
    set
}

/// The energy calendar, where there is one: sell rates stand beside the energy rates.
fn calendar(tariff: &TariffDocument) -> Option<String> {
    tariff.energy.first().and_then(|charge| charge.calendar.clone())
}

fn periods<'v>(rate: &Rate<'v>) -> &'v [Value] {
    rate.get("energyratestructure").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn sells(rate: &Rate<'_>) -> bool {
    let blocks = periods(rate).iter().filter_map(Value::as_array).flatten();
    blocks.filter_map(|block| block.get("sell")).any(|sell| !fields::empty(sell))
}

/// The sell rate of each period, which must be the same in all its blocks. That they are numbers was looked at when
/// the blocks were read.
fn prices(rate: &mut Rate<'_>) -> Option<Vec<PriceCell>> {
    let all = periods(rate);
    let mut cells = vec![];
    for (at, blocks) in all.iter().enumerate() {
        let blocks = blocks.as_array().map(Vec::as_slice).unwrap_or_default();
        let mut sells: Vec<Decimal> =
            blocks.iter().map(|block| block.get("sell").and_then(fields::price).unwrap_or_default()).collect();
        sells.dedup();
        if sells.is_empty() {
            // A period without blocks is noted where they are read.
            return None;
        }
        let [sell] = sells.as_slice() else {
            rate.fault(
                "energyratestructure",
                &format!("[{at}]"),
                "sell rates that differ between blocks cannot be represented",
            );
            return None;
        };
        let cell = PriceCell::flat(*sell);
        cells.push(if all.len() > 1 { cell.in_period(&schedule::period_name(at)) } else { cell });
    }
    Some(cells)
}
