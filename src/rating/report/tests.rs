//! The command line's contract.

use super::*;
use serde_json::Value;

fn file(name: &str) -> String {
    std::fs::read_to_string(format!("{}/end2end/reference/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn run(tariff: &str, usage: &str, zone: Option<Tz>) -> Result<Vec<Bill>, Vec<String>> {
    let files = RateFiles { tariff_name: "tariff.json", tariff, usage_name: "usage", zone, from: None, to: None };
    rate_files(&files, usage.as_bytes())
}

fn flat(zone: Tz) -> String {
    serde_json::to_string(&tariff_document::TariffDocument::flat("Flat", "USD", zone, "0.1".parse().unwrap())).unwrap()
}

#[test]
fn a_year_of_hours_makes_twelve_bills_in_the_form_of_the_contract() {
    let bills =
        run(&file("urdb/tiered_tou_with_demand.json"), &file("usage/residential_hourly_2018.csv"), None).unwrap();
    let printed: Value = serde_json::from_str(&json(&bills)).unwrap();
    assert_eq!(printed.as_array().unwrap().len(), 12);
    let january = &printed[0];
    assert_eq!(
        (&january["period_start"], &january["period_end"]),
        (&Value::from("2018-01-01"), &Value::from("2018-02-01"))
    );
    assert_eq!(
        (&january["kwh"], &january["peak_kw"], &january["total"]),
        (&Value::from("375.016"), &Value::from("0.878"), &Value::from("89.90"))
    );
    let line = &january["lines"][0];
    for (field, value) in [
        ("kind", "energy"),
        ("tou_period", "Period 2"),
        ("quantity", "100"),
        ("unit", "kWh"),
        ("price", "0.056909"),
        ("amount", "5.69"),
    ] {
        assert_eq!(line[field], Value::from(value));
    }
    assert_eq!(line["block"], Value::from(1));
    assert!(text(&bills).contains("89.90"));
}

#[test]
fn the_green_button_file_is_one_bill_of_its_part_of_the_month() {
    let usage = file("greenbutton/test_usage_data.xml");
    let tariff = flat(chrono_tz::America::New_York);
    let whole = run(&tariff, &usage, None).unwrap();
    assert_eq!((whole.len(), whole[0].period.to_string()), (1, "2012-03-01 to 2012-03-14".to_owned()));
    let day = |text: &str| Some(text.parse().unwrap());
    let files = RateFiles {
        tariff_name: "t",
        tariff: &tariff,
        usage_name: "u",
        zone: None,
        from: day("2012-03-01"),
        to: day("2012-03-14"),
    };
    let bills = rate_files(&files, usage.as_bytes()).unwrap();
    assert_eq!(bills[0].kwh, "1298.640".parse().unwrap());
    assert_eq!(bills[0].total.to_string(), "129.86");
}

#[test]
fn registers_of_nem12_are_added_up() {
    let bills =
        run(&flat(chrono_tz::Australia::Brisbane), &file("nem12/NEM12#000000000000001#CNRGYMDP#NEMMCO.csv"), None)
            .unwrap();
    assert_eq!((bills.len(), bills[0].lines[0].trace.len()), (1, 4));
}

#[test]
fn a_zone_other_than_the_files_cuts_the_year_at_its_own_midnights() {
    let bills = run(
        &file("urdb/tiered_energy_and_demand.json"),
        &file("usage/residential_hourly_2018.csv"),
        Some(chrono_tz::America::New_York),
    )
    .unwrap();
    assert_eq!(bills.len(), 13, "five hours of it are still in 2017");
    let kwh: rust_decimal::Decimal = bills.iter().map(|bill| bill.kwh).sum();
    assert_eq!(kwh, "6019.809".parse().unwrap());
}

#[test]
fn every_fault_has_file_line_and_column() {
    let flat = flat(Tz::UTC);
    let csv = "interval_start,kwh\n2026-01-01T00:00:00Z,1\n2026-01-01T01:00:00Z,x\n2026-01-01T02:00:00Z,1\n2026-01-01T03:00:00Z,1\n";
    assert_eq!(run(&flat, csv, None).unwrap_err(), ["usage:3:22: \"x\" is not a number of kWh"]);
    assert_eq!(
        run(&flat, &csv.replace('x', "1").replace("T02", "T05"), None).unwrap_err().len(),
        1,
        "03:00 comes after 05:00 but two hours are missing"
    );
    assert_eq!(run("{\n}", csv, None).unwrap_err()[0].split(": ").next(), Some("tariff.json:1:1"));
    assert_eq!(run(&flat, "", None).unwrap_err(), ["usage:1:1: the file is empty"]);
    assert_eq!(run(&flat, "<feed>", None).unwrap_err(), ["usage:1:7: the file ends inside <feed>"]);
    for name in ["invalid_incomplete_interval.csv", "invalid_missing_fields.csv"] {
        assert!(run(&flat, &file(&format!("nem12/{name}")), None).is_err());
    }
}

#[test]
fn what_a_month_leaves_the_next_takes_over() {
    // Nothing is used all year: 12 x 8.00 are 96.00, and December makes up what is missing to 120.00.
    let tariff =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/tariffs/net-metering.json")).unwrap();
    let first: NaiveDate = "2026-01-01".parse().unwrap();
    let rows =
        first.iter_days().take(365).flat_map(|day| (0..24).map(move |hour| format!("{day}T{hour:02}:00:00Z,0\n")));
    let bills = run(&tariff, &format!("interval_start,kwh\n{}", rows.collect::<String>()), Some(Tz::UTC)).unwrap();
    let totals: Vec<String> = bills.iter().map(|bill| bill.total.to_string()).collect();
    assert_eq!(totals[..11], ["8.00"; 11]);
    assert_eq!(totals[11], "32.00");
}
