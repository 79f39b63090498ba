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
fn registers_of_nem12_are_billed_apart_where_the_tariff_prices_them_by_name() {
    let price = |name: &str, price: &str| {
        format!(r#"{{"name": "{name}", "register": "{name}", "prices": [{{"blocks": [{{"price": "{price}"}}]}}]}}"#)
    };
    let tariff = |energy: &[String]| {
        let energy = energy.join(",");
        format!(
            r#"{{"format": "eis-tariff/1", "name": "T", "currency": "AUD", "zone": "Australia/Brisbane", "energy": [{energy}]}}"#
        )
    };
    let usage = file("cases/29-nem12-controlled-load/usage.csv");
    let both = tariff(&[price("e1", "0.33"), price("E2", "0.19")]);
    let rated = rate_files(&files(&both, None), usage.as_bytes()).unwrap();
    let lines: Vec<String> =
        rated.bills[0].lines.iter().map(|line| format!("{} {}", line.quantity, line.amount)).collect();
    assert_eq!(lines, ["704.298 232.42", "420.531 79.90"]);
    assert_eq!((rated.bills[0].total.to_string(), rated.notes), ("312.32".to_owned(), vec![]));
    let fault = |energy: &[String]| run(&tariff(energy), &usage, None).unwrap_err().remove(0);
    assert_eq!(
        fault(&[price("E1", "0.33")]),
        "usage:1:1: usage.registers: the register E2 of meter M1 has no price: the tariff prices E1"
    );
    assert!(fault(&[price("E1", "0.33"), price("E2", "0.19"), price("E3", "0.1")]).contains("prices the register E3"));
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

/// Five days of hours for each series: meter, register, direction, first and last hour.
fn hours_of(series: &[(&str, &str, &str, i64, i64)]) -> String {
    let start: chrono::NaiveDateTime = "2026-01-01T00:00:00".parse().unwrap();
    let at = |hour| (start + chrono::Duration::hours(hour)).format("%Y-%m-%dT%H:%M:%SZ");
    let rows = |(meter, register, direction, from, to): &(&str, &str, &str, i64, i64)| {
        (*from..*to).map(|hour| format!("{meter},{register},{direction},{},1\n", at(hour))).collect::<String>()
    };
    format!("meter,register,direction,interval_start,kwh\n{}", series.iter().map(rows).collect::<String>())
}

fn refused(usage: &str, word: &str) {
    let faults = run(&flat(Tz::UTC), usage, None).map(|bills| bills[0].kwh);
    assert!(faults.as_ref().is_err_and(|faults| faults.iter().any(|fault| fault.contains(word))), "{word}: {faults:?}");
}

#[test]
fn what_is_known_to_be_unknown_is_missing_wherever_it_stands() {
    let day = |date: u32, quality: &str, updated: &str| {
        format!("300,202601{date:02},{}{quality},,,{updated},\n", "0.5,".repeat(48))
    };
    let file = |registers: &[(&str, [&str; 3])]| {
        let of = |(register, qualities): &(&str, [&str; 3])| {
            let days: String =
                (1..).zip(qualities).map(|(date, quality)| day(date, quality, "20260110000000")).collect();
            format!("200,4001234567,E1E2,{register},{register},,M1,KWH,30,\n{days}")
        };
        format!("100,NEM12,202601020900,A,B\n{}900\n", registers.iter().map(of).collect::<String>())
    };
    let rate = |usage: &str| run(&flat(chrono_tz::Australia::Brisbane), usage, None);
    assert_eq!(rate(&file(&[("E1", ["A"; 3])])).unwrap()[0].kwh, "72".parse().unwrap());
    for qualities in [["N", "N", "N"], ["A", "N", "A"], ["N", "A", "A"], ["A", "A", "N"]] {
        for registers in [vec![("E1", qualities)], vec![("E1", qualities), ("E2", ["A"; 3])]] {
            let told = rate(&file(&registers)).unwrap_err();
            assert!(told.iter().any(|fault| fault.contains("register E1")), "{qualities:?}: {told:?}");
        }
    }
    // Sent again, the later record counts: known or not.
    let again = |first: (&str, &str), second: (&str, &str)| {
        let days = day(1, first.0, first.1) + &day(1, second.0, second.1);
        rate(&format!("100,NEM12,202601020900,A,B\n200,4001234567,E1,E1,E1,,M1,KWH,30,\n{days}900\n"))
    };
    assert!(again(("A", "20260110000000"), ("N", "20260201000000")).is_err());
    assert!(again(("N", "20260110000000"), ("A", "20260201000000")).is_ok());
    assert!(again(("N", "20260201000000"), ("A", "20260110000000")).is_err());
}

#[test]
fn the_days_of_a_file_are_those_of_all_its_series() {
    refused(
        &hours_of(&[("M", "", "import", 0, 72), ("M", "", "export", 0, 120)]),
        "M, import: no values from 2026-01-04",
    );
    refused(
        &hours_of(&[("M", "", "import", 48, 120), ("M", "", "export", 0, 120)]),
        "M, import: no values from 2026-01-01",
    );
}

#[test]
fn one_meter_is_followed_by_one_other_of_the_same_register() {
    let both = [("OLD", "E1", "import", 0, 72), ("OLD", "E2", "import", 0, 72)];
    let one = [&both[..], &[("NEW", "E1", "import", 72, 120)]].concat();
    refused(&hours_of(&one), "meter OLD, register E2, import: no values from 2026-01-04");
    let other = [("OLD", "E1", "import", 0, 72), ("NEW", "E2", "import", 72, 120)];
    refused(&hours_of(&other), "meter OLD, register E1");
    let all = [&both[..], &[("NEW", "E1", "import", 72, 120), ("NEW", "E2", "import", 72, 120)]].concat();
    assert_eq!(run(&flat(Tz::UTC), &hours_of(&all), None).unwrap()[0].kwh, "240".parse().unwrap());
}

#[test]
fn names_that_differ_in_case_only_are_one_series() {
    let twice = hours_of(&[("M", "E1", "import", 0, 24), ("m", "e1", "import", 0, 24)]);
    let rated = rate_files(&files(&flat(Tz::UTC), None), twice.as_bytes()).unwrap();
    assert_eq!(rated.bills[0].kwh, "24".parse().unwrap());
    assert!(rated.notes.iter().any(|note| note.contains("24 intervals stand twice")), "{:?}", rated.notes);
}

#[test]
fn rows_that_are_not_what_they_seem_are_refused() {
    let whole = hours_of(&[("M", "", "import", 0, 24)]);
    let row = "M,,import,2026-01-01T05:00:00Z,1\n";
    for (instead, word) in [
        ("\"M,,import,2026-01-01T05:00:00Z,1\n", "is a quote opened and not closed"),
        ("M,,import,2026-01-01T05:00:00Z,1\r17\n", "is not a number of kWh"),
    ] {
        refused(&whole.replace(row, instead), word);
    }
    let nameless = whole.replace("kwh\n", "kwh,\n").replace(row, "M,,import,2026-01-01T05:00:00Z,0,409\n");
    refused(&nameless, "a column without a name holds something");
    let quoted = whole.replace(",1\n", ",\"0,5\"\n").replacen(",\"0,5\"", ",1.234", 2);
    refused(&quoted, "may be 1.234 or 1234");
    let late = whole.replace(",1\n", ",\"0,5\"\n").replace("05:00:00Z,\"0,5\"", "05:00:00Z,1.234");
    refused(&late, "may be 1.234 or 1234");
    let days = (1..=5).map(|day| format!("2026-01-{day:02} 00:00,24\n")).collect::<String>();
    refused(&format!("interval_start,kwh\n{days}"), "no values of a day");
}
