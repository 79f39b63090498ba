//! Bills agree with NREL's utilityrate5 within 0.01 a line.

use chrono_tz::UTC;
use rust_decimal::Decimal;
use serde_json::Value;

use super::super::{Bill, CompiledTariff, History, LineKind, UsageInput, rate};
use crate::tariff_document;
use crate::usage::collect::Collector;
use crate::usage::{self, Hints, Item, Profile};
use crate::values::money::Money;
use crate::values::period::Period;

fn file(name: &str) -> String {
    std::fs::read_to_string(format!("{}/end2end/reference/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

pub fn tariff(name: &str) -> CompiledTariff {
    CompiledTariff::new(&tariff_document::read(&file(name), UTC).unwrap()).unwrap()
}

pub fn profile(name: &str) -> Profile {
    let mut collector = Collector::new(UTC);
    usage::read(file(name).as_bytes(), &Hints::of_zone(UTC), &mut |item| match item {
        Item::Reading(reading) => collector.push(&reading),
        Item::Rejected(rejected) => panic!("{rejected}"),
        Item::Zone(zone) => assert_eq!(zone, UTC),
    })
    .unwrap();
    let mut collected = collector.finish();
    assert_eq!(collected.findings, []);
    collected.series.remove(0).profile().unwrap()
}

/// The sum of lines, each of which may be off by half a cent, against an unrounded figure.
fn agrees(bill: &Bill, what: &str, lines: &dyn Fn(&super::super::BillLine) -> bool, golden: &Value) {
    let wanted: Decimal = golden[what].to_string().parse().unwrap();
    let found: Vec<_> = bill.lines.iter().filter(|line| lines(line)).collect();
    let sum: Money = found.iter().map(|line| line.amount).sum();
    let allowed = Decimal::new(1, 2) * Decimal::from(found.len().max(1));
    assert!((sum.amount() - wanted).abs() <= allowed, "{} {what}: {sum} and not {wanted}", bill.period);
    for line in found {
        assert!((line.quantity * line.item.price - line.amount.amount()).abs() <= Decimal::new(5, 3), "{line:?}");
    }
}

fn check(golden: &str) {
    // utilityrate5 counts what demandratestructure says as time-of-use demand, also with one period.
    let single = golden.contains("tiered_energy_and_demand");
    let time_of_use = |line: &super::super::BillLine| single || line.item.tou_period.is_some();
    let golden: Value = serde_json::from_str(&file(golden)).unwrap();
    let tariff = tariff(golden["tariff"].as_str().unwrap());
    let profile = profile(golden["usage"].as_str().unwrap());
    let mut history = History::default();
    for wanted in golden["bills"].as_array().unwrap() {
        let month = u32::try_from(wanted["month"].as_u64().unwrap()).unwrap();
        let bill =
            rate(&tariff, &UsageInput::profile(&profile), Period::month(2018, month).unwrap(), &history).unwrap();
        assert_eq!(bill.kwh, wanted["kwh"].to_string().parse().unwrap());
        agrees(&bill, "energy", &|line| line.item.kind == LineKind::Energy, wanted);
        assert_eq!(bill.peak_kw.unwrap(), wanted["peak_kw"].to_string().parse().unwrap());
        agrees(&bill, "demand_flat", &|line| line.item.kind == LineKind::Demand && !time_of_use(line), wanted);
        agrees(&bill, "demand_tou", &|line| line.item.kind == LineKind::Demand && time_of_use(line), wanted);
        agrees(&bill, "minimum", &|line| line.item.kind == LineKind::Minimum, wanted);
        agrees(&bill, "total", &|_| true, wanted);
        agrees(&bill, "fixed", &|line| line.item.kind == LineKind::Fixed, wanted);
        history = history.after(&bill);
    }
}

#[test]
fn a_tiered_rate_with_demand_agrees_for_a_home() {
    check("golden/tiered_energy_and_demand--residential_hourly_2018.json");
}

#[test]
fn a_tiered_rate_with_demand_agrees_for_a_business() {
    check("golden/tiered_energy_and_demand--commercial_hourly_2018.json");
}

#[test]
fn tiers_within_time_of_use_agree_for_a_home() {
    check("golden/tiered_tou_with_demand--residential_hourly_2018.json");
}

#[test]
fn tiers_within_time_of_use_agree_for_a_business() {
    check("golden/tiered_tou_with_demand--commercial_hourly_2018.json");
}

#[test]
fn time_of_use_agrees_for_a_home() {
    check("golden/tou_with_flat_and_tou_demand--residential_hourly_2018.json");
}

#[test]
fn time_of_use_agrees_for_a_business() {
    check("golden/tou_with_flat_and_tou_demand--commercial_hourly_2018.json");
}
