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
    let bills = bills(&["rate", "--tariff", &reference(tariff), "--usage", &reference(usage)]);
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
    let bills = bills(&["rate", "--tariff", &tariff, "--usage", &usage, "--from", "2018-01-01", "--to", "2018-02-01"]);
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
        let args = ["rate", "--tariff", &flat, "--usage", &reference(name), "--zone", "Etc/GMT-10"];
        let bills = bills(&args);
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
