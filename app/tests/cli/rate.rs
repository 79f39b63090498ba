//! `portal rate` over the reference files.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::Value;

use super::runs::*;

fn bills(args: &[&str]) -> Vec<Value> {
    let output = run(args);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "");
    serde_json::from_slice::<Value>(&output.stdout).unwrap().as_array().unwrap().clone()
}

fn decimal(value: &Value) -> Decimal {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned).parse().unwrap()
}

/// Every figure of a golden file against the lines of the bills: within a cent a line.
fn agrees(golden: &str) {
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(reference(golden)).unwrap()).unwrap();
    let (tariff, usage) = (golden["tariff"].as_str().unwrap(), golden["usage"].as_str().unwrap());
    let bills = bills(&["rate", "--tariff", &reference(tariff), "--usage", &reference(usage), "--zone", "UTC"]);
    let wanted = golden["bills"].as_array().unwrap();
    assert_eq!((bills.len(), wanted.len()), (12, 12));
    for (bill, wanted) in bills.iter().zip(wanted) {
        assert_eq!(decimal(&bill["kwh"]), decimal(&wanted["kwh"]));
        assert_eq!(decimal(&bill["peak_kw"]), decimal(&wanted["peak_kw"]));
        let mut sums: BTreeMap<&str, (Decimal, i64)> = BTreeMap::new();
        for line in bill["lines"].as_array().unwrap() {
            let sum = sums.entry(line["kind"].as_str().unwrap()).or_default();
            (sum.0, sum.1) = (sum.0 + decimal(&line["amount"]), sum.1 + 1);
        }
        let demand = decimal(&wanted["demand_flat"]) + decimal(&wanted["demand_tou"]);
        let figures = [
            ("energy", decimal(&wanted["energy"])),
            ("demand", demand),
            ("fixed", decimal(&wanted["fixed"])),
            ("minimum", decimal(&wanted["minimum"])),
        ];
        for (kind, figure) in figures {
            let (sum, lines) = sums.get(kind).copied().unwrap_or_default();
            assert!((sum - figure).abs() <= Decimal::new(lines.max(1), 2), "{kind}: {sum}, not {figure}");
        }
        assert_eq!(sums.values().map(|(sum, _)| *sum).sum::<Decimal>(), decimal(&bill["total"]));
    }
}

#[test]
fn the_bills_of_a_year_agree_with_the_independent_results() {
    for tariff in ["tiered_energy_and_demand", "tiered_tou_with_demand", "tou_with_flat_and_tou_demand"] {
        for usage in ["commercial_hourly_2018", "residential_hourly_2018"] {
            agrees(&format!("golden/{tariff}--{usage}.json"));
        }
    }
}

#[test]
fn a_bill_has_the_fields_of_the_contract_and_amounts_are_strings() {
    let (tariff, usage) =
        (reference("urdb/tiered_tou_with_demand.json"), reference("usage/residential_hourly_2018.csv"));
    let days = ["--from", "2018-01-01", "--to", "2018-02-01", "--zone", "UTC"];
    let bills = bills(&[&["rate", "--tariff", &tariff, "--usage", &usage][..], &days].concat());
    let bill = bills[0].as_object().unwrap();
    assert_eq!(bills.len(), 1);
    for field in ["period_start", "period_end", "kwh", "peak_kw", "lines", "total"] {
        assert!(bill.contains_key(field), "{field}");
    }
    for line in bill["lines"].as_array().unwrap() {
        for field in ["kind", "description", "tou_period", "block", "quantity", "unit", "price", "amount"] {
            assert!(line.get(field).is_some(), "{field}");
        }
        for field in ["quantity", "price", "amount"] {
            assert!(line[field].is_string(), "{field}");
        }
    }
    assert_eq!(bill["total"], Value::from("89.90"));
}

#[test]
fn green_button_and_nem12_are_told_by_content() {
    let (flat, usage) = (example("flat.json"), reference("greenbutton/test_usage_data.xml"));
    let zone = ["--zone", "America/New_York", "--from", "2012-03-01", "--to", "2012-03-14"];
    let args = [&["rate", "--tariff", &flat, "--usage", &usage][..], &zone].concat();
    assert_eq!(bills(&args)[0]["kwh"], Value::from("1298.64"));
    for name in ["nem12/NEM12#000000000000001#CNRGYMDP#NEMMCO.csv", "nem12/NEM12#05050200001000000#GLOBALM#NEMMCO"] {
        let output = run(&["rate", "--tariff", &flat, "--usage", &reference(name), "--zone", "Etc/GMT-10"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let bills: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        assert!(!bills.is_empty() && decimal(&bills[0]["kwh"]) > Decimal::ZERO, "{name}");
    }
}

#[test]
fn text_is_for_people() {
    let (tariff, usage) = (example("flat.json"), reference("usage/residential_hourly_2018.csv"));
    let output = run(&["rate", "--tariff", &tariff, "--usage", &usage, "--zone", "UTC", "--format", "text"]);
    let text = text(&output.stdout);
    assert!(text.starts_with("2018-01-01 to 2018-01-31: 375.016 kWh, peak 0.878 kW\n"), "{text}");
    assert!(text.lines().filter(|line| line.trim_start().starts_with("Total")).count() == 12);
}

#[test]
fn what_was_added_up_is_told_on_standard_error_and_a_net_column_where_it_is_said() {
    let case = |name: &str, file: &str| reference(&format!("cases/{name}/{file}"));
    let (tariff, usage) =
        (case("29-nem12-controlled-load", "tariff.json"), case("29-nem12-controlled-load", "usage.csv"));
    let output = run(&["rate", "--tariff", &tariff, "--usage", &usage]);
    let told = text(&output.stderr);
    assert!(told.starts_with("note: ") && told.contains("register E1") && told.contains("register E2"), "{told}");
    let net = "16a-csv-net-channel-net-billing";
    let (tariff, usage) = (case(net, "tariff.json"), case(net, "usage.csv"));
    let bills = bills(&["rate", "--tariff", &tariff, "--usage", &usage, "--net"]);
    assert_eq!(bills[0]["total"], Value::from("145.32"));
    let refused = run(&["rate", "--tariff", &tariff, "--usage", &usage]);
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stderr));
    assert!(text(&refused.stderr).contains("is below zero"), "{}", text(&refused.stderr));
}

#[test]
fn the_decimal_mark_is_asked_for_where_no_figure_tells_it() {
    let scratch = Scratch::new("marks");
    let rows = (0..24).map(|hour| format!("2026-01-01 {hour:02}:00;1,234\n")).collect::<String>();
    let usage = scratch.file("usage", format!("interval_start;kwh\n{rows}"));
    let flat = example("flat.json");
    let refused = run(&["rate", "--tariff", &flat, "--usage", &usage]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("may be 1.234 or 1234 kWh"), "{}", text(&refused.stderr));
    for (mark, kwh) in [("comma", "29.616"), ("point", "29616")] {
        let bills = bills(&["rate", "--tariff", &flat, "--usage", &usage, "--decimal", mark]);
        assert_eq!(bills[0]["kwh"], Value::from(kwh));
    }
}
