//! The command line's contract.

use super::*;
use serde_json::Value;

fn file(name: &str) -> String {
    std::fs::read_to_string(format!("{}/end2end/reference/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Files without anything said of them.
fn files<'f>(tariff: &'f str, zone: Option<Tz>) -> RateFiles<'f> {
    let (from, to, mark, net) = (None, None, None, false);
    RateFiles { tariff_name: "tariff.json", tariff, usage_name: "usage", zone, from, to, mark, net }
}

fn run(tariff: &str, usage: &str, zone: Option<Tz>) -> Result<Vec<Bill>, Vec<String>> {
    rate_files(&files(tariff, zone), usage.as_bytes()).map(|rated| rated.bills)
}

fn flat(zone: Tz) -> String {
    serde_json::to_string(&TariffDocument::flat("Flat", "USD", zone, "0.1".parse().unwrap())).unwrap()
}

#[test]
fn a_year_of_hours_makes_twelve_bills_in_the_form_of_the_contract() {
    let bills =
        run(&file("urdb/tiered_tou_with_demand.json"), &file("usage/residential_hourly_2018.csv"), Some(Tz::UTC))
            .unwrap();
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
    let part = RateFiles { from: day("2012-03-01"), to: day("2012-03-14"), ..files(&tariff, None) };
    let bills = rate_files(&part, usage.as_bytes()).unwrap().bills;
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
fn a_zone_other_than_the_files_leaves_days_at_its_edges_that_are_not_whole() {
    let (tariff, usage) = (file("urdb/tiered_energy_and_demand.json"), file("usage/residential_hourly_2018.csv"));
    let zone = Some(chrono_tz::America::New_York);
    assert_eq!(
        run(&tariff, &usage, zone).unwrap_err(),
        [
            "usage:1:1: the meter, import: no values from 2017-12-31 00:00 up to 2017-12-31 19:00",
            "usage:1:1: the meter, import: no values from 2018-12-31 19:00 up to 2019-01-01 00:00",
            "usage:1:1: the days 2018-01-01 to 2018-12-30 are whole: --from 2018-01-01 --to 2018-12-31 rates them",
        ]
    );
    let day = |text: &str| Some(text.parse().unwrap());
    let inside = RateFiles { from: day("2018-01-01"), to: day("2018-12-31"), ..files(&tariff, zone) };
    let rated = rate_files(&inside, usage.as_bytes()).unwrap();
    assert_eq!((rated.bills.len(), rated.notes), (12, vec![]));
}

#[test]
fn a_rate_without_a_zone_asks_for_it_unless_the_file_tells_one() {
    let rate = file("urdb/tiered_tou_with_demand.json");
    let day = |from: &str, hours: i64, offset: &str| {
        let start: chrono::NaiveDateTime = from.parse().unwrap();
        let row = |hour| format!("{}{offset},1\n", (start + chrono::Duration::hours(hour)).format("%Y-%m-%dT%H:%M:%S"));
        format!("interval_start,kwh\n{}", (0..hours).map(row).collect::<String>())
    };
    for (usage, why) in [
        (day("2026-01-05T00:00:00", 24, ""), "local times"),
        (day("2026-01-05T00:00:00", 24, "-07:00"), "another offset"),
        (day("2026-01-05T07:00:00", 24, "Z"), "a day that is none of UTC"),
    ] {
        let told = run(&rate, &usage, None).unwrap_err();
        assert!(told.iter().any(|fault| fault.contains("zone")), "{why}: {told:?}");
        assert!(run(&rate, &usage, Some(chrono_tz::America::Denver)).is_ok(), "{why}");
    }
    let whole = rate_files(&files(&rate, None), day("2026-01-05T00:00:00", 48, "Z").as_bytes()).unwrap();
    assert!(whole.notes[0].contains("written as UTC"), "{:?}", whole.notes);
}

#[test]
fn a_meter_follows_another_one_and_what_is_fed_in_begins_later() {
    let rate = flat(Tz::UTC);
    let rows = |meter: &str, direction: &str, from: i64, to: i64| {
        let start: chrono::NaiveDateTime = "2026-01-01T00:00:00".parse().unwrap();
        let at = |hour| (start + chrono::Duration::hours(hour)).format("%Y-%m-%dT%H:%M:%SZ");
        (from..to).map(|hour| format!("{meter},{direction},{},1\n", at(hour))).collect::<String>()
    };
    let of = |parts: &[String]| format!("meter,direction,interval_start,kwh\n{}", parts.concat());
    let exchanged = of(&[rows("OLD", "import", 0, 30), rows("NEW", "import", 30, 48)]);
    assert_eq!(run(&rate, &exchanged, None).unwrap()[0].kwh, "48".parse().unwrap());
    for (parts, told) in [
        ([rows("A", "import", 0, 48), rows("B", "import", 0, 47)], "meter B, import: no values from 2026-01-02 23:00"),
        ([rows("A", "import", 0, 48), rows("B", "import", 24, 48)], "meter B, import: no values from 2026-01-01 00:00"),
        ([rows("OLD", "import", 0, 30), rows("NEW", "import", 31, 48)], "meter NEW, import: no values from"),
        ([rows("A", "import", 0, 48), rows("A", "export", 0, 24)], "meter A, export: no values from 2026-01-02 00:00"),
    ] {
        let faults = run(&rate, &of(&parts), None).unwrap_err();
        assert!(faults.iter().any(|fault| fault.contains(told)), "{told}: {faults:?}");
    }
    let credit = rate.replacen("\"energy\"", "\"export\": {\"form\": \"net_billing\", \"prices\": [{\"blocks\": [{\"from\": \"0\", \"price\": \"0.05\"}]}]}, \"energy\"", 1);
    let sun = of(&[rows("A", "import", 0, 48), rows("A", "export", 30, 48)]);
    match rate_files(&files(&credit, None), sun.as_bytes()) {
        Ok(rated) => {
            assert!(rated.notes.iter().any(|note| note.contains("begins at 2026-01-02 06:00")), "{:?}", rated.notes)
        }
        Err(faults) => panic!("{faults:?}"),
    }
}

#[test]
fn every_fault_has_file_line_and_column() {
    let flat = flat(Tz::UTC);
    let csv = "interval_start,kwh\n2026-01-01T00:00:00Z,1\n2026-01-01T01:00:00Z,x\n2026-01-01T02:00:00Z,1\n2026-01-01T03:00:00Z,1\n";
    assert_eq!(run(&flat, csv, None).unwrap_err(), ["usage:3:22: \"x\" is not a number of kWh"]);
    assert_eq!(
        run(&flat, &csv.replace('x', "1").replace("T02", "T05"), None).unwrap_err(),
        [
            "usage:1:1: the meter, import: no values from 2026-01-01 06:00 up to 2026-01-02 00:00",
            "usage:1:1: the meter, import: 2 of 24 values are missing on 2026-01-01"
        ]
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
