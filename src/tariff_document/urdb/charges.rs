//! Fixed and minimum charges, and the rules for generators.

use rust_decimal::Decimal;
use serde_json::Value;

use super::super::{
    ExportCredit, FixedBasis, FixedCharge, Minimum, MinimumBasis, NetMetering, Netting, PriceCell, Proration,
    TariffDocument,
};
use super::{Rate, fields, schedule};

/// Units of an amount.
const UNITS: [(&str, Unit); 3] = [("$/month", Unit::Month), ("$/day", Unit::Day), ("$/year", Unit::Year)];

#[derive(Clone, Copy)]
enum Unit {
    Month,
    Day,
    Year,
}

/// What an amount is per. That it is not said is a fault as much as a word that nobody knows.
fn unit(rate: &mut Rate<'_>, field: &str, amount: &str) -> Option<Unit> {
    let before = rate.faults.len();
    let Some(text) = rate.text(field) else {
        if rate.faults.len() == before {
            rate.fault(amount, "", format!("{field} is missing: is it $/month, $/day or $/year?"));
        }
        return None;
    };
    let found = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text.trim())).map(|(_, unit)| *unit);
    if found.is_none() && rate.faults.len() == before {
        rate.fault(field, "", format!("{text:?} cannot be represented: only $/month, $/day and $/year"));
    }
    found
}

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
    let Some(price) = first else { return };
    let Some(unit) = unit(rate, "fixedchargeunits", "fixedchargefirstmeter") else { return };
    tariff.fixed.push(match unit {
        Unit::Month => charge(price, FixedBasis::Month),
        Unit::Day => charge(price, FixedBasis::AverageMonthDay),
        Unit::Year => charge((price / Decimal::from(12)).round_dp(6), FixedBasis::Month),
    });
}

pub fn minimums(rate: &mut Rate<'_>, tariff: &mut TariffDocument) {
    let minimum = |amount, per| Minimum { name: "Minimum charge".to_owned(), amount, per, counts: vec![] };
    tariff.minimums.extend(amount(rate, "minmonthlycharge").map(|amount| minimum(amount, MinimumBasis::Period)));
    tariff.minimums.extend(amount(rate, "annualmincharge").map(|amount| minimum(amount, MinimumBasis::Year)));
    let Some(least) = amount(rate, "mincharge") else {
        return;
    };
    let Some(unit) = unit(rate, "minchargeunits", "mincharge") else { return };
    let per = match unit {
        Unit::Month => MinimumBasis::Period,
        Unit::Day => MinimumBasis::Day,
        Unit::Year => MinimumBasis::Year,
    };
    tariff.minimums.push(minimum(least, per));
}

pub fn export(rate: &mut Rate<'_>, tariff: &mut TariffDocument) {
    // Without rules there is no generator.
    let rules = rate.text("dgrules").unwrap_or_default().trim().to_lowercase();
    let metering = flag(rate, "usenetmetering");
    if metering && !matches!(rules.as_str(), "" | "net metering") {
        rate.fault("dgrules", "", format!("{rules:?} and usenetmetering say different things: only one can hold"));
        return;
    }
    let net_metering = || ExportCredit::NetMetering(NetMetering { roll_over: true, settlement: None });
    let sells = sells(rate);
    tariff.export = match rules.as_str() {
        "" if metering => Some(net_metering()),
        "" => None,
        "net metering" => Some(net_metering()),
        "net billing instantaneous" => net_billing(rate, tariff, Netting::Interval),
        "net billing hourly" => net_billing(rate, tariff, Netting::Hour),
        "buy all sell all" => prices(rate, tariff).map(|prices| ExportCredit::BuyAllSellAll {
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
    let paid = matches!(rules.as_str(), "net billing instantaneous" | "net billing hourly" | "buy all sell all");
    if sells && !paid {
        rate.fault(
            "energyratestructure",
            "",
            "sell rates without net billing or buy all sell all cannot be represented",
        );
    }
}

fn net_billing(rate: &mut Rate<'_>, tariff: &TariffDocument, netting: Netting) -> Option<ExportCredit> {
    let calendar = calendar(tariff);
    prices(rate, tariff).map(|prices| ExportCredit::NetBilling { calendar, netting, prices, roll_over: true })
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

/// The sell rate of each period, which must be the same in all its blocks; one that is not there is not one of zero.
/// `None` without a fault where the blocks have faults themselves, which are noted where they are read.
fn prices(rate: &mut Rate<'_>, tariff: &TariffDocument) -> Option<Vec<PriceCell>> {
    if tariff.energy.is_empty() {
        return None;
    }
    let all = periods(rate);
    let mut cells = vec![];
    for (at, blocks) in all.iter().enumerate() {
        let blocks = blocks.as_array().map(Vec::as_slice).unwrap_or_default();
        let mut sells = vec![];
        for (place, block) in blocks.iter().enumerate() {
            let Some(sell) = block.get("sell").and_then(fields::price) else {
                let message = "sell is missing: what is energy fed in worth? 0 where it is worth nothing";
                rate.fault("energyratestructure", &format!("[{at}][{place}]"), message);
                return None;
            };
            sells.push(sell);
        }
        sells.dedup();
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
