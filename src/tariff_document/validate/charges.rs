//! Fixed charges, riders, minimums, taxes, settlement, rounding.

use rust_decimal::Decimal;

use super::super::{AdjustmentKind, ExportCredit, LineKind, MinimumBasis, Proration, TariffDocument};
use super::Faults;

pub fn check(faults: &mut Faults, tariff: &TariffDocument) {
    for (at, charge) in tariff.fixed.iter().enumerate() {
        named(faults, &charge.name, &format!("fixed[{at}].name"));
        faults.price(charge.price, &format!("fixed[{at}].price"));
        faults.check(
            charge.proration != Proration::NormalDays(0),
            &format!("fixed[{at}].proration"),
            "normal days are at least 1",
        );
    }
    for (at, adjustment) in tariff.adjustments.iter().enumerate() {
        named(faults, &adjustment.name, &format!("adjustments[{at}].name"));
        let (value, field) = match &adjustment.kind {
            AdjustmentKind::Kwh { price } | AdjustmentKind::Period { price } => (*price, "price"),
            AdjustmentKind::Percent { percent, .. } => (*percent, "percent"),
        };
        faults.price(value, &format!("adjustments[{at}].{field}"));
        if let AdjustmentKind::Percent { of, .. } = &adjustment.kind {
            let late = of.iter().any(|kind| matches!(kind, LineKind::Tax | LineKind::Minimum));
            faults.check(!late, &format!("adjustments[{at}].of"), "taxes and minimums are worked out after it");
        }
    }
    minimums(faults, tariff);
    taxes(faults, tariff);
    if let Some(ExportCredit::NetMetering(rules)) = &tariff.export
        && let Some(settlement) = &rules.settlement
    {
        faults.check(settlement.month <= 12, "export.settlement.month", "a month is 1 to 12, or 0 for every bill");
        faults.price(settlement.price, "export.settlement.price");
    }
    let rounding = &tariff.rounding;
    faults.check(
        rounding.kwh_decimals.is_none_or(|decimals| decimals <= 3),
        "rounding.kwh_decimals",
        "kWh have 0 to 3 decimals",
    );
    faults.check(
        rounding.payable_step.is_none_or(|step| step > Decimal::ZERO && step.normalize().scale() <= 2),
        "rounding.payable_step",
        "the step is at least 0.01, and a multiple of it",
    );
}

fn minimums(faults: &mut Faults, tariff: &TariffDocument) {
    for (at, minimum) in tariff.minimums.iter().enumerate() {
        let path = format!("minimums[{at}]");
        named(faults, &minimum.name, &format!("{path}.name"));
        faults.price(minimum.amount, &format!("{path}.amount"));
        faults.check(minimum.amount >= Decimal::ZERO, &format!("{path}.amount"), "a minimum is not negative");
        let late = minimum.counts.iter().any(|kind| matches!(kind, LineKind::Tax | LineKind::Minimum));
        faults.check(!late, &format!("{path}.counts"), "taxes and minimums do not count towards a minimum");
    }
    let of_the_year = tariff.minimums.iter().filter(|minimum| minimum.per == MinimumBasis::Year).count();
    faults.check(of_the_year <= 1, "minimums", "there is at most one minimum per year");
}

fn taxes(faults: &mut Faults, tariff: &TariffDocument) {
    let names = charge_names(tariff);
    for (at, tax) in tariff.taxes.iter().enumerate() {
        let path = format!("taxes[{at}]");
        named(faults, &tax.name, &format!("{path}.name"));
        faults.price(tax.percent, &format!("{path}.percent"));
        faults.check(tax.percent >= Decimal::ZERO, &format!("{path}.percent"), "a tax is not negative");
        faults.check(!tax.on.contains(&LineKind::Tax), &format!("{path}.on"), "a tax is not taxed");
        for (index, name) in tax.names.iter().enumerate().filter(|(_, name)| !names.contains(&name.as_str())) {
            faults.add(format!("{path}.names[{index}]"), format!("there is no charge {name:?}"));
        }
    }
}

/// Names of everything that makes lines before tax.
fn charge_names(tariff: &TariffDocument) -> Vec<&str> {
    let energy = tariff.energy.iter().map(|charge| &charge.name);
    let demand = tariff.demand.iter().map(|charge| &charge.name);
    let fixed = tariff.fixed.iter().map(|charge| &charge.name);
    let adjustments = tariff.adjustments.iter().map(|charge| &charge.name);
    let minimums = tariff.minimums.iter().map(|charge| &charge.name);
    energy.chain(demand).chain(fixed).chain(adjustments).chain(minimums).map(String::as_str).collect()
}

fn named(faults: &mut Faults, name: &str, path: &str) {
    faults.check(!name.trim().is_empty(), path, "a name is missing");
}
