//! What URDB files become, and what is refused.

use chrono_tz::UTC;
use serde_json::{Value, json};

use super::super::{BlockBasis, ExportCredit, FixedBasis, MinimumBasis, TariffDocument, read};

fn reference(name: &str) -> TariffDocument {
    let path = format!("{}/end2end/reference/urdb/{name}.json", env!("CARGO_MANIFEST_DIR"));
    read(&std::fs::read_to_string(path).unwrap(), UTC).unwrap()
}

fn refused(rate: &Value) -> Vec<String> {
    read(&rate.to_string(), UTC).unwrap_err().iter().map(|fault| format!("{}: {}", fault.path, fault.message)).collect()
}

#[test]
fn the_reference_rates_are_imported_whole() {
    let tariff = reference("tiered_tou_with_demand");
    assert_eq!(tariff.energy[0].prices[0].blocks[0].price.to_string(), "0.070769");
    assert_eq!(tariff.energy[0].prices[1].blocks[1].to, None, "9.99e37 means no end");
    assert_eq!(tariff.calendars["energy"].seasons.len(), 3);
    assert_eq!(tariff.demand.len(), 2);
    assert_eq!(
        tariff.calendars["flat demand"].seasons.iter().map(|season| season.name.as_str()).collect::<Vec<_>>(),
        ["January", "February to April", "May to October", "November to December"]
    );
    assert_eq!(
        tariff.minimums.iter().map(|minimum| minimum.per).collect::<Vec<_>>(),
        [MinimumBasis::Period, MinimumBasis::Year]
    );
    assert!(matches!(tariff.export, Some(ExportCredit::NetMetering(_))));
    let tariff = reference("tou_with_flat_and_tou_demand");
    assert_eq!(tariff.fixed[0].per, FixedBasis::AverageMonthDay);
    let tariff = reference("tiered_energy_and_demand");
    assert!(tariff.calendars.is_empty(), "one period needs no calendar");
}

#[test]
fn what_cannot_be_represented_is_named_and_refused() {
    let flat = json!([[{"rate": 0.1}]]);
    let refused = |field: &str, value: Value| refused(&json!({"energyratestructure": flat, field: value}));
    assert_eq!(
        refused("coincidentratestructure", json!([[{"rate": 3}]])),
        ["coincidentratestructure: this cannot be represented: a bill may depend on it, so the rate is refused"]
    );
    assert_eq!(refused("fueladjustmentsmonthly", json!([0, 0.01])).len(), 1);
    assert_eq!(refused("demandunits", json!("kVA")), ["demandunits: only kW can be represented"]);
    assert_eq!(refused("dgrules", json!("Feed-in")), ["dgrules: \"feed-in\" cannot be represented"]);
    assert!(read(&json!({"energyratestructure": flat, "fueladjustmentsmonthly": [0, 0], "utility": "X", "demandunits": "kW"}).to_string(), UTC).is_ok());
}

#[test]
fn blocks_in_units_of_load_are_refused_and_daily_blocks_are_understood() {
    let rate = |unit: &str| json!({"energyratestructure": [[{"rate": 0.1, "max": 10, "unit": unit}, {"rate": 0.2, "unit": unit}]]});
    assert!(refused(&rate("kWh/kW"))[0].contains("kWh/kW cannot be represented"));
    assert_eq!(read(&rate("kWh daily").to_string(), UTC).unwrap().energy[0].blocks_per, BlockBasis::Day);
}

#[test]
fn a_schedule_that_names_no_period_or_has_a_gap_is_refused_with_its_place() {
    let rows = |value: Value| Value::Array(vec![Value::Array(vec![value; 24]); 12]);
    let two = json!([[{"rate": 0.1}], [{"rate": 0.2}]]);
    let faults = refused(
        &json!({"energyratestructure": two, "energyweekdayschedule": rows(json!(2)), "energyweekendschedule": rows(json!(0))}),
    );
    assert_eq!(faults[0], "energyweekdayschedule[0][0]: 2 is no period: there are 2, from 0");
    let faults = refused(&json!({"energyratestructure": two, "energyweekdayschedule": rows(json!(1))}));
    assert_eq!(faults[0], "energyweekendschedule: the schedule is missing");
    let faults = refused(&json!({"energyratestructure": [[{"rate": 0.1, "max": 100}, {"rate": 0.2, "max": 50}]]}));
    assert_eq!(faults, ["energyratestructure[0][1].max: the block ends at 50, not after 100"]);
    let faults = refused(&json!({"energyratestructure": [[{"rate": 0.1, "max": 100}, {"rate": 0.2, "max": 500}]]}));
    assert_eq!(faults, ["energyratestructure[0][1].max: nothing holds from 500 on: the last block must have no end"]);
    let faults = refused(&json!({"energyratestructure": [[{"rate": 0.1}, {"rate": 0.2}]]}));
    assert_eq!(faults, ["energyratestructure[0][0]: only the last block has no end: those after it would never hold"]);
}

#[test]
fn the_list_that_the_service_answers_with_is_read_when_it_holds_one_rate() {
    let rate = json!({"energyRateStructure": [[{"rate": 0.1, "adj": 0.005}]], "name": "Residential"});
    let tariff = read(&json!({"items": [rate]}).to_string(), UTC).unwrap();
    assert_eq!(
        (tariff.name.as_str(), tariff.energy[0].prices[0].blocks[0].price.to_string()),
        ("Residential", "0.105".to_owned())
    );
    assert_eq!(refused(&json!({"items": [rate, rate]}))[0], "items: a file must hold one rate; this one holds 2");
}

#[test]
fn words_are_kept_and_a_field_said_twice_is_refused() {
    let rate = json!({"energyratestructure": [[{"rate": 0.1}]], "description": "For homes.", "energycomments": "Rider X included.",
        "fixedattrs": [{"Meter": "single phase"}]});
    let tariff = read(&rate.to_string(), UTC).unwrap();
    assert_eq!(
        tariff.description,
        "For homes.\nenergycomments: Rider X included.\nfixedattrs: [{\"Meter\":\"single phase\"}]"
    );
    let twice = json!({"energyratestructure": [[{"rate": 0.1}]], "energyRateStructure": [[{"rate": 0.2}]]});
    assert_eq!(refused(&twice).len(), 1);
}

#[test]
fn versions_7_and_8_are_told_apart_by_their_fields() {
    let seven = json!({"energyratestructure": [[{"rate": 0.1}]], "fixedmonthlycharge": 9.5, "minmonthlycharge": 12, "annualmincharge": 100});
    let eight = json!({"energyratestructure": [[{"rate": 0.1, "unit": "kWh"}]], "fixedchargefirstmeter": 9.5, "fixedchargeunits": "$/month",
        "mincharge": 12, "minchargeunits": "$/month", "lookbackPercent": 0.8, "lookbackRange": 11,
        "flatdemandstructure": [[{"rate": 4}]], "demandwindow": 15});
    let (seven, eight) = (read(&seven.to_string(), UTC).unwrap(), read(&eight.to_string(), UTC).unwrap());
    assert_eq!((&seven.fixed, &seven.minimums[0]), (&eight.fixed, &eight.minimums[0]));
    let ratchet = eight.demand[0].ratchet.as_ref().unwrap();
    assert_eq!(
        (ratchet.percent.to_string(), ratchet.months, eight.demand[0].window_minutes),
        ("80.0".to_owned(), 11, Some(15))
    );
    for (field, value) in [
        ("demandratchetpercentage", json!([0.8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
        ("demandreactivepowercharge", json!(0.5)),
        ("coincidentrateschedule", json!([[1]])),
        ("something_new", json!("x")),
        ("fixedchargeunits", json!("$/kW")),
        ("demandrateunit", json!("kVA")),
        ("flatdemandunit", json!("hp")),
    ] {
        let rate = json!({"energyratestructure": [[{"rate": 0.1}]], "fixedchargefirstmeter": 1, field: value});
        assert!(refused(&rate)[0].starts_with(&format!("{field}: ")), "{field}");
    }
}
