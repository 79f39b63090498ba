//! Situations from practice: each folder of the reference cases with what is right about it.

use super::*;

/// What is right.
enum Right {
    /// kWh and total of each bill.
    Bills(&'static [(&'static str, &'static str)]),
    /// A refusal that says all of this.
    Refused(&'static [&'static str]),
    /// The same with a note that says this.
    Told(&'static [(&'static str, &'static str)], &'static str),
}
use Right::{Bills, Refused, Told};

const CASES: [(&str, Right); 50] = [
    ("01-gb-relative-links", Bills(&[("944.472", "94.45")])),
    ("03-gb-gas-delivered-received", Told(&[("708.035", "114.38")], "the service kind 1 is not electricity")),
    ("04-gb-autumn-25-hours", Bills(&[("1097.102", "124.50")])),
    ("05-gb-thousandths-of-a-watt-hour", Bills(&[("186.426", "55.93")])),
    ("06-gb-daily-values", Refused(&["usage.xml:8:1", "no values of a day"])),
    ("07-urdb-time-of-use-no-zone", Bills(&[("449.5", "165.85")])),
    ("08-csv-enedis-autumn-offsets", Bills(&[("1448.603", "364.47")])),
    ("09-csv-an-hour-among-half-hours", Refused(&["1 of 48 values are missing on 2023-02-02"])),
    ("10-csv-offset-without-seconds", Bills(&[("601.697", "120.34")])),
    ("11-csv-newest-first-autumn", Bills(&[("375.789", "75.16")])),
    ("12-csv-last-row-first", Bills(&[("560.022", "112.00")])),
    ("13-csv-utf-16", Bills(&[("560.022", "112.00")])),
    ("14-csv-sep-line", Bills(&[("560.022", "112.00")])),
    ("15-csv-thousands-point", Bills(&[("2819544", "281954.40")])),
    ("16a-csv-net-channel-net-billing", Refused(&["is below zero", "say that the values are net"])),
    ("16b-csv-net-channel-no-export-rule", Refused(&["is below zero"])),
    ("19-csv-latin-1-other-columns", Bills(&[("586.922", "117.38")])),
    ("20-csv-one-of-two-meters-lacks-a-day", Refused(&["meter E1, import: no values on 2017-09-25"])),
    ("21-csv-spring-row-of-nothing", Told(&[("371.5", "111.45")], "2024-03-31 02:00:00 does not exist")),
    ("22-csv-last-half-hour-not-there", Refused(&["no values from 2020-11-30 23:30 up to 2020-12-01 00:00"])),
    ("23-csv-hours-1-to-24", Refused(&["usage.csv:2:1", "2022/07/01 01:00"])),
    ("24-csv-overlapping-downloads", Told(&[("399.842", "139.94")], "stand twice in the file")),
    ("25-nem12-short-records", Bills(&[("714.806", "235.89")])),
    ("26-nem12-without-100", Refused(&["a 100 record is missing"])),
    ("27-nem12-fifteen-says-the-200-five-are-there", Refused(&["the number of values is wrong"])),
    (
        "28-nem12-meter-turned-to-five-minutes",
        Told(
            &[("682.215", "225.13"), ("691.417", "228.17")],
            "from 2021-10-01 on intervals are 5 minutes long, before 30",
        ),
    ),
    ("29-nem12-controlled-load", Told(&[("1124.829", "371.19")], "register E1, import and meter M1, register E2")),
    ("30-nem12-solar-from-the-24th", Told(&[("1124.829", "367.21")], "begins at 2026-01-24 00:00")),
    ("31-nem12-register-lacks-a-day", Refused(&["register E1, import: no values on 2026-01-13"])),
    (
        "32-nem12-month-of-market-time-in-summer",
        Refused(&["no values from 2026-01-01 00:00 up to 2026-01-01 01:00", "--from 2026-01-02 --to 2026-02-01"]),
    ),
    ("33-nem12-day-sent-again", Told(&[("704.298", "232.42")], "in two versions: the later counts")),
    ("34-urdb-block-without-a-rate", Refused(&["rate"])),
    ("35-urdb-schedule-names-no-period", Refused(&["period"])),
    ("36-urdb-net-billing-hourly-on-quarter-hours", Bills(&[("1227.6", "145.08")])),
    ("37-urdb-last-tier-has-an-end", Refused(&["nothing holds from 42 on"])),
    ("38-urdb-kwh-daily-in-a-leap-february", Bills(&[("474.324", "207.89")])),
    ("39-urdb-hours-use-blocks", Refused(&["blocks in kWh/kW cannot be represented"])),
    ("40-urdb-administrative-fields", Bills(&[("504", "2414.34")])),
    ("41-demand-window-in-winter-across-new-year", Bills(&[("358.25", "1303.73"), ("343.525", "1426.19")])),
    ("42-ontario-time-of-use", Bills(&[("772.62", "76.39"), ("791.316", "76.80")])),
    ("43-half-hour-night-rate-in-the-month-clocks-change", Bills(&[("646.508", "275.95")])),
    ("45-billing-demand-at-least-30-kw", Refused(&["unknown field `minimum_kw`"])),
    ("46-exactly-at-the-limit", Bills(&[("250", "0.00"), ("250.001", "0.00"), ("500", "5.00")])),
    (
        "47-credit-kept-across-december",
        Bills(&[("100", "10.00"), ("40", "0.00"), ("10", "0.00"), ("80", "0.00"), ("30", "0.00")]),
    ),
    ("48-import-and-export-in-one-interval", Bills(&[("312", "31.02")])),
    ("49-lines-and-vat-add-up", Bills(&[("247.419", "101.78")])),
    ("50-off-peak-at-odd-minutes", Refused(&["24 hours, 48 half-hours or 96 quarter-hours"])),
    ("51-ten-minute-values", Refused(&["10 minutes", "5, 15, 30 or 60 minutes"])),
    ("53-holidays-of-last-year-only", Refused(&["holidays of 2025 are listed and none of 2026"])),
    ("54-gb-hours-and-days-of-one-meter", Refused(&["no values of a day"])),
];

fn folder(case: &str) -> String {
    format!("{}/end2end/reference/cases/{case}", env!("CARGO_MANIFEST_DIR"))
}

fn rated(case: &str, say: impl Fn(&mut RateFiles<'_>)) -> Result<Rated, Vec<String>> {
    let folder = folder(case);
    let text = |name: &str| std::fs::read_to_string(format!("{folder}/{name}")).unwrap();
    let name = if std::path::Path::new(&folder).join("usage.xml").exists() { "usage.xml" } else { "usage.csv" };
    let (expect, tariff) = (text("expect.txt"), text("tariff.json"));
    let command = expect.lines().find_map(|line| line.strip_prefix("command: ")).unwrap();
    let zone = command.split_once("--zone ").map(|(_, zone)| zone.trim().parse().unwrap());
    let (from, to, mark, net) = (None, None, None, false);
    let mut files =
        RateFiles { tariff_name: "tariff.json", tariff: &tariff, usage_name: name, zone, from, to, mark, net };
    say(&mut files);
    let usage = std::fs::read(format!("{folder}/{name}")).unwrap();
    rate_files(&files, usage.as_slice())
}

fn figures(rated: &Rated) -> Vec<(String, String)> {
    let of = |bill: &Bill| (bill.kwh.normalize().to_string(), bill.total.to_string());
    rated.bills.iter().map(of).collect()
}

fn owned(bills: &[(&str, &str)]) -> Vec<(String, String)> {
    bills.iter().map(|(kwh, total)| ((*kwh).to_owned(), (*total).to_owned())).collect()
}

/// What is wrong about a case.
fn wrong(case: &str, right: &Right) -> Option<String> {
    let found = rated(case, |_| ());
    let fine = match (right, &found) {
        (Bills(bills), Ok(rated)) => figures(rated) == owned(bills),
        (Told(bills, note), Ok(rated)) => {
            figures(rated) == owned(bills) && rated.notes.iter().any(|told| told.contains(note))
        }
        (Refused(words), Err(faults)) => {
            let told = faults.join("\n");
            words.iter().all(|word| told.contains(word)) && faults.iter().all(|fault| fault.matches(':').count() >= 3)
        }
        _ => false,
    };
    let found = found.map(|rated| (figures(&rated), rated.notes));
    (!fine).then(|| format!("{case}: {found:?}"))
}

#[test]
fn every_case_from_practice_ends_as_is_right() {
    let wrong: Vec<String> = CASES.iter().filter_map(|(case, right)| wrong(case, right)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_case_is_known_here() {
    let mut folders: Vec<String> = std::fs::read_dir(folder(""))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    folders.sort();
    assert_eq!(folders, CASES.iter().map(|(case, _)| *case).collect::<Vec<_>>());
}

#[test]
fn a_net_channel_is_billed_where_a_person_says_that_it_is_one() {
    let billed = rated("16a-csv-net-channel-net-billing", |files| files.net = true).unwrap();
    assert_eq!(figures(&billed), owned(&[("406.701", "145.32")]));
    let refused = rated("16b-csv-net-channel-no-export-rule", |files| files.net = true).unwrap_err();
    assert!(refused[0].contains("no rule for energy fed in"), "{refused:?}");
}
