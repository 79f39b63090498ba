//! Rule 5: a rate change splits the period by effective date.

use chrono_tz::UTC;
use rust_decimal::Decimal;

use super::super::{Bill, History, LineKind, RatingError, Supply, UsageInput, interval_costs, rate, rate_versions};
use super::fixtures::*;
use crate::tariff_document::{
    DemandCharge, ExportCredit, Minimum, MinimumBasis, NetMetering, PriceCell, Settlement, TariffDocument,
};
use crate::usage::{Direction, Profile, RegisterRead};
use crate::values::money::Money;

fn flat(price: &str) -> TariffDocument {
    TariffDocument::flat("T", "EUR", UTC, decimal(price))
        .and_monthly("Base", decimal("9.3"))
        .and_tax("VAT", decimal("19"))
}

#[test]
fn each_version_rates_its_own_days_and_tax_is_worked_out_once() {
    let days = period("2026-01-01/2026-02-01");
    let profile = profile_of(UTC, 60, days, |_, at| if at == 0 { 10_000 } else { 0 });
    let (old, new) = (compile(&flat("0.1")), compile(&flat("0.2")));
    let versions = [(date("2026-01-11"), &new), (date("2025-01-01"), &old)];
    let bill = rate_versions(&versions, &UsageInput::profile(&profile), days, &History::default()).unwrap();
    let told: Vec<_> =
        bill.lines.iter().map(|line| (line.item.description.as_str(), line.amount.to_string())).collect();
    assert_eq!(
        told,
        [
            ("Energy (2026-01-01 to 2026-01-10)", "10.00".to_owned()),
            ("Base (2026-01-01 to 2026-01-10)", "3.00".to_owned()),
            ("Energy (2026-01-11 to 2026-01-31)", "42.00".to_owned()),
            ("Base (2026-01-11 to 2026-01-31)", "6.30".to_owned()),
            ("VAT, 19 % of 61.30", "11.65".to_owned()),
        ]
    );
    let fault = rate_versions(&versions[..1], &UsageInput::profile(&profile), days, &History::default()).unwrap_err();
    assert_eq!(fault, RatingError::NoVersion(days.from()));
}

#[test]
fn a_change_to_the_same_prices_changes_nothing() {
    let days = period("2026-04-01/2026-05-01");
    let mut tariff = flat("0.25");
    let price = PriceCell::flat(decimal("6"));
    tariff.demand.push(DemandCharge {
        name: "Demand".to_owned(),
        register: None,
        calendar: None,
        per_period: false,
        window_minutes: None,
        prices: vec![price],
        ratchet: None,
    });
    let tariff = compile(&tariff);
    let profile = profile_of(UTC, 15, days, |_, at| i32::try_from(at).unwrap() * 4);
    let whole = rate(&tariff, &UsageInput::profile(&profile), days, &History::default()).unwrap();
    let split = rate_versions(
        &[(days.from(), &tariff), (date("2026-04-16"), &tariff)],
        &UsageInput::profile(&profile),
        days,
        &History::default(),
    )
    .unwrap();
    assert_eq!((whole.net, whole.total, whole.kwh), (split.net, split.total, split.kwh));
    for kind in [LineKind::Energy, LineKind::Demand, LineKind::Fixed] {
        assert_eq!(whole.sum(kind), split.sum(kind), "{kind:?}");
    }
}

#[test]
fn block_limits_have_their_share_of_the_days() {
    let days = period("2026-04-01/2026-05-01");
    let tariff = compile(&tiered(UTC));
    let profile = profile_of(UTC, 60, days, |_, at| if at == 0 { 5_000 } else { 0 });
    let bill = rate_versions(
        &[(days.from(), &tariff), (date("2026-04-19"), &tariff)],
        &UsageInput::profile(&profile),
        days,
        &History::default(),
    )
    .unwrap();
    assert_eq!(brief(&bill, LineKind::Energy), lines(&["/1/60/6.00", "/2/30/6.00", "/1/40/4.00", "/2/20/4.00"]));
}

#[test]
fn a_register_read_across_a_change_is_divided_by_days_and_marked() {
    let days = period("2026-01-01/2026-02-01");
    let (old, new) = (compile(&flat("0.1")), compile(&flat("0.2")));
    let read = [RegisterRead::total(days.from(), days.to(), decimal("100"))];
    let bill = rate_versions(
        &[(days.from(), &old), (date("2026-01-11"), &new)],
        &UsageInput::reads(&read),
        days,
        &History::default(),
    )
    .unwrap();
    assert_eq!(brief(&bill, LineKind::Energy), lines(&["/0/32.258/3.23", "/0/67.742/13.55"]));
    assert!(bill.estimated && bill.lines[0].estimated);
    assert_eq!(bill.kwh, decimal("100.000"));
}

#[test]
fn interval_costs_sum_to_the_energy_lines_to_the_cent() {
    let days = period("2026-03-01/2026-04-01");
    let zone = chrono_tz::Europe::Berlin;
    let mut tariff = tou(zone, "0.4", "0.2");
    let steps =
        |low: &str, high: &str| PriceCell::tiered(&[(Some(decimal("123.4")), decimal(low)), (None, decimal(high))]);
    tariff.energy[0].prices =
        vec![steps("0.212345", "0.3").in_period("off-peak"), steps("0.4", "0.533333").in_period("on-peak")];
    let second = TariffDocument::flat("T", "EUR", zone, decimal("0.077777"));
    tariff.energy.push(second.energy[0].clone());
    let tariff = compile(&tariff);
    let profile = profile_of(zone, 15, days, |day, at| {
        i32::try_from(at * 7 % 13).unwrap() * 37 + i32::try_from(chrono::Datelike::day(&day)).unwrap()
    });
    let versions = [(days.from(), &tariff), (date("2026-03-20"), &tariff)];
    let bill = rate_versions(&versions, &UsageInput::profile(&profile), days, &History::default()).unwrap();
    let costs = interval_costs(&versions, &UsageInput::profile(&profile), days, &History::default()).unwrap();
    assert_eq!(costs.len(), 31 * 96 - 4);
    assert_eq!(costs.iter().map(|interval| interval.cost).sum::<Decimal>(), bill.sum(LineKind::Energy).amount());
    assert!(costs.windows(2).all(|pair| pair[1].start - pair[0].start == chrono::Duration::minutes(15)));
    // Each interval's cost is its own price's: 0.6 at most.
    assert!(
        costs.iter().all(|interval| interval.cost <= Decimal::new(interval.wh, 3) * decimal("0.62") + decimal("0.03"))
    );
    assert_ne!(bill.sum(LineKind::Energy), Money::ZERO);
}

fn with_minimum(name: &str, amount: &str) -> TariffDocument {
    let mut tariff = TariffDocument::flat("T", "EUR", UTC, decimal("0"));
    let (name, amount) = (name.to_owned(), decimal(amount));
    tariff.minimums.push(Minimum { name, amount, per: MinimumBasis::Period, counts: vec![] });
    tariff
}

fn descriptions(bill: &Bill, kind: LineKind) -> Vec<&str> {
    bill.lines.iter().filter(|line| line.item.kind == kind).map(|line| line.item.description.as_str()).collect()
}

#[test]
fn a_minimum_has_its_share_of_the_days_also_where_only_an_earlier_version_has_it() {
    let days = period("2026-01-01/2026-02-01");
    let profile = profile_of(UTC, 60, days, |_, _| 0);
    let bill = |old: &TariffDocument, new: &TariffDocument| {
        let versions = [(days.from(), &compile(old)), (date("2026-01-11"), &compile(new))];
        rate_versions(&versions, &UsageInput::profile(&profile), days, &History::default()).unwrap()
    };
    let (none, least) = (TariffDocument::flat("T", "EUR", UTC, decimal("0")), with_minimum("Least", "31"));
    let first = bill(&least, &none);
    assert_eq!(descriptions(&first, LineKind::Minimum), ["Least, 10.00 less 0.00"]);
    assert!(first.lines.iter().filter(|line| line.item.kind == LineKind::Minimum).all(|line| line.period == days));
    assert_eq!(descriptions(&bill(&none, &least), LineKind::Minimum), ["Least, 21.00 less 0.00"]);
    assert_eq!(
        descriptions(&bill(&least, &with_minimum("Least", "62")), LineKind::Minimum),
        ["Least, 52.00 less 0.00"]
    );
    assert_eq!(
        descriptions(&bill(&least, &with_minimum("Other", "62")), LineKind::Minimum),
        ["Other, 42.00 less 0.00", "Least, 10.00 less 0.00"]
    );
}

#[test]
fn lines_of_the_whole_bill_are_not_marked_with_the_last_versions_days() {
    let days = period("2026-06-01/2026-07-01");
    let none = profile_of(UTC, 60, days, |_, _| 0);
    let fed_in = Profile { direction: Direction::Export, ..profile_of(UTC, 60, days, |_, _| 1_000) };
    let bill = |credit: ExportCredit, history: &History| {
        let tariff = TariffDocument { export: Some(credit), ..TariffDocument::flat("T", "EUR", UTC, decimal("0.3")) };
        let (tariff, export) = (compile(&tariff), Some(Supply::Profile(&fed_in)));
        let usage = UsageInput { export, ..UsageInput::profile(&none) };
        rate_versions(&[(days.from(), &tariff), (date("2026-06-11"), &tariff)], &usage, days, history).unwrap()
    };
    let settlement = Some(Settlement { month: 6, price: decimal("0.05") });
    let settled = bill(ExportCredit::NetMetering(NetMetering { roll_over: true, settlement }), &History::default());
    assert_eq!(descriptions(&settled, LineKind::Credit), ["Energy left over"]);
    assert!(settled.lines.iter().filter(|line| line.item.kind == LineKind::Credit).all(|line| line.period == days));
    let prices = vec![PriceCell::flat(decimal("0.1"))];
    let kept = bill(ExportCredit::BuyAllSellAll { calendar: None, prices, roll_over: true }, &History::default());
    assert_eq!(descriptions(&kept, LineKind::Credit).last(), Some(&"Credit kept for later bills"));
}
