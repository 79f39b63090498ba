//! `portal tariff check`, `convert` and `schema`.

use super::runs::*;

#[test]
fn every_example_and_every_reference_rate_is_checked_without_fault() {
    let examples = std::fs::read_dir(example("")).unwrap().map(|file| file.unwrap().path());
    let rates = std::fs::read_dir(reference("urdb")).unwrap().map(|file| file.unwrap().path());
    let all: Vec<_> = examples.chain(rates).collect();
    assert!(all.len() >= 12);
    for file in all {
        let output = run(&["tariff", "check", file.to_str().unwrap()]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(text(&output.stdout).ends_with("no faults\n"), "{}", text(&output.stdout));
    }
}

#[test]
fn every_fault_of_a_tariff_is_a_line_of_its_own() {
    let scratch = Scratch::new("check");
    let tariff = std::fs::read_to_string(example("time-of-use.json")).unwrap();
    let tariff = tariff
        .replace("\"to\": \"09-30\"", "\"to\": \"09-15\"")
        .replace("\"USD\"", "\"usd\"")
        .replace("\"0.2413\"", "\"0.24131234\"");
    let file = scratch.file("t.json", tariff);
    let output = run(&["tariff", "check", &file]);
    assert_eq!(output.status.code(), Some(2));
    let told = text(&output.stderr);
    let lines: Vec<&str> = told.lines().map(|line| line.rsplit_once("t.json:").unwrap().1).collect();
    assert_eq!(
        lines,
        [
            "5:15: currency: a currency is three capital letters, such as EUR",
            "11:18: calendars.hours.seasons: the days 09-16 to 09-30 lie in no season: a gap",
            "42:55: energy[0].prices[3].blocks[0].price: a price has at most 6 decimals",
        ]
    );
}

#[test]
fn a_converted_rate_bills_the_same_and_converts_to_itself() {
    let scratch = Scratch::new("convert");
    let usage = reference("usage/commercial_hourly_2018.csv");
    for name in ["tiered_energy_and_demand", "tiered_tou_with_demand", "tou_with_flat_and_tou_demand"] {
        let rate = reference(&format!("urdb/{name}.json"));
        let asked = run(&["tariff", "convert", &rate]);
        assert_eq!(asked.status.code(), Some(2), "no zone is made up");
        assert!(text(&asked.stderr).contains("names no time zone"), "{}", text(&asked.stderr));
        let converted = run(&["tariff", "convert", &rate, "--zone", "UTC"]);
        assert!(converted.status.success());
        let own = scratch.file("own.json", &converted.stdout);
        assert_eq!(run(&["tariff", "convert", &own]).stdout, converted.stdout);
        let bills = |tariff: &str| text(&run(&["rate", "--tariff", tariff, "--usage", &usage]).stdout);
        assert_eq!(bills(&own), bills(&rate));
    }
}

#[test]
fn the_schema_is_printed_whole() {
    let printed: serde_json::Value = serde_json::from_slice(&run(&["tariff", "schema"]).stdout).unwrap();
    assert_eq!(printed["title"], "eis-tariff/1");
}

#[test]
fn a_list_of_holidays_that_has_ended_is_a_warning_with_its_place_and_no_fault() {
    let scratch = Scratch::new("holidays");
    let tariff = std::fs::read_to_string(example("time-of-use.json")).unwrap();
    let listed = tariff.split("\"holidays\": ").nth(1).unwrap().split(']').next().unwrap();
    let file = scratch.file("t.json", tariff.replace(listed, "[\"2020-12-25\""));
    let output = run(&["tariff", "check", &file]);
    assert!(output.status.success());
    let told = text(&output.stdout);
    assert!(
        told.starts_with("warning: ")
            && told.contains("t.json:31:19: calendars.hours.holidays: holidays of 2020 are listed"),
        "{told}"
    );
    assert!(told.ends_with("no faults\n"), "{told}");
    let bills =
        run(&["rate", "--tariff", &file, "--zone", "UTC", "--usage", &reference("usage/commercial_hourly_2018.csv")]);
    assert_eq!(bills.status.code(), Some(2));
    assert!(text(&bills.stderr).contains("holidays of 2020 are listed and none of 2018"), "{}", text(&bills.stderr));
}
