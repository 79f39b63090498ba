//! What URDB files become, and what is refused.

use chrono_tz::UTC;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::super::{BlockBasis, ExportCredit, FixedBasis, MinimumBasis, Netting, TariffDocument, read};

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
        let rate = json!({"energyratestructure": [[{"rate": 0.1}]], "fixedchargefirstmeter": 1, "fixedchargeunits": "$/month", field: value});
        assert!(refused(&rate)[0].starts_with(&format!("{field}: ")), "{field}");
    }
}

#[test]
fn a_value_of_the_wrong_kind_is_refused_with_its_place_and_never_dropped() {
    let rate = |block: Value| json!({"energyratestructure": [[block]], "dgrules": "Net Billing Hourly"});
    let block = "a block is an object with rate, adj, max, unit and sell";
    for value in [json!(5), json!("x"), json!(null), json!([])] {
        assert_eq!(refused(&rate(value)), [format!("energyratestructure[0][0]: {block}")]);
    }
    assert_eq!(
        refused(&rate(json!({"rate": 0.1, "sell": "0.05"}))),
        ["energyratestructure[0][0].sell: sell must be a number"]
    );
    assert_eq!(
        refused(&rate(json!({"rate": 0.1, "sell": 0.05, "unit": 5}))),
        ["energyratestructure[0][0].unit: this is not a text"]
    );
    assert_eq!(
        refused(&json!({"energyratestructure": [{"rate": 0.1}]})),
        ["energyratestructure[0]: a period is a list of blocks"]
    );
    let refused = |field: &str, value: Value| {
        let rate = json!({"energyratestructure": [[{"rate": 0.1}]], "fixedchargefirstmeter": 5, "mincharge": 5,
            "fixedchargeunits": "$/month", "minchargeunits": "$/month", "demandratestructure": [[{"rate": 5}]], field: value});
        refused(&rate)
    };
    for (field, value) in [
        ("fixedchargeunits", json!(7)),
        ("minchargeunits", json!(["$/day"])),
        ("dgrules", json!(5)),
        ("dgrules", json!(true)),
        ("demandunits", json!(5)),
        ("name", json!(["x"])),
        ("description", json!({"x": 1})),
    ] {
        assert_eq!(refused(field, value), [format!("{field}: this is not a text")]);
    }
    assert_eq!(refused("usenetmetering", json!("no")), ["usenetmetering: this is neither true nor false"]);
    for (block, fault) in [
        (json!({"rate": 5, "unit": "hp"}), "unit: only kW can be represented"),
        (json!({"rate": 5, "sell": 1}), "sell: this cannot be represented: a bill may depend on it"),
    ] {
        assert_eq!(refused("demandratestructure", json!([[block]])), [format!("demandratestructure[0][0].{fault}")]);
    }
}

#[test]
fn a_fault_of_a_wrong_kind_has_line_and_column() {
    let text = "{\n  \"energyratestructure\": [[{\"rate\": 0.1}]],\n  \"dgrules\": 5\n}";
    assert_eq!(read(text, UTC).unwrap_err()[0].to_string(), "3:14: dgrules: this is not a text");
    let text = "{\"energyratestructure\": [\n  [5]\n]}";
    assert!(read(text, UTC).unwrap_err()[0].to_string().starts_with("2:4: energyratestructure[0][0]: "));
}

#[test]
fn a_look_back_of_the_wrong_kind_is_refused() {
    let refused = |field: &str, value: Value, other: Value| {
        let rate = json!({"energyratestructure": [[{"rate": 0.1}]], "demandratestructure": [[{"rate": 5}]],
            "lookbackpercent": 0.5, "lookbackmonths": other, field: value});
        refused(&rate)
    };
    let months = json!([1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(refused("lookbackrange", json!("12"), months), ["lookbackrange: this is not a number of months"]);
    let marks = "lookbackmonths: 12 marks are needed, each 0 or 1";
    for wrong in [json!(5), json!([1]), json!(["x", 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1])] {
        assert_eq!(refused("lookbackmonths", wrong, json!(null)), [marks]);
    }
    let faults = refused("lookbackpercent", json!(80), json!([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]));
    assert_eq!(faults, ["lookbackpercent: a look-back is a fraction, more than 0 and at most 1"]);
}

#[test]
fn a_demand_window_that_no_meter_has_is_told_by_the_field_of_the_file() {
    let rate =
        json!({"energyratestructure": [[{"rate": 0.1}]], "demandratestructure": [[{"rate": 5}]], "demandwindow": 45});
    let fault = &read(&rate.to_string(), UTC).unwrap_err()[0];
    assert_eq!(fault.to_string(), "1:54: demandwindow: a demand window has 5, 15, 30 or 60 minutes");
}

/// 12 months of 24 hours of one period.
fn schedule(period: Value) -> Value {
    Value::Array(vec![Value::Array(vec![period; 24]); 12])
}

#[test]
fn a_block_without_a_rate_is_refused_wherever_it_stands() {
    let no_rate = "the block has no rate; 0 where it costs nothing";
    for block in [json!({"unit": "kWh"}), json!({"adj": 0.01}), json!({"rate": null}), json!({"sell": 0.05}), json!({})]
    {
        assert_eq!(
            refused(&json!({"energyratestructure": [[{"rate": 0, "max": 5}, block]]}))[0],
            format!("energyratestructure[0][1]: {no_rate}")
        );
    }
    for field in ["demandratestructure", "flatdemandstructure"] {
        let rate = json!({"energyratestructure": [[{"rate": 0.1}]], field: [[{"adj": 2}]]});
        assert_eq!(refused(&rate), [format!("{field}[0][0]: {no_rate}")]);
    }
    let free = json!({"energyratestructure": [[{"rate": 0}]]});
    assert_eq!(read(&free.to_string(), UTC).unwrap().energy[0].prices[0].blocks[0].price, Decimal::ZERO);
}

#[test]
fn a_schedule_of_the_only_period_must_name_it_too() {
    for (structure, field) in [
        ("energyratestructure", "energyweekdayschedule"),
        ("energyratestructure", "energyweekendschedule"),
        ("demandratestructure", "demandweekdayschedule"),
        ("demandratestructure", "demandweekendschedule"),
    ] {
        let rate = |period: Value| json!({"energyratestructure": [[{"rate": 0.1}]], structure: [[{"rate": 0.1}]], field: schedule(period)});
        assert_eq!(refused(&rate(json!(1))), [format!("{field}[0][0]: 1 is no period: there are 1, from 0")]);
        assert_eq!(refused(&rate(json!(null))).len(), 1);
        assert!(read(&rate(json!(0)).to_string(), UTC).is_ok());
    }
    let months = |last: Value| {
        json!({"energyratestructure": [[{"rate": 0.1}]], "flatdemandstructure": [[{"rate": 4}]],
        "flatdemandmonths": [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]})
    };
    assert_eq!(refused(&months(json!(1))), ["flatdemandmonths[11]: 1 is no structure: there are 1, from 0"]);
    assert_eq!(refused(&months(json!("0"))), ["flatdemandmonths[11]: \"0\" is no structure: there are 1, from 0"]);
}

#[test]
fn a_schedule_with_a_short_month_or_without_its_rates_is_refused() {
    let mut short = schedule(json!(0));
    short[7].as_array_mut().unwrap().pop();
    let rate = json!({"energyratestructure": [[{"rate": 0.1}]], "energyweekdayschedule": short});
    assert_eq!(refused(&rate), ["energyweekdayschedule[7]: a month of a schedule has 24 hours"]);
    for (field, value, structure) in [
        ("demandweekendschedule", schedule(json!(0)), "demandratestructure"),
        ("flatdemandmonths", json!([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), "flatdemandstructure"),
    ] {
        let rate = json!({"energyratestructure": [[{"rate": 0.1}]], field: value});
        assert_eq!(refused(&rate), [format!("{field}: it names no period: {structure} is not there")]);
    }
    let none = json!({"demandratestructure": [[{"rate": 5}]]});
    assert_eq!(refused(&none), ["energyratestructure: this is missing: no price of energy is given"]);
}

#[test]
fn limits_and_their_units_are_read_as_what_they_are_or_refused() {
    let of = |blocks: Value| json!({"energyratestructure": [blocks]});
    for max in [json!(-1e38), json!(-5), json!(1e-200)] {
        let rate = of(json!([{"rate": 0.1, "max": max}, {"rate": 0.2}]));
        assert_eq!(refused(&rate), ["energyratestructure[0][0].max: max must be a number, and not below zero"]);
    }
    let mixed = of(json!([{"rate": 0.1, "max": 10, "unit": "kWh daily"}, {"rate": 0.2, "max": 20}, {"rate": 0.3}]));
    assert!(refused(&mixed)[0].contains("cannot be represented: only all in kWh or all in kWh daily"));
    let daily = of(json!([{"rate": 0.1, "max": 10, "unit": "KWH Daily"}, {"rate": 0.2}]));
    assert_eq!(read(&daily.to_string(), UTC).unwrap().energy[0].blocks_per, BlockBasis::Day);
    let empty = of(json!([{"rate": 0.1, "max": 10, "unit": ""}, {"rate": 0.2}]));
    assert_eq!(read(&empty.to_string(), UTC).unwrap().energy[0].blocks_per, BlockBasis::Period);
}

#[test]
fn amounts_and_look_backs_are_refused_where_their_unit_or_their_share_is_not_said() {
    let of = |field: &str, value: Value| refused(&json!({"energyratestructure": [[{"rate": 0.1}]], field: value}));
    assert_eq!(
        of("fixedchargefirstmeter", json!(9.5)),
        ["fixedchargefirstmeter: fixedchargeunits is missing: is it $/month, $/day or $/year?"]
    );
    assert_eq!(of("mincharge", json!(9.5)), ["mincharge: minchargeunits is missing: is it $/month, $/day or $/year?"]);
    let look_back = "lookbackpercent is missing: how much of the earlier peak counts?";
    assert_eq!(of("lookbackRange", json!(11)), [format!("lookbackRange: {look_back}")]);
    assert_eq!(
        of("lookbackMonths", json!([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0])),
        [format!("lookbackMonths: {look_back}")]
    );
}

#[test]
fn net_billing_says_what_energy_fed_in_is_worth_and_over_which_time_it_is_netted() {
    let rate = |rules: &str, block: Value| json!({"energyratestructure": [[block]], "dgrules": rules});
    let missing = "sell is missing: what is energy fed in worth? 0 where it is worth nothing";
    for rules in ["Net Billing Hourly", "Net Billing Instantaneous", "Buy All Sell All"] {
        assert_eq!(refused(&rate(rules, json!({"rate": 0.2}))), [format!("energyratestructure[0][0]: {missing}")]);
    }
    for (rules, wanted) in [(" Net Billing Hourly", Netting::Hour), ("Net Billing Instantaneous", Netting::Interval)] {
        let tariff = read(&rate(rules, json!({"rate": 0.2, "sell": 0})).to_string(), UTC).unwrap();
        assert!(
            matches!(tariff.export, Some(ExportCredit::NetBilling { netting, .. }) if netting == wanted),
            "{rules}"
        );
    }
    let both = json!({"energyratestructure": [[{"rate": 0.2, "sell": 0.1}]], "dgrules": "Net Billing Hourly", "usenetmetering": true});
    assert!(refused(&both)[0].contains("only one can hold"));
}

#[test]
fn fields_that_say_whom_a_rate_is_open_to_are_left_aside_and_units_of_demand_are_not() {
    let rate = |unit: &str| {
        json!({"energyratestructure": [[{"rate": 0.1405, "adj": 0.0003}]], "supercedes": "66635e3c",
        "sourceReference": "https://example.org", "mindemand": 500, "maxdemand": 999, "serviceMax": 12000,
        "flatdemandstructure": [[{"rate": 5.539}]], "flatDemandUnits": unit})
    };
    assert!(read(&rate("kW").to_string(), UTC).is_ok());
    assert_eq!(refused(&rate("kVA")), ["flatDemandUnits: only kW can be represented"]);
}
